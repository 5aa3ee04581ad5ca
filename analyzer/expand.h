/* expand: the engine's compact state as the plain records that sinks read. */
#ifndef LASTACK_EXPAND_H
#define LASTACK_EXPAND_H

#include "event/record.h"
#include "flow/incarnation.h"

/* Who spoke to whom, with the counts up to now. */
void expand_identity(const struct tuple *tuple, const struct incarnation *incarnation,
                     struct flow_identity *ret_who);

/* Clears a record but for the room of its histories, which their counts bound. */
void expand_clear(struct flow_record *ret_flow);

/* The flow record, whole but for its outcome.  ended: the incarnation is over (false: the capture
 * is). */
void expand_flow(const struct tuple *tuple, const struct incarnation *incarnation, bool ended,
                 nanotime two_msl, struct flow_record *ret_flow);

/* The integrity notes that hold for the incarnation now, as bits of enum note_id. */
uint64_t expand_caveats(const struct incarnation *incarnation);

/* Whether only one direction of it was captured. */
bool expand_is_one_sided(const struct connection *connection);

/* The times between the segments that open a connection, and where they say that the capture was
 * taken; NANOTIME_UNKNOWN: it has none such. */
void expand_handshake(nanotime syn_t, nanotime synack_t, nanotime ack_t,
                      struct flow_record *ret_flow);

/* The round trips of a side's segments. */
void expand_round_trips(const struct rtt *rtt, struct side_record *ret_record);

/* A history entry as record. */
struct history_record expand_history(const struct history_entry *entry);

#endif
