/*
 * icmp_story: what hosts and routers on the path reported about a connection's segments.
 *
 * An ICMP error quotes the segment that it is about.  It finds the connection by the quoted
 * addresses and ports, and is believed only where the quoted sequence number lies within what that
 * side had sent (RFC 5927 4.1): whoever forges one off the path must guess it.  An error moves
 * nobody's state, opens no connection and is no packet of one: it is remembered, for the record
 * and for the detectors.
 */
#ifndef LASTACK_FLOW_ICMP_STORY_H
#define LASTACK_FLOW_ICMP_STORY_H

#include "incarnation.h"

/* One error, as it was reported. */
struct icmp_report {
    uint64_t packet; /* the ICMP packet; 0: none */
    nanotime t;
    struct icmp_error error;
    seq sequence; /* of the quoted segment */
    uint8_t side; /* that had sent it: the error went to that side */
};

/* From an error to what it caused, and from a segment to the error that answers it: EVENTS C7. */
static const nanotime icmp_right_after = NANO_PER_SECOND;

struct icmp_story {
    uint32_t errors;
    struct icmp_report first, last;
    struct icmp_report
        unreachable[SIDES]; /* the latest that said so to the side, but for its MTU */
};

enum icmp_match {
    ICMP_UNMATCHED, /* quotes nothing that a connection of the tuple had sent */
    ICMP_MATCHED,
    ICMP_COPY,      /* the capture delivered the one before twice */
    ICMP_NO_MEMORY, /* for the first of a connection: it is not remembered */
};

/*
 * Finds among the tuple's incarnations the one that sent what the error quotes, and remembers the
 * error there.  quoted: the quoted addresses, ports and sequence number, with time and number of
 * the ICMP packet; end: of the tuple, which had sent the segment; copy_window: ns within which the
 * same error again is the same packet, captured twice.
 */
enum icmp_match icmp_story_take(const struct tuple *tuple, const struct segment *quoted, int end,
                                const struct icmp_error *error, nanotime copy_window);

#endif
