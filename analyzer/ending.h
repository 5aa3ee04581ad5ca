/*
 * ending: an incarnation's end, or that of a part of it, on its way out: counted, told to the
 * census, and its record handed on.
 *
 * Where nothing is to be told of a connection but that it ended, its plain_flow is made at once,
 * without the record, which is twenty times as large.
 */
#ifndef LASTACK_ENDING_H
#define LASTACK_ENDING_H

#include "engine.h"
#include "event/told.h"
#include "outcome.h"

/* The incarnation is about to be freed.  ended: it is over (false: the capture is). */
void ending_write(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                  bool ended);

/* Writes a part of a connection that goes on; it is counted when it ends. */
void ending_write_part(struct engine *engine, const struct tuple *tuple,
                       struct incarnation *incarnation);

/* Of which both are made: */

/* Whether a sink takes plain_flows without a text in the place of records. */
bool ending_takes_plain(const struct sink *sink);

/* Whether a sink takes the incarnation's plain_flow, without a text, in the place of its record. */
bool ending_is_plain(const struct sink *sink, const struct incarnation *incarnation);

/* What told_plain_flow() makes of the final record. */
void ending_of(const struct tuple *tuple, const struct incarnation *incarnation,
               struct plain_flow *ret_plain);

/* Of that whose it is alone; service: the tuple's end that serves. */
void ending_name(const struct tuple *tuple, uint64_t uid, int service,
                 struct plain_flow *ret_plain);

/* How a side was left. */
struct left {
    enum tcp_state state;
    bool presumed;
};

/* Counts a connection that ends so. */
void ending_count(struct engine *engine, enum close_kind kind, const struct left left[SIDES]);

/* Hands on what is all there is of an end, to a sink that takes it. */
void ending_hand_on(struct engine *engine, const struct plain_flow *plain);

/* Hands the record on, to a sink that takes records. */
void ending_hand_on_record(struct engine *engine, const struct flow_record *flow);

#endif
