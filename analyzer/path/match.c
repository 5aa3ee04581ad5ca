/* match: see match.h. */
#include "match.h"

#include <string.h>

#include "arrivals.h"
#include "crossings.h"
#include "lones.h"
#include "pair_ways.h"
#include "usage.h"
#include "verdict.h"

/* One tap has shown a copy that the other has yet to show, unless it was lost. */
static bool awaits_copy(const struct recent *recent)
{
    enum { LONG = 128 }; /* segments that may be on their way at once */
    return recent->copies[0] != recent->copies[1] && recent->spared < LONG;
}

/* Makes room in the ring: of what waits for a copy the place is another one's, that does not. */
static struct recent *make_place(struct recent ring[RECENT_CROSSINGS], uint8_t next)
{
    struct recent *place = &ring[next];
    if (!awaits_copy(place))
        return place;
    for (int i = 1; i < RECENT_CROSSINGS; i++) {
        struct recent *other = &ring[(next + i) % RECENT_CROSSINGS];
        if (awaits_copy(other))
            continue;
        place->spared++;
        *other = *place;
        break;
    }
    return place;
}

static void remember(struct pair *pair, const struct lone *a, const struct lone *b)
{
    struct joint_past *past = usage_past(pair, a->joint);
    if (past == NULL) {
        pair->status = STATUS_NO_MEMORY;
        return;
    }
    uint8_t *next = &past->next[a->end];
    struct recent *place = make_place(past->recent[a->end], *next);
    *place = (struct recent){.print = a->print};
    place->at[a->tap] = (struct moment){a->seen.packet, a->seen.t};
    place->at[b->tap] = (struct moment){b->seen.packet, b->seen.t};
    place->copies[a->tap] = a->copies;
    place->copies[b->tap] = b->copies;
    *next = (uint8_t)((*next + 1) % RECENT_CROSSINGS);
    if ((a->print.flags & TCP_RST) != 0)
        past->last_reset[a->end] = *place;
    if (!arrivals_add(&pair->arrivals, a->joint, a->end, place))
        pair->status = STATUS_NO_MEMORY;
}

static void remember_stamp(struct stamps *stamps, uint32_t tsval)
{
    uint32_t *oldest = &stamps->latest[stamps->count % RECENT_STAMPS];
    uint32_t *newest = &stamps->latest[(stamps->count - 1) % RECENT_STAMPS];
    if (stamps->count > 0 && *newest == tsval)
        return;
    if (stamps->count == RECENT_STAMPS ||
        (stamps->count > RECENT_STAMPS && (int32_t)(*oldest - stamps->before) > 0))
        stamps->before = *oldest;
    *oldest = tsval;
    stamps->count++;
}

/* A segment of the first tap is the one that the second tap shows. */
static void arrive(struct pair *pair, const struct lone *first, const struct lone *second,
                   bool sure)
{
    struct joint *joint = pair_joint(pair, first->joint);
    struct crossing *crossing = crossings_add(pair, first, FATE_ARRIVED);
    if (crossing == NULL)
        return;
    crossing->at[1] = second->seen;
    crossing->marked = print_is_marked(&first->print, &second->print);
    if (!sure)
        crossing->confidence = CONFIDENCE_PROBABLE; /* which of several transmissions it is */
    crossing->changed = lones_compare(first, second);
    crossing->copy = first->copy.packet != 0 ? first->copy : second->copy;
    crossing->copied_at = first->copy.packet == 0;
    uint64_t left = joint->direction[first->end] == TOWARDS_FIRST ? second->order : first->order;
    crossing->reordered = left < joint->arrived_order[first->end];
    int tap = joint->direction[first->end] == TOWARDS_FIRST ? 1 : 0;
    pair->left[tap] = left > pair->left[tap] ? left : pair->left[tap];
    if (left <= joint->arrived_order[first->end])
        return;
    joint->arrived_order[first->end] = left;
    joint->arrived_at[first->end] = tap == 0 ? second->seen.t : first->seen.t;
}

static bool is_whole(const struct lone *lone)
{
    return (lone->flags & LONE_PARTLY) == 0;
}

/* Whether the path keeps IP identifications: then they tell transmissions apart. */
static void note_ids(struct joint *joint, const struct print *a, const struct print *b)
{
    if (a->ip_id == 0 || b->ip_id == 0)
        return;
    if (a->ip_id != b->ip_id)
        joint->ids_changed = true;
    else if (joint->ids_kept < LONES_IDS)
        joint->ids_kept++;
}

/* By what the two views are known to be one: what a match adds to it. */
static uint8_t how_joined(const struct joint *joint, const struct lone *new)
{
    if (joint->shifted && new->print.payload > 0)
        return JOINED_BY_PAYLOAD;
    return flow_key_equal(&joint->key[0], &joint->key[1]) ? JOINED_BY_TUPLE : JOINED_BY_NUMBERS;
}

/*
 * Both taps show one segment, so they show one incarnation, however many SYNs each has shown: some
 * were lost, or made on the way.  What was held so long that its own tap has shown another SYN
 * since says nothing.
 */
static void align_openings(struct joint *joint, const struct lone *new, const struct lone *held)
{
    bool opens = (new->print.flags &(TCP_SYN | TCP_ACK)) == TCP_SYN;
    if (!opens && held->opening != joint->opening[held->tap])
        return;
    int8_t ahead = (int8_t)(new->opening - held->opening);
    if (ahead < 0)
        joint->opening[new->tap] -= (uint8_t)ahead;
    else
        joint->opening[held->tap] += (uint8_t)ahead;
}

/* What both have of octets is matched; returns whether nothing is left of the new one. */
static bool meet(struct pair *pair, struct lone *new, uint32_t index, bool sure)
{
    struct lone held = *pair_lone(pair, index);
    struct joint *joint = pair_joint(pair, new->joint);
    uint32_t shared =
        new->print.payload < held.print.payload ? new->print.payload : held.print.payload;
    bool new_done = new->print.payload == shared, held_done = held.print.payload == shared;
    joint->matched++;
    align_openings(joint, new, &held);
    joint->shown[new->end] = true;
    remember_stamp(&joint->stamps[new->end], new->print.tsval);
    pair->matched++;
    if (joint->join != JOINED_BY_PAYLOAD)
        joint->join = how_joined(joint, new);
    bool whole = new_done && held_done && is_whole(new) && is_whole(&held);
    if (whole && pair_may_be_repetition(pair, &new->print, &held.print))
        sure = false;
    sure = sure && !held.ambiguous;
    bool same_era = new->seen.steps == held.seen.steps &&held.seen.steps == pair->clocks.steps;
    if (whole && sure && same_era) {
        note_ids(joint, &new->print, &held.print);
        struct twin_sighting seen = {.marked = print_is_unmistakable(&new->print, &held.print)};
        seen.t[new->tap] = new->seen.t;
        seen.t[held.tap] = held.seen.t;
        seen.packet[new->tap] = new->seen.packet;
        seen.packet[held.tap] = held.seen.packet;
        pair_take_sample(pair, joint, new->end, &seen);
    }
    joint->view[new->tap][new->end].ttl = new->seen.ttl;
    joint->view[held.tap][held.end].ttl = held.seen.ttl;
    verdict_note_arrival(pair, new, pair_lone_time(pair, &held)); /* whichever of the captures */
    verdict_note_arrival(pair, &held, pair_lone_time(pair, new)); /* is read ahead of the other */
    const struct lone *first = new->tap == 0 ? new : &held;
    if (new->tap == 0 ? new_done : held_done)
        arrive(pair, first, new->tap == 0 ? &held : new, sure);
    if (new_done && held_done) {
        remember(pair, new, &held);
        lones_note_twins(pair, new);
        lones_note_twins(pair, &held);
    }
    if (held_done)
        lones_release(pair, index);
    else
        lones_shorten(pair, index, shared);
    if (!held_done) /* what arrived of it is no other transmission of the rest */
        pair_lone(pair, index)->flags = held.flags | LONE_PARTLY;
    new->print.sequence = seq_add(new->print.sequence, shared);
    new->print.payload -= shared;
    if (!new_done)
        new->print.hashed = new->print.ip_id = 0; /* those of its first piece */
    new->flags |= LONE_PARTLY;
    return new_done;
}

bool match_segment(struct pair *pair, struct lone *new)
{
    bool sure;
    for (uint32_t index = lones_match(pair, new, &sure); index != 0;
         index = lones_match(pair, new, &sure)) {
        if (!sure)
            lones_note_rivals(pair, new, index);
        if (meet(pair, new, index, sure))
            return true;
    }
    return false;
}

void match_again(struct pair *pair)
{
    pair->rematch = false;
    uint32_t newer;
    for (uint32_t index = pair->all[1].oldest; index != 0; index = newer) {
        struct lone lone = *pair_lone(pair, index);
        newer = lone.after;
        bool sure;
        uint32_t other = lones_match(pair, &lone, &sure);
        if (other == 0 || pair_lone(pair, other)->print.payload != lone.print.payload)
            continue;
        lones_release(pair, index);
        meet(pair, &lone, other, false);
    }
}

bool match_pieces(struct pair *pair, struct lone *new)
{
    uint32_t index = lones_overlapping(pair, new);
    if (index == 0)
        return false;
    const struct lone *held = pair_lone(pair, index);
    uint32_t into = seq_before(held->print.sequence, new->print.sequence)
                        ? new->print.sequence - held->print.sequence
                        : 0;
    if (into > 0) {
        if (lones_split(pair, index, into))
            return match_segment(pair, new);
        pair->status = STATUS_NO_MEMORY;
        return false;
    }
    struct lone head = *new;
    head.print.payload = held->print.sequence - new->print.sequence;
    head.print.flags &= (uint8_t)~TCP_FIN;
    head.print.hashed = head.print.ip_id = 0;
    head.flags |= LONE_PARTLY;
    new->print.sequence = held->print.sequence;
    new->print.payload -= head.print.payload;
    new->print.hashed = new->print.ip_id = 0;
    new->flags |= LONE_PARTLY;
    pair_hold(pair, &head);
    return match_segment(pair, new);
}

/* --- copies --- */

bool match_recent_copy(struct pair *pair, const struct lone *new)
{
    const struct joint *joint = pair_joint(pair, new->joint);
    struct joint_past *past = pair_past(pair, joint);
    for (int i = 0; past != NULL && i < RECENT_CROSSINGS; i++) {
        struct recent *recent = &past->recent[new->end][i];
        uint8_t *copies = recent->copies;
        const struct moment *at = recent->at;
        nanotime apart = time_since(new->seen.t, at[new->tap].t);
        if (at[new->tap].packet == 0 ||
            !print_is_copy(&recent->print, &new->print, apart, pair->config->copy_window))
            continue;
        struct crossing *crossing = crossings_add(pair, new, FATE_DUPLICATED);
        if (crossing != NULL) {
            memcpy(crossing->original, at, sizeof(crossing->original));
            crossing->late = apart;
            crossing->passed_on = copies[1 - new->tap] > copies[new->tap];
            if (joint->direction[new->end] == TOWARDS_UNKNOWN) /* by others, or by hop limits: */
                crossing->confidence = CONFIDENCE_POSSIBLE;    /* its sender may be behind it */
        }
        copies[new->tap] += copies[new->tap] < UINT8_MAX;
        return true;
    }
    return false;
}

bool match_lone_copy(struct pair *pair, const struct lone *new)
{
    uint32_t index = lones_find_copy(pair, new);
    if (index == 0)
        return false;
    struct lone *original = pair_lone(pair, index);
    crossings_add(pair, new, FATE_DUPLICATED);
    original->copy = new->seen;
    original->copies += original->copies < UINT8_MAX;
    return true;
}
