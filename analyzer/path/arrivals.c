/* arrivals: see arrivals.h.  A ring, written from end to end, and where in it what has a hash is.
 */
#include "arrivals.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "prints.h"

enum { EACH = 2 /* for a bucket, about */, PLACES = 4 };

struct arrival {
    struct recent recent;
    uint32_t joint;
    uint8_t end;
};

/* A mark of those with its hash, so that nothing of the ring is read in vain. */
struct bucket {
    struct {
        uint32_t mark, number;
    } place[PLACES]; /* the latest first */
};

/* A fixed key, so that the same is forgotten in every run; who knows it makes us forget sooner. */
static uint64_t hash_of(uint32_t joint, int end, const struct print *print)
{
    static const struct hash_key key = {0x243f6a8885a308d3, 0x13198a2e03707344};
    return hash_two_words(key, (uint64_t)joint << 1 | (unsigned)end,
                          (uint64_t)print->sequence << 16 | print->ip_id);
}

static uint32_t buckets(const struct arrivals *arrivals)
{
    return arrivals->kept / EACH;
}

uint64_t arrivals_octets(uint32_t kept)
{
    return kept * (sizeof(struct arrival) + sizeof(struct bucket) / EACH);
}

static bool begin(struct arrivals *arrivals)
{
    if (arrivals->ring == NULL)
        arrivals->ring = calloc(arrivals->kept, sizeof(*arrivals->ring));
    if (arrivals->bucket == NULL)
        arrivals->bucket = calloc(buckets(arrivals), sizeof(*arrivals->bucket));
    return arrivals->ring != NULL && arrivals->bucket != NULL;
}

bool arrivals_add(struct arrivals *arrivals, uint32_t joint, int end, const struct recent *recent)
{
    if (!print_is_unmistakable(&recent->print, &recent->print))
        return true;
    if (!begin(arrivals))
        return false;
    uint64_t hash = hash_of(joint, end, &recent->print);
    struct bucket *bucket = &arrivals->bucket[hash & (buckets(arrivals) - 1)];
    for (int i = PLACES - 1; i > 0; i--)
        bucket->place[i] = bucket->place[i - 1];
    bucket->place[0].mark = (uint32_t)(hash >> 32);
    bucket->place[0].number = arrivals->next;
    arrivals->ring[arrivals->next++ & (arrivals->kept - 1)] =
        (struct arrival){*recent, joint, (uint8_t)end};
    return true;
}

static bool is_copy(const struct arrival *arrival, const struct lone *lone)
{
    nanotime apart = time_since(lone->seen.t, arrival->recent.at[lone->tap].t);
    return arrival->joint == lone->joint && arrival->end == lone->end &&
           print_is_old_copy(&arrival->recent.print, &lone->print, apart);
}

const struct recent *arrivals_find(const struct arrivals *arrivals, const struct lone *lone)
{
    if (arrivals->bucket == NULL)
        return NULL;
    uint64_t hash = hash_of(lone->joint, lone->end, &lone->print);
    const struct bucket *bucket = &arrivals->bucket[hash & (buckets(arrivals) - 1)];
    for (int i = 0; i < PLACES; i++) {
        const struct arrival *arrival =
            &arrivals->ring[bucket->place[i].number & (arrivals->kept - 1)];
        if (bucket->place[i].mark == (uint32_t)(hash >> 32) && is_copy(arrival, lone))
            return &arrival->recent;
    }
    return NULL;
}

static const struct recent *original_of(const struct pair *pair, const struct lone *lone)
{
    const struct joint_past *past = pair_past(pair, pair_joint(pair, lone->joint));
    if ((lone->flags & LONE_COPY) != 0)
        return arrivals_find(&pair->arrivals, lone);
    if (past == NULL)
        return NULL;
    const struct recent *reset = &past->last_reset[lone->end];
    bool alike = reset->at[lone->tap].packet != 0 && print_is_alike(&reset->print, &lone->print);
    return alike ? reset : NULL;
}

void arrivals_name(const struct pair *pair, const struct lone *lone, struct crossing *crossing)
{
    const struct recent *original = original_of(pair, lone);
    if (original == NULL)
        return;
    memcpy(crossing->original, original->at, sizeof(crossing->original));
    crossing->late = time_since(lone->seen.t, original->at[lone->tap].t);
}

void arrivals_clear(struct arrivals *arrivals)
{
    free(arrivals->ring);
    free(arrivals->bucket);
    *arrivals = (struct arrivals){0};
}
