/*
 * engine: one whole analysis of the tuples it is given: table, deadlines, detectors, records.
 *
 * It knows no capture format and no output format.  Each shard has one; nothing is shared.
 */
#ifndef LASTACK_ENGINE_H
#define LASTACK_ENGINE_H

#include "base/agenda.h"
#include "base/status.h"
#include "config.h"
#include "event/sink.h"
#include "flow/table.h"
#include "shard/ledger.h"

/* What is summed up for the run's summary. */
struct engine_counts {
    uint64_t segments, copies, damaged, late;
    uint64_t flows, flows_by_kind[CLOSE_KINDS];
    uint64_t left[SIDES][TCP_STATES], left_presumed[SIDES][TCP_STATES];
    uint64_t events_by_id[EVENT_IDS], events_by_level[LEVEL_ERROR + 1];
    uint64_t events_dropped, tombstones_evicted, evictions, history_dropped;
};

/* Tuples in a queue, by index; 0 none. */
struct tuple_list {
    uint32_t first, last;
};

struct engine {
    struct config config;
    struct sink *sink; /* not owned */
    struct flow_table table;
    struct agenda agenda;
    struct tuple_list queue[QUEUES]; /* what goes first when memory is short */
    uint64_t tombstones; /* held */
    uint64_t parked_octets; /* in parked connections */
    bool trace_segments, trace_transitions; /* the opt-in records are wanted */
    struct ledger_key now; /* what is being done: the key of the records that come of it */
    nanotime clock;    /* capture clock: running maximum */
    enum status status; /* first failure since it was last asked for */
    struct engine_counts counts;
    void (*probe)(void *context, const struct step *step); /* NULL, or sees every segment's step */
    void *probe_context;
};

/* Makes an empty engine; NO_MEMORY is the only failure. */
enum status engine_init(struct engine *engine, const struct config *config, struct sink *sink);

/* The key, the hash and the sending end of a segment, taken before a batch is processed. */
struct engine_item {
    struct segment segment;
    struct flow_key key;
    uint64_t hash;
    nanotime clock; /* capture clock: the latest time stamp up to this packet */
    uint8_t end;
};

/* Fills key, hash and end from item->segment; the caller sets the clock. */
void engine_identify(const struct engine *engine, struct engine_item *item);

/* Fetches the table's slot of an item that comes soon. */
void engine_prefetch(const struct engine *engine, const struct engine_item *item);

/* Analyses one segment; deadlines that it shows to have passed come first. */
void engine_segment(struct engine *engine, const struct engine_item *item);

/* Carries the capture clock on to `now` and applies the deadlines up to it. */
void engine_advance(struct engine *engine, nanotime now);

/* Ends and writes everything that lives, in the order of first packets. */
void engine_finish(struct engine *engine);

void engine_clear(struct engine *engine);

#endif
