/*
 * outbox: buffers on their way to a file, written by a thread of its own.
 *
 * A write() of a large file takes as long as making the text does, and waits where the disk is
 * behind.  Whoever makes the text goes on meanwhile, a few buffers ahead.
 */
#ifndef LASTACK_SINK_OUTBOX_H
#define LASTACK_SINK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/printbuf.h>

#include "../base/status.h"
#include "large_file.h"

struct outbox;

/*
 * Starts the thread, which calls `write` for the texts of some buffers, up to LARGE_FILE_TEXTS, and
 * tells it whether it is behind: there was no empty buffer.  Where that fails errno is to say why.
 * Buffers have room for `size` octets.  NO_MEMORY: they, or the thread, are not to be had.
 */
enum status outbox_new(enum status (*write)(void *context, const struct large_text *texts,
                                            size_t count, bool is_behind),
                       void *context, size_t size, struct outbox **ret_outbox);

/*
 * Takes a full buffer, whose text begins at `begin`, and gives an empty one in its place; waits
 * while too many are on their way.  Returns the first failure so far, with its errno; after it
 * nothing is written.
 */
enum status outbox_exchange(struct outbox *outbox, struct printbuf **buffer, size_t begin);

/* An empty buffer with room for `size` octets; NULL: no memory. */
struct printbuf *outbox_buffer_new(size_t size);

/* Waits until all that was taken is written.  Returns the first failure, with its errno. */
enum status outbox_wait(struct outbox *outbox);

/* Writes what is left, and ends the thread; accepts NULL. */
void outbox_free(struct outbox *outbox);

#endif
