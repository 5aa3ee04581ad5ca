/*
 * account: the record of a connection that took the usual course from its SYN to its last ACK, made
 * of its segments (flow/transcript.h) without an incarnation in between.
 */
#ifndef LASTACK_ACCOUNT_H
#define LASTACK_ACCOUNT_H

#include "engine.h"
#include "event/record.h"

/*
 * The record of a tuple that is parked as its segments: the one that expand_flow() and
 * outcome_put() make of what retrace_parked() brings back.  met: its deadline is, so that TIME_WAIT
 * is over; else the capture ends.  false: what it says must be asked in full, and *ret_flow holds
 * nothing.
 */
bool account_flow(const struct engine *engine, const struct tuple *tuple, bool met,
                  struct flow_record *ret_flow);

#endif
