/* usage: see usage.h.  Three lists, each with the one used longest ago first. */
#include "usage.h"

#include "joints.h"

/* A closed connection is remembered as long as its segments may be under way; an open one that says
 * nothing, longer: a NAT forgets it after an hour or two as well. */
static const nanotime idle_most = 7200 * (nanotime)NANO_PER_SECOND;

/* --- the lists --- */

static struct lone_list *list_of(struct pair *pair, const struct joint *joint)
{
    return &pair->in_use[joint->usage];
}

static void unlink_use(struct pair *pair, struct joint *joint, uint32_t index)
{
    struct lone_list *list = list_of(pair, joint);
    if (joint->older != 0)
        pair_joint(pair, joint->older)->newer = joint->newer;
    if (joint->newer != 0)
        pair_joint(pair, joint->newer)->older = joint->older;
    if (list->oldest == index)
        list->oldest = joint->newer;
    if (list->newest == index)
        list->newest = joint->older;
    joint->older = joint->newer = 0;
}

static void link_use(struct pair *pair, struct joint *joint, uint32_t index)
{
    struct lone_list *list = list_of(pair, joint);
    joint->older = list->newest;
    joint->newer = 0;
    if (list->newest != 0)
        pair_joint(pair, list->newest)->newer = index;
    else
        list->oldest = index;
    list->newest = index;
}

/* To the newest end of a list. */
static void move(struct pair *pair, uint32_t index, enum joint_usage usage)
{
    struct joint *joint = pair_joint(pair, index);
    unlink_use(pair, joint, index);
    joint->usage = (uint8_t)usage;
    link_use(pair, joint, index);
}

void usage_begin(struct pair *pair, uint32_t index)
{
    link_use(pair, pair_joint(pair, index), index);
}

void usage_touch(struct pair *pair, uint32_t index)
{
    const struct joint *joint = pair_joint(pair, index);
    enum joint_usage usage = joint->past != 0 ? JOINT_WITH_PAST : JOINT_WITHOUT_PAST;
    if (joint->usage != usage || pair->in_use[usage].newest != index)
        move(pair, index, usage);
}

void usage_end(struct pair *pair, uint32_t index)
{
    struct joint *joint = pair_joint(pair, index);
    unlink_use(pair, joint, index);
    if (joint->past != 0)
        pool_give(&pair->pasts, joint->past);
    joint->past = 0;
}

/* --- what arrived --- */

static void forget_past(struct pair *pair, uint32_t index)
{
    struct joint *joint = pair_joint(pair, index);
    pool_give(&pair->pasts, joint->past);
    joint->past = 0;
    move(pair, index, JOINT_AT_REST);
}

struct joint_past *usage_past(struct pair *pair, uint32_t index)
{
    struct joint *joint = pair_joint(pair, index);
    if (joint->past == 0) {
        uint32_t oldest = pair->in_use[JOINT_WITH_PAST].oldest;
        if (pair->pasts.taken >= pair->pasts_most && oldest != 0)
            forget_past(pair, oldest);
        joint->past = pool_take(&pair->pasts);
        if (joint->past == 0)
            return NULL;
        move(pair, index, JOINT_WITH_PAST);
    }
    return pool_at(&pair->pasts, joint->past);
}

/* --- what goes --- */

static bool is_needed(const struct joint *joint)
{
    return joint->untold > 0 || joint_holds(joint);
}

static bool is_over(const struct joint *joint)
{
    return joint->closed || joint->matched == 0;
}

/* A connection that both ends speak in. */
static bool is_live(const struct joint *joint)
{
    return !is_over(joint) && joint->view[0][0].heard && joint->view[0][1].heard;
}

/* The first one's turn comes again when it is at the front once more. */
static void pass_over(struct pair *pair, const struct joint *joint, uint32_t index)
{
    if (joint->newer != 0)
        move(pair, index, (enum joint_usage)joint->usage);
}

/*
 * An open one at the front is passed over, a few at a time, so that it does not keep the closed
 * ones behind it.
 */
static void expire(struct pair *pair, enum joint_usage usage, nanotime now)
{
    enum { PASSED = 4, GONE = 32 /* as many as may have come since */ };
    nanotime short_rest = pair->config->tap_wait, rest = 2 * pair->config->tap_wait;
    uint32_t index = pair->in_use[usage].oldest;
    for (int passed = 0, gone = 0; index != 0 && passed < PASSED && gone < GONE;) {
        const struct joint *joint = pair_joint(pair, index);
        uint32_t newer = joint->newer;
        nanotime idle = time_since(now, joint->last);
        if (idle < (joint->past != 0 ? short_rest : rest))
            return;
        bool goes = !is_needed(joint) && (is_over(joint) || idle > idle_most);
        if (goes && idle >= rest)
            joints_end(pair, index);
        else if (goes && joint->past != 0)
            forget_past(pair, index);
        else
            pass_over(pair, joint, index);
        passed += !goes;
        gone += goes;
        index = newer;
    }
}

void usage_expire(struct pair *pair, nanotime now)
{
    for (int usage = 0; usage < JOINT_USAGES; usage++)
        expire(pair, (enum joint_usage)usage, now);
}

/* One of the first in a list: a live one only where there is no other; 0: none. */
static uint32_t choose(struct pair *pair, enum joint_usage usage, bool live)
{
    enum { LOOKS = 4 };
    uint32_t index = pair->in_use[usage].oldest;
    for (int i = 0; i < LOOKS && index != 0; i++) {
        const struct joint *joint = pair_joint(pair, index);
        uint32_t newer = joint->newer;
        if (!is_needed(joint) && (live || !is_live(joint)))
            return index;
        pass_over(pair, joint, index);
        index = newer;
    }
    return 0;
}

bool usage_give_up(struct pair *pair)
{
    static const enum joint_usage order[] = {JOINT_AT_REST, JOINT_WITHOUT_PAST, JOINT_WITH_PAST};
    for (int live = 0; live < 2; live++) {
        for (size_t i = 0; i < JOINT_USAGES; i++) {
            uint32_t index = choose(pair, order[i], live != 0);
            if (index == 0)
                continue;
            joints_end(pair, index);
            return true;
        }
    }
    return false;
}
