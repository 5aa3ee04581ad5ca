/*
 * output: a stream that takes whole lines.
 *
 * Lines gather in a buffer of our own and leave it together, cut only between lines, so that a
 * reader at the other end of a pipe never holds half a record for long.  An ordinary file that
 * takes no more (a full disk) is cut back to whole lines.  The first failure stays: everything
 * after it fails in the same way.
 */
#ifndef LASTACK_SINK_OUTPUT_H
#define LASTACK_SINK_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "../base/status.h"

struct borrowed;
struct emptying;
struct large_file;
struct outbox;
struct printbuf;

struct output {
    FILE *stream;            /* not owned */
    struct printbuf *buffer; /* what is pending, from `begin` on; owned */
    size_t begin;
    size_t most;               /* octets that the buffer holds before it is emptied */
    bool lines;                /* lines were written */
    bool aside;                /* output_write_aside() was called, and there is no outbox yet */
    struct emptying *emptying; /* of what the file held; owned; NULL: it is over */
    struct outbox *outbox;     /* owned; NULL: who fills the buffer writes it */
    struct large_file *large;  /* its thread's, owned; NULL: there is none */
    struct borrowed *borrowed; /* lines that are pending, too; owned; NULL: none so far */
    size_t lent;               /* octets of lines, since they were settled last */
    size_t lent_before;        /* and of the time before that */
    off_t place;               /* with an outbox: where in the file what is pending begins */
    enum status status;        /* of everything so far */
};

/* STATUS_NO_MEMORY, and output is cleared. */
enum status output_init(struct output *output, FILE *stream);

/* Before anything is written: what an ordinary file holds is to go, aside where that takes long. */
void output_empty(struct output *output);

/* Has an ordinary file written by a thread of its own, from the first full buffer on. */
void output_write_aside(struct output *output);

/* A line; the line end is added.  STATUS_CLOSED: the reader went away; STATUS_WRITE: any other. */
enum status output_write_line(struct output *output, const char *text, size_t length);

/*
 * The same of a line with its end that is there until output_settle(), which the caller promises to
 * call before it is not.  Where many come one after the other, and go to no file, they are written
 * from where they stand.
 */
enum status output_lend_line(struct output *output, const char *line, size_t length);
enum status output_settle(struct output *output);

/*
 * The same line by line of a writer that appends it to the buffer itself: gives the buffer, which
 * has room for a line as they usually are; end takes the line, without its end, that stands there
 * now.  NULL: the status is not OK.
 */
struct printbuf *output_begin_line(struct output *output);
enum status output_end_line(struct output *output);

/* Part of a document that is not made of lines. */
enum status output_write(struct output *output, const char *text, size_t length);

enum status output_flush(struct output *output);

/* Frees the buffer; what was not flushed is lost. */
void output_clear(struct output *output);

/* Writes one text to a stream at once, with the same failures. */
enum status output_print(FILE *stream, const char *text, size_t length);

#endif
