/* lanes: see lanes.h. */
#include "lanes.h"

#include <string.h>

enum {
    LANE = 4,
    LANES = LANES_GROUP / LANE,
    ROUND = 4, /* groups that are taken at once: often all of them are zero */
};

static void fill_row(struct lanes_table *table, unsigned mask)
{
    uint8_t set = 0;
    for (unsigned lane = 0; lane < LANES; lane++) {
        bool is_set = (mask >> lane & 1) != 0;
        table->spread[mask][lane] = is_set ? set : 0xff;
        if (is_set)
            table->gather[mask][set++] = (uint8_t)lane;
    }
}

static size_t pack_plainly(const void *from, size_t groups, uint8_t *out)
{
    const uint8_t *in = from;
    uint8_t *end = out + groups;
    for (size_t group = 0; group < groups; group++) {
        unsigned mask = 0;
        for (unsigned i = 0; i < LANES; i++, in += LANE) {
            uint32_t lane;
            memcpy(&lane, in, LANE);
            memcpy(end, &lane, LANE);
            mask |= (unsigned)(lane != 0) << i;
            end += lane != 0 ? LANE : 0;
        }
        out[group] = (uint8_t)mask;
    }
    return (size_t)(end - out);
}

static size_t unpack_plainly(const uint8_t *in, size_t groups, void *to)
{
    const uint8_t *next = in + groups;
    uint8_t *out = to;
    for (size_t group = 0; group < groups; group++) {
        for (unsigned i = 0; i < LANES; i++, out += LANE) {
            unsigned is_set = in[group] >> i & 1;
            uint32_t lane;
            memcpy(&lane, next, LANE);
            lane &= 0 - is_set;
            memcpy(out, &lane, LANE);
            next += is_set * LANE;
        }
    }
    return (size_t)(next - in);
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

static bool has_vectors(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

__attribute__((target("avx2,popcnt"))) static __m256i row_of(const uint8_t row[8])
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)row));
}

/* A group: its mask to *ret_mask, its lanes to `end`; returns where the next one's go. */
__attribute__((target("avx2,popcnt"))) static inline uint8_t *
pack_group(const struct lanes_table *table, const __m256i *from, uint8_t *ret_mask, uint8_t *end)
{
    __m256i lanes = _mm256_loadu_si256(from);
    __m256i zero = _mm256_cmpeq_epi32(lanes, _mm256_setzero_si256());
    unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(zero)) ^ 0xff;
    lanes = _mm256_permutevar8x32_epi32(lanes, row_of(table->gather[mask]));
    _mm256_storeu_si256((__m256i *)(void *)end, lanes);
    *ret_mask = (uint8_t)mask;
    return end + (size_t)(unsigned)__builtin_popcount(mask) * LANE;
}

__attribute__((target("avx2,popcnt"))) static inline bool are_zero(const __m256i from[ROUND])
{
    __m256i one = _mm256_or_si256(_mm256_loadu_si256(&from[0]), _mm256_loadu_si256(&from[1]));
    __m256i other = _mm256_or_si256(_mm256_loadu_si256(&from[2]), _mm256_loadu_si256(&from[3]));
    __m256i all = _mm256_or_si256(one, other);
    return _mm256_testz_si256(all, all) != 0;
}

__attribute__((target("avx2,popcnt"))) static size_t
pack_vectors(const struct lanes_table *table, const void *from, size_t groups, uint8_t *out)
{
    const __m256i *in = from;
    uint8_t *end = out + groups;
    size_t group = 0;
    for (; group + ROUND <= groups; group += ROUND) {
        if (are_zero(&in[group])) {
            memset(&out[group], 0, ROUND);
            continue;
        }
#pragma GCC unroll 4
        for (size_t i = group; i < group + ROUND; i++)
            end = pack_group(table, &in[i], &out[i], end);
    }
    for (; group < groups; group++)
        end = pack_group(table, &in[group], &out[group], end);
    return (size_t)(end - out);
}

/* The lanes of a group, which begin at `next`; returns where the next one's do. */
__attribute__((target("avx2,popcnt"))) static inline const uint8_t *
unpack_group(const struct lanes_table *table, unsigned mask, const uint8_t *next, __m256i *to)
{
    __m256i row = row_of(table->spread[mask]);
    __m256i lanes = _mm256_loadu_si256((const __m256i *)(const void *)next);
    lanes = _mm256_permutevar8x32_epi32(lanes, row);
    _mm256_storeu_si256(to, _mm256_andnot_si256(_mm256_srai_epi32(row, 31), lanes));
    return next + (size_t)(unsigned)__builtin_popcount(mask) * LANE;
}

__attribute__((target("avx2,popcnt"))) static size_t
unpack_vectors(const struct lanes_table *table, const uint8_t *in, size_t groups, void *to)
{
    static const uint8_t none[ROUND];
    __m256i *out = to;
    const uint8_t *next = in + groups;
    size_t group = 0;
    for (; group + ROUND <= groups; group += ROUND) {
        if (memcmp(&in[group], none, ROUND) == 0) {
            memset(&out[group], 0, ROUND * sizeof(*out));
            continue;
        }
#pragma GCC unroll 4
        for (size_t i = group; i < group + ROUND; i++)
            next = unpack_group(table, in[i], next, &out[i]);
    }
    for (; group < groups; group++)
        next = unpack_group(table, in[group], next, &out[group]);
    return (size_t)(next - in);
}

#else

static bool has_vectors(void)
{
    return false;
}

static size_t pack_vectors(const struct lanes_table *table, const void *from, size_t groups,
                           uint8_t *out)
{
    (void)table;
    return pack_plainly(from, groups, out);
}

static size_t unpack_vectors(const struct lanes_table *table, const uint8_t *in, size_t groups,
                             void *to)
{
    (void)table;
    return unpack_plainly(in, groups, to);
}

#endif

void lanes_init(struct lanes_table *table)
{
    memset(table, 0, sizeof(*table));
    for (unsigned mask = 0; mask < 256; mask++)
        fill_row(table, mask);
    table->vectors = has_vectors();
}

size_t lanes_pack(const struct lanes_table *table, const void *from, size_t groups, uint8_t *out)
{
    return table->vectors ? pack_vectors(table, from, groups, out)
                          : pack_plainly(from, groups, out);
}

size_t lanes_unpack(const struct lanes_table *table, const uint8_t *in, size_t groups, void *to)
{
    return table->vectors ? unpack_vectors(table, in, groups, to) : unpack_plainly(in, groups, to);
}
