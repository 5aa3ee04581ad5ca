/*
 * introduce: see introduce.h.
 *
 * What is compared is as its tap shows it.  Of two segments that may be one, the numbers give the
 * shifts of both ends; all that both connections hold is then laid side by side.
 */
#include "introduce.h"

#include "acquaint.h"
#include "lones.h"

enum {
    OFFERED_HELD = 8, /* of an end: what comes later would find nobody either */
    LOOKS = 64,       /* at segments that may be the same: many clients may ask the same */
};

/* By what a segment is found: its length, and this. */
enum offer_key { OFFER_SEQUENCE, OFFER_ACKNOWLEDGMENT, OFFER_CONTENT, OFFER_KEYS };

/* False where the segment has nothing of the kind that tells. */
static bool offer_hash(const struct pair *pair, const struct lone *lone, enum offer_key key,
                       uint32_t *ret_hash)
{
    const struct print *print = &lone->print;
    bool stamped = print->stamped && print->tsval != 0;
    uint64_t words[3] = {(uint64_t)key << 32 | lone->seen.payload};
    switch (key) {
    case OFFER_SEQUENCE:
        words[1] = lone->seen.sequence;
        break;
    case OFFER_ACKNOWLEDGMENT:
        words[1] = lone->seen.acknowledgment;
        break;
    case OFFER_CONTENT:
        words[1] = stamped ? print->tsval : print->payload_hash;
        words[2] = stamped ? print->tsecr : print->hashed;
        break;
    case OFFER_KEYS:
        break;
    }
    *ret_hash = (uint32_t)hash_words(pair->secret, words, 3);
    return key != OFFER_CONTENT || stamped || print->hashed >= ACQUAINT_TELLING;
}

static void offer(struct pair *pair, struct lone *lone, uint32_t index)
{
    for (int key = 0; key < OFFER_KEYS; key++) {
        uint32_t hash;
        if (!offer_hash(pair, lone, (enum offer_key)key, &hash))
            continue;
        if (finder_add(&pair->by_content, hash, index))
            lone->offered |= (uint8_t)(1u << key);
        else
            pair->status = STATUS_NO_MEMORY;
    }
}

void introduce_withdraw(struct pair *pair, struct lone *lone, uint32_t index)
{
    for (int key = 0; key < OFFER_KEYS && lone->offered != 0; key++) {
        uint32_t hash;
        if ((lone->offered >> key & 1) != 0 && offer_hash(pair, lone, (enum offer_key)key, &hash))
            finder_remove(&pair->by_content, hash, index);
    }
    lone->offered = 0;
}

void introduce_withdraw_all(struct pair *pair, struct joint *joint)
{
    for (int i = 0; i < TAPS * ENDS; i++) {
        uint32_t index = joint->view[i / ENDS][i % ENDS].lones.oldest;
        for (; index != 0; index = pair_lone(pair, index)->newer)
            introduce_withdraw(pair, pair_lone(pair, index), index);
    }
}

static bool is_lonely(const struct joint *joint, int tap)
{
    return joint->matched == 0 && joint->known[tap] && !joint->known[1 - tap];
}

/* The best of those that may be one with it, by one key; *best and *second are the scores. */
static void look(const struct pair *pair, uint32_t index, uint32_t hash, struct acquaintance *best,
                 int *second)
{
    const struct lone *lone = pair_lone(pair, index);
    struct finder_cursor cursor;
    uint32_t i = finder_first(&pair->by_content, hash, &cursor);
    for (int looks = 0; looks < LOOKS && i != 0;
         looks++, i = finder_next(&pair->by_content, &cursor)) {
        const struct lone *other = pair_lone(pair, i);
        if (other->tap == lone->tap || !is_lonely(pair_joint(pair, other->joint), other->tap))
            continue;
        struct acquaintance found = acquaint(pair, i, index);
        if (found.score == 0 || found.joint == best->joint)
            continue;
        bool better = found.score > best->score;
        *second = better ? best->score : *second > found.score ? *second : found.score;
        *best = better ? found : *best;
    }
}

void introduce(struct pair *pair, uint32_t joint_index, int tap, int end)
{
    const struct joint *joint = pair_joint(pair, joint_index);
    uint32_t index = joint->view[tap][end].lones.newest;
    if (!is_lonely(joint, tap) || index == 0 || joint->view[tap][end].held > OFFERED_HELD)
        return;
    struct lone *lone = pair_lone(pair, index);
    if (lone->print.payload == 0 || (lone->print.flags & (TCP_SYN | TCP_RST)) != 0 ||
        lone->offered != 0)
        return;
    struct acquaintance best = {.score = 0};
    int second = 0;
    for (int key = 0; key < OFFER_KEYS; key++) {
        uint32_t hash;
        if (offer_hash(pair, lone, (enum offer_key)key, &hash))
            look(pair, index, hash, &best, &second);
    }
    if (best.score > second) /* else another one of them tells, later */
        acquaint_join(pair, &best, joint_index);
    else
        offer(pair, lone, index);
}
