/*
 * octets: words of which many octets are zero, as those octets that are not.
 *
 *     | an octet for each word, a bit for each of its octets that is not zero, the lowest first |
 * | | those octets, in order |
 *
 * Which octets they are is not to be foretold, so there is no branch for any.  With AVX-512's VBMI2
 * eight words are taken at once; what both ways write is the same.
 */
#ifndef LASTACK_BASE_OCTETS_H
#define LASTACK_BASE_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OCTETS_SLACK = 64 /* octets behind what is packed that packing may touch */ };

/* Octets that `words` need at most, slack included. */
#define OCTETS_MOST(words) ((words) * (sizeof(uint64_t) + 1) + OCTETS_SLACK)

/* Whether the processor has VBMI2: one of the two ways. */
bool octets_have_vectors(void);

/* Packs `words` words into `out`, which has room for OCTETS_MOST(words); returns octets used. */
size_t octets_pack(bool vectors, const uint64_t *word, size_t words, uint8_t *out);

/* Unpacks as many words; returns octets read.  No octet behind these is touched. */
size_t octets_unpack(bool vectors, const uint8_t *in, size_t words, uint64_t *ret_word);

#endif
