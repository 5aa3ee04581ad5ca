/*
 * sum_vectors: see sum_vectors.h.  Words of 32 bits are widened to 64, so that no carry is lost,
 * and added up in four lanes each of four registers: two instructions for sixteen octets.
 */
#include "sum_vectors.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

enum { REGISTERS = 4, STEP = 16 /* octets for each of them */ };

__attribute__((target("avx2"))) static inline __m256i widened(struct view view, size_t offset)
{
    __m128i words;
    view_copy(view, offset, &words, sizeof words);
    return _mm256_cvtepu32_epi64(words);
}

__attribute__((target("avx2"))) static inline uint64_t sum_lanes(__m256i sums)
{
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return (uint64_t)_mm_cvtsi128_si64(two) + (uint64_t)_mm_extract_epi64(two, 1);
}

__attribute__((target("avx2"))) uint64_t sum_vectors(struct view view)
{
    const uint64_t last = view_memory_last(view);
    uint64_t sum = (last >> 32) + (uint32_t)last;
    __m256i sums[REGISTERS] = {_mm256_setzero_si256(), _mm256_setzero_si256(),
                               _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (; view_holds(view, REGISTERS * STEP); view = view_after(view, REGISTERS * STEP)) {
#pragma GCC unroll 4
        for (size_t i = 0; i < REGISTERS; i++)
            sums[i] = _mm256_add_epi64(sums[i], widened(view, i * STEP));
    }
    for (; view_holds(view, STEP); view = view_after(view, STEP))
        sums[0] = _mm256_add_epi64(sums[0], widened(view, 0));
    if (view_holds(view, 8)) {
        uint64_t word = view_memory64(view, 0);
        sum += (word >> 32) + (uint32_t)word;
    }
    sums[0] =
        _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
    return sum_lanes(sums[0]) + sum;
}

#endif
