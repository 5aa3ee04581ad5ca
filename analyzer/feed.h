/*
 * feed: the newest messages of each kind, for readers who come at any time and read at any pace.
 *
 * Messages are numbered; a reader asks for the first one behind the number that it has.  Of each
 * kind a fixed number is kept: what a reader was too slow for is gone, and nobody waits for it. Not
 * for several threads at once: the caller has a lock.
 */
#ifndef LASTACK_FEED_H
#define LASTACK_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A message as server-sent events have it (HTML, 9.2.6), its id among it. */
struct feed_message {
    uint64_t number; /* from 1, in the order in which they came */
    unsigned holders;
    size_t length;
    char text[];
};

struct feed;

/* kept: how many of each kind.  NULL when out of memory. */
struct feed *feed_new(const unsigned *kept, size_t kinds);

/* Adds a message of that kind with that name; data is one line.  NO_MEMORY: it is left out. */
enum status feed_add(struct feed *feed, size_t kind, const char *name, const char *data,
                     size_t length);

/* The first behind that number, held for the caller until it is let go; NULL: there is none yet. */
struct feed_message *feed_take_next(struct feed *feed, uint64_t number);
void feed_let_go(struct feed_message *message); /* accepts NULL */

/* Whether there is one behind that number. */
bool feed_has_next(const struct feed *feed, uint64_t number);

/*
 * The number that a reader had when it names the id of the last message that it saw; 0, to begin
 * at the beginning, when the id is none of this feed's.
 */
uint64_t feed_number_of(const struct feed *feed, const char *id);

void feed_free(struct feed *feed); /* accepts NULL */

#endif
