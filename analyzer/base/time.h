/*
 * time: the one time type.  A nanotime is nanoseconds since the epoch on the capture clock, or a
 * duration in nanoseconds; which of the two is said by the name of the variable.  No part of the
 * engine reads a clock.
 */
#ifndef LASTACK_BASE_TIME_H
#define LASTACK_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t nanotime;

#define NANOTIME_UNKNOWN INT64_MIN /* a duration or moment that is not known: null in JSON */

enum { NANO_PER_MICRO = 1000, NANO_PER_MILLI = 1000000, NANO_PER_SECOND = 1000000000 };

/* later - earlier, in ns; saturates instead of wrapping. */
static inline nanotime time_since(nanotime later, nanotime earlier)
{
    nanotime difference;
    if (__builtin_sub_overflow(later, earlier, &difference))
        return later > earlier ? INT64_MAX : INT64_MIN + 1;
    return difference;
}

/* moment + duration; saturates instead of wrapping. */
static inline nanotime time_after(nanotime moment, nanotime duration)
{
    nanotime sum;
    if (__builtin_add_overflow(moment, duration, &sum))
        return duration > 0 ? INT64_MAX : INT64_MIN + 1;
    return sum;
}

/* The whole second that a moment falls into, since the epoch; and how far in it is. */
static inline int64_t time_second_of(nanotime t)
{
    return t / NANO_PER_SECOND - (t % NANO_PER_SECOND < 0);
}

static inline uint32_t time_within_second(nanotime t)
{
    nanotime over = t % NANO_PER_SECOND;
    return (uint32_t)(over < 0 ? over + NANO_PER_SECOND : over);
}

static inline bool time_is_before(nanotime a, nanotime b)
{
    return a < b;
}

static inline nanotime time_later_of(nanotime a, nanotime b)
{
    return a > b ? a : b;
}

static inline nanotime time_earlier_of(nanotime a, nanotime b)
{
    return a < b ? a : b;
}

#endif
