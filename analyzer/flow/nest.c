/* nest: see nest.h. */
#include "nest.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "../base/huge.h"

enum { SLAB = 1 << NEST_SLAB_BITS, FIRST_SLABS = 16, MOST_SLABS = 1 << 14 };

static struct nested **slab_of(const struct nest *nest, uint32_t number)
{
    return &nest->slab[number >> NEST_SLAB_BITS & (nest->slabs - 1)];
}

struct nested *nest_next(const struct nest *nest, uint32_t *number)
{
    for (; *number != nest->end; *number = nest_behind(*number)) {
        struct nested *nested = nest_at(nest, *number);
        if (nested->is != NESTED_GONE)
            return nested;
    }
    return NULL;
}

/* --- room --- */

/* Twice as many slabs, each where its numbers look for it. */
static bool widen(struct nest *nest)
{
    const uint32_t slabs = nest->slabs == 0 ? FIRST_SLABS : 2 * nest->slabs;
    struct nested **wide = slabs > MOST_SLABS ? NULL : calloc(slabs, sizeof(*wide));
    if (wide == NULL)
        return false;
    for (uint32_t i = 0, first = nest->begin >> NEST_SLAB_BITS; i < nest->slabs; i++)
        wide[(first + i) & (slabs - 1)] = nest->slab[(first + i) & (nest->slabs - 1)];
    free(nest->slab);
    nest->slab = wide;
    nest->slabs = slabs;
    return true;
}

/* The slab of the place at the end. */
static bool make_room(struct nest *nest)
{
    const uint32_t held = nest_between(nest->begin & ~(SLAB - 1u), nest->end);
    if (held == nest->slabs * SLAB && !widen(nest))
        return false;
    struct nested **slab = slab_of(nest, nest->end);
    if (*slab != NULL)
        return true;
    *slab = nest->spare != NULL ? nest->spare : huge_new(SLAB * sizeof(**slab));
    nest->spare = NULL;
    return *slab != NULL;
}

/* A slab before the beginning. */
static void give_slab(struct nest *nest, struct nested **slab)
{
    if (nest->spare == NULL)
        nest->spare = *slab;
    else
        free(*slab);
    *slab = NULL;
}

struct nested *nest_append(struct nest *nest, uint32_t *ret_code)
{
    enum { AHEAD = 6 };
    if (nest->end % SLAB == 0 && !make_room(nest))
        return NULL;
    struct nested *nested = nest_at(nest, nest->end);
    if (nest->end % SLAB < SLAB - AHEAD)
        fetch_to_write(nested + AHEAD);
    nested->is = NESTED_TUPLE;
    *ret_code = nest_code(nest->end);
    nest->end = nest_behind(nest->end);
    nest->count++;
    return nested;
}

void nest_leave(struct nest *nest, uint32_t code)
{
    nest_at(nest, code)->is = NESTED_GONE;
    nest->count--;
    while (nest->begin != nest->end && nest_at(nest, nest->begin)->is == NESTED_GONE) {
        struct nested **slab = slab_of(nest, nest->begin);
        nest->begin = nest_behind(nest->begin);
        if (nest->begin % SLAB == 0)
            give_slab(nest, slab);
    }
}

void nest_clear(struct nest *nest)
{
    for (uint32_t i = 0; i < nest->slabs; i++)
        free(nest->slab[i]);
    free(nest->slab);
    free(nest->spare);
    memset(nest, 0, sizeof(*nest));
}

/* --- what stands at a place --- */

/* A place has room for IPv4 addresses alone, and for no context. */
static inline bool has_room_for(const struct flow_key *key)
{
    return key->ip_version == 4 && (key->context[0] | key->context[1] | key->context[2]) == 0;
}

bool nest_fits(const struct flow_key *key, const struct segment *segment)
{
    return has_room_for(key) && segment->tsecr == 0;
}

void nested_keep(struct nested *nested, const struct tuple *tuple)
{
    const struct embryo *embryo = &tuple->embryo;
    for (int end = 0; end < SIDES; end++) {
        memcpy(&nested->address[end], tuple->key.address[end], sizeof(nested->address[end]));
        nested->port[end] = tuple->key.port[end];
    }
    nested->uid = tuple->last_uid;
    nested->time = embryo->time;
    nested->packet = embryo->packet;
    nested->sequence = embryo->sequence;
    nested->tsval = embryo->tsval;
    nested->window = embryo->window;
    nested->ip_id = embryo->ip_id;
    nested->checksum = embryo->checksum;
    nested->mss = embryo->mss;
    nested->ip_length = embryo->ip_length;
    nested->options = embryo->options;
    nested->vlan = embryo->vlan;
    nested->flags = embryo->flags;
    nested->window_scale = embryo->window_scale;
    nested->ttl = embryo->ttl;
    nested->seen_on = embryo->seen_on;
    nested->checksum_verdict = embryo->checksum_verdict;
    nested->cut = embryo->cut;
    nested->vlans = embryo->vlans;
    nested->end = embryo->end;
    nested->is = NESTED_SYN;
}

void nested_restore(const struct nested *nested, struct tuple *tuple)
{
    memset(&tuple->key, 0, sizeof(tuple->key));
    for (int end = 0; end < SIDES; end++) {
        memcpy(tuple->key.address[end], &nested->address[end], sizeof(nested->address[end]));
        tuple->key.port[end] = nested->port[end];
    }
    tuple->key.ip_version = 4;
    tuple->last_uid = nested->uid;
    tuple->embryonic = true;
    tuple->embryo = (struct embryo){
        .time = nested->time,
        .packet = nested->packet,
        .sequence = nested->sequence,
        .tsval = nested->tsval,
        .window = nested->window,
        .ip_id = nested->ip_id,
        .checksum = nested->checksum,
        .mss = nested->mss,
        .ip_length = nested->ip_length,
        .options = nested->options,
        .vlan = nested->vlan,
        .flags = nested->flags,
        .window_scale = nested->window_scale,
        .ttl = nested->ttl,
        .seen_on = nested->seen_on,
        .checksum_verdict = nested->checksum_verdict,
        .cut = nested->cut,
        .vlans = nested->vlans,
        .end = nested->end,
    };
}

bool nested_is_of(const struct nested *nested, const struct flow_key *key)
{
    return nested->is == NESTED_SYN && has_room_for(key) &&
           memcmp(&nested->address[0], key->address[0], sizeof(nested->address[0])) == 0 &&
           memcmp(&nested->address[1], key->address[1], sizeof(nested->address[1])) == 0 &&
           nested->port[0] == key->port[0] && nested->port[1] == key->port[1];
}

static uint64_t end_of(const struct nested *nested, int end)
{
    return (uint64_t)be32toh(nested->address[end]) << 16 | nested->port[end];
}

uint64_t nested_hash(struct hash_key secret, const struct nested *nested)
{
    return flow_key_hash_ip4(secret, end_of(nested, 0), end_of(nested, 1), 0);
}
