/* outcome: how an incarnation ended (RECORDS, close): kind, initiator, dwell times, TIME_WAIT. */
#ifndef LASTACK_OUTCOME_H
#define LASTACK_OUTCOME_H

#include "event/record.h"
#include "flow/incarnation.h"

/* What is counted of an end, whether its record is written or not. */
struct outcome {
    enum close_kind kind;
    enum initiator initiator;
    bool handshake_complete;
    bool has_history[2]; /* by side_index */
};

struct outcome outcome_of(const struct incarnation *incarnation);

/* Puts it into the record. */
void outcome_put(const struct outcome *outcome, struct flow_record *flow);

/* Fills what the record says of the close beyond that: durations and TIME_WAIT.  The histories of
 * *flow are filled already.  two_msl in ns. */
void outcome_expand(const struct incarnation *incarnation, nanotime two_msl,
                    struct flow_record *flow);

#endif
