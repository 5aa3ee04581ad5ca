/*
 * kin: members of a closed connection that are nearly always equal to others, as what they differ
 * by.
 *
 * A FIN is its side's last data segment, what one side sent the other has acknowledged, a state
 * begins with the segment that the one before ended with.  Apart, such a member is told by exclusive
 * or from what it is most likely equal to: 0 where it is, and then parking leaves it out.  Nothing
 * is assumed: whatever the members are, kin_bring_together() undoes kin_take_apart().
 */
#ifndef LASTACK_FLOW_KIN_H
#define LASTACK_FLOW_KIN_H

#include "incarnation.h"

/* In place; closing: its closing block, NULL for none.  The incarnation can be read no more. */
void kin_take_apart(struct incarnation *incarnation, struct closing *closing);

/* Makes of such a one, and the same closing block, what they were. */
void kin_bring_together(struct incarnation *incarnation, struct closing *closing);

#endif
