/*
 * moments: when something happened, at once or within a while, in order, in bounded room.
 */
#ifndef LASTACK_BASE_MOMENTS_H
#define LASTACK_BASE_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "time.h"

enum { MOMENTS = 4096 };

/*
 * Written by one thread; others read the entries before a count that was handed to them with a
 * lock. Once they are full, one is taken to be anywhere behind the last.
 */
struct moments {
    nanotime from[MOMENTS], until[MOMENTS]; /* both rising; equal: at once */
    nanotime told[MOMENTS];                 /* the clock when it was added; rising */
    uint32_t count;
};

/* told: the clock now, not before that of the one before. */
void moments_add(struct moments *moments, nanotime from, nanotime until, nanotime told);

/* How many of the first `count` were told before the clock came to a time. */
uint32_t moments_told_before(const struct moments *moments, uint32_t count, nanotime time);

/* Whether one of the first `count` may lie after `from` and not after `to`. */
bool moments_between(const struct moments *moments, uint32_t count, nanotime from, nanotime to);

#endif
