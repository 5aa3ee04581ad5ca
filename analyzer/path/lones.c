/* lones: see lones.h. */
#include "lones.h"

#include <stdlib.h>

#include "introduce.h"

/* Two captures that stand on one host may show a segment in either order, this far apart. */
static const nanotime order_slack = 2 * (nanotime)NANO_PER_MILLI;

static uint32_t number_hash(const struct pair *pair, const struct lone *lone)
{
    uint64_t word = ((uint64_t)lone->joint << 2 | (uint64_t)lone->tap << 1 | lone->end) << 32 |
                    lone->print.sequence;
    word = (word ^ pair->secret.k0) * (pair->secret.k1 | 1); /* keyed, and short: joints are ours */
    return (uint32_t)(word >> 32) ^ (uint32_t)word;
}

static struct lone_list *list_of(const struct pair *pair, const struct lone *lone)
{
    struct end_view *view = &pair_joint(pair, lone->joint)->view[lone->tap][lone->end];
    return lone->late ? &view->late : &view->lones;
}

static void enlist(struct pair *pair, struct lone *lone, uint32_t index)
{
    struct lone_list *list = list_of(pair, lone);
    lone->older = list->newest;
    lone->newer = 0;
    if (list->newest != 0)
        pair_lone(pair, list->newest)->newer = index;
    else
        list->oldest = index;
    list->newest = index;
    lone->listed = true;
}

static void delist(struct pair *pair, struct lone *lone, uint32_t index)
{
    struct lone_list *list = list_of(pair, lone);
    if (!lone->listed)
        return;
    if (lone->older != 0)
        pair_lone(pair, lone->older)->newer = lone->newer;
    if (lone->newer != 0)
        pair_lone(pair, lone->newer)->older = lone->older;
    if (list->oldest == index)
        list->oldest = lone->newer;
    if (list->newest == index)
        list->newest = lone->older;
    lone->listed = false;
}

void lones_unlist(struct pair *pair, struct lone *lone, uint32_t index)
{
    if (lone->late)
        return;
    delist(pair, lone, index);
    lone->late = lone->print.payload > 0;
    if (lone->late)
        enlist(pair, lone, index);
}

uint32_t lones_hold(struct pair *pair, const struct lone *lone)
{
    uint32_t index = pool_take(&pair->lones);
    if (index == 0)
        return 0;
    struct lone *held = pair_lone(pair, index);
    *held = *lone;
    held->hash = number_hash(pair, lone);
    held->offered = 0;
    held->late = false;
    if (!finder_add(&pair->by_number, held->hash, index)) {
        pool_give(&pair->lones, index);
        return 0;
    }
    struct lone_list *all = &pair->all[held->tap];
    held->before = all->newest;
    held->after = 0;
    if (all->newest != 0)
        pair_lone(pair, all->newest)->after = index;
    else
        all->oldest = index;
    all->newest = index;
    enlist(pair, held, index);
    pair_joint(pair, lone->joint)->view[lone->tap][lone->end].held++;
    return index;
}

void lones_release(struct pair *pair, uint32_t index)
{
    struct lone *lone = pair_lone(pair, index);
    introduce_withdraw(pair, lone, index);
    delist(pair, lone, index);
    finder_remove(&pair->by_number, lone->hash, index);
    if (lone->before != 0)
        pair_lone(pair, lone->before)->after = lone->after;
    else
        pair->all[lone->tap].oldest = lone->after;
    if (lone->after != 0)
        pair_lone(pair, lone->after)->before = lone->before;
    else
        pair->all[lone->tap].newest = lone->before;
    pair_joint(pair, lone->joint)->view[lone->tap][lone->end].held--;
    pool_give(&pair->lones, index);
}

void lones_shorten(struct pair *pair, uint32_t index, uint32_t octets)
{
    struct lone *lone = pair_lone(pair, index);
    finder_remove(&pair->by_number, lone->hash, index);
    lone->print.sequence = seq_add(lone->print.sequence, octets);
    lone->print.payload -= octets;
    lone->print.hashed = 0;
    lone->print.ip_id = 0; /* that of its first piece */
    lone->hash = number_hash(pair, lone);
    if (!finder_add(&pair->by_number, lone->hash, index))
        pair->status = STATUS_NO_MEMORY; /* it is not found any more, and decided in time */
}

void lones_renumber(struct pair *pair, uint32_t index, uint32_t sequence, uint32_t acknowledgment)
{
    struct lone *lone = pair_lone(pair, index);
    finder_remove(&pair->by_number, lone->hash, index);
    lone->print.sequence -= sequence;
    if ((lone->print.flags & TCP_ACK) != 0)
        lone->print.acknowledgment -= acknowledgment;
    lone->hash = number_hash(pair, lone);
    if (!finder_add(&pair->by_number, lone->hash, index))
        pair->status = STATUS_NO_MEMORY;
}

/* How long the segment was on its way, if both are one; NANOTIME_UNKNOWN while that cannot be told.
 */
static nanotime transit(const struct pair *pair, const struct lone *new, const struct lone *held)
{
    const struct joint *joint = pair_joint(pair, new->joint);
    enum path_direction_known direction = (enum path_direction_known)joint->direction[new->end];
    if (!clocks_known(&pair->clocks) || direction == TOWARDS_UNKNOWN)
        return NANOTIME_UNKNOWN;
    int upstream = direction == TOWARDS_SECOND ? 0 : 1;
    nanotime left = pair_lone_time(pair, new->tap == upstream ? new : held);
    nanotime came = pair_lone_time(pair, new->tap == upstream ? held : new);
    return time_since(came, left);
}

/* No segment arrives before it left, as far as the clocks are known. */
static bool is_in_order(const struct pair *pair, const struct lone *new, const struct lone *held)
{
    nanotime taken = transit(pair, new, held);
    return taken == NANOTIME_UNKNOWN || taken >= -order_slack;
}

/* What a segment may be at the other tap. */
struct candidate {
    uint32_t index;
    int points;      /* how much speaks for it */
    nanotime excess; /* by how much it was longer on the way than it had to */
    uint64_t order;
};

static struct candidate candidate_of(const struct pair *pair, const struct lone *lone,
                                     uint32_t index)
{
    enum { BLUR = 8 }; /* the least delay is not known better than to an eighth */
    const struct lone *held = pair_lone(pair, index);
    nanotime taken = transit(pair, lone, held), least = clocks_least_delay(&pair->clocks);
    nanotime excess = taken == NANOTIME_UNKNOWN ? 0 : time_since(taken, least);
    return (struct candidate){
        .index = index,
        .points = print_likeness(&held->print, &lone->print),
        .excess = excess < -least / BLUR ? INT64_MAX : excess,
        .order = held->order,
    };
}

/* Of those that look the same, the one that was least delayed: resets of a host have nothing to
 * tell them apart, and what was lost does not come with the next one's arrival. */
static bool is_likelier(const struct candidate *a, const struct candidate *b)
{
    if (a->points != b->points)
        return a->points > b->points;
    return a->excess != b->excess ? a->excess < b->excess : a->order < b->order;
}

uint32_t lones_match(const struct pair *pair, const struct lone *lone, bool *ret_sure)
{
    struct lone key = {.joint = lone->joint, .tap = (uint8_t)(1 - lone->tap), .end = lone->end};
    key.print.sequence = lone->print.sequence;
    const struct joint *joint = pair_joint(pair, lone->joint);
    struct candidate best = {.points = -1};
    uint32_t seconds = 0;
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&pair->by_number, number_hash(pair, &key), &cursor); i != 0;
         i = finder_next(&pair->by_number, &cursor)) {
        const struct lone *held = pair_lone(pair, i);
        if (held->joint != key.joint || held->tap != key.tap || held->end != key.end ||
            held->print.sequence != key.print.sequence ||
            !print_may_be_same(joint, &held->print, &lone->print) ||
            !(is_in_order(pair, lone, held) || print_is_unmistakable(&held->print, &lone->print)))
            continue;
        struct candidate candidate = candidate_of(pair, lone, i);
        if (candidate.points > best.points)
            seconds = 0;
        else
            seconds += candidate.points == best.points;
        if (is_likelier(&candidate, &best))
            best = candidate;
    }
    *ret_sure = seconds == 0;
    return best.index;
}

static uint32_t overlapping_from(const struct pair *pair, const struct lone *lone, uint32_t index)
{
    enum { LOOKS = 64 };
    const struct joint *joint = pair_joint(pair, lone->joint);
    for (int i = 0; i < LOOKS && index != 0; i++) {
        const struct lone *held = pair_lone(pair, index);
        bool overlaps = seq_before(held->print.sequence, print_end(&lone->print)) &&
                        seq_before(lone->print.sequence, print_end(&held->print));
        if (overlaps && held->print.payload > 0 &&
            print_may_be_same(joint, &held->print, &lone->print) && is_in_order(pair, lone, held))
            return index;
        index = held->newer;
    }
    return 0;
}

uint32_t lones_overlapping(const struct pair *pair, const struct lone *lone)
{
    const struct end_view *there = &pair_joint(pair, lone->joint)->view[1 - lone->tap][lone->end];
    if (lone->print.payload == 0)
        return 0;
    uint32_t index = overlapping_from(pair, lone, there->lones.oldest);
    return index != 0 ? index : overlapping_from(pair, lone, there->late.oldest);
}

bool lones_split(struct pair *pair, uint32_t index, uint32_t octets)
{
    struct lone tail = *pair_lone(pair, index);
    tail.print.sequence = seq_add(tail.print.sequence, octets);
    tail.print.payload -= octets;
    tail.print.hashed = tail.print.ip_id = 0;
    tail.flags |= LONE_PARTLY | LONE_SPLIT;
    if (lones_hold(pair, &tail) == 0)
        return false;
    struct lone *head = pair_lone(pair, index);
    head->print.payload = octets;
    head->print.flags &= (uint8_t)~TCP_FIN;
    head->print.hashed = head->print.ip_id = 0;
    head->flags |= LONE_PARTLY | LONE_SPLIT;
    return true;
}

uint32_t lones_find_copy(const struct pair *pair, const struct lone *lone)
{
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&pair->by_number, number_hash(pair, lone), &cursor); i != 0;
         i = finder_next(&pair->by_number, &cursor)) {
        const struct lone *held = pair_lone(pair, i);
        if (held->joint == lone->joint && held->tap == lone->tap && held->end == lone->end &&
            print_is_copy(&held->print, &lone->print, time_since(lone->seen.t, held->seen.t),
                          pair->config->copy_window))
            return i;
    }
    return 0;
}

void lones_note_twins(struct pair *pair, const struct lone *arrived)
{
    struct finder_cursor cursor;
    if (arrived->print.payload > 0 || arrived->print.ip_id != 0)
        return;
    for (uint32_t i = finder_first(&pair->by_number, number_hash(pair, arrived), &cursor); i != 0;
         i = finder_next(&pair->by_number, &cursor)) {
        struct lone *held = pair_lone(pair, i);
        if (held->joint == arrived->joint && held->tap == arrived->tap &&
            held->end == arrived->end && print_is_alike(&held->print, &arrived->print))
            held->flags |= LONE_TWIN;
    }
}

uint32_t lones_of_packet(const struct pair *pair, uint32_t joint, int tap, seq sequence,
                         uint64_t packet)
{
    struct lone key = {.joint = joint, .tap = (uint8_t)tap};
    for (key.end = 0; key.end < ENDS; key.end++) {
        uint32_t shift = tap == 1 ? pair_joint(pair, joint)->shift[key.end] : 0;
        key.print.sequence = sequence - shift;
        struct finder_cursor cursor;
        for (uint32_t i = finder_first(&pair->by_number, number_hash(pair, &key), &cursor); i != 0;
             i = finder_next(&pair->by_number, &cursor)) {
            const struct lone *held = pair_lone(pair, i);
            if (held->joint == joint && held->tap == tap && held->seen.packet == packet)
                return i;
        }
    }
    return 0;
}

static bool begins_at(const struct lone *held, const struct lone *at)
{
    return held->joint == at->joint && held->tap == at->tap && held->end == at->end &&
           held->print.sequence == at->print.sequence;
}

uint32_t lones_next_at(const struct pair *pair, const struct lone *at, struct finder_cursor *cursor)
{
    uint32_t index = finder_next(&pair->by_number, cursor);
    while (index != 0 && !begins_at(pair_lone(pair, index), at))
        index = finder_next(&pair->by_number, cursor);
    return index;
}

uint32_t lones_first_at(const struct pair *pair, const struct lone *at,
                        struct finder_cursor *cursor)
{
    uint32_t index = finder_first(&pair->by_number, number_hash(pair, at), cursor);
    if (index == 0 || begins_at(pair_lone(pair, index), at))
        return index;
    return lones_next_at(pair, at, cursor);
}

void lones_note_rivals(struct pair *pair, const struct lone *lone, uint32_t taken)
{
    struct lone at = {.joint = lone->joint, .tap = (uint8_t)(1 - lone->tap), .end = lone->end};
    at.print.sequence = lone->print.sequence;
    int points = print_likeness(&pair_lone(pair, taken)->print, &lone->print);
    struct finder_cursor cursor;
    for (uint32_t i = lones_first_at(pair, &at, &cursor); i != 0;
         i = lones_next_at(pair, &at, &cursor)) {
        struct lone *held = pair_lone(pair, i);
        if (i != taken && print_likeness(&held->print, &lone->print) >= points)
            held->ambiguous = true;
    }
}
