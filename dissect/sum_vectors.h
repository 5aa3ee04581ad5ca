/*
 * sum_vectors: sums of many words at once, where the machine has AVX2.
 */
#ifndef LASTACK_DISSECT_SUM_VECTORS_H
#define LASTACK_DISSECT_SUM_VECTORS_H

#include "view.h"

#if defined(__x86_64__) && defined(__GNUC__)

static inline bool sum_has_vectors(void)
{
    return __builtin_cpu_supports("avx2"); /* looks at a word that was filled at the start */
}

/* The sum of the view's words of 32 bits as they stand in memory; behind its end are zeros. */
uint64_t sum_vectors(struct view view);

#else

static inline bool sum_has_vectors(void)
{
    return false;
}

static inline uint64_t sum_vectors(struct view view)
{
    (void)view;
    return 0; /* nobody asks */
}

#endif

#endif
