/* analyzer_parts: what an analyzer is made of; known to the files of analyzer alone. */
#ifndef LASTACK_ANALYZER_PARTS_H
#define LASTACK_ANALYZER_PARTS_H

#include "../dissect/dissect.h"
#include "analyzer.h"
#include "engine.h"
#include "host/host.h"
#include "intake/fragments.h"
#include "path/path.h"
#include "shard/shard.h"

enum { LINK_TYPES = SUMMARY_LINK_TYPES };

struct link_count {
    int link_type;
    uint64_t packets;
};

struct analyzer {
    struct engine engine;        /* one thread; idle when there are shards */
    struct shards *shards;       /* several threads; NULL for one */
    struct fragments *fragments; /* NULL until the first one */
    struct host *host; /* what spans connections: engines write to it, and it to the sink */
    struct path *path; /* what lies between taps: engines write to it, and it to the host; NULL */
    struct fragments *far_fragments[PATH_TAPS]; /* of the further taps */
    struct sink *sink;
    struct engine_counts counts; /* at the end */
    nanotime clock;
    uint64_t number; /* of the latest packet in the whole input */
    uint32_t items;  /* that came of it so far */
    struct engine_item batch[ENGINE_BATCH];
    struct engine_turn turn[ENGINE_BATCH]; /* one after the other */
    uint32_t batched;
    uint64_t packets, bytes, truncated, bad_checksums, regressions;
    uint64_t results[DISSECT_RESULTS];
    bool further; /* the frame holds a packet behind the one taken last */
    struct link_count link[LINK_TYPES];
    uint32_t links;
    nanotime first, last;  /* of the capture clock */
    struct moments losses; /* when the capture lost packets */
    uint64_t lost;         /* packets that it told of with others */
};

/* Of a piece of a capture: tapes for the engines; when their first packet passes; when all have
 * ended. */
enum status analyzer_make_tapes(struct analyzer *analyzer);
void analyzer_begin_tapes(struct analyzer *analyzer, nanotime begin);
enum status analyzer_write_tapes(struct analyzer *analyzer);

/* Analyses the packets that wait for a batch to be full. */
void analyzer_process_batch(struct analyzer *analyzer);

/* Tells the connections whose packets were given up at `time`, because fragments are missing. */
enum status analyzer_take_lost(struct analyzer *analyzer, nanotime time);

/* The capture lost so many packets between two moments of its clock. */
void analyzer_note_loss(struct analyzer *analyzer, uint64_t lost, nanotime from, nanotime until);

/* The clock of all that was taken so far; a record of this moment is written with it. */
nanotime analyzer_clock(const struct analyzer *analyzer);

/* Fills what the analyzer and its engines have counted; everything else is the caller's. */
void analyzer_fill_stats(const struct analyzer *analyzer, const struct engine_stock *stock,
                         const struct engine_counts *counts, struct stats_record *stats);

/* The whole summary, once everything has ended; what inputs told is named in it. */
void analyzer_summarize(const struct analyzer *analyzer, const struct analyzer_inputs *inputs,
                        struct run_summary *summary);

/* The failure since it was last asked for. */
enum status analyzer_take_status(struct analyzer *analyzer);

#endif
