/*
 * story: what a connection has been through that an ordinary one has not: repetitions, silence,
 * probes.  Kept from the first such segment on; an ordinary connection has none.
 *
 * Facts only, by side.  What they amount to is the detectors' business.
 */
#ifndef LASTACK_FLOW_STORY_H
#define LASTACK_FLOW_STORY_H

#include "../tcp/connection.h"

/*
 * A side speaks and nothing of the other side passes.  Begins with the first segment that occupies
 * sequence space (or probes) after the other side was last heard, ends with anything of the other
 * side.
 */
struct unanswered {
    struct packet_ref first; /* packet 0: the side is not unanswered */
    struct packet_ref last;  /* latest repetition or probe; packet 0: none yet */
    nanotime interval;       /* between the last two of these */
    nanotime idle;           /* how long nothing had passed either way before `first` */
    uint32_t copies;         /* repetitions of sequence space sent before */
    uint32_t probes;         /* keep-alives and window probes */
};

struct story {
    struct unanswered unanswered[SIDES];
    struct packet_ref strange;  /* to a side in SYN_SENT: in the numbers of another connection */
    struct unanswered answered; /* what the latest segment ended, as it was; packet 0: nothing */
    struct unanswered reset_run[SIDES]; /* what the side's first reset ended */
    struct packet_ref lone_ack;         /* latest progress that acknowledges an unheard side */
    struct packet_ref shut[SIDES];      /* the side's window is 0 since this segment of it */
    struct packet_ref knock[SIDES];     /* the peer's latest probe into that window */
};

/*
 * Follows one step, after the connection took it.  *story is NULL until the first segment worth
 * keeping, then owned by the caller (free()).  least_idle: silence in ns from which a segment
 * counts as sent into the unknown.  Returns false when memory ran out.
 */
bool story_follow(struct story **story, const struct connection *connection,
                  const struct step *step, nanotime least_idle);

#endif
