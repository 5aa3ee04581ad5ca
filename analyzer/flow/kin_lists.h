/*
 * kin_lists: of the members of a closed connection that foretell each other (kin.h), those in
 * lists: its history, the markers of its round trips, its last segments with payload.
 *
 * The first two functions are their own inverses.  All read members of the connection that
 * kin_take_apart() changes after them.
 */
#ifndef LASTACK_FLOW_KIN_LISTS_H
#define LASTACK_FLOW_KIN_LISTS_H

#include "incarnation.h"

/* What moved a side, by the segments that the sides remember. */
void kin_history(struct connection *connection);

/* Heights and places of markers by the least and the greatest sample, and their sum. */
void kin_rtt(struct rtt *rtt);

/* The last segments, each by the one before it, and by them what the sides sent. */
void kin_last_apart(struct incarnation *incarnation);
void kin_last_together(struct incarnation *incarnation);

#endif
