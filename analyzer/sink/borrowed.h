/*
 * borrowed: what is to be written and stands in several places: lines where they were made, and
 * between them parts of the output's own buffer.
 *
 * One call writes them all, so that a line of kilobytes, made by another thread, is not read and
 * copied before.
 */
#ifndef LASTACK_SINK_BORROWED_H
#define LASTACK_SINK_BORROWED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "../base/status.h"

enum { BORROWED_PARTS = 512 };

struct borrowed {
    struct iovec part[BORROWED_PARTS]; /* iov_base NULL: of the buffer, the next octets there */
    int parts;
    size_t own; /* octets of the buffer that are in them */
};

static inline bool borrowed_is_full(const struct borrowed *borrowed)
{
    return borrowed->parts > BORROWED_PARTS - 3; /* a line, what is before it, what is behind */
}

/* What the buffer holds by now, `count` octets, stands before what comes next. */
void borrowed_add_own(struct borrowed *borrowed, size_t count);

/* A line: what the buffer holds by now is before it. */
void borrowed_add_line(struct borrowed *borrowed, const char *line, size_t length);

/* Writes it all, and changes the parts.  CLOSED: the reader went away; WRITE: any other failure,
 * with errno. */
enum status borrowed_write(struct borrowed *borrowed, int file, const char *buffer);

static inline void borrowed_forget(struct borrowed *borrowed)
{
    borrowed->parts = 0;
    borrowed->own = 0;
}

#endif
