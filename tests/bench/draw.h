/*
 * draw: random numbers that a seed determines, the same on every machine.
 *
 * The generator is Vigna's splitmix64: one state word, good enough to place packets in time.
 */
#ifndef LASTACK_BENCH_DRAW_H
#define LASTACK_BENCH_DRAW_H

#include <math.h>
#include <stdint.h>

struct draw {
    uint64_t state; /* any value is a seed */
};

static inline uint64_t draw_word(struct draw *draw)
{
    uint64_t word = draw->state += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

/* From 0 to limit - 1; limit is not 0.  The bias of multiplying is below 2^-32. */
static inline uint32_t draw_below(struct draw *draw, uint32_t limit)
{
    return (uint32_t)(((draw_word(draw) >> 32) * limit) >> 32);
}

/* From 1 on, at least n with a chance of n^-1.5 (Pareto; of mean 2.6 and no variance), at most a
 * million. */
static inline uint32_t draw_tail(struct draw *draw)
{
    double share = ((double)(draw_word(draw) >> 11) + 0.5) * 0x1p-53, value = pow(share, -1 / 1.5);
    return value < 1e6 ? (uint32_t)value : 1000000;
}

/* The wait until the next of events that come independently, `mean` apart on average. */
static inline int64_t draw_wait(struct draw *draw, double mean)
{
    double share = ((double)(draw_word(draw) >> 11) + 0.5) * 0x1p-53;
    return (int64_t)(-mean * log(share));
}

#endif
