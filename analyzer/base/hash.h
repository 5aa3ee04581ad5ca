/*
 * hash: SipHash-1-3 with a key drawn at birth (Aumasson and Bernstein, 2012): hostile traffic
 * cannot choose collisions.  And a plain mixer for identifiers that a rerun must give again.
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

#endif
