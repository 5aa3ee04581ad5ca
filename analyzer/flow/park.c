/* park: see park.h. */
#include "park.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "kin.h"
#include "transcript_pack.h"

enum {
    INCARNATION_GROUPS = sizeof(struct incarnation) / LANES_GROUP,
    CLOSING_GROUPS = sizeof(struct closing) / LANES_GROUP,
    MOST = LANES_MOST(INCARNATION_GROUPS) + LANES_MOST(CLOSING_GROUPS),
    OPEN_SLOT = 832, /* octets of one that is open: with its tuple and all that leads there 1 KiB */
};

_Static_assert(sizeof(struct incarnation) % LANES_GROUP == 0, "parked by groups of lanes");
_Static_assert(sizeof(struct closing) % LANES_GROUP == 0, "parked by groups of lanes");
_Static_assert(sizeof(struct parked) + MOST <= CHUNKS_MOST, "a chunk holds any");
_Static_assert(sizeof(struct parked) + TRANSCRIPT_PACKED_MOST <= CHUNKS_MOST, "a chunk holds any");
_Static_assert(sizeof(struct parked) + TRANSCRIPT_PACKED_MOST <= (size_t)PARK_STEP * PARK_SIZES,
               "a slot holds any");
_Static_assert(offsetof(struct parked, packed) == 28, "no octet is left between");
_Static_assert(TCP_STATES <= 16, "four bits hold any");
_Static_assert((size_t)LANES_SLACK <= CHUNKS_BEHIND,
               "what unpacking may read behind a chunk is memory");

void parking_init(struct parking *parking)
{
    memset(parking, 0, sizeof(*parking));
    for (size_t i = 0; i < PARK_SIZES; i++)
        pool_init(&parking->stowed[i], (i + 1) * PARK_STEP);
    berths_init(&parking->open, OPEN_SLOT);
    lanes_init(&parking->lanes);
    parking->vectors = octets_have_vectors();
}

bool park_fits(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    return connection->history.more == NULL && incarnation->story == NULL &&
           incarnation->doubts == NULL && incarnation->icmp == NULL &&
           incarnation->around == NULL && !incarnation_is_colliding(incarnation);
}

void park_forget_recent(struct connection *connection)
{
    for (int i = 0; i < RECENT_PACKETS / 2; i++) {
        int oldest = (connection->recent_next + i) % RECENT_PACKETS;
        memset(&connection->recent[oldest], 0, sizeof(connection->recent[oldest]));
        connection->recent_print[oldest] = 0;
    }
}

/* What of an incarnation no parked form has: where it stands, and what stands beside it, with the
 * octets of that as they were counted. */
struct places {
    struct closing *closing;
    struct collision *collision;
    uint32_t index, owner, beside;
};

/* Its tuple has the same name and number, where it is the newest of it; its own inverse. */
static inline void name_and_tuple(struct incarnation *incarnation, const struct tuple *tuple)
{
    incarnation->uid ^= tuple->last_uid;
    incarnation->number ^= tuple->numbers;
}

static struct places take_places(struct incarnation *incarnation)
{
    struct places places = {incarnation->connection.closing, incarnation->collision,
                            incarnation->index, incarnation->owner, incarnation->beside};
    incarnation->connection.closing = NULL;
    incarnation->collision = NULL;
    incarnation->index = incarnation->owner = incarnation->beside = 0;
    return places;
}

static void put_places(struct incarnation *incarnation, const struct places *places)
{
    incarnation->connection.closing = places->closing;
    incarnation->collision = places->collision;
    incarnation->index = places->index;
    incarnation->owner = places->owner;
    incarnation->beside = places->beside;
}

/* Writes what is kept; returns octets. */
static size_t pack(const struct lanes_table *lanes, struct incarnation *incarnation,
                   const struct tuple *tuple, enum parked_form form, uint8_t packed[MOST])
{
    struct places places = take_places(incarnation);
    if (form >= PARKED_OPEN) { /* it keeps what stands beside it */
        incarnation->collision = places.collision;
        incarnation->beside = places.beside;
    }
    name_and_tuple(incarnation, tuple);
    kin_take_apart(incarnation, places.closing);
    size_t octets = lanes_pack(lanes, incarnation, INCARNATION_GROUPS, packed);
    put_places(incarnation, &places);
    if (places.closing != NULL)
        octets += lanes_pack(lanes, places.closing, CLOSING_GROUPS, packed + octets);
    return octets;
}

static size_t room_of(size_t octets)
{
    return offsetof(struct parked, packed) + octets;
}

static uint8_t both_states(unsigned client, unsigned server)
{
    return (uint8_t)(client | server << 4);
}

/* What of it is not packed; `form` of one without a closing block. */
static struct parked head_of(const struct incarnation *incarnation, enum parked_form form)
{
    const struct connection *connection = &incarnation->connection;
    struct parked head = {
        .first_packet = incarnation->first_packet,
        .started = connection->started,
        .form = (uint8_t)((unsigned)form + (connection->closing != NULL ? 1 : 0)),
        .states = both_states(connection->side[0].state, connection->side[1].state),
    };
    for (int side = 0; side < SIDES; side++)
        head.snd_nxt[side] = connection->side[side].snd_nxt;
    return head;
}

static void fill(struct parked *parked, const struct parked *head, const uint8_t *packed,
                 size_t octets)
{
    memcpy(parked, head, offsetof(struct parked, packed));
    parked->octets = (uint16_t)octets;
    memcpy(parked->packed, packed, octets);
}

/* Undoes what pack() did to it. */
static void leave_whole(struct incarnation *incarnation, const struct tuple *tuple)
{
    kin_bring_together(incarnation, incarnation->connection.closing);
    name_and_tuple(incarnation, tuple);
}

struct parked *park_incarnation(struct parking *parking, struct incarnation *incarnation,
                                const struct tuple *tuple)
{
    uint8_t packed[MOST];
    const struct parked head = head_of(incarnation, PARKED_ALONE);
    park_forget_recent(&incarnation->connection);
    const size_t octets = pack(&parking->lanes, incarnation, tuple, PARKED_ALONE, packed);
    struct parked *parked = chunks_take(&parking->room, room_of(octets));
    if (parked == NULL)
        leave_whole(incarnation, tuple);
    else
        fill(parked, &head, packed, octets);
    return parked;
}

/* What of a parked transcript is not packed. */
static void note_transcript(struct parked *parked, const struct transcript *transcript,
                            const struct progress *progress, const uint8_t state[SIDES],
                            enum parked_form form, size_t octets)
{
    parked->first_packet = transcript->head.first_packet;
    parked->octets = (uint16_t)octets;
    parked->form = (uint8_t)form;
    parked->started = transcript->head.started;
    parked->states = both_states(state[0], state[1]);
    for (int side = 0; side < SIDES; side++)
        parked->snd_nxt[side] = progress->snd_nxt[side];
}

struct parked *park_transcript(struct parking *parking, const struct transcript *transcript,
                               const struct progress *progress, const uint8_t state[SIDES])
{
    struct parked *parked = chunks_take(&parking->room, room_of(TRANSCRIPT_PACKED_MOST));
    if (parked == NULL)
        return NULL;
    const size_t octets = transcript_pack(parking->vectors, transcript, parked->packed);
    chunks_shorten(&parking->room, parked, room_of(octets));
    note_transcript(parked, transcript, progress, state, PARKED_TRANSCRIPT, octets);
    return parked;
}

/* --- what is open --- */

/* Where such a one stands: what unpacking may read behind it is memory as well. */
static struct pool *pool_for(struct parking *parking, size_t octets)
{
    return &parking->stowed[(room_of(octets) - 1) / PARK_STEP];
}

struct parked *park_stow(struct parking *parking, const struct transcript *transcript,
                         const struct progress *progress, const uint8_t state[SIDES],
                         uint32_t *ret_index)
{
    uint8_t packed[TRANSCRIPT_PACKED_MOST];
    const size_t octets = transcript_pack(parking->vectors, transcript, packed);
    struct pool *pool = pool_for(parking, octets);
    const uint32_t had = pool->next;
    *ret_index = pool_take_unclear(pool);
    if (*ret_index == 0)
        return NULL;
    parking->stowed_octets += (uint64_t)(pool->next - had) * pool->slot_size;
    struct parked *parked = pool_at(pool, *ret_index);
    note_transcript(parked, transcript, progress, state, PARKED_OPEN, octets);
    memcpy(parked->packed, packed, octets);
    return parked;
}

void park_free_stowed(struct parking *parking, const struct parked *parked, uint32_t index)
{
    pool_give(pool_for(parking, parked->octets), index);
}

/* Behind it stands whose it is. */
enum { OPEN_ROOM = OPEN_SLOT - LANES_SLACK - sizeof(uint32_t) };

struct parked *park_open(struct parking *parking, struct incarnation *incarnation,
                         const struct tuple *tuple, uint32_t *ret_index)
{
    uint8_t packed[MOST];
    const struct parked head = head_of(incarnation, PARKED_OPEN_ALONE);
    const size_t octets = pack(&parking->lanes, incarnation, tuple, PARKED_OPEN_ALONE, packed);
    *ret_index = room_of(octets) <= OPEN_ROOM ? berths_take(&parking->open) : 0;
    if (*ret_index == 0) {
        leave_whole(incarnation, tuple);
        return NULL;
    }
    struct parked *parked = berths_at(&parking->open, *ret_index);
    fill(parked, &head, packed, octets);
    const uint32_t owner = tuple->index;
    memcpy((char *)parked + OPEN_SLOT - sizeof(owner), &owner, sizeof(owner));
    return parked;
}

void park_free_open(struct parking *parking, uint32_t index)
{
    berths_give(&parking->open, index);
}

uint32_t park_owner(const void *slot)
{
    uint32_t owner;
    memcpy(&owner, (const char *)slot + OPEN_SLOT - sizeof(owner), sizeof(owner));
    return owner;
}

void park_read_transcript(const struct parking *parking, const struct parked *parked,
                          struct transcript_head *ret_head,
                          struct transcript_entry ret_entry[TRANSCRIPT_MOST])
{
    ret_head->first_packet = parked->first_packet;
    ret_head->started = parked->started;
    ret_head->index = 0;
    transcript_unpack(parking->vectors, parked->packed, parked->snd_nxt, ret_head, ret_entry);
}

bool park_restore(const struct parking *parking, const struct parked *parked,
                  const struct tuple *tuple, struct incarnation *incarnation)
{
    struct closing *closing = NULL;
    struct places places = {.index = incarnation->index, .owner = incarnation->owner};
    if (parked->form == PARKED_WITH_CLOSING || parked->form == PARKED_OPEN_WITH_CLOSING) {
        closing = malloc(sizeof(*closing));
        if (closing == NULL)
            return false;
    }
    size_t read = lanes_unpack(&parking->lanes, parked->packed, INCARNATION_GROUPS, incarnation);
    if (closing != NULL)
        lanes_unpack(&parking->lanes, parked->packed + read, CLOSING_GROUPS, closing);
    kin_bring_together(incarnation, closing);
    name_and_tuple(incarnation, tuple);
    if (park_is_open(parked)) {
        places.collision = incarnation->collision;
        places.beside = incarnation->beside;
    }
    places.closing = closing;
    put_places(incarnation, &places);
    return true;
}

size_t park_room(const struct parked *parked)
{
    return chunks_room(room_of(parked->octets));
}

void park_free(struct parking *parking, struct parked *parked)
{
    chunks_give(&parking->room, parked);
}

void parking_clear(struct parking *parking)
{
    chunks_clear(&parking->room);
    for (size_t i = 0; i < PARK_SIZES; i++)
        pool_clear(&parking->stowed[i]);
    berths_clear(&parking->open);
}
