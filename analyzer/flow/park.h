/*
 * park: a closed connection that waits for the end of 2MSL, in a third of its room.
 *
 * Nearly every connection spends most of its life in the table in TIME_WAIT, in silence.  Parked,
 * it is a run of octets: of each 8-octet word only the octets that differ from zero, or from the
 * time the connection began, whichever is shorter.  A packet or a deadline brings it back
 * unchanged.
 *
 *     mask             a bit for each of 64 words: it is not zero; then for each of those
 *     tag 0x01..0x08   that many low octets of the word
 *     tag 0x11..0x18   that many low octets of the word less the base
 */
#ifndef LASTACK_FLOW_PARK_H
#define LASTACK_FLOW_PARK_H

#include "incarnation.h"

struct parked {
    uint64_t first_packet; /* of the incarnation: what the end of the capture sorts by */
    uint32_t octets;       /* in word[] */
    bool closing;          /* a closing block follows the incarnation */
    uint8_t state[SIDES];  /* enum tcp_state of each side, to be counted */
    uint8_t word[];
};

/* Whether an incarnation can be parked: nothing of it is open, nothing stands beside it. */
bool park_fits(const struct incarnation *incarnation);

/* The parked form, owned by the caller; NULL when memory ran out.  The incarnation is left alone.
 */
struct parked *park_incarnation(const struct incarnation *incarnation);

/* Fills *incarnation (all but its pool index) from the parked form; false: no memory, nothing is
 * changed.  The parked form stays the caller's to free. */
bool park_restore(const struct parked *parked, struct incarnation *incarnation);

#endif
