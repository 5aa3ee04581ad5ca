/*
 * stream: the octets of one input, unpacked when it is compressed.  Never waits longer than it
 * must: a pipe's octets are given as soon as some are there.
 */
#ifndef LASTACK_SOURCE_STREAM_H
#define LASTACK_SOURCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/status.h"

struct ahead;
struct ahead_file;
struct stream;

enum { STREAM_HEAD_SIZE = 24 }; /* what may be looked at before it is read: a pcap file header */

/* What stream_read returns when it gives no octets. */
enum {
    STREAM_END = 0,     /* the whole input is read */
    STREAM_FAILED = -1, /* damaged, or an error of the system: see stream_problem */
    STREAM_IDLE = -2,   /* a pipe or followed file: nothing came for a moment; ask again */
    STREAM_BROKEN = -3, /* source_break was called */
};

struct stream_options {
    const char *name; /* already fit for a message; not owned */
    int fd;           /* open for reading */
    bool owns_fd;     /* close it at the end */
    bool is_pipe;     /* reading may have to wait */
    int break_fd;     /* readable when waiting should stop */
    const char *path; /* of an ordinary file that is followed as it grows; NULL: it is not.  Not
                         owned, must outlive the stream */
    const bool *superseded; /* with path: true once no more will come */
    struct ahead *ahead;    /* what reads such a file ahead; NULL: nothing.  Not owned */
    bool *ended;            /* set once all that there is has been read; NULL: nobody asks */
};

/*
 * Looks at the first octets (waiting for them, when it is a pipe) and prepares to unpack them.
 * Takes ownership of the descriptor, if it owns it, also on failure.  Fails with UNREADABLE when
 * the input is empty, interrupted or cannot be unpacked; message says so in one line.
 */
enum status stream_open(const struct stream_options *options, struct stream **ret_stream,
                        char *message);

/* The first octets, up to STREAM_HEAD_SIZE; valid until the first stream_read. */
const uint8_t *stream_head(const struct stream *stream, size_t *ret_size);

/* Reads up to size octets: how many, or one of the values above. */
ssize_t stream_read(struct stream *stream, uint8_t *octets, size_t size);

/* Waits a moment for a pipe; false: nothing there.  True when there is, and for ordinary files. */
bool stream_wait(struct stream *stream);

/*
 * An ordinary file, neither followed nor unpacked, may be read in windows (ahead.h): NULL, or what
 * does that, and *ret_file is told the descriptor and what stream_read() has not read.
 * stream_skip() says that so many octets of it were read in windows.
 */
struct ahead *stream_ahead(const struct stream *stream, struct ahead_file *ret_file);
void stream_skip(struct stream *stream, uint64_t octets);

uint64_t stream_position(const struct stream *stream);       /* octets given out by stream_read */
uint64_t stream_stored_read(const struct stream *stream);    /* octets read, as stored */
const char *stream_compression(const struct stream *stream); /* NULL: none */
bool stream_is_pipe(const struct stream *stream);
bool stream_is_broken(const struct stream *stream);      /* source_break was called */
const char *stream_problem(const struct stream *stream); /* why it failed; empty: it did not */

void stream_free(struct stream *stream); /* accepts NULL */

#endif
