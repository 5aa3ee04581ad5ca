/* sighted: see sighted.h. */
#include "sighted.h"

#include "joints.h"
#include "lones.h"

enum { SPOKEN = 64 }; /* segments of the other tap: it was not the network that was silent */

static struct print print_of(const struct segment *segment)
{
    return (struct print){
        .sequence = segment->sequence,
        .acknowledgment = (segment->flags & TCP_ACK) != 0 ? segment->acknowledgment : 0,
        .payload = segment->payload,
        .payload_hash = segment->payload_hash,
        .hashed = segment->payload_hashed,
        .stamped = (segment->options & OPTION_TIMESTAMPS) != 0,
        .tsval = segment->tsval,
        .tsecr = segment->tsecr,
        .ip_id = segment->ip_id,
        .window = segment->window,
        .flags = segment->flags,
    };
}

/* Something between the taps gives packets identifications of its own: they tell nothing. */
static bool ids_are_rewritten(const struct pair *pair)
{
    enum { LEAST = 8, RATIO = 4 };
    return pair->ids_other >= LEAST && pair->ids_other > RATIO * pair->ids_same;
}

struct lone lone_seen(const struct pair *pair, int tap, const struct segment *segment,
                      uint32_t joint_index, int end)
{
    const struct joint *joint = pair_joint(pair, joint_index);
    struct lone lone = {
        .print = print_of(segment),
        .seen = {.packet = segment->packet,
                 .t = segment->time,
                 .sequence = segment->sequence,
                 .acknowledgment = segment->acknowledgment,
                 .payload = segment->payload,
                 .ip_bytes = segment->ip_length,
                 .flags = segment->flags,
                 .ttl = segment->ttl,
                 .steps = pair->clocks.steps},
        .order = pair->order,
        .reached = clocks_known(&pair->clocks) ? pair_reached(pair) : NANOTIME_UNKNOWN,
        .joint = joint_index,
        .options = segment->options,
        .mss = segment->mss,
        .window_scale = segment->window_scale,
        .tap = (uint8_t)tap,
        .end = (uint8_t)end,
    };
    if (ids_are_rewritten(pair))
        lone.print.ip_id = 0;
    if (!lone.print.stamped)
        lone.print.tsval = lone.print.tsecr = 0;
    if (tap == 1) {
        lone.print.sequence -= joint->shift[end];
        if ((segment->flags & TCP_ACK) != 0)
            lone.print.acknowledgment -= joint->shift[1 - end];
    }
    return lone;
}

/* A SYN that is no repetition: another incarnation. */
static void note_opening(struct joint *joint, const struct lone *lone)
{
    if (joint->opening[lone->tap] == 0 || joint->opened_at[lone->tap] != lone->seen.sequence)
        joint->opening[lone->tap]++;
    joint->opened_at[lone->tap] = lone->seen.sequence;
}

void lone_note_view(struct pair *pair, struct joint *joint, const struct lone *lone)
{
    struct end_view *view = &joint->view[lone->tap][lone->end];
    bool reset = (lone->print.flags & TCP_RST) != 0;
    seq end = print_end(&lone->print);
    if (lone->tap == 0 || clocks_known(&pair->clocks))
        joint->last = time_later_of(joint->last, pair_lone_time(pair, lone));
    if ((lone->print.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        note_opening(joint, lone);
        joint->client_end = (int8_t)lone->end;
        joint->closed = joint->reset = false;
        joint->fins = 0;
        view->numbered = view->acks = false; /* a new connection on the same ports */
        if (lone->tap == 0)
            joint->shown[0] = joint->shown[1] = false;
    }
    view->heard = true;
    if ((lone->print.flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
        (!view->acks || seq_after(lone->print.acknowledgment, view->acked))) {
        view->acked = lone->print.acknowledgment;
        view->acks_move |= view->acks || joint->opening[lone->tap] > 0;
        view->acks = true;
    }
    if (!reset) {
        if (!view->numbered || seq_after(end, view->high))
            view->high = end;
        view->numbered = true;
        view->last = view->last_order == 0 ? lone->seen.t : time_later_of(view->last, lone->seen.t);
        view->last_order = lone->order;
    }
    joint->fins |= (lone->print.flags & TCP_FIN) != 0 ? 1u << lone->end : 0;
    joint->reset |= reset;
    joint->closed |= reset || joint->fins == 3;
    if (pair->segments[lone->tap]++ == 0)
        pair->first[lone->tap] = pair->latest[lone->tap] = lone->seen.t;
    if (pair->segments[lone->tap] > 1 && pair->order - pair->latest_order[lone->tap] > SPOKEN &&
        time_since(lone->seen.t, pair->latest[lone->tap]) > pair->config->tap_wait)
        pair->silence[lone->tap] = (struct silence){pair->latest[lone->tap], lone->seen.t};
    pair->latest_order[lone->tap] = pair->order;
    pair->latest[lone->tap] = time_later_of(pair->latest[lone->tap], lone->seen.t);
}
