/*
 * nest: where the lone SYNs of a crowd are kept, in half the room of a tuple.
 *
 *     | gone | SYN | SYN | tuple | gone | SYN |     from `begin` to before `end`, as they came
 *
 * The table's index names a place here where others have the slot of their tuple.  A SYN to which
 * something comes becomes a tuple, whose place stays until it leaves the queue: the nest is the end
 * of the queue of lone SYNs.  It is written and read in the order of memory, and what was its
 * beginning becomes its end.  IPv4 without a context: the rest has no room, and is no part of it.
 */
#ifndef LASTACK_FLOW_NEST_H
#define LASTACK_FLOW_NEST_H

#include "incarnation.h"

enum { NEST_CODE_BITS = 31, NEST_SLAB_BITS = 15 };

enum nested_is { NESTED_GONE, NESTED_SYN, NESTED_TUPLE };

/* A tuple of one SYN, as struct embryo has it. */
struct nested {
    nanotime time;
    uint64_t packet, uid;
    uint32_t address[SIDES]; /* of the key, its first octets */
    uint16_t port[SIDES];
    union {
        seq sequence;
        uint32_t tuple; /* NESTED_TUPLE: its index */
    };
    uint32_t tsval;
    uint16_t window, ip_id, checksum, mss, ip_length, options, vlan;
    uint8_t flags, window_scale, ttl, seen_on;
    uint8_t checksum_verdict : 2, cut : 1, vlans : 1, end : 1, is : 2; /* is: enum nested_is */
};

_Static_assert(sizeof(struct nested) == 64, "a cache line");

struct nest {
    struct nested **slab; /* a power of two, by turns; NULL: not taken; owned */
    uint32_t slabs;
    uint32_t begin, end;  /* numbers of places; they go round */
    uint32_t count;       /* places where somebody is */
    struct nested *spare; /* a slab; NULL or owned */
};

/* A place as the index has it; and whether what stands there is one. */
static inline uint32_t nest_code(uint32_t number)
{
    return number | UINT32_C(1) << NEST_CODE_BITS;
}

static inline bool nest_is_code(uint32_t index)
{
    return index >> NEST_CODE_BITS != 0;
}

/* The number of the place so many behind another, and how many places there are from one on before
 * another. */
static inline uint32_t nest_after(uint32_t number, uint32_t places)
{
    return (number + places) & ((UINT32_C(1) << NEST_CODE_BITS) - 1);
}

static inline uint32_t nest_between(uint32_t number, uint32_t end)
{
    return nest_after(end, -number);
}

static inline uint32_t nest_behind(uint32_t number)
{
    return nest_after(number, 1);
}

/* By number or code. */
static inline struct nested *nest_at(const struct nest *nest, uint32_t number)
{
    struct nested *slab = nest->slab[number >> NEST_SLAB_BITS & (nest->slabs - 1)];
    return &slab[number & ((1u << NEST_SLAB_BITS) - 1)];
}

/* The next place from *number on where somebody is, whose number that becomes; NULL: there is
 * none. */
struct nested *nest_next(const struct nest *nest, uint32_t *number);

/* Whether such a SYN, which embryo_fits(), can be kept here. */
bool nest_fits(const struct flow_key *key, const struct segment *segment);

/* A place at the end, which stands for a tuple until it is written; NULL when memory ran out. */
struct nested *nest_append(struct nest *nest, uint32_t *ret_code);

/* Keeps a tuple that is embryonic, and nothing else; and gives it back. */
void nested_keep(struct nested *nested, const struct tuple *tuple);
void nested_restore(const struct nested *nested, struct tuple *tuple);

/* Whether it is the SYN of a tuple of that key. */
bool nested_is_of(const struct nested *nested, const struct flow_key *key);

/* As flow_key_hash() has it. */
uint64_t nested_hash(struct hash_key secret, const struct nested *nested);

/* Nobody is there any more. */
void nest_leave(struct nest *nest, uint32_t code);

void nest_clear(struct nest *nest);

#endif
