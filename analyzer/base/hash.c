/* hash: see hash.h. */
#include "hash.h"

#include <stdlib.h>
#include <sys/random.h>

static inline uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

struct hash_key hash_key_draw(void)
{
    struct hash_key key;
    if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
        abort(); /* a kernel without getrandom cannot run this program */
    return key;
}

uint64_t hash_words(struct hash_key key, const uint64_t *data, size_t words)
{
    uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575ULL, key.k1 ^ 0x646f72616e646f6dULL,
                     key.k0 ^ 0x6c7967656e657261ULL, key.k1 ^ 0x7465646279746573ULL};
    for (size_t i = 0; i < words; i++) {
        v[3] ^= data[i];
        sip_round(v);
        v[0] ^= data[i];
    }
    uint64_t last = (uint64_t)(words * 8) << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_identity(const uint64_t *data, size_t words)
{
    const struct hash_key fixed = {0x6c61737461636b20ULL, 0x666c6f775f756964ULL};
    return hash_words(fixed, data, words);
}
