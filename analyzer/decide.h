/*
 * decide: the cases that wait for an answer (a colliding SYN, a final ACK, an old segment that may
 * have been accepted) are followed here segment by segment and shown to the detectors when decided.
 */
#ifndef LASTACK_DECIDE_H
#define LASTACK_DECIDE_H

#include "engine.h"
#include "flow/route.h"

/* Whether the capture lost packets since the connection's last one. */
bool decide_has_lost(const struct engine *engine, const struct incarnation *incarnation);

/* What the capture lost since the connection's last packet may have been of it: a caveat. */
void decide_losses(const struct engine *engine, struct incarnation *incarnation);

/* Silence from which some detector asks about a connection, in ns. */
static inline nanotime decide_least_idle(const struct config *config)
{
    return time_earlier_of(config->idle_least, config->fin_timeout);
}

/* Whether the packet says of the capture what no packet of the connection said before. */
static inline bool decide_is_notable(const struct incarnation *current, const struct side *receiver,
                                     const struct segment *segment)
{
    const uint64_t known = current->notes;
    const bool large = segment->payload > receiver->mss;
    const bool partial = segment->checksum_verdict == CHECKSUM_PARTIAL;
    if (segment->cut == 0 && !large && !partial && (segment->vlans | current->vlans) == 0)
        return false;
    bool cut = segment->cut != 0 && (known >> NOTE_capture_truncated & 1) == 0;
    bool offloaded =
        large && side_has(receiver, SIDE_MSS) && (known >> NOTE_offload_suspected & 1) == 0;
    return cut || offloaded || partial || (segment->vlans | current->vlans) != 0;
}

/* Notes what a packet says of the capture: cut, offloaded, in other VLANs. */
void decide_note_packet(struct incarnation *incarnation, const struct segment *segment, int from);

/* What decide_step() leaves of a segment that concerns no detector and no open case, and that no
 * ordinary connection lacks. */
static inline void decide_note_usual(struct incarnation *incarnation, const struct segment *segment,
                                     int from)
{
    const struct connection *connection = &incarnation->connection;
    if (connection->side[1].state != STATE_CLOSED)
        incarnation->flags |= INCARNATION_SYNCHRONIZED;
    if (decide_is_notable(incarnation, connection->side + side_other(from), segment))
        decide_note_packet(incarnation, segment, from);
    incarnation->watched = 0;
}

/* Shows a step of an incarnation to the detectors, and follows its open cases. */
void decide_step(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                 const struct step *step);

/* A segment of the old incarnation passed while a SYN competes with it. */
void decide_old_answer(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                       int end);

/* The old responder showed itself in LAST_ACK to a new SYN: the final ACK was lost, or none came.
 */
void decide_last_ack_shown(struct engine *engine, struct incarnation *old, int side,
                           const struct segment *segment);

/* The candidate was answered in its own numbers: the collision is decided. */
void decide_collision(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                      enum syn_answer answer, const struct segment *segment);

/* A segment, from side `from`, of an incarnation that collided: it may be the answer to its SYN. */
void decide_follow_collision(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, const struct segment *segment,
                             int from);

/* An old segment appeared in the current incarnation. */
void decide_stray(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end, const struct stray *stray);

/* When a detector wants to look at the incarnation again; NANOTIME_UNKNOWN for never. */
static inline nanotime decide_due(const struct engine *engine,
                                  const struct incarnation *incarnation)
{
    if (incarnation->connection.closing == NULL && incarnation->story == NULL)
        return NANOTIME_UNKNOWN;
    return detect_due(incarnation, &engine->config);
}

/* A SYN of another number takes the place of the incarnation, which was never answered. */
void decide_replaced(struct engine *engine, struct tuple *tuple, struct incarnation *old,
                     const struct segment *syn);

/* The incarnation is over (or only the capture is): the last look of the detectors. */
void decide_end(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                bool ended);

/* What is overdue at `now`. */
void decide_overdue(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                    nanotime now);

/* The incarnation ends, or the capture does: what is still open is decided as it stands. */
void decide_remaining(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation);

#endif
