/*
 * destination: one of the outputs that were asked for: a sink, what it writes to, and its failure.
 *
 * A file of a saved capture is written at once and closed; of a live one it outlasts signals, full
 * disks and rights (live_file).  Metrics are a page (page_output); lines for Kafka go to another
 * program (kafka_output); -w gathers what it will write later (chosen).
 */
#ifndef LASTACK_DESTINATION_H
#define LASTACK_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "event/sink.h"
#include "options.h"
#include "sink/chosen.h"
#include "sink/sinks.h"

struct destination {
    const char *file; /* NULL: standard output */
    enum output_kind kind;
    FILE *stream;
    struct live_file *live;     /* below stream; NULL: it is an ordinary one */
    struct page_output *page;   /* likewise */
    struct kafka_output *kafka; /* likewise */
    struct chosen *chosen;      /* of -w, sink is its first look; NULL: another output */
    bool sink_empties;          /* the file: it is written aside, what it held goes aside, too */
    struct sink *sink;          /* NULL: not made, or already freed */
    enum status status;         /* of its first failure: destination_status() */
    int error;                  /* errno then */
    bool long_running;          /* live, with other outputs */
};

/*
 * Opens an output, and makes its sink with what all sinks are asked for alike (wanted).  options
 * and output outlive the destination.
 *
 * Returns WRITE when the file cannot be made and USAGE when it is an input, with message filled
 * (MESSAGE_SIZE octets), or NO_MEMORY.  What is half open is for destination_free.
 */
enum status destination_open(struct destination *destination, const struct options *options,
                             const struct output *output, const struct sink_options *wanted,
                             char *message);

/* Remembers the first failure, and errno with it; OK is none. */
void destination_note(struct destination *destination, enum status status);

/* Its first failure, which another thread may note meanwhile. */
static inline enum status destination_status(const struct destination *destination)
{
    return __atomic_load_n(&destination->status, __ATOMIC_RELAXED);
}

/* Whether it failed, or waits until it can be written again. */
bool destination_is_failing(const struct destination *destination);

/*
 * Frees the sink, closes the stream, and says on stderr what could not be written.  Returns WRITE
 * then; a reader that went away (EPIPE) is no failure.
 */
enum status destination_close(struct destination *destination);

/* Without a word; after destination_close, or instead of it. */
void destination_free(struct destination *destination);

#endif
