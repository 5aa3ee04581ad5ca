/*
 * introduce: two connections, each of which one tap alone shows, are found to be one (pair.h).
 *
 * A device between the taps may change addresses and ports, and shift sequence numbers by a
 * constant, and no SYN may have been seen, or none that tells.  Then segments with octets are
 * compared: what is the same of them, and what no device changes, says that they are one segment.
 * A proxy, which ends one connection and begins another, carries the same octets as well; it has
 * numbers, timestamps and IP identifications of its own, and acknowledges when it likes.
 */
#ifndef LASTACK_PATH_INTRODUCE_H
#define LASTACK_PATH_INTRODUCE_H

#include "pair.h"

/*
 * The newest lone segment of that tap and end: looks for one of another connection, which the other
 * tap alone shows, that is the same; then both are one connection, and what they hold is matched.
 */
void introduce(struct pair *pair, uint32_t joint, int tap, int end);

/* A lone segment goes, or changes: it is not found by what it was any more. */
void introduce_withdraw(struct pair *pair, struct lone *lone, uint32_t index);

/* Both taps show the connection: nothing of it need be found. */
void introduce_withdraw_all(struct pair *pair, struct joint *joint);

#endif
