/*
 * shown: what a segment shows of the side that sent it, remembered in the same way by the long way
 * (connection.c) and by the short ones (ordinary, course).  Inline, since each is a few
 * words at the packets' own rate.
 */
#ifndef LASTACK_TCP_SHOWN_H
#define LASTACK_TCP_SHOWN_H

#include "connection.h"
#include "window.h"

/* What its SYN offers (RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2). */
static inline void shown_syn_options(struct side *x, const struct segment *segment)
{
    if ((segment->options & OPTION_MSS) != 0) {
        x->flags |= SIDE_MSS;
        x->mss = segment->mss;
    }
    if ((segment->options & OPTION_WINDOW_SCALE) != 0) {
        x->flags |= SIDE_SCALED;
        x->window_scale = window_shift(segment->window_scale);
    }
    if ((segment->options & OPTION_SACK_PERMITTED) != 0)
        x->flags |= SIDE_SACK;
    if ((segment->options & OPTION_TIMESTAMPS) != 0)
        x->flags |= SIDE_TIMESTAMPS;
}

/* Its time stamps (RFC 7323 3.2); the segment has the option. */
static inline void shown_stamps(struct side *x, const struct segment *segment)
{
    if (!side_has(x, SIDE_TSVAL)) {
        x->tsval_first = x->tsval_last = segment->tsval;
        x->flags |= SIDE_TSVAL;
    } else if (seq_after(segment->tsval, x->tsval_last)) {
        x->tsval_last = segment->tsval;
    }
}

/* It occupies sequence space, and is the latest of the side that does. */
static inline void shown_data(struct side *x, const struct segment *segment)
{
    x->last_data_t = segment->time;
    x->last_data_packet = segment->packet;
    x->last_data_sequence = segment->sequence;
    x->last_data_acknowledgment = segment->acknowledgment;
    x->last_data_payload = segment->payload;
    x->last_data_flags = segment->flags;
    if (segment->payload > 0)
        x->acked_with_data = segment->acknowledgment;
}

/* A round trip is timed from it, as none is under way: up to the sequence number `end`. */
static inline void shown_begins_trip(struct side *x, const struct segment *segment, seq end)
{
    x->flags |= SIDE_TIMED;
    x->timed_t = segment->time;
    x->timed_end = end;
    x->timed_tsval = segment->tsval;
}

/* Octets in flight once SND.NXT has moved. */
static inline void shown_in_flight(struct side *x)
{
    uint32_t in_flight = (uint32_t)(x->snd_nxt - x->snd_una);
    if (seq_after(x->snd_nxt, x->snd_una) && in_flight > x->tally.in_flight_max)
        x->tally.in_flight_max = in_flight;
}

/* A window that is not 0, in octets, beyond an acknowledgment (RFC 9293 3.8.6, RFC 7323 2.3). */
static inline void shown_window(struct side *x, const struct segment *segment, uint32_t window)
{
    x->window = window;
    x->last_window_field = segment->window;
    if (window > x->max_window)
        x->max_window = window;
    seq edge = seq_add(segment->acknowledgment, window);
    if (seq_after(edge, x->right_edge))
        x->right_edge = edge;
    if (side_has(x, SIDE_ZERO_WINDOW))
        x->flags &= (uint16_t)~SIDE_ZERO_WINDOW;
}

/* x acknowledges what y sent. */
static inline void shown_acknowledgment(struct side *x, struct side *y,
                                        const struct segment *segment)
{
    if (seq_after(segment->acknowledgment, x->rcv_nxt)) {
        x->rcv_nxt = segment->acknowledgment;
        x->rcv_nxt_packet = segment->packet;
        x->rcv_nxt_t = segment->time;
    }
    if (seq_after(segment->acknowledgment, y->snd_una))
        y->snd_una = segment->acknowledgment;
}

#endif
