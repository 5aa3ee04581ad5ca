/*
 * sum_vectors: see sum_vectors.h.  Words of 32 bits are widened to 64, so that no carry is lost, and
 * added up in four lanes each of four registers: two instructions for sixteen octets.
 */
#include "sum_vectors.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

enum { REGISTERS = 4, STEP = SUM_BLOCK / REGISTERS, LANES = 4 };

__attribute__((target("avx2"))) static inline __m256i widened(struct view view, size_t offset)
{
    __m128i words;
    view_copy(view, offset, &words, sizeof words);
    return _mm256_cvtepu32_epi64(words);
}

__attribute__((target("avx2"))) uint64_t sum_vectors(struct view blocks)
{
    __m256i sums[REGISTERS] = {_mm256_setzero_si256(), _mm256_setzero_si256(),
                               _mm256_setzero_si256(), _mm256_setzero_si256()};
    uint64_t lanes[LANES], sum = 0;
    for (; view_holds(blocks, SUM_BLOCK); blocks = view_after(blocks, SUM_BLOCK)) {
#pragma GCC unroll 4
        for (size_t i = 0; i < REGISTERS; i++)
            sums[i] = _mm256_add_epi64(sums[i], widened(blocks, i * STEP));
    }
    sums[0] = _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]),
                               _mm256_add_epi64(sums[2], sums[3]));
    _mm256_storeu_si256((__m256i *)(void *)lanes, sums[0]);
    for (size_t i = 0; i < LANES; i++)
        sum += lanes[i];
    return sum;
}

#endif
