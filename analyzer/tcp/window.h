/*
 * window: what a receiver makes of a segment: sequence, acknowledgment, time stamp, reset.
 *
 * All from the observer's knowledge of both sides; where a window scale is unknown the answer is
 * the one that blames nobody.
 */
#ifndef LASTACK_TCP_WINDOW_H
#define LASTACK_TCP_WINDOW_H

#include "connection.h"

/* How a segment stands to PAWS (RFC 7323 5). */
enum paws {
    PAWS_ABSENT, /* no timestamps in this connection */
    PAWS_PASS,
    PAWS_REJECT,    /* TSval older than TS.Recent, which is younger than 24 days */
    PAWS_NO_OPTION, /* timestamps negotiated, the segment has none: 7323 drops, Linux accepts */
};

/* Whether both SYNs carried the option, so that it is in use. */
bool connection_uses_timestamps(const struct connection *connection);
static inline bool connection_uses_scale(const struct connection *connection)
{
    return side_has(&connection->side[0], SIDE_SCALED) &&
           side_has(&connection->side[1], SIDE_SCALED);
}

/* The shift that counts of a SYN's (RFC 7323 2.3). */
static inline uint8_t window_shift(uint8_t shift)
{
    enum { MOST = 14 };
    return shift > MOST ? MOST : shift;
}

/* Whether the scale of both directions is known (both SYNs captured). */
bool connection_knows_scale(const struct connection *connection);

/* The window a segment advertises, scaled where the connection scales (RFC 7323 2.3). */
static inline uint32_t segment_window(const struct connection *connection,
                                      const struct segment *segment, int from)
{
    if ((segment->flags & TCP_SYN) != 0 || !connection_uses_scale(connection))
        return segment->window;
    return (uint32_t)segment->window << connection->side[from].window_scale;
}

/* RFC 9293 3.10.7.4 first, the four cases, for the receiver `to`. */
bool window_accepts_sequence(const struct connection *connection, int to, seq sequence,
                             uint32_t length);

/* RFC 5961 5: SND.UNA - MAX.SND.WND <= ACK <= SND.NXT of the receiver `to`. */
bool window_accepts_ack(const struct connection *connection, int to, seq acknowledgment);

enum paws window_paws(const struct connection *connection, int to, const struct segment *segment);

/* Which shape a reset has (EVENTS C0); `from` is its alleged sender. */
enum rst_form window_rst_form(const struct connection *connection, const struct segment *segment,
                              int from);

/* Whether the TTL is unlike the alleged sender's other packets: likely injected. */
bool window_is_foreign_ttl(const struct side *sender, const struct segment *segment);

/* Where a reset from `from` falls for its receiver (RFC 9293 3.10.7.3, .4; RFC 5961 3; Linux
 * tcp_reset_check and tcp_validate_incoming). */
enum rst_fit window_rst_fit(const struct connection *connection, const struct segment *segment,
                            int from);

#endif
