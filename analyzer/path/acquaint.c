/*
 * acquaint: see acquaint.h.
 *
 * Alone or together these are enough, each by itself:
 *
 *     the same sequence or acknowledgment number, and the same octets: of 2^32 numbers
 *     the same two timestamps (RFC 7323), which a proxy takes from clocks of its own; of two
 *     segments, where a capture does not show what they carry
 *     two segments or more with the same IP identifications, one constant shift apart
 *     all that both opened with, constant shifts, and passing times that one path explains
 *
 * The last one tells a proxy by time: it answers a SYN before it has sent one itself, or
 * acknowledges before its peer does, so that the same side's segments seem to take very different
 * times between the taps.
 */
#include "acquaint.h"

#include "introduce.h"
#include "joints.h"
#include "lones.h"
#include "match.h"
#include "verdict.h"

enum {
    LOOKS = 32, /* lone segments of an end; no more are held while nothing is matched */
    SCORE_NUMBERS = 4000,
    SCORE_STAMPS = 3000,
    SCORE_IDS = 2000,
    SCORE_TIMES = 1000,
};

/* Two connections side by side. */
struct likeness {
    const struct joint *own, *other;
    int tap; /* that shows `own` */
    bool flipped;
    uint32_t shift[ENDS];                /* other less own, by own ends */
    int alike, same_ids, contradictions; /* segments */
    bool opens[ENDS];                    /* the SYN and the SYN-ACK are alike */
    bool unlike[ENDS];                   /* SYNs have the same number, and are not */
    int seen[ENDS];                      /* alike, by own ends: */
    nanotime least[ENDS], most[ENDS];    /* by how much later the other one's clock stood */
};

static bool has_same_octets(const struct print *a, const struct print *b)
{
    return a->payload == b->payload && a->hashed == b->hashed && a->payload_hash == b->payload_hash;
}

/* Nothing of what no device changes is known to differ. */
static bool is_alike(const struct lone *a, const struct lone *b)
{
    bool cut = ((a->options | b->options) & OPTION_CUT) != 0;
    bool stamped = a->print.stamped && b->print.stamped;
    if (stamped && (a->print.tsval != b->print.tsval || a->print.tsecr != b->print.tsecr))
        return false;
    return a->print.flags == b->print.flags && a->print.window == b->print.window &&
           a->window_scale == b->window_scale && (cut || a->options == b->options);
}

static void take_alike(struct likeness *both, int end, const struct lone *a, const struct lone *b)
{
    nanotime later = time_since(b->seen.t, a->seen.t);
    bool first = both->seen[end]++ == 0;
    both->alike++;
    both->same_ids += a->print.ip_id != 0 && a->print.ip_id == b->print.ip_id;
    both->opens[end] |= (a->print.flags & TCP_SYN) != 0;
    both->least[end] = first ? later : time_earlier_of(both->least[end], later);
    both->most[end] = first ? later : time_later_of(both->most[end], later);
}

/* A segment of the own one beside those of the other that have its place. */
static void lay_beside(const struct pair *pair, struct likeness *both, int end,
                       const struct lone *a)
{
    int there = both->flipped ? 1 - end : end;
    uint32_t index = both->other->view[1 - both->tap][there].lones.oldest;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        const struct lone *b = pair_lone(pair, index);
        index = b->newer;
        if (b->seen.sequence != a->seen.sequence + both->shift[end] ||
            b->seen.payload != a->seen.payload)
            continue;
        if (a->print.hashed == b->print.hashed && a->print.payload_hash != b->print.payload_hash) {
            both->contradictions++;
            return;
        }
        bool acks = (a->print.flags & TCP_ACK) != 0;
        if (is_alike(a, b) &&
            (!acks || b->seen.acknowledgment == a->seen.acknowledgment + both->shift[1 - end])) {
            take_alike(both, end, a, b);
            return;
        }
        both->unlike[end] |= (a->print.flags & b->print.flags & TCP_SYN) != 0;
    }
}

static void compare(const struct pair *pair, struct likeness *both)
{
    for (int end = 0; end < ENDS; end++) {
        uint32_t index = both->own->view[both->tap][end].lones.oldest;
        for (int i = 0; i < LOOKS && index != 0; i++) {
            const struct lone *a = pair_lone(pair, index);
            lay_beside(pair, both, end, a);
            index = a->newer;
        }
    }
}

/* Segments of one end take about as long as one another between the taps, beside what a segment and
 * its answer take together. */
static bool is_timed_as_one(const struct likeness *both, int away)
{
    int back = 1 - away;
    nanotime round = time_since(both->least[away], both->most[back]);
    return round > 0 && time_since(both->most[away], both->least[away]) <= round &&
           time_since(both->most[back], both->least[back]) <= round;
}

static int score_of(const struct likeness *both, const struct lone *a, const struct lone *b)
{
    const struct print *x = &a->print, *y = &b->print;
    bool same_seq = a->seen.sequence == b->seen.sequence;
    bool same_ack = (x->flags & TCP_ACK) != 0 && a->seen.acknowledgment == b->seen.acknowledgment;
    bool told = x->hashed >= ACQUAINT_TELLING && has_same_octets(x, y);
    for (int end = 0; end < ENDS; end++) {
        if (both->unlike[end] && !both->opens[end])
            return 0;
    }
    if (both->contradictions > 0 || both->alike == 0)
        return 0;
    if ((same_seq && same_ack) || ((same_seq || same_ack) && told))
        return SCORE_NUMBERS + both->alike;
    bool followed = both->alike > 1 && x->ip_id == y->ip_id;
    if (x->stamped) /* alike: the timestamps are the same */
        return x->tsecr != 0 && (told || followed) ? SCORE_STAMPS + both->alike : 0;
    if (both->same_ids >= 2 && told)
        return SCORE_IDS + both->alike;
    bool whole = both->opens[0] && both->opens[1] && both->seen[0] > 1 && both->seen[1] > 1;
    bool timed = whole && (is_timed_as_one(both, 0) || is_timed_as_one(both, 1));
    return timed && told ? SCORE_TIMES + both->alike : 0;
}

struct acquaintance acquaint(const struct pair *pair, uint32_t held, uint32_t index)
{
    const struct lone *a = pair_lone(pair, held), *b = pair_lone(pair, index);
    struct acquaintance found = {.joint = a->joint, .flipped = a->end != b->end};
    bool comparable = a->print.hashed == b->print.hashed;
    if (!is_alike(a, b) || a->seen.payload != b->seen.payload ||
        a->print.stamped != b->print.stamped ||
        (comparable && a->print.payload_hash != b->print.payload_hash))
        return found;
    found.shift[a->end] = b->seen.sequence - a->seen.sequence;
    if ((a->print.flags & TCP_ACK) != 0)
        found.shift[1 - a->end] = b->seen.acknowledgment - a->seen.acknowledgment;
    struct likeness both = {.own = pair_joint(pair, a->joint),
                            .other = pair_joint(pair, b->joint),
                            .tap = a->tap,
                            .flipped = found.flipped,
                            .shift = {found.shift[0], found.shift[1]}};
    compare(pair, &both);
    found.score = score_of(&both, a, b);
    return found;
}

/* --- making them one --- */

/* What the other tap has shown becomes that of the first joint; its lone segments come after. */
static void take_view(struct joint *joint, const struct joint *other, int tap)
{
    for (int end = 0; end < ENDS; end++) {
        struct end_view *view = &joint->view[tap][end];
        int there = joint->flipped[tap] ? 1 - end : end;
        *view = other->view[tap][there];
        view->lones = view->late = (struct lone_list){0, 0};
        view->held = 0;
        if (tap == 1) {
            view->high -= joint->shift[end];
            view->acked -= joint->shift[1 - end];
        }
        joint->fins |= (other->fins >> there & 1) != 0 ? (uint8_t)(1u << end) : 0;
    }
    joint->opening[tap] = other->opening[tap];
    joint->opened_at[tap] = other->opened_at[tap];
    joint->reset |= other->reset;
    joint->closed |= other->closed || joint->fins == 3;
    joint->last = time_later_of(joint->last, other->last);
    if (joint->client_end < 0 && other->client_end >= 0)
        joint->client_end =
            (int8_t)(joint->flipped[tap] ? 1 - other->client_end : other->client_end);
}

/* All that the joint holds of that tap, the oldest first; how many there are. */
static int held_of(const struct pair *pair, const struct joint *joint, int tap,
                   uint32_t ret_held[ENDS * LOOKS])
{
    uint32_t next[ENDS] = {joint->view[tap][0].lones.oldest, joint->view[tap][1].lones.oldest};
    int count = 0;
    while (count < ENDS * LOOKS && (next[0] != 0 || next[1] != 0)) {
        bool second = next[0] == 0 || (next[1] != 0 && pair_lone(pair, next[1])->order <
                                                           pair_lone(pair, next[0])->order);
        ret_held[count++] = next[second];
        next[second] = pair_lone(pair, next[second])->newer;
    }
    return count;
}

/* A lone segment of another joint, as this one would hold it. */
static struct lone in_terms_of(const struct pair *pair, uint32_t index, uint32_t to)
{
    const struct joint *joint = pair_joint(pair, to);
    struct lone moved = *pair_lone(pair, index);
    moved.joint = to;
    moved.end ^= joint->flipped[moved.tap];
    moved.flags = 0;
    if (moved.tap == 1) {
        moved.print.sequence -= joint->shift[moved.end];
        if ((moved.print.flags & TCP_ACK) != 0)
            moved.print.acknowledgment -= joint->shift[1 - moved.end];
    }
    return moved;
}

/* Whether IP identifications say that its counterpart is there, too. */
static bool is_told_by_id(const struct pair *pair, const struct lone *moved)
{
    bool sure;
    uint32_t index = lones_match(pair, moved, &sure);
    return index != 0 && moved->print.ip_id != 0 &&
           pair_lone(pair, index)->print.ip_id == moved->print.ip_id;
}

/*
 * Those that an IP identification tells go first: a repetition, of which the first transmission was
 * lost, looks like that one else.
 */
static void move_lones(struct pair *pair, const struct joint *other, int tap, uint32_t to)
{
    uint32_t held[ENDS * LOOKS];
    int count = held_of(pair, other, tap, held);
    for (int all = 0; all <= 1; all++) {
        for (int i = 0; i < count; i++) {
            if (held[i] == 0)
                continue;
            struct lone moved = in_terms_of(pair, held[i], to);
            if (all == 0 && !is_told_by_id(pair, &moved))
                continue;
            lones_release(pair, held[i]);
            held[i] = 0;
            verdict_note_answer(pair, &moved);
            if (!match_segment(pair, &moved) && !match_pieces(pair, &moved))
                pair_hold(pair, &moved);
        }
    }
}

/* What was said of the other joint is of this one. */
static void rename_crossings(struct pair *pair, uint32_t from, uint32_t to)
{
    struct crossing_queue *queue = &pair->queue;
    for (uint32_t i = queue->head; i < queue->count && pair_joint(pair, from)->untold > 0; i++) {
        if (queue->crossing[i].joint != from)
            continue;
        queue->crossing[i].joint = to;
        pair_joint(pair, from)->untold--;
        pair_joint(pair, to)->untold++;
    }
}

void acquaint_join(struct pair *pair, const struct acquaintance *acquaintance, uint32_t other_index)
{
    uint32_t index = acquaintance->joint;
    struct joint *joint = pair_joint(pair, index), *other = pair_joint(pair, other_index);
    int tap = joint->known[0] ? 1 : 0; /* that shows the other one */
    introduce_withdraw_all(pair, joint);
    introduce_withdraw_all(pair, other);
    if (!joints_take_key(pair, index, tap, other_index))
        return;
    joint->flipped[tap] = acquaintance->flipped;
    for (int end = 0; end < ENDS; end++) {
        uint32_t shift = acquaintance->shift[end];
        joints_apply_shift(pair, joint, end, tap == 1 ? shift : 0 - shift);
    }
    joint->join = joint->shifted ? JOINED_BY_PAYLOAD : JOINED_BY_NUMBERS;
    take_view(joint, other, tap);
    move_lones(pair, other, tap, index);
    rename_crossings(pair, other_index, index);
    if (other->untold == 0) /* else it stays until that is told */
        joints_end(pair, other_index);
}
