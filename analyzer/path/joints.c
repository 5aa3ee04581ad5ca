/* joints: see joints.h. */
#include "joints.h"

#include <string.h>

#include "introduce.h"
#include "lones.h"
#include "usage.h"

static uint32_t find_by_key(const struct pair *pair, int tap, const struct flow_key *key,
                            uint32_t hash)
{
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&pair->by_key[tap], hash, &cursor); i != 0;
         i = finder_next(&pair->by_key[tap], &cursor)) {
        if (flow_key_equal(&pair_joint(pair, i)->key[tap], key))
            return i;
    }
    return 0;
}

/* That tap shows the connection under this key. */
static bool attach(struct pair *pair, uint32_t index, int tap, const struct flow_key *key,
                   uint32_t hash)
{
    struct joint *joint = pair_joint(pair, index);
    if (!finder_add(&pair->by_key[tap], hash, index))
        return false;
    joint->key[tap] = *key;
    joint->hash[tap] = hash;
    joint->known[tap] = true;
    return true;
}

static uint32_t begin(struct pair *pair, int tap, const struct flow_key *key, uint32_t hash)
{
    uint32_t index = pool_take(&pair->joints);
    if (index == 0)
        return 0;
    pair_joint(pair, index)->client_end = -1;
    if (!attach(pair, index, tap, key, hash)) {
        pool_give(&pair->joints, index);
        return 0;
    }
    usage_begin(pair, index);
    return index;
}

/* --- through a translation of addresses: by what the SYN says --- */

enum { SYN_KEYS = 2 }; /* its number, and its timestamp */

/* The hash to find a SYN by; false where it has none of that kind. */
static bool syn_hash(const struct pair *pair, const struct syn_print *syn, int key,
                     uint32_t *ret_hash)
{
    uint64_t words[2] = {(uint64_t)key, key == 0 ? syn->sequence : syn->tsval};
    *ret_hash = (uint32_t)hash_words(pair->secret, words, 2);
    return key == 0 || syn->stamped;
}

static void withdraw(struct pair *pair, uint32_t index)
{
    struct joint *joint = pair_joint(pair, index);
    uint32_t hash;
    for (int key = 0; joint->offered && key < SYN_KEYS; key++) {
        if (syn_hash(pair, &joint->syn, key, &hash))
            finder_remove(&pair->by_syn, hash, index);
    }
    joint->offered = false;
}

/* The latest copy of the SYN counts: each has a timestamp of its own. */
static void offer(struct pair *pair, uint32_t index, const struct syn_print *syn)
{
    struct joint *joint = pair_joint(pair, index);
    uint32_t hash;
    withdraw(pair, index);
    joint->syn = *syn;
    joint->offered = true;
    for (int key = 0; key < SYN_KEYS; key++) {
        if (syn_hash(pair, syn, key, &hash) && !finder_add(&pair->by_syn, hash, index))
            pair->status = STATUS_NO_MEMORY;
    }
}

/*
 * Two copies of one SYN: the same number, or, where numbers are shifted, the same timestamp and IP
 * identification.  A timestamp alone is not enough: all connections between two hosts have one
 * clock.
 */
static bool is_same_syn(const struct syn_print *a, const struct syn_print *b, int key)
{
    enum { TICKS = 1 << 17 }; /* of a repetition that alone arrived: minutes, in ms */
    if (a->stamped != b->stamped || a->window_scale != b->window_scale)
        return false;
    if (key == 1)
        return a->tsval == b->tsval && a->ip_id != 0 && a->ip_id == b->ip_id;
    bool close = (uint32_t)(a->tsval - b->tsval + TICKS) <= 2 * TICKS;
    return a->sequence == b->sequence && (!a->stamped || close);
}

/* A connection that the other tap alone shows, and that this SYN opens. */
static uint32_t find_by_syn(const struct pair *pair, int tap, const struct syn_print *syn)
{
    struct finder_cursor cursor;
    uint32_t hash;
    for (int key = 0; key < SYN_KEYS; key++) {
        if (!syn_hash(pair, syn, key, &hash))
            continue;
        for (uint32_t i = finder_first(&pair->by_syn, hash, &cursor); i != 0;
             i = finder_next(&pair->by_syn, &cursor)) {
            const struct joint *joint = pair_joint(pair, i);
            if (joint->offered && !joint->known[tap] && is_same_syn(&joint->syn, syn, key))
                return i;
        }
    }
    return 0;
}

static struct syn_print syn_print_of(const struct segment *segment)
{
    bool stamped = (segment->options & OPTION_TIMESTAMPS) != 0;
    bool scaled = (segment->options & OPTION_WINDOW_SCALE) != 0;
    return (struct syn_print){
        .sequence = segment->sequence,
        .tsval = stamped ? segment->tsval : 0,
        .t = segment->time,
        .ip_id = segment->ip_id,
        .window_scale = scaled ? segment->window_scale : UINT8_MAX,
        .stamped = stamped,
    };
}

static bool is_syn(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* The connection that the other tap shows as this one, under the same key or another. */
static uint32_t find_other(struct pair *pair, int tap, const struct segment *segment, int end,
                           const struct flow_key *key, uint32_t hash)
{
    uint32_t index = find_by_key(pair, 1 - tap, key, hash);
    if (index != 0 && !pair_joint(pair, index)->known[tap])
        return index;
    if (!is_syn(segment))
        return 0;
    struct syn_print syn = syn_print_of(segment);
    index = find_by_syn(pair, tap, &syn);
    if (index != 0) /* its sender is the client there as well */
        pair_joint(pair, index)->flipped[tap] = end != pair_joint(pair, index)->client_end;
    return index;
}

uint32_t joints_find(struct pair *pair, int tap, const struct segment *segment, int *ret_end)
{
    struct flow_key key;
    *ret_end = flow_key_of(segment, &key);
    uint32_t hash = (uint32_t)flow_key_hash(pair->secret, &key);
    uint32_t index = find_by_key(pair, tap, &key, hash);
    if (index == 0) {
        index = find_other(pair, tap, segment, *ret_end, &key, hash);
        if (index != 0 && !attach(pair, index, tap, &key, hash))
            return 0;
        if (index == 0)
            index = begin(pair, tap, &key, hash);
    }
    if (index == 0)
        return 0;
    struct joint *joint = pair_joint(pair, index);
    if (joint->flipped[tap])
        *ret_end = 1 - *ret_end;
    if (joint->known[0] && joint->known[1]) {
        withdraw(pair, index);
        if (joint->matched == 0)
            introduce_withdraw_all(pair, joint);
    } else if (is_syn(segment)) {
        struct syn_print syn = syn_print_of(segment);
        offer(pair, index, &syn);
    }
    usage_touch(pair, index);
    return index;
}

/* --- through a shift of sequence numbers: by what else is the same --- */

static bool is_same_but_number(const struct lone *a, const struct lone *b)
{
    enum { TELLING = 32 }; /* octets that are hardly the same by chance */
    const struct print *x = &a->print, *y = &b->print;
    bool opens = (x->flags & TCP_SYN) != 0;
    if (x->flags != y->flags || x->payload != y->payload || x->stamped != y->stamped ||
        x->hashed != y->hashed || x->payload_hash != y->payload_hash)
        return false;
    if (x->stamped && (x->tsval != y->tsval || x->tsecr != y->tsecr))
        return false;
    bool same_id = x->ip_id != 0 && x->ip_id == y->ip_id;
    if (opens) /* the SYN-ACK of Linux has no identification */
        return x->stamped || same_id ||
               (x->window == y->window && a->window_scale == b->window_scale);
    return x->payload > 0 && (x->hashed >= TELLING || (same_id && x->stamped));
}

void joints_apply_shift(struct pair *pair, struct joint *joint, int end, uint32_t shift)
{
    joint->shift[end] += shift;
    joint->shifted = joint->shift[0] != 0 || joint->shift[1] != 0;
    joint->view[1][end].high -= shift;
    joint->view[1][1 - end].acked -= shift;
    for (int sender = 0; sender < ENDS; sender++) {
        uint32_t index = joint->view[1][sender].lones.oldest;
        for (; index != 0; index = pair_lone(pair, index)->newer)
            lones_renumber(pair, index, sender == end ? shift : 0, sender == end ? 0 : shift);
    }
}

bool joints_find_shift(struct pair *pair, struct lone *lone)
{
    enum { LOOKS = 16 };
    struct joint *joint = pair_joint(pair, lone->joint);
    uint32_t index = joint->view[1 - lone->tap][lone->end].lones.newest;
    bool opens = (lone->print.flags & TCP_SYN) != 0;
    if (!joint->known[0] || !joint->known[1] || (!opens && joint->shown[lone->end]))
        return false;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        const struct lone *held = pair_lone(pair, index);
        if (is_same_but_number(lone, held)) {
            const struct lone *second = lone->tap == 1 ? lone : held;
            const struct lone *first = lone->tap == 0 ? lone : held;
            uint32_t shift = second->print.sequence - first->print.sequence;
            joints_apply_shift(pair, joint, lone->end, shift);
            if (lone->tap == 1)
                lone->print.sequence -= shift;
            return true;
        }
        index = held->older;
    }
    return false;
}

bool joints_take_key(struct pair *pair, uint32_t index, int tap, uint32_t from)
{
    struct joint *other = pair_joint(pair, from);
    withdraw(pair, index);
    if (!attach(pair, index, tap, &other->key[tap], other->hash[tap])) {
        pair->status = STATUS_NO_MEMORY;
        return false;
    }
    finder_remove(&pair->by_key[tap], other->hash[tap], from);
    other->known[tap] = false;
    return true;
}

uint32_t joints_of_key(const struct pair *pair, int tap, const struct flow_key *key)
{
    return find_by_key(pair, tap, key, (uint32_t)flow_key_hash(pair->secret, key));
}

void joints_end(struct pair *pair, uint32_t index)
{
    struct joint *joint = pair_joint(pair, index);
    usage_end(pair, index);
    withdraw(pair, index);
    for (int tap = 0; tap < TAPS; tap++) {
        if (joint->known[tap])
            finder_remove(&pair->by_key[tap], joint->hash[tap], index);
        for (int end = 0; end < ENDS; end++)
            pair->let_go[tap] = time_later_of(pair->let_go[tap], joint->view[tap][end].let_go);
    }
    pool_give(&pair->joints, index);
}
