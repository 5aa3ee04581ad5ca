/*
 * hash: with a key drawn at birth, so that hostile traffic cannot choose collisions.  SipHash-1-3
 * (Aumasson and Bernstein, 2012), also under a fixed key for identifiers that a rerun must give
 * again; and, for what is hashed with every packet, NH.
 */
#ifndef LASTACK_BASE_HASH_H
#define LASTACK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

/* A fresh random key from the kernel (getrandom). */
struct hash_key hash_key_draw(void);

/* SipHash-1-3 of `words` 64-bit words. */
uint64_t hash_words(struct hash_key key, const uint64_t *data, size_t words);

/* The same under a fixed key: deterministic identifiers, not for tables. */
uint64_t hash_identity(const uint64_t *data, size_t words);

/*
 * Two words in a sixth of SipHash's time: NH of UMAC (RFC 4418, 5.2.2), and then mixed, so that any
 * of its bits will do for a table.  Of all keys at most one in 2^32 gives two different pairs the
 * same hash.  For tables whose hashes nobody sees: who saw them could find the key.
 */
static inline uint64_t hash_two_words(struct hash_key key, uint64_t a, uint64_t b)
{
    uint64_t first = (uint64_t)((uint32_t)a + (uint32_t)key.k0) *
                     ((uint32_t)(a >> 32) + (uint32_t)(key.k0 >> 32));
    uint64_t second = (uint64_t)((uint32_t)b + (uint32_t)key.k1) *
                      ((uint32_t)(b >> 32) + (uint32_t)(key.k1 >> 32));
    uint64_t sum = first + second;
    sum = (sum ^ sum >> 32) * 0x9e3779b97f4a7c15; /* odd, with bits set all over */
    return sum ^ sum >> 32;
}

#endif
