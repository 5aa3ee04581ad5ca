/*
 * embryo: a tuple that has seen one SYN and nothing else, kept as that SYN.
 *
 * A flood of SYNs costs one small record each.  The first other packet makes a whole incarnation of
 * it: the SYN is read again as if it came now.  What the small record cannot hold exactly (payload,
 * more than one VLAN tag, SACK blocks) is no embryo.
 */
#ifndef LASTACK_FLOW_EMBRYO_H
#define LASTACK_FLOW_EMBRYO_H

#include "incarnation.h"

/* Whether a tuple's first segment can be kept so. */
bool embryo_fits(const struct segment *segment);

/* Keeps the segment, sent by that end, in a tuple that holds nothing yet. */
void embryo_keep(struct tuple *tuple, const struct segment *segment, int end);

/* Leaves a tuple that holds nothing. */
void embryo_forget(struct tuple *tuple);

/* Gives the segment back and leaves a tuple that holds nothing; returns the end that sent it. */
int embryo_hatch(struct tuple *tuple, struct segment *ret_segment);

#endif
