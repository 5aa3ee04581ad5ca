/*
 * intake: a window over a stream, for readers that give packets out where they were read, without
 * a copy.
 *
 * Invariant: buffer[start, end) is what was read and not used; offset is where start lies in the
 * stream.
 */
#ifndef LASTACK_SOURCE_INTAKE_H
#define LASTACK_SOURCE_INTAKE_H

#include "reader.h"
#include "stream.h"

enum {
    INTAKE_SIZE = 1024 * 1024,
    INTAKE_MOST = INTAKE_SIZE / 2, /* what may be asked for at once; so moving costs O(1) an octet */
};

enum intake_result {
    INTAKE_THERE,
    INTAKE_IDLE,  /* a slow pipe, or source_break: ask again */
    INTAKE_SHORT, /* the stream ends, or fails, before that; stream_problem tells which */
};

struct intake {
    struct stream *stream; /* not owned */
    uint8_t *buffer;       /* owned; INTAKE_SIZE octets */
    size_t start;
    size_t end;
    uint64_t offset;
};

/* NO_MEMORY is the only failure. */
enum status intake_init(struct intake *intake, struct stream *stream);

/* Reads on until needed octets (at most INTAKE_MOST) are there, or as many as come. */
enum intake_result intake_need(struct intake *intake, size_t needed);

/* Leaves count octets, which are there, behind. */
void intake_skip(struct intake *intake, size_t count);

/* The first of the octets that are there, and how many; may be written to. */
uint8_t *intake_octets(struct intake *intake);
size_t intake_left(const struct intake *intake);

/*
 * What a reader returns when intake_need for needed octets of its next record did not find them:
 * IDLE, END where nothing is left, else DAMAGED with the problem told.
 */
enum reader_result intake_end(const struct intake *intake, enum intake_result result,
                              size_t needed, uint64_t packets, char *problem);

void intake_clear(struct intake *intake);

#endif
