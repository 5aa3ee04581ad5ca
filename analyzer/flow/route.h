/*
 * route: which incarnation of a tuple a segment belongs to (OBSERVER 3 and 4).
 */
#ifndef LASTACK_FLOW_ROUTE_H
#define LASTACK_FLOW_ROUTE_H

#include "incarnation.h"

enum route {
    ROUTE_CURRENT,   /* the current incarnation */
    ROUTE_FIRST,     /* begins the tuple's first known incarnation, or one after an ended one */
    ROUTE_REPLACE,   /* a SYN; the current one is provably gone */
    ROUTE_COMPETE,   /* a SYN into an incarnation that may be alive: a candidate */
    ROUTE_CANDIDATE, /* the candidate's own SYN again */
    ROUTE_MEET,      /* a SYN of the candidate's other end: a simultaneous open */
    ROUTE_ADOPT,     /* an answer that makes the candidate the current incarnation */
    ROUTE_REFUSE,    /* a reset of the candidate, in its numbers */
    ROUTE_RESUME,    /* the candidate's sender speaks in the old numbers: the SYN was nobody's */
    ROUTE_SUCCEED,   /* a SYN-ACK of a new incarnation whose SYN was not captured */
    ROUTE_STRAY,     /* from an earlier incarnation; *ret_stray says which */
    ROUTE_LATE,      /* of a closed incarnation that is written already */
};

/* Why a segment is taken to be of an earlier incarnation, from strong to weak (OBSERVER 4). */
enum stray_match { STRAY_NONE, STRAY_BY_ACK, STRAY_BY_COPY, STRAY_BY_TIMESTAMP, STRAY_BY_RANGE };

/* What the current receiver makes of it (EVENTS C5). */
enum stray_verdict {
    STRAY_HARMLESS,
    STRAY_REJECTED_BY_PAWS,
    STRAY_REJECTED_BY_ACK,
    STRAY_ACCEPTABLE_DUPLICATE,
    STRAY_HAZARD_DATA,
    STRAY_HAZARD_RST,
};

struct stray {
    enum stray_match match;
    enum stray_verdict verdict;
    const struct tombstone *from;        /* the incarnation it belongs to */
    const struct last_segment *original; /* the segment it is a copy of, or NULL */
    bool paws_no_option;                 /* timestamps negotiated, the segment has none */
};

/* Decides; end is the end of the tuple that sent the segment.  With ROUTE_STRAY fills *ret_stray.
 */
enum route route_segment(const struct tuple *tuple, const struct segment *segment, int end,
                         struct stray *ret_stray);

const char *stray_match_name(enum stray_match match);
const char *stray_verdict_name(enum stray_verdict verdict);

#endif
