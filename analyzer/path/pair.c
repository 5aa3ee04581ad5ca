/* pair: see pair.h.  pair_take() is the way of one segment, in order. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include "arrivals.h"
#include "crossings.h"
#include "introduce.h"
#include "joints.h"
#include "lones.h"
#include "match.h"
#include "sighted.h"
#include "usage.h"
#include "verdict.h"

enum { EXPIRE_EVERY = 32 }; /* segments */

enum { UNJOINED_HELD = 16 }; /* of an end and tap, while nothing of the connection is matched */

void pair_init(struct pair *pair, const struct config *config, const struct path_room *room)
{
    memset(pair, 0, sizeof(*pair));
    pair->config = config;
    pair->joints_most = room->joints;
    pair->pasts_most = room->pasts;
    pair->lones_most = room->lones;
    pair->arrivals.kept = room->arrivals;
    pool_init(&pair->joints, sizeof(struct joint));
    pool_init(&pair->pasts, sizeof(struct joint_past));
    pool_init(&pair->lones, sizeof(struct lone));
    pair->secret = hash_key_draw();
    pair->first_near_client = -1;
}

nanotime pair_time(const struct pair *pair, int tap, nanotime t)
{
    return tap == 0 ? t : clocks_to_first(&pair->clocks, t, pair->clocks.steps);
}

/* --- what is held, and for how long --- */

/* There is no room to wait for the other sighting; when that comes, it is not to be misjudged. */
static void let_go(struct pair *pair, const struct lone *lone)
{
    struct end_view *view = &pair_joint(pair, lone->joint)->view[lone->tap][lone->end];
    view->let_go = time_later_of(view->let_go, lone->seen.t);
    crossings_add(pair, lone, FATE_UNKNOWN);
}

/* Whichever tap has shown it; 0: none. */
static uint32_t oldest_of_all(const struct pair *pair)
{
    uint32_t a = pair->all[0].oldest, b = pair->all[1].oldest;
    if (a == 0 || b == 0)
        return a == 0 ? b : a;
    return pair_lone(pair, a)->order < pair_lone(pair, b)->order ? a : b;
}

static void let_oldest_go(struct pair *pair)
{
    uint32_t oldest = oldest_of_all(pair);
    if (oldest == 0)
        return;
    let_go(pair, pair_lone(pair, oldest));
    lones_release(pair, oldest);
}

/* A connection of which nothing is held goes first: when it speaks again it is known by its ends,
 * but for those that are translated. */
static void make_room(struct pair *pair)
{
    if (!usage_give_up(pair))
        let_oldest_go(pair);
}

static void decide(struct pair *pair, uint32_t index)
{
    struct lone *lone = pair_lone(pair, index);
    struct crossing *crossing = crossings_add(pair, lone, FATE_UNKNOWN);
    if (crossing != NULL)
        verdict_reach(pair, lone, crossing);
    lones_release(pair, index);
}

static bool is_twin(const struct recent *recent, const struct lone *new)
{
    return recent->at[new->tap].packet != 0 && print_is_alike(&recent->print, &new->print);
}

/* One that looks the same has arrived, a little while ago; a reset, as long as a segment lives:
 * others may have come since, those of a new connection, too. */
static bool has_twin(const struct pair *pair, const struct joint *joint, const struct lone *new)
{
    const struct joint_past *past = pair_past(pair, joint);
    for (int i = 0; past != NULL && i < RECENT_CROSSINGS; i++) {
        if (is_twin(&past->recent[new->end][i], new))
            return true;
    }
    if (past == NULL)
        return false;
    const struct recent *reset = &past->last_reset[new->end];
    return is_twin(reset, new) &&
           time_since(new->seen.t, reset->at[new->tap].t) <= pair->config->tap_wait;
}

/* Whether it is what its sender sends next. */
static bool goes_on(const struct end_view *view, const struct print *print)
{
    bool acks_more = view->acks && seq_after(print->acknowledgment, view->acked);
    return view->numbered && print->sequence == view->high && (print_occupies(print) || acks_more);
}

void pair_hold(struct pair *pair, struct lone *new)
{
    const struct joint *joint = pair_joint(pair, new->joint);
    if (joint->matched == 0 && joint->view[new->tap][new->end].held >= UNJOINED_HELD) {
        let_go(pair, new);
        return;
    }
    if (pair->lones.taken >= pair->lones_most)
        let_oldest_go(pair);
    if (has_twin(pair, joint, new))
        new->flags |= LONE_TWIN;
    if (!new->goes_on && arrivals_find(&pair->arrivals, new) != NULL)
        new->flags |= LONE_COPY;
    new->needless = verdict_is_needless(pair, new);
    if (new->needless)
        new->flags |= LONE_REPEATED;
    if (lones_hold(pair, new) == 0)
        pair->status = STATUS_NO_MEMORY;
}

nanotime pair_reached(const struct pair *pair)
{
    nanotime second = pair_time(pair, 1, pair->latest[1]);
    if (pair->ended[0] || pair->ended[1])
        return pair->ended[0] ? second : pair->latest[0];
    return time_earlier_of(pair->latest[0], second);
}

void pair_expire(struct pair *pair)
{
    if (!clocks_known(&pair->clocks))
        return;
    nanotime now = pair_reached(pair);
    for (int tap = 0; tap < TAPS; tap++) { /* one may be read from long before the other on */
        uint32_t index;
        while ((index = pair->all[tap].oldest) != 0) {
            const struct lone *oldest = pair_lone(pair, index);
            nanotime since = time_later_of(pair_lone_time(pair, oldest), oldest->reached);
            if (time_since(now, since) < pair->config->tap_wait)
                break;
            decide(pair, index);
        }
    }
    usage_expire(pair, now);
}

void pair_take(struct pair *pair, int tap, const struct segment *segment)
{
    enum { GIVEN = 2 }; /* for one that may be taken: what could not go before goes now */
    int end;
    pair->order++;
    for (int i = 0; i < GIVEN && pair->joints.taken >= pair->joints_most; i++)
        make_room(pair);
    uint32_t index = joints_find(pair, tap, segment, &end);
    if (index == 0) {
        pair->status = STATUS_NO_MEMORY;
        return;
    }
    struct lone new = lone_seen(pair, tap, segment, index, end);
    const struct end_view *view = &pair_joint(pair, index)->view[tap][end];
    new.goes_on = goes_on(view, &new.print);
    new.repeats = view->acks && view->acked == new.print.acknowledgment;
    lone_note_view(pair, pair_joint(pair, index), &new);
    new.opening = pair_joint(pair, index)->opening[tap];
    verdict_note_answer(pair, &new);
    bool placed = match_recent_copy(pair, &new) || match_segment(pair, &new) ||
                  (joints_find_shift(pair, &new) && match_segment(pair, &new)) ||
                  match_pieces(pair, &new) || match_lone_copy(pair, &new);
    if (!placed) {
        pair_hold(pair, &new);
        introduce(pair, index, tap, end);
    }
    if (pair->rematch)
        match_again(pair);
    if (pair->order % EXPIRE_EVERY == 0)
        pair_expire(pair);
}

const struct lone *pair_find_lone(const struct pair *pair, const struct flow_key *key, seq sequence,
                                  uint64_t packet)
{
    uint32_t joint = joints_of_key(pair, 0, key);
    uint32_t index = joint == 0 ? 0 : lones_of_packet(pair, joint, 0, sequence, packet);
    return index == 0 ? NULL : pair_lone(pair, index);
}

void pair_vouch(struct pair *pair, int tap, const struct flow_key *key, const struct sighting *seen)
{
    uint32_t joint = joints_of_key(pair, tap, key);
    uint32_t index =
        joint == 0 ? 0 : lones_of_packet(pair, joint, tap, seen->sequence, seen->packet);
    if (index != 0)
        pair_lone(pair, index)->flags |= LONE_VOUCHED;
}

void pair_end(struct pair *pair, int tap)
{
    pair->ended[tap] = true;
}

void pair_finish(struct pair *pair)
{
    verdict_note_edges(pair);
    uint32_t index;
    while ((index = oldest_of_all(pair)) != 0)
        decide(pair, index);
}

void pair_clear(struct pair *pair)
{
    free(pair->queue.crossing);
    pool_clear(&pair->joints);
    pool_clear(&pair->pasts);
    pool_clear(&pair->lones);
    for (int tap = 0; tap < TAPS; tap++)
        finder_clear(&pair->by_key[tap]);
    finder_clear(&pair->by_number);
    finder_clear(&pair->by_syn);
    finder_clear(&pair->by_content);
    arrivals_clear(&pair->arrivals);
}
