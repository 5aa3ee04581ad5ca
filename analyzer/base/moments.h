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
    uint32_t count;
};

void moments_add(struct moments *moments, nanotime from, nanotime until);

/* Whether one of the first `count` may lie after `from` and not after `to`. */
bool moments_between(const struct moments *moments, uint32_t count, nanotime from, nanotime to);

#endif
