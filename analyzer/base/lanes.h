/*
 * lanes: memory of which much is zero, as those of its 32-bit lanes that are not.
 *
 *     | an octet for each group of 8 lanes, a bit for each lane that is not zero, the first lowest
 * | | those lanes, in order |
 *
 * Which lanes they are is not to be foretold, so there is no branch for any.  With AVX2 a group is
 * a shuffle, by a table of the 256 octets; what both ways write is the same.
 */
#ifndef LASTACK_BASE_LANES_H
#define LASTACK_BASE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LANES_GROUP = 32, /* octets of a group */
    LANES_SLACK = 32, /* octets behind what is packed that both directions may touch */
};

/* Octets that `groups` need at most, slack included. */
#define LANES_MOST(groups) ((groups) * (LANES_GROUP + 1) + LANES_SLACK)

/* For each octet of a mask: where its lanes are, and where they come from; built once. */
struct lanes_table {
    uint8_t gather[256][8]; /* the lane that is n-th of those set */
    uint8_t spread[256][8]; /* which of those set each lane is; 0xff: none */
    bool vectors;           /* the processor has AVX2 */
};

void lanes_init(struct lanes_table *table);

/* Packs `groups` groups into `out`, which has room for LANES_MOST(groups); returns octets used. */
size_t lanes_pack(const struct lanes_table *table, const void *from, size_t groups, uint8_t *out);

/* Unpacks `groups` groups into `to`; returns octets read.  `in` has the slack behind it. */
size_t lanes_unpack(const struct lanes_table *table, const uint8_t *in, size_t groups, void *to);

#endif
