/* analysis_parts: what one analysis joins together; known to the files of analysis alone. */
#ifndef LASTACK_ANALYSIS_PARTS_H
#define LASTACK_ANALYSIS_PARTS_H

#include "analyzer.h"
#include "chain.h"
#include "idle.h"
#include "input_places.h"
#include "interrupt.h"
#include "live_board.h"
#include "live_view.h"
#include "options.h"
#include "outputs.h"
#include "progress.h"
#include "service.h"
#include "source/file_set.h"
#include "source/source.h"
#include "source/spool.h"
#include "tap_set.h"
#include "upkeep.h"

struct run {
    const struct options *options;
    struct source *source; /* NULL: not open */
    struct interrupt interrupt;
    bool has_interrupt;
    struct outputs *outputs;
    struct sink *sink; /* where the analyzer's records go */
    struct analyzer *analyzer;
    struct spool *spool; /* NULL: the packets can be had again, or are not needed */
    struct tap_set taps;
    uint32_t tap; /* of the packet that is taken */
    struct progress progress;
    struct idle idle;
    struct input_places places;
    struct file_set files;    /* those named, patterns and directories expanded */
    const char **directories; /* owned; with --follow */
    size_t directory_count;
    uint64_t packets;     /* read so far, those outside --since and --until, too */
    struct chain chain;   /* of runs over pieces, this one among them */
    struct upkeep upkeep; /* live */
    struct live_view view;
    struct live_board board;
    struct service service;
};

/* Whether interfaces are read, and not files. */
bool run_is_live(const struct run *run);

/*
 * Opens the inputs, to read count packets of them (0: all).  On failure, as source_open, or as
 * interrupt_begin; message is filled (MESSAGE_SIZE octets).
 */
enum status run_begin_reading(struct run *run, uint64_t count, char *message);

/* Begins to take signals: before the analyzer has threads, so that these leave them alone. */
enum status run_wait_for_signals(struct run *run);

/* Reads to the end, or until no output is left to write to.  Fails with NO_MEMORY only. */
enum status run_read_all(struct run *run);

/* Closes the inputs; nothing when they are not open. */
void run_end_reading(struct run *run);

/* Whether a packet of that time lies between --since and --until. */
bool run_wants(const struct options *options, nanotime moment);

/* What was decided leaves. */
void run_flush(struct run *run);

/* Writes what -w asks for, after the records.  What fails is said when the outputs are closed. */
void run_write_packets(struct run *run);

#endif
