/* collision: what the events of a collision share. */
#ifndef LASTACK_DETECT_COLLISION_H
#define LASTACK_DETECT_COLLISION_H

#include "../event/record.h"
#include "../flow/incarnation.h"

/* The packets of both incarnations that the story stands on; incarnation has a collision. */
void collision_add_evidence(struct event_record *event, const struct incarnation *incarnation);

#endif
