/*
 * collide: the case of a SYN into a tuple whose previous incarnation may be alive: what is kept of
 * the old one, as it was when the SYN passed (OBSERVER 3).
 */
#ifndef LASTACK_FLOW_COLLIDE_H
#define LASTACK_FLOW_COLLIDE_H

#include "incarnation.h"

/*
 * Attaches the case of a SYN to its incarnation, when there was a connection to collide with: the
 * incarnation `old`, or with NULL the closed one of a tombstone (NULL: none).  False when
 * memory ran out, and the case is left out.
 */
bool collide_attach(struct incarnation *candidate, const struct incarnation *old,
                    const struct tombstone *tombstone, const struct segment *segment);

/* A SYN after the end: its case against the tuple's newest tombstone, if there is one; likewise. */
bool collide_after_end(struct tuple *tuple, struct incarnation *fresh,
                       const struct segment *segment);

#endif
