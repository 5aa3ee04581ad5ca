/* borrowed: see borrowed.h. */
#include "borrowed.h"

#include <errno.h>

void borrowed_add_own(struct borrowed *borrowed, size_t count)
{
    if (count > borrowed->own)
        borrowed->part[borrowed->parts++] = (struct iovec){NULL, count - borrowed->own};
    borrowed->own = count;
}

void borrowed_add_line(struct borrowed *borrowed, const char *line, size_t length)
{
    borrowed->part[borrowed->parts++] = (struct iovec){(char *)line, length};
}

/* The buffer moves while it grows: its parts are found when it is written. */
static void find_own(struct borrowed *borrowed, const char *buffer)
{
    for (int i = 0; i < borrowed->parts; i++) {
        struct iovec *part = &borrowed->part[i];
        if (part->iov_base != NULL)
            continue;
        part->iov_base = (char *)buffer;
        buffer += part->iov_len;
    }
}

/* Leaves out what was written; returns the first part that is left. */
static struct iovec *leave_out(struct iovec *part, size_t written)
{
    for (; written > 0 && written >= part->iov_len; part++)
        written -= part->iov_len;
    if (written > 0) {
        part->iov_base = (char *)part->iov_base + written;
        part->iov_len -= written;
    }
    return part;
}

enum status borrowed_write(struct borrowed *borrowed, int file, const char *buffer)
{
    find_own(borrowed, buffer);
    struct iovec *next = borrowed->part, *end = next + borrowed->parts;
    while (next < end) {
        ssize_t written = writev(file, next, (int)(end - next));
        if (written >= 0)
            next = leave_out(next, (size_t)written);
        else if (errno != EINTR)
            return errno == EPIPE ? STATUS_CLOSED : STATUS_WRITE;
    }
    return STATUS_OK;
}
