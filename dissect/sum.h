/*
 * sum: one's complement sums of packet memory, RFC 1071.
 *
 * The sum minds neither the order of its words nor, but for one swap at the end, that of the octets
 * in them (2, (A) and (B)), so memory is summed as this machine reads it, eight octets at a time,
 * and swapped once.
 */
#ifndef LASTACK_DISSECT_SUM_H
#define LASTACK_DISSECT_SUM_H

#include "packet.h"

/*
 * A sum of 64-bit words: a carry out of the top is worth one at the bottom, so carries are counted
 * and added in at the end.
 */
struct sum {
    uint64_t words;
    uint64_t carries;
};

static inline void sum_add(struct sum *sum, uint64_t word)
{
    sum->words += word;
    sum->carries += sum->words < word;
}

/* The sum in 32-bit words and not yet folded, so that a few of them can be added up. */
static inline uint64_t sum_total(struct sum sum)
{
    return (sum.words >> 32) + (sum.words & 0xffffffff) + sum.carries;
}

/* From a number of sixteen bits to memory order. */
static inline uint16_t sum_stored(uint32_t number)
{
    const uint8_t octets[] = {(uint8_t)(number >> 8), (uint8_t)number};
    uint16_t word;
    memcpy(&word, octets, sizeof word);
    return word;
}

/*
 * Of a sum over addresses and a TCP segment of that length, in memory order: whether it is what a
 * good one gives.  That folds to 0xffff: it is not 0, as the protocol is not, and a multiple of it.
 */
static inline bool sum_is_good(uint64_t sum, uint32_t length)
{
    sum += (uint64_t)sum_stored(PROTOCOL_TCP) + sum_stored(length >> 16) + sum_stored(length);
    return sum % 0xffff == 0;
}

#endif
