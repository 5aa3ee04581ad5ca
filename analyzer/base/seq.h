/*
 * seq: sequence numbers, modulo 2^32 (RFC 9293 3.4).  The only place that orders them.  Two numbers
 * are ordered when they are less than 2^31 apart; callers check plausibility first.
 */
#ifndef LASTACK_BASE_SEQ_H
#define LASTACK_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t seq;

/* a - b as a signed distance, -2^31 to 2^31 - 1. */
static inline int32_t seq_distance(seq a, seq b)
{
    return (int32_t)(a - b);
}

static inline seq seq_add(seq a, uint32_t octets)
{
    return a + octets;
}

static inline bool seq_before(seq a, seq b)
{
    return seq_distance(a, b) < 0;
}

static inline bool seq_at_or_before(seq a, seq b)
{
    return seq_distance(a, b) <= 0;
}

static inline bool seq_after(seq a, seq b)
{
    return seq_distance(a, b) > 0;
}

static inline bool seq_at_or_after(seq a, seq b)
{
    return seq_distance(a, b) >= 0;
}

/* left <= value <= right on the circle, for left <= right at most 2^32 - 1 apart. */
static inline bool seq_within(seq value, seq left, seq right)
{
    return (uint32_t)(value - left) <= (uint32_t)(right - left);
}

static inline seq seq_later_of(seq a, seq b)
{
    return seq_after(a, b) ? a : b;
}

#endif
