/* outcome: how an incarnation ended (RECORDS, close): kind, initiator, dwell times, TIME_WAIT. */
#ifndef LASTACK_OUTCOME_H
#define LASTACK_OUTCOME_H

#include "event/record.h"
#include "flow/incarnation.h"

/* Fills the close fields of *flow, whose histories are filled already.  two_msl in ns. */
void outcome_of(const struct incarnation *incarnation, nanotime two_msl, struct flow_record *flow);

#endif
