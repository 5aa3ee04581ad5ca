/*
 * inlet: a window over a stream, for readers that give packets out where they were read, without
 * a copy.
 *
 * Invariant: buffer[start, end) is what was read and not used; offset is where start lies in the
 * stream.
 */
#ifndef LASTACK_SOURCE_INLET_H
#define LASTACK_SOURCE_INLET_H

#include "reader.h"
#include "stream.h"

enum {
    INLET_SIZE = 1024 * 1024,
    INLET_MOST = INLET_SIZE / 2, /* what may be asked for at once; so moving costs O(1) an octet */
};

enum inlet_result {
    INLET_THERE,
    INLET_IDLE,  /* a slow pipe, or source_break: ask again */
    INLET_SHORT, /* the stream ends, or fails, before that; stream_problem tells which */
};

struct inlet {
    struct stream *stream; /* not owned */
    uint8_t *buffer;       /* owned; INLET_SIZE octets */
    size_t start;
    size_t end;
    uint64_t offset;
};

/* NO_MEMORY is the only failure. */
enum status inlet_init(struct inlet *inlet, struct stream *stream);

/* Reads on until needed octets (at most INLET_MOST) are there, or as many as come. */
enum inlet_result inlet_need(struct inlet *inlet, size_t needed);

/* Leaves count octets, which are there, behind. */
void inlet_skip(struct inlet *inlet, size_t count);

/* The first of the octets that are there, and how many; may be written to. */
uint8_t *inlet_octets(struct inlet *inlet);
size_t inlet_left(const struct inlet *inlet);

/*
 * What a reader returns when inlet_need for needed octets of its next record did not find them:
 * IDLE, END where nothing is left, else DAMAGED with the problem told.
 */
enum reader_result inlet_end(const struct inlet *inlet, enum inlet_result result, size_t needed,
                             uint64_t packets, char *problem);

void inlet_clear(struct inlet *inlet);

#endif
