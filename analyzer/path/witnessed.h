/* witnessed: what the engine wrote of a connection, with what the other taps know of it. */
#ifndef LASTACK_PATH_WITNESSED_H
#define LASTACK_PATH_WITNESSED_H

#include "journeys.h"
#include "order.h"

/* Notes that an event of this kind was told of the connection. */
void witnessed_raise(struct journey *journey, enum event_id id);

/* The textbook failure is proven: the old connection's last end was closed by the reset that the
 * event has.  `journey` is that of the new one. */
void witnessed_reset(const struct journeys *journeys, const struct journey *journey,
                     const struct event_record *event);

/*
 * The flow with the events of its path; states that rest on a segment whose arrival, or loss,
 * another tap shows, are `acked`, or revoked.  room is where a changed record is put.
 */
const struct flow_record *witnessed_flow(const struct journey *journey,
                                         const struct flow_record *flow, struct flow_record *room);

/* A connection between one pair of taps, as its record says it; false: there is nothing to say. */
bool witnessed_record(const struct way_view *view, uint32_t number, struct path_record *ret_record);

#endif
