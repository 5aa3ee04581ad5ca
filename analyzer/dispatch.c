/* dispatch: see dispatch.h.  dispatch_to() has a line per route. */
#include "dispatch.h"

#include "brief_handshake.h"
#include "decide.h"
#include "flow/collide.h"
#include "flow/route.h"
#include "lives.h"
#include "tcp/copies.h"
#include "tcp/window.h"
#include "tcp/zeek_trail.h"
#include "trace.h"

/* A copy that a mirror port delivered: counted, not analysed. */
static bool is_copy(struct engine *engine, const struct tuple *tuple,
                    struct incarnation *incarnation, const struct segment *segment, int from)
{
    if (!copies_seen(&incarnation->connection, segment, from, engine->config.copy_window))
        return false;
    engine->counts.copies++;
    trace_segment(engine, tuple, incarnation, segment, from, VERDICT_COPY);
    incarnation->notes |= UINT64_C(1) << NOTE_capture_duplicate;
    if (incarnation_in_other_vlan(incarnation, segment))
        incarnation->notes |= UINT64_C(1) << NOTE_vlan_split;
    if (incarnation_in_other_tunnel(incarnation, segment))
        incarnation->notes |= UINT64_C(1) << NOTE_tunnel_duplicate;
    return true;
}

/* Takes a segment into an incarnation. */
static void take(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                 const struct segment *segment, int end)
{
    struct step step;
    int from = incarnation_side(incarnation, end);
    decide_losses(engine, incarnation);
    if (brief_handshake_segment(engine, tuple, incarnation, segment, end))
        return;
    if (!connection_segment(&incarnation->connection, segment, from, &step))
        engine->status = STATUS_NO_MEMORY;
    engine->counts.segments++;
    engine->counts.damaged += step.damaged;
    if (!step.stray && segment->payload > 0)
        incarnation_remember(incarnation, segment, end);
    if (engine->probe != NULL)
        engine->probe(engine->probe_context, &step);
    trace_step(engine, tuple, incarnation, &step);
    decide_step(engine, tuple, incarnation, &step);
}

/*
 * A SYN is refused for its sequence number when TIME_WAIT answers it in the old numbers and its
 * time stamp was not what failed: that ACK does not start 2MSL anew (OBSERVER 2).
 */
static bool refuses_syn(const struct tuple *tuple, int end)
{
    const struct incarnation *candidate = tuple->candidate;
    if (candidate == NULL || candidate->collision == NULL || end == candidate->client_end)
        return false;
    const struct collision *collision = candidate->collision;
    const struct side *responder =
        &tuple->current->connection.side[incarnation_side(tuple->current, end)];
    bool paws = collision->syn_timestamps && side_has(responder, SIDE_TIMESTAMPS) &&
                seq_before(collision->syn_tsval, responder->ts_recent);
    return responder->state == STATE_TIME_WAIT && !paws;
}

/* A segment in the old numbers while a SYN competes. */
static void take_contested(struct engine *engine, struct tuple *tuple,
                           const struct segment *segment, int end)
{
    struct incarnation *current = tuple->current;
    struct connection *connection = &current->connection;
    int side = incarnation_side(current, end);
    bool from_responder = end != tuple->candidate->client_end;
    struct collision *collision = tuple->candidate->collision;
    struct step step = {0};
    bool old_reset = from_responder && (segment->flags & TCP_RST) != 0 &&
                     segment->sequence == connection->side[side].snd_nxt;
    if (old_reset) {
        connection_revoke_last_ack(connection, side, segment, &step);
        trace_step(engine, tuple, current, &step);
        if (collision != NULL)
            collision->state_after = (enum tcp_state)connection->side[side].state;
    }
    connection->refusing_syn = refuses_syn(tuple, end);
    if (from_responder && ((segment->flags & TCP_ACK) != 0 || old_reset))
        decide_last_ack_shown(engine, current, side, segment);
    take(engine, tuple, current, segment, end);
    connection->refusing_syn = false;
    if (old_reset && collision != NULL && connection->closing != NULL)
        collision->reply_form = (enum rst_form)connection->closing->rst_form[side];
    decide_old_answer(engine, tuple, segment, end);
}

/* The sender of the candidate goes on in the old numbers: the SYN was nobody's (OBSERVER 3). */
static void resume(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end)
{
    struct incarnation *current = tuple->current;
    struct step step = {0};
    connection_revoke_forget(&current->connection, incarnation_side(current, end), segment, &step);
    trace_step(engine, tuple, current, &step);
    if (tuple->candidate->collision != NULL)
        tuple->candidate->collision->resumed = true;
    lives_end_candidate(engine, tuple, true);
    take(engine, tuple, current, segment, end);
}

/* A reset of the candidate in its own numbers; it decides the old responder, too. */
static void refuse(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end)
{
    struct incarnation *candidate = tuple->candidate;
    struct connection *old = &tuple->current->connection;
    int old_side = incarnation_side(tuple->current, end);
    struct collision *collision = candidate->collision;
    struct step step = {0};
    take(engine, tuple, candidate, segment, end);
    if (end == candidate->client_end)
        return;
    if (segment->sequence == old->side[old_side].snd_nxt) {
        connection_revoke_last_ack(old, old_side, segment, &step);
        trace_step(engine, tuple, tuple->current, &step);
        if (collision != NULL && !collision->decided)
            collision->state_after = (enum tcp_state)old->side[old_side].state;
    }
    bool alive = old->side[old_side].state != STATE_CLOSED;
    if (alive) { /* a reset with SEQ 0 does not prove a presumed CLOSED: LAST_ACK may send it */
        connection_forget(old, old_side, FACT_SND_RST, BASIS_SENT, segment, &step);
        trace_step(engine, tuple, tuple->current, &step);
    }
    if (collision != NULL && !collision->decided && candidate->connection.closing != NULL)
        collision->reply_form = (enum rst_form)candidate->connection.closing->rst_form[1];
    decide_collision(engine, tuple, candidate, ANSWER_RST_NEW, segment);
}

static void adopt(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end)
{
    struct incarnation *fresh = tuple->candidate;
    lives_adopt(engine, tuple, segment, end);
    if (fresh->collision != NULL && fresh->collision->peer_syn.packet != 0)
        lives_confirm_retiring(engine, tuple, segment, end);
    take(engine, tuple, fresh, segment, end);
    decide_collision(engine, tuple, fresh, ANSWER_SYNACK, segment);
}

/* A SYN-ACK of a new incarnation whose SYN the capture missed. */
static void succeed(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                    int end)
{
    if (tuple->candidate != NULL)
        lives_end_candidate(engine, tuple, true);
    tuple->candidate = lives_begin(engine, tuple, segment, end);
    if (tuple->candidate == NULL)
        return;
    copies_seen(&tuple->candidate->connection, segment, incarnation_side(tuple->candidate, end),
                engine->config.copy_window);
    adopt(engine, tuple, segment, end);
}

static void begin(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end)
{
    struct incarnation *fresh = lives_begin(engine, tuple, segment, end);
    if (fresh == NULL)
        return;
    if (!collide_after_end(tuple, fresh, segment))
        engine->status = STATUS_NO_MEMORY;
    tuple->current = fresh;
    copies_seen(&fresh->connection, segment, incarnation_side(fresh, end),
                engine->config.copy_window);
    take(engine, tuple, fresh, segment, end);
}

/* A SYN where the old connection is gone for certain. */
static void replace(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                    int end)
{
    lives_replace(engine, tuple, segment, end);
    copies_seen(&tuple->current->connection, segment, incarnation_side(tuple->current, end),
                engine->config.copy_window);
    take(engine, tuple, tuple->current, segment, end);
}

static void compete(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                    int end)
{
    struct incarnation *candidate = lives_compete(engine, tuple, segment, end);
    if (candidate == NULL)
        return;
    copies_seen(&candidate->connection, segment, 0, engine->config.copy_window);
    take(engine, tuple, candidate, segment, end);
}

/* An old segment: it is counted where it appeared, and moves nobody. */
static void take_stray(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                       int end, const struct stray *stray)
{
    struct incarnation *current = tuple->current;
    struct tally *tally = &current->connection.side[incarnation_side(current, end)].tally;
    tally->packets++; /* its octets are none of this stream's */
    tally->ip_bytes += segment->ip_length;
    zeek_trail_end(&current->connection);
    zeek_view_packet(&current->connection.zeek, segment, incarnation_side(current, end));
    current->connection.last_t = time_later_of(current->connection.last_t, segment->time);
    engine->counts.segments++;
    trace_segment(engine, tuple, current, segment, incarnation_side(current, end), VERDICT_STRAY);
    decide_stray(engine, tuple, segment, end, stray);
}

static void take_candidate_syn(struct engine *engine, struct tuple *tuple,
                               const struct segment *segment, int end)
{
    struct collision *collision = tuple->candidate->collision;
    take(engine, tuple, tuple->candidate, segment, end);
    if (collision == NULL)
        return;
    collision->syn_repeated = true;
    collision->syns++;
    collision->syn_last = packet_ref_of(segment, 0);
}

/* Both ends open at once: the old connection is presumed gone at either (OBSERVER 3). */
static void meet(struct engine *engine, struct tuple *tuple, const struct segment *segment, int end)
{
    struct incarnation *candidate = tuple->candidate;
    lives_forget(engine, tuple, segment, end);
    if (candidate->collision != NULL && candidate->collision->peer_syn.packet == 0)
        candidate->collision->peer_syn = packet_ref_of(segment, 1);
    take(engine, tuple, candidate, segment, end);
}

static void take_current(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                         int end)
{
    if (tuple->candidate != NULL) {
        take_contested(engine, tuple, segment, end);
        return;
    }
    bool speaks = (segment->flags & (TCP_ACK | TCP_RST)) == TCP_ACK;
    if (tuple->retiring != NULL && speaks) {
        lives_confirm_retiring(engine, tuple, segment, end);
        if (incarnation_side(tuple->current, end) == 0)
            lives_end_retiring(engine, tuple);
    }
    take(engine, tuple, tuple->current, segment, end);
}

/* The incarnation whose memory of recent packets a routed segment is compared with. */
static struct incarnation *route_target(const struct tuple *tuple, enum route route)
{
    switch (route) {
    case ROUTE_CANDIDATE:
    case ROUTE_MEET:
    case ROUTE_ADOPT:
    case ROUTE_REFUSE:
        return tuple->candidate;
    case ROUTE_CURRENT:
    case ROUTE_RESUME:
    case ROUTE_STRAY:
        return tuple->current;
    case ROUTE_FIRST:
    case ROUTE_REPLACE:
    case ROUTE_COMPETE:
    case ROUTE_SUCCEED:
    case ROUTE_LATE:
        return NULL;
    }
    return NULL;
}

static void dispatch_to(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int end, enum route route, const struct stray *stray)
{
    switch (route) {
    case ROUTE_CURRENT:
        take_current(engine, tuple, segment, end);
        break;
    case ROUTE_FIRST:
        begin(engine, tuple, segment, end);
        break;
    case ROUTE_REPLACE:
        replace(engine, tuple, segment, end);
        break;
    case ROUTE_COMPETE:
        compete(engine, tuple, segment, end);
        break;
    case ROUTE_CANDIDATE:
        take_candidate_syn(engine, tuple, segment, end);
        break;
    case ROUTE_MEET:
        meet(engine, tuple, segment, end);
        break;
    case ROUTE_ADOPT:
        adopt(engine, tuple, segment, end);
        break;
    case ROUTE_REFUSE:
        refuse(engine, tuple, segment, end);
        break;
    case ROUTE_RESUME:
        resume(engine, tuple, segment, end);
        break;
    case ROUTE_SUCCEED:
        succeed(engine, tuple, segment, end);
        break;
    case ROUTE_STRAY:
        take_stray(engine, tuple, segment, end, stray);
        break;
    case ROUTE_LATE:
        engine->counts.late++;
        break;
    }
}

void dispatch_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                      int end)
{
    struct stray stray;
    enum route route = route_segment(tuple, segment, end, &stray);
    struct incarnation *target = route_target(tuple, route);
    if (target == NULL || !is_copy(engine, tuple, target, segment, incarnation_side(target, end)))
        dispatch_to(engine, tuple, segment, end, route, &stray);
}
