/*
 * decide_stray: an old segment in the current incarnation, and whether its receiver took it.  A
 * hazard is open from the segment on until what its receiver sends next decides.
 */
#include "decide_parts.h"
#include "tcp/window.h"

void decide_hazard(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                   const struct segment *segment, bool delivered, bool refuted)
{
    struct hazard *hazard = &incarnation->doubts->hazard;
    struct occasion occasion = {.kind = OCCASION_HAZARD,
                                .segment = segment,
                                .from = hazard->to,
                                .delivered = delivered,
                                .refuted = refuted,
                                .now = engine->clock};
    hazard->open = false;
    incarnation->connection.corrupted = delivered && !hazard->rst;
    decide_show(engine, tuple, incarnation, &occasion);
    incarnation_end_doubts(incarnation);
}

static bool sacks_unsent(const struct segment *segment, const struct hazard *hazard)
{
    for (int i = 0; i < segment->sacks; i++) {
        if (seq_after(segment->sack[i].right, hazard->left) &&
            seq_at_or_after(hazard->right, segment->sack[i].left))
            return true;
    }
    return false;
}

/* The receiver of an old reset speaks: as one that was ended by it, or not. */
static void follow_reset_hazard(struct engine *engine, struct tuple *tuple,
                                struct incarnation *incarnation, const struct step *step)
{
    const struct hazard *hazard = &incarnation->doubts->hazard;
    nanotime since = time_since(step->segment->time, hazard->stray.t);
    bool in_flight = since < incarnation->connection.side[hazard->to].round_trip / 2;
    bool ended = (step->segment->flags & (TCP_RST | TCP_ACK)) == TCP_RST; /* of no connection */
    if (step->from == hazard->to && (ended || !in_flight))
        decide_hazard(engine, tuple, incarnation, step->segment, ended, !ended);
}

/* The receiver of an old segment acknowledges: its octets, or not. */
static void follow_data_hazard(struct engine *engine, struct tuple *tuple,
                               struct incarnation *incarnation, const struct step *step)
{
    const struct hazard *hazard = &incarnation->doubts->hazard;
    const struct segment *segment = step->segment;
    if (step->from != hazard->to || (segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
        return;
    const struct side *x = &incarnation->connection.side[side_other(hazard->to)];
    const struct side *y = &incarnation->connection.side[hazard->to];
    bool unsent = seq_after(segment->acknowledgment, x->snd_nxt) &&
                  seq_after(segment->acknowledgment, hazard->left);
    bool sacked = seq_at_or_before(x->snd_nxt, hazard->left) && sacks_unsent(segment, hazard);
    if (unsent || sacked) {
        decide_hazard(engine, tuple, incarnation, segment, true, false);
        return;
    }
    nanotime since = time_since(segment->time, hazard->stray.t);
    bool in_flight = since < incarnation->connection.side[hazard->to].round_trip / 2;
    bool overtaken = seq_after(x->snd_nxt, hazard->left);
    bool sacks = side_has(x, SIDE_SACK) && side_has(y, SIDE_SACK); /* and would have told */
    bool may_be_kept = !hazard->at_edge && !overtaken && !sacks &&
                       seq_before(segment->acknowledgment, hazard->left);
    if (!in_flight && !may_be_kept) /* what is kept shows when the gap is filled */
        decide_hazard(engine, tuple, incarnation, segment, false, hazard->at_edge && !overtaken);
}

void decide_follow_hazard(struct engine *engine, struct tuple *tuple,
                          struct incarnation *incarnation, const struct step *step)
{
    const struct hazard *hazard = &incarnation_doubts(incarnation)->hazard;
    if (!hazard->open)
        return;
    if (hazard->rst)
        follow_reset_hazard(engine, tuple, incarnation, step);
    else
        follow_data_hazard(engine, tuple, incarnation, step);
}

static void open_hazard(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int from, const struct stray *stray)
{
    struct incarnation *current = tuple->current;
    const struct side *x = &current->connection.side[from];
    seq end = seq_add(segment->sequence, segment->payload + ((segment->flags & TCP_FIN) != 0));
    if (incarnation_doubts(current)->hazard.open) /* another old segment answers nothing */
        decide_hazard(engine, tuple, current, NULL, false, false);
    struct doubts *doubts = incarnation_begin_doubts(current);
    if (doubts == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return;
    }
    doubts->hazard = (struct hazard){
        .open = true,
        .to = (uint8_t)side_other(from),
        .matched_number = stray->from->incarnation,
        .matched_uid = stray->from->uid,
        .old_iss = {stray->from->end[incarnation_end(current, 0)].iss,
                    stray->from->end[incarnation_end(current, 1)].iss},
        .strength = stray->match,
        .stray = packet_ref_of(segment, from),
        .at_edge =
            seq_at_or_before(segment->sequence, current->connection.side[side_other(from)].rcv_nxt),
        .left = seq_later_of(segment->sequence, x->snd_nxt),
        .right = end,
        .state = {(enum tcp_state)current->connection.side[0].state,
                  (enum tcp_state)current->connection.side[1].state},
        .age = stray->original != NULL ? time_since(segment->time, stray->original->t)
                                       : NANOTIME_UNKNOWN,
    };
    if (stray->original != NULL)
        doubts->hazard.original = last_segment_ref(stray->original, from);
    doubts->hazard.rst = (segment->flags & TCP_RST) != 0;
    current->connection.corrupted = !doubts->hazard.rst;
}

void decide_stray(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end, const struct stray *stray)
{
    struct incarnation *current = tuple->current;
    int from = incarnation_side(current, end);
    current->strays++;
    if (stray->verdict == STRAY_HAZARD_DATA) {
        open_hazard(engine, tuple, segment, from, stray);
        return;
    }
    if (stray->verdict == STRAY_HAZARD_RST) /* whether it hit is seen by what comes next */
        open_hazard(engine, tuple, segment, from, stray);
    if (current->strays > engine->config.strays_per_flow) {
        engine->counts.events_dropped++;
        return;
    }
    struct occasion occasion = {
        .kind = OCCASION_STRAY, .segment = segment, .from = from, .stray = stray};
    decide_show(engine, tuple, current, &occasion);
}
