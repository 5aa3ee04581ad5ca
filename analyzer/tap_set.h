/*
 * tap_set: the captures of several taps, read side by side.
 *
 * The first tap's source is the program's own; the further ones are opened here.  Which of them
 * gives the next packet follows from the clocks as the analyzer knows them, and while it does not,
 * from how much of each was read.
 */
#ifndef LASTACK_TAP_SET_H
#define LASTACK_TAP_SET_H

#include "analyzer.h"
#include "input_places.h"
#include "options.h"
#include "sink/sinks.h"
#include "source/file_set.h"
#include "source/source.h"

struct tap {
    struct file_set files;
    struct source *source; /* owned, but for the first tap's */
    struct input_places places;
    struct captured_packet head; /* the next packet, when has_head */
    uint64_t packets;
    bool has_head, ended;
};

/* All zero: there are none. */
struct tap_set {
    struct tap tap[OPTIONS_TAPS];
    const char *names[OPTIONS_TAPS];
    const struct input_spans *spans[OPTIONS_TAPS];
    struct tap_names named; /* for the sinks */
    struct source *sources[OPTIONS_TAPS];
};

/*
 * Opens the further taps of options beside `first`, the source of the first one; the source_options
 * are those of the first one, but for the files.  Statuses and message as source_open has them.
 */
enum status tap_set_open(struct tap_set *set, const struct options *options,
                         const struct source_options *wanted, struct source *first, char *message);

/* The next packet of any tap, with which one it is; SOURCE_END when all are read. */
enum source_result tap_set_next(struct tap_set *set, struct analyzer *analyzer,
                                struct captured_packet *ret_packet, uint32_t *ret_tap);

/* Notes which of the tap's files the packet, its latest, came from.  Returns OK or NO_MEMORY. */
enum status tap_set_note_place(struct tap_set *set, uint32_t tap,
                               const struct captured_packet *packet);

void tap_set_clear(struct tap_set *set);

#endif
