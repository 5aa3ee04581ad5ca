/*
 * clock: the clocks of this machine, for what happens while packets come or outputs wait.  It lies
 * in source/, which no part of the engine may include: the engine knows the capture clock alone.
 */
#ifndef LASTACK_SOURCE_CLOCK_H
#define LASTACK_SOURCE_CLOCK_H

#include <time.h>

#include "../base/time.h"

/* What clock_gettime(2) says of the clock id, in ns; every id of POSIX and Linux that a program
 * may read. */
static inline nanotime clock_now(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (nanotime)now.tv_sec * NANO_PER_SECOND + now.tv_nsec;
}

#endif
