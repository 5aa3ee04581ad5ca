/* engine_state: see engine_state.h. */
#include "engine_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/carry_rows.h"
#include "crowd.h"
#include "evict.h"
#include "flow/incarnation_state.h"
#include "flow/park.h"
#include "retrace.h"
#include "schedule.h"
#include "stow.h"

enum { MOST_ROOM = 1 << 30 }; /* slots of a table, entries of an agenda */

/* What stands in a tuple beside its key and its connections. */
struct plain_tuple {
    nanotime armed;
    uint64_t last_uid;
    seq rest[2];
    uint32_t numbers;
    bool embryonic, is_parked, resting;
    bool packed; /* it stood in QUEUE_PACKED */
};

#include "engine_state.def"

/* Who is carried, and where each tuple has its place: its number in the state, from 1. */
struct engines {
    struct carry *carry;
    struct engine *const *engine;
    uint32_t count;
    struct place {
        struct engine *engine;
        uint32_t index;
    } * place;         /* reading, by number: where it came to be; owned */
    uint32_t **number; /* writing, by engine and index: its number, 0 for none; owned */
    uint32_t tuples;
};

/* --- what a tuple holds --- */

static struct incarnation *carry_life(struct carry *carry, struct engine *engine,
                                      const struct tuple *tuple, struct incarnation *incarnation)
{
    bool is_there = incarnation != NULL;
    carry_flag(carry, &is_there);
    if (!is_there)
        return NULL;
    if (carry_is_reading(carry))
        incarnation = flow_table_new_incarnation(&engine->table, tuple);
    if (incarnation == NULL)
        carry_fail(carry, STATUS_NO_MEMORY);
    else
        incarnation_carry(carry, incarnation);
    return incarnation;
}

static void carry_lives(struct carry *carry, struct engine *engine, struct tuple *tuple)
{
    tuple->current = carry_life(carry, engine, tuple, tuple->current);
    tuple->candidate = carry_life(carry, engine, tuple, tuple->candidate);
    tuple->retiring = carry_life(carry, engine, tuple, tuple->retiring);
    uint32_t tombstones = tombstones_carry(carry, &tuple->tombstones);
    if (!carry_is_reading(carry))
        return;
    engine->tombstones += tombstones;
    flow_table_count_beside(&engine->table, tuple);
}

static void write_parked(struct carry *carry, struct engine *engine, const struct tuple *tuple)
{
    const struct parked *parked = tuple->parked;
    struct incarnation *incarnation = flow_table_new_unclear(&engine->table, tuple);
    if (incarnation == NULL || !park_restore(&engine->table.parking, parked, tuple, incarnation)) {
        carry_fail(carry, STATUS_NO_MEMORY);
        if (incarnation != NULL)
            berths_give(&engine->table.incarnations, incarnation->index);
        return;
    }
    incarnation_carry(carry, incarnation);
    flow_table_free_incarnation(&engine->table, incarnation);
}

static void read_parked(struct carry *carry, struct engine *engine, struct tuple *tuple)
{
    tuple->is_parked = false; /* until it is */
    tuple->current = flow_table_new_incarnation(&engine->table, tuple);
    if (tuple->current == NULL) {
        carry_fail(carry, STATUS_NO_MEMORY);
        return;
    }
    incarnation_carry(carry, tuple->current);
    if (!carry_is_sound(carry))
        return;
    if (!park_fits(tuple->current))
        carry_fail(carry, STATUS_UNREADABLE);
    else if (!schedule_park(engine, tuple, tuple->armed))
        carry_fail(carry, STATUS_NO_MEMORY);
}

/* Takes and returns whether it is open, and packed. */
static bool carry_plain(struct carry *carry, struct tuple *tuple, bool packed)
{
    struct plain_tuple plain = {
        .armed = tuple->armed,
        .last_uid = tuple->last_uid,
        .rest = {tuple->rest[0], tuple->rest[1]},
        .numbers = tuple->numbers,
        .embryonic = tuple->embryonic,
        .is_parked = tuple->is_parked,
        .resting = tuple->resting,
        .packed = packed,
    };
    carry_fields(carry, plain_tuple_fields, &plain);
    tuple->armed = plain.armed;
    tuple->last_uid = plain.last_uid;
    memcpy(tuple->rest, plain.rest, sizeof(tuple->rest));
    tuple->numbers = plain.numbers & ((1u << 22) - 1);
    tuple->embryonic = plain.embryonic;
    tuple->is_parked = plain.is_parked && !plain.embryonic;
    tuple->resting = plain.resting;
    return plain.packed;
}

/* A state knows no transcripts: they become incarnations, and those that are over parked ones. */
static void make_plain(struct carry *carry, struct engine *engine, struct tuple *tuple)
{
    bool transcribed = tuple->is_parked && tuple->parked->form == PARKED_TRANSCRIPT;
    nanotime due = tuple->due;
    if ((tuple_is_stowed(tuple) && !schedule_unpark(engine, tuple)) ||
        (tuple->is_transcribed && !retrace(engine, tuple)) ||
        (transcribed && (!schedule_unpark(engine, tuple) || !schedule_park(engine, tuple, due))))
        carry_fail(carry, STATUS_NO_MEMORY);
}

/* Returns as carry_plain() does. */
static bool carry_content(struct carry *carry, struct engine *engine, struct tuple *tuple)
{
    bool packed = tuple->queue == QUEUE_PACKED;
    if (!carry_is_reading(carry))
        make_plain(carry, engine, tuple);
    packed = carry_plain(carry, tuple, packed);
    if (tuple->embryonic)
        embryo_carry(carry, &tuple->embryo);
    else if (!tuple->is_parked)
        carry_lives(carry, engine, tuple);
    else if (carry_is_reading(carry))
        read_parked(carry, engine, tuple);
    else
        write_parked(carry, engine, tuple);
    return packed;
}

/* --- tuples --- */

/* Of one that was kept as its segments nothing is needed once it is written: there may be many. */
static void write_tuple(struct engines *engines, struct engine *engine, struct tuple *tuple)
{
    const bool was_small = tuple->is_transcribed || tuple_is_stowed(tuple);
    carry_fields(engines->carry, flow_key_fields, &tuple->key);
    carry_content(engines->carry, engine, tuple);
    if (!was_small || !carry_is_sound(engines->carry))
        return;
    flow_table_free_incarnation(&engine->table, tuple->current);
    tuple->current = NULL;
}

/* Those that become incarnations come into a queue that was written before. */
static void write_tuples(struct engines *engines, uint32_t which)
{
    struct engine *engine = engines->engine[which];
    for (int queue = QUEUE_GRAVES; queue < QUEUES; queue++) {
        uint32_t index = engine->queue[queue].first;
        while (index != 0 && carry_is_sound(engines->carry)) {
            struct tuple *tuple = flow_table_tuple(&engine->table, index);
            engines->number[which][index] = ++engines->tuples;
            index = tuple->next;
            write_tuple(engines, engine, tuple);
        }
    }
}

static void read_tuple(struct engines *engines, struct place *ret_place)
{
    struct flow_key key;
    memset(&key, 0, sizeof(key));
    carry_fields(engines->carry, flow_key_fields, &key);
    uint64_t hash = flow_key_hash(engines->engine[0]->table.secret, &key);
    struct engine *engine = engines->engine[engine_owner(hash, engines->count)];
    if (!carry_is_sound(engines->carry))
        return;
    if (flow_table_find(&engine->table, &key, hash) != NULL) {
        carry_fail(engines->carry, STATUS_UNREADABLE);
        return;
    }
    struct tuple *tuple = flow_table_add(&engine->table, &key, hash);
    if (tuple == NULL) {
        carry_fail(engines->carry, STATUS_NO_MEMORY);
        return;
    }
    const bool packed = carry_content(engines->carry, engine, tuple);
    evict_enqueue(engine, tuple);
    if (carry_is_sound(engines->carry) && (packed || evict_held(engine) > engine->room))
        stow_incarnation(engine, tuple);
    *ret_place = (struct place){engine, tuple->index};
}

static void read_tuples(struct engines *engines)
{
    for (uint32_t i = 1; i <= engines->tuples && carry_is_sound(engines->carry); i++)
        read_tuple(engines, &engines->place[i]);
}

/* How many tuples all engines hold. */
static uint32_t count_tuples(const struct engines *engines)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < engines->count; i++)
        count += engines->engine[i]->table.count;
    return count;
}

/* --- the agenda --- */

/* Entries of tuples that are gone are left out: they would be passed over. */
static bool is_of_tuple(const struct engines *engines, uint32_t which,
                        const struct agenda_entry *entry)
{
    return engines->number[which][entry->index] != 0;
}

static void write_agendas(struct engines *engines)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < engines->count; i++) {
        const struct agenda *agenda = &engines->engine[i]->agenda;
        struct agenda_place place = {0};
        const struct agenda_entry *entry;
        while ((entry = agenda_next(agenda, &place)) != NULL)
            count += is_of_tuple(engines, i, entry);
    }
    carry_number(engines->carry, &count, UINT64_MAX);
    for (uint32_t i = 0; i < engines->count; i++) {
        const struct agenda *agenda = &engines->engine[i]->agenda;
        struct agenda_place place = {0};
        const struct agenda_entry *next;
        while ((next = agenda_next(agenda, &place)) != NULL) {
            struct agenda_entry entry = *next;
            if (!is_of_tuple(engines, i, &entry))
                continue;
            entry.index = engines->number[i][entry.index];
            carry_fields(engines->carry, agenda_entry_fields, &entry);
        }
    }
}

static void read_agendas(struct engines *engines)
{
    uint64_t count = 0;
    carry_number(engines->carry, &count, UINT64_MAX);
    for (uint64_t i = 0; i < count && carry_is_sound(engines->carry); i++) {
        struct agenda_entry entry;
        carry_fields(engines->carry, agenda_entry_fields, &entry);
        if (entry.index == 0 || entry.index > engines->tuples) {
            carry_fail(engines->carry, STATUS_UNREADABLE);
            return;
        }
        const struct place *place = &engines->place[entry.index];
        const struct agenda_rank rank = {entry.due, entry.key};
        if (!agenda_add(&place->engine->agenda, rank, place->index))
            carry_fail(engines->carry, STATUS_NO_MEMORY);
    }
}

/* --- all of it --- */

static void carry_counts(struct engines *engines)
{
    struct engine *first = engines->engine[0];
    struct engine_counts sum = {0};
    for (uint32_t i = 0; i < engines->count; i++)
        engine_add_counts(&sum, &engines->engine[i]->counts);
    carry_fields(engines->carry, engine_counts_fields, &sum);
    carry_fields(engines->carry, engine_fields, first);
    if (!carry_is_reading(engines->carry))
        return;
    first->counts = sum;
    for (uint32_t i = 1; i < engines->count; i++) {
        engines->engine[i]->clock = first->clock;
        engines->engine[i]->losses_known = first->losses_known;
    }
}

/* Of one engine that is read as one: how much room it had taken. */
static void carry_room(struct engines *engines)
{
    struct engine *engine = engines->engine[0];
    uint64_t slots = engines->count == 1 ? (uint64_t)engine->table.mask + 1 : 0;
    uint64_t entries = engines->count == 1 ? engine->agenda.capacity : 0;
    uint64_t had = engines->count == 1 ? evict_most_tuples(engine) : 0;
    carry_number(engines->carry, &slots, MOST_ROOM);
    carry_number(engines->carry, &entries, MOST_ROOM);
    carry_number(engines->carry, &had, MOST_ROOM);
    if (!carry_is_reading(engines->carry) || engines->count > 1 || !carry_is_sound(engines->carry))
        return;
    uint64_t octets = slots * sizeof(struct table_slot) + entries * sizeof(struct agenda_entry) +
                      had * sizeof(struct tuple);
    if (octets > 2 * engine->room) /* no run had it that kept to this limit */
        return;
    agenda_have_had(&engine->agenda, entries);
    engine->most_tuples = had;
    if (!flow_table_make_room(&engine->table, slots))
        carry_fail(engines->carry, STATUS_NO_MEMORY);
}

static bool make_numbers(struct engines *engines)
{
    engines->number = calloc(engines->count, sizeof(*engines->number));
    for (uint32_t i = 0; engines->number != NULL && i < engines->count; i++) {
        engines->number[i] =
            calloc(engines->engine[i]->table.tuples.next, sizeof(*engines->number[i]));
        if (engines->number[i] == NULL)
            return false;
    }
    return engines->number != NULL;
}

static void write_all(struct engines *engines)
{
    for (uint32_t i = 0; i < engines->count; i++) {
        if (!crowd_disperse(engines->engine[i]))
            carry_fail(engines->carry, STATUS_NO_MEMORY);
    }
    uint32_t tuples = count_tuples(engines);
    carry_count(engines->carry, tuples, UINT32_MAX);
    if (!make_numbers(engines)) {
        carry_fail(engines->carry, STATUS_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < engines->count; i++)
        write_tuples(engines, i);
    if (engines->tuples != tuples) /* memory ran out with one of them half made */
        carry_fail(engines->carry, STATUS_NO_MEMORY);
    write_agendas(engines);
}

static void read_all(struct engines *engines)
{
    engines->tuples = carry_count(engines->carry, 0, MOST_ROOM);
    engines->place = calloc((size_t)engines->tuples + 1, sizeof(*engines->place));
    if (engines->place == NULL) {
        carry_fail(engines->carry, STATUS_NO_MEMORY);
        return;
    }
    read_tuples(engines);
    read_agendas(engines);
    for (uint32_t i = 0; i < engines->count; i++)
        engines->engine[i]->shares_frames = true; /* for all that is known here */
}

void engines_carry(struct carry *carry, struct engine *const *list, uint32_t count)
{
    struct engines engines = {.carry = carry, .engine = list, .count = count};
    carry_counts(&engines);
    carry_room(&engines);
    if (carry_is_reading(carry))
        read_all(&engines);
    else
        write_all(&engines);
    for (uint32_t i = 0; engines.number != NULL && i < count; i++)
        free(engines.number[i]);
    free(engines.number);
    free(engines.place);
}
