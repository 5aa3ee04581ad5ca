/* octets: see octets.h. */
#include "octets.h"

enum { BITS = 8 /* of an octet */ };

/* 1 in each octet that is not zero. */
static inline uint64_t are_set(uint64_t word)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    return (((word & low) + low) | word) >> 7 & UINT64_C(0x0101010101010101);
}

static size_t pack_plainly(const uint64_t *word, size_t words, uint8_t *out)
{
    uint8_t *end = out + words;
    for (size_t i = 0; i < words; i++) {
        uint64_t left = word[i], set = are_set(left);
        out[i] = (uint8_t)(set * UINT64_C(0x0102040810204080) >> 56);
        for (; left != 0; left >>= BITS, set >>= BITS) {
            *end = (uint8_t)left;
            end += set & 1;
        }
    }
    return (size_t)(end - out);
}

static size_t unpack_plainly(const uint8_t *in, size_t words, uint64_t *ret_word)
{
    const uint8_t *next = in + words;
    for (size_t i = 0; i < words; i++) {
        uint64_t word = 0;
        for (unsigned mask = in[i]; mask != 0; mask &= mask - 1)
            word |= (uint64_t)*next++ << (unsigned)__builtin_ctz(mask) * BITS;
        ret_word[i] = word;
    }
    return (size_t)(next - in);
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define WITH_VECTORS __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")))

enum { AT_ONCE = 8 /* words of a vector, and octets of its mask */ };

bool octets_have_vectors(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2") &&
           __builtin_cpu_supports("popcnt");
}

/* A bit for each of the words that are left of a vector. */
static inline __mmask8 words_left(size_t words)
{
    return (__mmask8)(words < AT_ONCE ? (1u << words) - 1 : (1u << AT_ONCE) - 1);
}

WITH_VECTORS static size_t pack_vectors(const uint64_t *word, size_t words, uint8_t *out)
{
    uint8_t *end = out + words;
    for (size_t i = 0; i < words; i += AT_ONCE) {
        const __mmask8 left = words_left(words - i);
        const __m512i vector = _mm512_maskz_loadu_epi64(left, &word[i]);
        const __mmask64 mask = _mm512_test_epi8_mask(vector, vector);
        _mm_mask_storeu_epi8(&out[i], left, _mm_cvtsi64_si128((long long)mask));
        _mm512_storeu_si512(end, _mm512_maskz_compress_epi8(mask, vector));
        end += __builtin_popcountll(mask);
    }
    return (size_t)(end - out);
}

WITH_VECTORS static size_t unpack_vectors(const uint8_t *in, size_t words, uint64_t *ret_word)
{
    const uint8_t *next = in + words;
    for (size_t i = 0; i < words; i += AT_ONCE) {
        const __mmask8 left = words_left(words - i);
        const __m128i masks = _mm_maskz_loadu_epi8(left, &in[i]);
        const __mmask64 mask = (__mmask64)_mm_cvtsi128_si64(masks);
        _mm512_mask_storeu_epi64(&ret_word[i], left, _mm512_maskz_expandloadu_epi8(mask, next));
        next += __builtin_popcountll(mask);
    }
    return (size_t)(next - in);
}

#else

bool octets_have_vectors(void)
{
    return false;
}

static size_t pack_vectors(const uint64_t *word, size_t words, uint8_t *out)
{
    return pack_plainly(word, words, out);
}

static size_t unpack_vectors(const uint8_t *in, size_t words, uint64_t *ret_word)
{
    return unpack_plainly(in, words, ret_word);
}

#endif

size_t octets_pack(bool vectors, const uint64_t *word, size_t words, uint8_t *out)
{
    return vectors ? pack_vectors(word, words, out) : pack_plainly(word, words, out);
}

size_t octets_unpack(bool vectors, const uint8_t *in, size_t words, uint64_t *ret_word)
{
    return vectors ? unpack_vectors(in, words, ret_word) : unpack_plainly(in, words, ret_word);
}
