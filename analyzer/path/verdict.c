/*
 * verdict: see verdict.h.
 *
 * A segment that the receiver's tap lacks was lost, or that tap's capture missed it.  What was
 * missed arrived all the same, and its receiver shows that: it acknowledges octets of which no copy
 * had come.  What was lost shows as well: the receiver repeats what the segment would have
 * acknowledged, or goes on asking for its octets.  Where nothing tells, a loss is named, and not
 * said to be certain.  A segment that the sender's tap lacks was missed there when it is one that
 * the sender had come to; else something on the path made it.
 */
#include "verdict.h"

#include "arrivals.h"
#include "joints.h"
#include "lones.h"

enum { LOOKS = 32 }; /* lone segments that one segment may tell of */

/* When the segment would have come to the other tap at the earliest. */
static nanotime due_at(const struct pair *pair, const struct lone *lone)
{
    return time_after(pair_lone_time(pair, lone), clocks_least_delay(&pair->clocks));
}

static bool overlaps(const struct print *a, const struct print *b)
{
    return seq_before(a->sequence, print_end(b)) && seq_before(b->sequence, print_end(a));
}

/* The receiver's tap shows another transmission of its octets, which nothing has matched yet: that
 * capture may be read ahead of the other. */
static bool came_otherwise(const struct pair *pair, const struct lone *lone)
{
    const struct joint *joint = pair_joint(pair, lone->joint);
    uint32_t index = joint->view[1 - lone->tap][lone->end].lones.newest;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        const struct lone *held = pair_lone(pair, index);
        if (overlaps(&held->print, &lone->print))
            return true;
        index = held->older;
    }
    return false;
}

/* Its receiver acknowledges it: it arrived, unless another transmission of it had. */
static void note_ack(const struct pair *pair, struct lone *lone, bool due)
{
    if ((lone->flags & LONE_REPEATED) == 0)
        lone->flags |= due && !came_otherwise(pair, lone) ? LONE_ACKED : LONE_REPEATED;
}

/*
 * A segment that left later has come, and the answer is not of the moment before: it says the same
 * once more, which is what a host does when octets are missing (RFC 5681 3.2), or it had the time.
 */
static bool asks_again(const struct joint *joint, const struct lone *answer,
                       const struct lone *lone)
{
    const nanotime reaction = 5 * (nanotime)NANO_PER_MILLI;
    if (joint->arrived_order[lone->end] <= lone->order || (answer->print.flags & TCP_ACK) == 0 ||
        answer->print.acknowledgment != lone->print.sequence)
        return false;
    bool pure = !print_occupies(&answer->print);
    return (pure && answer->repeats) ||
           time_since(answer->seen.t, joint->arrived_at[lone->end]) > reaction;
}

/*
 * Whether the answer shows that its sender has not got the lone segment: it asks for its octets
 * though what left later has come, or sends again what it acknowledges, long enough after it was
 * due.
 */
static bool denies(const struct pair *pair, const struct lone *answer, const struct lone *lone)
{
    const nanotime queue = 50 * (nanotime)NANO_PER_MILLI; /* none but a long one lasts so long */
    if (print_occupies(&lone->print))
        return asks_again(pair_joint(pair, lone->joint), answer, lone);
    return (lone->print.flags & TCP_ACK) != 0 && print_occupies(&answer->print) &&
           seq_at_or_before(print_end(&answer->print), lone->print.acknowledgment) &&
           time_since(pair_lone_time(pair, answer), due_at(pair, lone)) > queue;
}

/* Both are of one incarnation, or nothing tells them apart. */
static bool is_of_same_opening(const struct lone *a, const struct lone *b)
{
    return a->opening == b->opening;
}

/* For all that is remembered, a segment with that timestamp may have arrived. */
static bool may_have_come(const struct stamps *stamps, uint32_t tsval)
{
    for (uint32_t i = 0; i < RECENT_STAMPS && i < stamps->count; i++) {
        if (stamps->latest[i] == tsval)
            return true;
    }
    return stamps->count > RECENT_STAMPS && (int32_t)(tsval - stamps->before) <= 0;
}

/* Its receiver echoes its timestamp (RFC 7323 4.3), which nothing else that arrived has: where
 * octets are missing, it echoes what came before them for long. */
static bool echoes(const struct joint *joint, const struct lone *answer, const struct lone *lone)
{
    return answer->print.stamped && lone->print.stamped &&
           answer->print.tsecr == lone->print.tsval &&
           !may_have_come(&joint->stamps[lone->end], lone->print.tsval);
}

void verdict_note_answer(struct pair *pair, const struct lone *answer)
{
    const struct joint *joint = pair_joint(pair, answer->joint);
    int end = 1 - answer->end;
    nanotime now = pair_lone_time(pair, answer);
    uint32_t index = joint->view[1 - answer->tap][end].lones.oldest;
    if ((answer->print.flags & TCP_RST) != 0)
        return;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        struct lone *lone = pair_lone(pair, index);
        uint32_t newer = lone->newer;
        if (!is_of_same_opening(answer, lone)) {
            if ((int8_t)(lone->opening - answer->opening) < 0)
                lones_unlist(pair, lone, index);
            index = newer;
            continue;
        }
        bool acked = (answer->print.flags & TCP_ACK) != 0 && print_occupies(&lone->print) &&
                     seq_at_or_after(answer->print.acknowledgment, print_end(&lone->print));
        if (!acked && time_is_before(now, due_at(pair, lone)))
            return; /* it, and those after it, may be under way */
        if (acked) {
            note_ack(pair, lone, !time_is_before(now, due_at(pair, lone)));
            lones_unlist(pair, lone, index);
        } else if (echoes(joint, answer, lone)) {
            lone->flags |= LONE_ECHOED;
        } else if (denies(pair, answer, lone)) {
            lone->flags |= LONE_DENIED;
        }
        index = newer;
    }
}

/* The other tap has come further, and no transmission of these octets is missing there. */
bool verdict_is_needless(const struct pair *pair, const struct lone *lone)
{
    const struct joint *joint = pair_joint(pair, lone->joint);
    const struct end_view *there = &joint->view[1 - lone->tap][lone->end];
    if (!print_occupies(&lone->print) || !there->numbered ||
        seq_before(there->high, print_end(&lone->print)))
        return false;
    uint32_t index = joint->view[lone->tap][lone->end].lones.newest;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        const struct lone *held = pair_lone(pair, index);
        if (overlaps(&held->print, &lone->print) && (held->flags & LONE_REPEATED) == 0)
            return false;
        index = held->older;
    }
    return true;
}

void verdict_note_arrival(struct pair *pair, const struct lone *arrived, nanotime left)
{
    const struct joint *joint = pair_joint(pair, arrived->joint);
    uint32_t index = joint->view[1 - arrived->tap][arrived->end].lones.oldest;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        struct lone *lone = pair_lone(pair, index);
        uint32_t newer = lone->newer;
        bool later_ack =
            is_of_same_opening(arrived, lone) && !print_occupies(&lone->print) &&
            seq_at_or_after(arrived->print.acknowledgment, lone->print.acknowledgment) &&
            time_is_before(pair_lone_time(pair, lone), left);
        if (overlaps(&lone->print, &arrived->print))
            lone->flags |= LONE_REPEATED;
        if (later_ack) {
            lone->flags |= LONE_SUPERSEDED;
            lones_unlist(pair, lone, index);
        }
        index = newer;
    }
}

void verdict_deny(struct pair *pair, const struct flow_key *key, seq sequence, uint64_t packet)
{
    uint32_t joint = joints_of_key(pair, 0, key);
    uint32_t index = joint == 0 ? 0 : lones_of_packet(pair, joint, 0, sequence, packet);
    if (index != 0)
        pair_lone(pair, index)->flags |= LONE_DENIED;
}

void verdict_deny_unseen(struct pair *pair, const struct denial *denial)
{
    struct lone at = {.joint = joints_of_key(pair, 0, denial->key), .tap = 1};
    if (at.joint == 0)
        return;
    at.end = (uint8_t)joint_first_end(pair_joint(pair, at.joint), denial->end);
    at.print.sequence = denial->sequence;
    nanotime back = 2 * clocks_least_delay(&pair->clocks); /* beyond the first tap, and back */
    struct finder_cursor cursor;
    for (uint32_t i = lones_first_at(pair, &at, &cursor); i != 0;
         i = lones_next_at(pair, &at, &cursor)) {
        struct lone *lone = pair_lone(pair, i);
        if (!print_occupies(&lone->print) && (lone->print.flags & TCP_ACK) != 0 &&
            seq_at_or_after(lone->print.acknowledgment, denial->acknowledgment) &&
            !time_is_before(denial->until, time_after(due_at(pair, lone), back)))
            lone->flags |= LONE_DENIED;
    }
}

/* The tap that stands before the other on the way of the segment; the one that shows it, where the
 * way is not known. */
static int upstream_of(const struct pair *pair, const struct lone *lone)
{
    return path_upstream(pair_direction(pair, pair_joint(pair, lone->joint), lone->end), lone->tap);
}

/* --- where a capture begins and ends --- */

static bool is_after_end(const struct pair *pair, const struct lone *lone)
{
    int other = 1 - lone->tap;
    return pair->segments[other] > 0 &&
           time_is_before(time_after(pair_time(pair, other, pair->latest[other]),
                                     clocks_least_delay(&pair->clocks)),
                          pair_lone_time(pair, lone));
}

static bool is_before_beginning(const struct pair *pair, const struct lone *lone)
{
    int other = 1 - lone->tap;
    bool stepped = lone->seen.steps > 0; /* that clock may show again what it had shown before */
    return pair->segments[other] > 0 && !stepped &&
           time_is_before(due_at(pair, lone),
                          other == 0 ? pair->first[0]
                                     : clocks_to_first(&pair->clocks, pair->first[1], 0));
}

/* It left so late that the other capture may have ended before it came, for all that is known of
 * queues: nothing that left later has come. */
static bool may_be_under_way(const struct pair *pair, const struct lone *lone)
{
    int other = 1 - lone->tap;
    nanotime latest = time_after(due_at(pair, lone), pair->config->tap_delay);
    return pair->segments[other] > 0 && lone->order > pair->left[lone->tap] &&
           time_is_before(pair_time(pair, other, pair->latest[other]), latest);
}

/* A segment that had passed the other tap, by its way, shows that nothing was captured there. */
static void note_edge(struct pair *pair, const struct lone *lone)
{
    int other = 1 - lone->tap;
    if (pair_joint(pair, lone->joint)->matched == 0 || upstream_of(pair, lone) == lone->tap)
        return;
    if (is_after_end(pair, lone))
        pair->stops_early[other] = true;
    if (is_before_beginning(pair, lone))
        pair->begins_late[other] = true;
}

void verdict_note_edges(struct pair *pair)
{
    for (int tap = 0; tap < TAPS; tap++) {
        for (uint32_t i = pair->all[tap].oldest; i != 0; i = pair_lone(pair, i)->after)
            note_edge(pair, pair_lone(pair, i));
    }
}

/* --- what passed the tap of its sender alone --- */

/* The captures are lossy enough to explain what nothing else does. */
static bool often_misses(const struct pair *pair, int tap)
{
    enum { SHARE = 500 };
    return pair->missed[tap] > 0 && pair->missed[tap] * SHARE > pair->matched;
}

static bool hears_both_ends(const struct joint *joint, int tap)
{
    return joint->view[tap][0].heard && joint->view[tap][1].heard;
}

/* Nothing of the connection was matched: it may be that it does not pass the other tap. */
static enum path_fate fate_unjoined(const struct pair *pair, const struct lone *lone)
{
    const struct joint *joint = pair_joint(pair, lone->joint);
    bool elsewhere = hears_both_ends(joint, lone->tap) || hears_both_ends(joint, 1 - lone->tap);
    return elsewhere ? FATE_UNKNOWN : FATE_LOST;
}

/*
 * An acknowledgment of octets that nothing else acknowledges: its receiver would have sent them
 * again by now.
 */
static bool contents_receiver(const struct pair *pair, const struct lone *lone)
{
    const nanotime patience = 2 * (nanotime)NANO_PER_SECOND; /* RFC 6298: an RTO of 1 s, and some */
    const struct joint *joint = pair_joint(pair, lone->joint);
    int other = 1 - lone->tap;
    const struct end_view *there = &joint->view[other][lone->end];
    const struct end_view *peer = &joint->view[other][1 - lone->end];
    bool plain = (lone->print.flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
    if (!plain || joint->reset || joint->opening[other] != lone->opening ||
        (lone->flags & (LONE_DENIED | LONE_SUPERSEDED)) != 0 || !there->acks ||
        !seq_after(lone->print.acknowledgment, there->acked) || !peer->numbered ||
        seq_after(lone->print.acknowledgment, peer->high))
        return false;
    return time_since(pair_time(pair, other, pair->latest[other]), due_at(pair, lone)) > patience;
}

/* The other tap never showed anything of its sender, whose peer hears it all the same. */
static bool goes_another_way(const struct joint *joint, const struct lone *lone)
{
    const struct end_view *there = joint->view[1 - lone->tap];
    return !there[lone->end].heard && there[1 - lone->end].acks_move;
}

static enum path_fate fate_of_unarrived(const struct pair *pair, const struct lone *lone,
                                        struct crossing *crossing)
{
    const struct joint *joint = pair_joint(pair, lone->joint);
    int other = 1 - lone->tap;
    bool after = is_after_end(pair, lone) || may_be_under_way(pair, lone);
    bool before = is_before_beginning(pair, lone);
    crossing->unjoined = joint->matched == 0;
    crossing->at_edge = after || before || pair->segments[other] == 0;
    if ((lone->flags & LONE_VOUCHED) != 0)
        return FATE_MISSED;
    if ((after && pair->stops_early[other]) || (before && pair->begins_late[other]))
        return FATE_UNKNOWN;
    if (before && hears_both_ends(joint, lone->tap) && joint->matched == 0)
        return FATE_UNKNOWN;
    if (crossing->unjoined)
        return fate_unjoined(pair, lone);
    bool arrived = (lone->flags & (LONE_ACKED | LONE_ECHOED)) != 0 || contents_receiver(pair, lone);
    return arrived ? FATE_MISSED : FATE_LOST;
}

/* What its receiver showed contradicts that its octets had come before: one of both is mistaken. */
static bool is_denied(const struct lone *lone)
{
    return (lone->flags & LONE_DENIED) != 0 && !lone->needless;
}

/* What its receiver had not got by then may have been held, and have passed a capture that misses
 * packets: on a path that holds them that is no loss. */
static bool may_have_come_late(const struct pair *pair, const struct lone *lone)
{
    return pair->held > 0 && pair->missed[1 - lone->tap] > 0;
}

/* The other tap showed nothing at all then: its clock was set, or its capture stopped for a while.
 */
static bool is_in_silence(const struct pair *pair, const struct lone *lone)
{
    int other = 1 - lone->tap;
    const struct silence *silence = &pair->silence[other];
    nanotime due = due_at(pair, lone);
    return silence->from != silence->until &&
           !time_is_before(due, pair_time(pair, other, silence->from)) &&
           time_is_before(due, pair_time(pair, other, silence->until));
}

static enum confidence confidence_of_loss(const struct pair *pair, const struct lone *lone,
                                          const struct crossing *crossing)
{
    bool known = pair_direction(pair, pair_joint(pair, lone->joint), lone->end) != TOWARDS_UNKNOWN;
    if (crossing->unjoined || !known)
        return CONFIDENCE_POSSIBLE;
    /* what was due when is not known for certain */
    bool clock_was_set =
        clocks_stepped_near(&pair->clocks, pair_lone_time(pair, lone), pair->config->tap_wait);
    if (is_in_silence(pair, lone))
        return CONFIDENCE_POSSIBLE;
    if (is_denied(lone))
        return clock_was_set || lone->ambiguous || may_have_come_late(pair, lone)
                   ? CONFIDENCE_PROBABLE
                   : CONFIDENCE_CERTAIN;
    if (crossing->at_edge || often_misses(pair, 1 - lone->tap))
        return CONFIDENCE_POSSIBLE;
    return CONFIDENCE_PROBABLE;
}

/* --- what passed the tap of its receiver alone --- */

/* Whether the sender had come to the segment's numbers: then it is its own. */
static bool is_of_sender(const struct joint *joint, const struct lone *lone)
{
    const struct end_view *sender = &joint->view[1 - lone->tap][lone->end];
    if ((lone->print.flags & TCP_RST) != 0)
        return false;
    bool opens = (lone->print.flags & TCP_SYN) != 0;
    if (!opens && joint->opening[1 - lone->tap] != lone->opening)
        return true; /* what its sender had come to then is not known any more */
    return sender->numbered && seq_at_or_before(print_end(&lone->print), sender->high);
}

static enum path_fate fate_of_unsent(struct pair *pair, const struct lone *lone,
                                     struct crossing *crossing)
{
    const struct joint *joint = pair_joint(pair, lone->joint);
    int other = 1 - lone->tap;
    const struct end_view *here = &joint->view[lone->tap][lone->end];
    const struct end_view *sender = &joint->view[other][lone->end];
    bool reset = (lone->print.flags & TCP_RST) != 0;
    crossing->ttl_differs = here->ttl != 0 && here->ttl != lone->seen.ttl;
    crossing->went_on =
        reset && sender->numbered &&
        time_is_before(pair_lone_time(pair, lone), pair_time(pair, other, sender->last));
    crossing->at_edge = is_after_end(pair, lone) || is_before_beginning(pair, lone);
    crossing->unjoined = joint->matched == 0;
    if ((lone->flags & LONE_VOUCHED) != 0)
        return FATE_MISSED;
    if (crossing->unjoined)
        return FATE_UNKNOWN;
    if ((lone->flags & LONE_TWIN) != 0 && !crossing->ttl_differs)
        return FATE_DUPLICATED;
    if (crossing->at_edge && !crossing->ttl_differs && !crossing->went_on)
        return FATE_UNKNOWN;
    if (is_of_sender(joint, lone) && !crossing->ttl_differs)
        return FATE_MISSED;
    bool unexplained = !crossing->ttl_differs && !crossing->went_on;
    return unexplained && pair->missed[other] > 0 ? FATE_MISSED : FATE_INJECTED;
}

static enum confidence confidence_of_injection(const struct pair *pair, const struct lone *lone,
                                               const struct crossing *crossing)
{
    bool whole = pair->missed[1 - lone->tap] == 0;
    if (crossing->ttl_differs && crossing->went_on)
        return whole ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE;
    if (crossing->ttl_differs || crossing->went_on)
        return CONFIDENCE_PROBABLE;
    return CONFIDENCE_POSSIBLE;
}

/* Whether the other tap's sighting may be among those that there was no room to hold. */
static bool may_have_been_let_go(const struct pair *pair, const struct lone *lone)
{
    int other = 1 - lone->tap;
    nanotime let_go = pair_joint(pair, lone->joint)->view[other][lone->end].let_go;
    if (pair->let_go[other] != 0)
        let_go = time_later_of(let_go, pair->let_go[other]);
    if (let_go == 0 || !clocks_known(&pair->clocks))
        return let_go != 0;
    return time_since(pair_lone_time(pair, lone), pair_time(pair, other, let_go)) <
           pair->config->tap_delay;
}

static bool is_identified(const struct lone *lone)
{
    return lone->print.ip_id != 0;
}

static enum path_fate fate_of(struct pair *pair, const struct lone *lone, struct crossing *crossing)
{
    bool sent = upstream_of(pair, lone) == lone->tap;
    bool copy = (lone->flags & (LONE_COPY | LONE_VOUCHED)) == LONE_COPY;
    if (copy &&
        (is_identified(lone) || !sent)) /* within a tick of its clock a sender repeats, too */
        return FATE_DUPLICATED;
    return sent ? fate_of_unarrived(pair, lone, crossing) : fate_of_unsent(pair, lone, crossing);
}

void verdict_reach(struct pair *pair, const struct lone *lone, struct crossing *crossing)
{
    if (goes_another_way(pair_joint(pair, lone->joint), lone)) {
        crossing->fate = FATE_UNKNOWN;
        crossing->unjoined = true;
        return;
    }
    note_edge(pair, lone);
    if (may_have_been_let_go(pair, lone))
        return;
    crossing->fate = fate_of(pair, lone, crossing);
    if ((lone->flags & LONE_COPY) == 0 || !is_identified(lone))
        crossing->confidence = CONFIDENCE_PROBABLE;
    if (crossing->fate == FATE_DUPLICATED)
        arrivals_name(pair, lone, crossing);
    if (crossing->fate == FATE_LOST) {
        crossing->confidence = confidence_of_loss(pair, lone, crossing);
        crossing->shown = is_denied(lone);
    }
    if (crossing->fate == FATE_INJECTED)
        crossing->confidence = confidence_of_injection(pair, lone, crossing);
    if ((lone->flags & LONE_VOUCHED) != 0)
        crossing->confidence = CONFIDENCE_CERTAIN;
    if (crossing->fate == FATE_MISSED)
        pair->missed[1 - lone->tap]++;
}
