/* ranked: sorting by a number, of which there are few equal ones. */
#ifndef LASTACK_BASE_RANKED_H
#define LASTACK_BASE_RANKED_H

#include <stddef.h>
#include <stdint.h>

struct ranked {
    uint64_t number;
    uint64_t tie; /* decides among those of equal number */
    void *item;   /* not owned */
};

/*
 * Sorts by number, then by tie, in time that grows with the count: digit by digit from the lowest
 * (Knuth, The Art of Computer Programming 3, 5.2.5, algorithm R).  Takes as much memory again for
 * the time of the call; without it qsort(3) does it.
 */
void ranked_sort(struct ranked *items, size_t count);

#endif
