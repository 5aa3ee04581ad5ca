/*
 * dwell: an array of times a state, and buckets once it is full.
 *
 * Buckets are 32 to a power of two, so a bucket is at most a 32nd of its lower edge wide and its
 * middle is off by a 64th, less than two percent.
 */
#include "dwell.h"

#include <stdlib.h>

enum { SUB_BITS = 5, SUBS = 1 << SUB_BITS, BUCKETS = (64 - SUB_BITS) * SUBS, FIRST_ROOM = 64 };

/* As large as a line of cache: many services have one, and each is far away in memory. */
struct stays {
    uint64_t count, presumed, censored; /* as in dwell_summary */
    nanotime min, max;
    int64_t *times; /* while exact */
    uint32_t held, room;
    uint64_t *buckets; /* BUCKETS; NULL while exact */
};

struct dwell {
    struct stays stays[DWELL_STATES];
    uint32_t exact;
};

struct dwell *dwell_new(uint32_t exact)
{
    struct dwell *dwell = calloc(1, sizeof(*dwell));
    if (dwell)
        dwell->exact = exact;
    return dwell;
}

const uint8_t dwell_by_state[TCP_STATES + 1] = {
    [STATE_FIN_WAIT_2] = DWELL_FIN_WAIT_2 + 1,
    [STATE_CLOSE_WAIT] = DWELL_CLOSE_WAIT + 1,
    [STATE_LAST_ACK] = DWELL_LAST_ACK + 1,
    [STATE_TIME_WAIT] = DWELL_TIME_WAIT + 1,
};

static uint32_t bucket_of(uint64_t time)
{
    if (time < SUBS)
        return (uint32_t)time;
    uint32_t shift = 63 - SUB_BITS - (uint32_t)__builtin_clzll(time);
    return (shift + 1) * SUBS + (uint32_t)(time >> shift & (SUBS - 1));
}

static int64_t bucket_middle(uint32_t bucket)
{
    if (bucket < 2 * SUBS)
        return bucket;
    uint32_t shift = bucket / SUBS - 1;
    uint64_t lower = (uint64_t)(SUBS + bucket % SUBS) << shift;
    return (int64_t)(lower + (UINT64_C(1) << shift) / 2);
}

static enum status start_buckets(struct stays *stays)
{
    uint64_t *buckets = calloc(BUCKETS, sizeof(*buckets));
    if (!buckets)
        return STATUS_NO_MEMORY;
    for (uint32_t time = 0; time < stays->held; time++)
        buckets[bucket_of((uint64_t)stays->times[time])]++;
    free(stays->times);
    stays->times = NULL;
    stays->held = stays->room = 0;
    stays->buckets = buckets;
    return STATUS_OK;
}

/* Room for one more time: nothing while there is, buckets once there are too many. */
static __attribute__((noinline)) enum status make_room(struct stays *stays, uint32_t exact)
{
    if (stays->held == exact)
        return start_buckets(stays);
    uint32_t room = stays->room > 0 ? 2 * stays->room : FIRST_ROOM;
    int64_t *times = realloc(stays->times, room * sizeof(*times));
    if (!times)
        return STATUS_NO_MEMORY;
    stays->times = times;
    stays->room = room;
    return STATUS_OK;
}

static inline bool has_room(const struct stays *stays)
{
    return stays->buckets || stays->held < stays->room;
}

static inline enum status add_stay(struct dwell *dwell, struct stays *stays, nanotime length,
                                   bool presumed)
{
    enum status status = has_room(stays) ? STATUS_OK : make_room(stays, dwell->exact);
    if (status != STATUS_OK)
        return status;
    if (stays->buckets)
        stays->buckets[bucket_of((uint64_t)length)]++;
    else
        stays->times[stays->held++] = length;
    stays->min = stays->count == 0 ? length : time_earlier_of(stays->min, length);
    stays->max = stays->count == 0 ? length : time_later_of(stays->max, length);
    stays->count++;
    stays->presumed += presumed;
    return STATUS_OK;
}

static inline enum status add(struct dwell *dwell, const struct stay *stay)
{
    struct stays *stays = &dwell->stays[stay->state];
    if (stay->length != NANOTIME_UNKNOWN)
        return add_stay(dwell, stays, stay->length, stay->presumed);
    stays->censored++;
    return STATUS_OK;
}

_Static_assert(sizeof(struct stays) == 64, "a line of cache, as dwell_ask() has it");

/* Returns the end of the side's stays. */
static struct stay *stays_of_side(const struct side_record *side, struct stay *ret_stay)
{
    struct dwell_walk walk = {.next = ret_stay};
    const struct history_record *end = side->history + side->history_count;
    for (const struct history_record *entry = side->history; entry < end; entry++) {
        if (!entry->revoked)
            dwell_walk_step(&walk, entry->state, entry->t, entry->basis == BASIS_PRESUMED);
    }
    return dwell_walk_end(&walk);
}

uint32_t dwell_stays(const struct flow_record *flow, struct stay ret_stay[DWELL_STAYS])
{
    if (!flow->final)
        return 0;
    const struct stay *end =
        stays_of_side(&flow->side[SERVER], stays_of_side(&flow->side[CLIENT], ret_stay));
    return (uint32_t)(end - ret_stay);
}

enum status dwell_add_stays(struct dwell *dwell, const struct stay *stay, uint32_t stays)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < stays && status == STATUS_OK; i++)
        status = add(dwell, &stay[i]);
    return status;
}

enum status dwell_add_flow(struct dwell *dwell, const struct flow_record *flow)
{
    struct stay stay[DWELL_STAYS];
    return dwell_add_stays(dwell, stay, dwell_stays(flow, stay));
}

/* The numbers of a stay, for as many as there are. */
static void carry_times(struct carry *carry, struct stays *stays, uint32_t exact)
{
    uint32_t held = carry_count(carry, stays->held, exact);
    for (uint32_t i = 0; i < held && carry_is_sound(carry); i++) {
        if (carry_is_reading(carry) && !has_room(stays) && make_room(stays, exact) != STATUS_OK) {
            carry_fail(carry, STATUS_NO_MEMORY);
            return;
        }
        carry_signed(carry, &stays->times[i]);
        if (stays->times[i] < 0) /* no bucket is its */
            carry_fail(carry, STATUS_UNREADABLE);
        if (carry_is_reading(carry))
            stays->held++;
    }
}

static void carry_buckets(struct carry *carry, struct stays *stays)
{
    bool has_buckets = stays->buckets != NULL;
    carry_flag(carry, &has_buckets);
    if (has_buckets && carry_is_reading(carry) && stays->held > 0)
        carry_fail(carry, STATUS_UNREADABLE); /* it is either */
    if (!has_buckets || !carry_is_sound(carry))
        return;
    if (carry_is_reading(carry) && start_buckets(stays) != STATUS_OK) {
        carry_fail(carry, STATUS_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < BUCKETS; i++)
        carry_number(carry, &stays->buckets[i], UINT64_MAX);
}

void dwell_carry(struct carry *carry, struct dwell *dwell)
{
    for (enum dwell_state state = 0; state < DWELL_STATES; state++) {
        struct stays *stays = &dwell->stays[state];
        carry_number(carry, &stays->count, UINT64_MAX);
        carry_number(carry, &stays->presumed, UINT64_MAX);
        carry_number(carry, &stays->censored, UINT64_MAX);
        carry_signed(carry, &stays->min);
        carry_signed(carry, &stays->max);
        carry_times(carry, stays, dwell->exact);
        carry_buckets(carry, stays);
        bool counted = stays->count == 0 || stays->buckets != NULL || stays->held == stays->count;
        if (!counted || stays->min < 0 || stays->max < stays->min)
            carry_fail(carry, STATUS_UNREADABLE);
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The rank-th shortest, from 1. */
static nanotime stay_of_rank(const struct stays *stays, uint64_t rank)
{
    if (!stays->buckets)
        return stays->times[rank - 1];
    uint64_t passed = 0;
    uint32_t bucket = 0;
    for (; bucket < BUCKETS; bucket++) {
        passed += stays->buckets[bucket];
        if (passed >= rank)
            break;
    }
    nanotime middle = bucket_middle(bucket);
    return time_later_of(stays->min, time_earlier_of(stays->max, middle));
}

struct dwell_summary dwell_summarise(struct dwell *dwell, enum dwell_state state)
{
    struct stays *stays = &dwell->stays[state];
    struct dwell_summary summary = {
        .count = stays->count,
        .presumed = stays->presumed,
        .censored = stays->censored,
        .min = stays->min,
        .max = stays->max,
    };
    if (summary.count == 0) {
        summary.min = summary.median = summary.p95 = summary.max = NANOTIME_UNKNOWN;
        return summary;
    }
    if (!stays->buckets)
        qsort(stays->times, stays->held, sizeof(*stays->times), compare_times);
    summary.median = stay_of_rank(stays, (summary.count + 1) / 2);
    summary.p95 = stay_of_rank(stays, summary.count - summary.count / 20);
    summary.error_percent = stays->buckets ? DWELL_ERROR_PERCENT : 0;
    return summary;
}

void dwell_free(struct dwell *dwell)
{
    if (!dwell)
        return;
    for (enum dwell_state state = 0; state < DWELL_STATES; state++) {
        free(dwell->stays[state].times);
        free(dwell->stays[state].buckets);
    }
    free(dwell);
}
