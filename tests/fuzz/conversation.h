/*
 * conversation: a script of octets that becomes valid packets in wrong relations.
 *
 * Whatever the octets are, the packets are whole, with right lengths and checksums unless the
 * script wants one wrong; what varies is how they relate: sequence numbers at the wrap, segments
 * that overlap, a SYN in every state, tuples used again, acknowledgments that lie, options that
 * contradict, time that jumps.  A packet takes six octets of the script:
 *
 *      +---------------+-------+---------------+---------------+---------------+-----------+
 *      | tuple, side,  | flags | seq: relation | ack: relation | time, kind of | options,  |
 *      | payload       |       | and distance  | and distance  | packet        | window    |
 *      +---------------+-------+---------------+---------------+---------------+-----------+
 */
#ifndef LASTACK_TESTS_CONVERSATION_H
#define LASTACK_TESTS_CONVERSATION_H

#include "run.h"
#include "script.h"

enum { CONVERSATION_ETHERNET = 1, CONVERSATION_MOST = 600 };

/*
 * Appends the packets of the script, as Ethernet frames, CONVERSATION_MOST at most.  All sequence
 * numbers are shifted by so much.  False when a reset has the number 0, which answers a segment
 * without an ACK, or one without numbers: another shift may make another story.
 */
bool conversation_write(struct script script, uint32_t shift, struct packets *packets);

#endif
