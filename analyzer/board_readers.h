/*
 * board_readers: browsers that read the feed of the live page as server-sent events, each at its
 * own pace.  One that is slow misses what is not kept any more, and nobody waits for it.
 */
#ifndef LASTACK_BOARD_READERS_H
#define LASTACK_BOARD_READERS_H

#include <stdbool.h>
#include <stddef.h>

#include "sink/board.h"

struct MHD_Connection;
struct board_readers;

struct board_readers *board_readers_new(void); /* NULL: out of memory */

/* Answers a request for the feed; false when that fails. */
bool board_readers_serve(struct board_readers *readers, struct MHD_Connection *connection);

/* A message for all; one that finds no memory is left out. */
void board_readers_post(struct board_readers *readers, enum board_kind kind, const char *json,
                        size_t length);

/* What was posted leaves; beat: those to whom nothing was said hear that it lives. */
void board_readers_wake(struct board_readers *readers, bool beat);

/* Nobody is left suspended, and nobody will be; those who are quick are given the end first. */
void board_readers_end(struct board_readers *readers);

/* When the last connection is gone. */
void board_readers_free(struct board_readers *readers); /* accepts NULL */

#endif
