/* table: see table.h. */
#include "table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../tcp/course.h"
#include "table_room.h"

enum { LINE = 64 /* octets of a cache line */ };

bool flow_table_init(struct flow_table *table)
{
    memset(table, 0, sizeof(*table));
    table->secret = hash_key_draw();
    pool_init(&table->tuples, sizeof(struct tuple));
    berths_init(&table->incarnations, sizeof(struct incarnation));
    pool_init(&table->transcripts, sizeof(struct transcript));
    parking_init(&table->parking);
    return table_room_begin(table);
}

struct tuple *flow_table_find(const struct flow_table *table, const struct flow_key *key,
                              uint64_t hash)
{
    bool nested;
    return flow_table_look(table, key, hash, &nested);
}

/* The index of the first slot with that tag; 0: none. */
static uint32_t likely_index(const struct flow_table *table, uint32_t tag)
{
    uint32_t i = tag & table->mask;
    while (table->slot[i].index != 0 && table->slot[i].tag != tag)
        i = (i + 1) & table->mask;
    return table->slot[i].index;
}

struct tuple *flow_table_prefetch_tuple(const struct flow_table *table, uint32_t tag)
{
    uint32_t index = likely_index(table, tag);
    if (index == 0)
        return NULL;
    if (nest_is_code(index)) {
        __builtin_prefetch(nest_at(&table->nest, index));
        return NULL;
    }
    struct tuple *tuple = pool_at(&table->tuples, index);
    tuple_fetch_first(tuple);
    return tuple;
}

/* Where a member of its connection stands in an incarnation. */
#define PLACE(member) (offsetof(struct incarnation, connection.member))

/* The lines from one place of what lies there up to another. */
static inline __attribute__((always_inline)) void prefetch_lines(const char *first, size_t from,
                                                                 size_t end)
{
#pragma GCC unroll 16
    for (size_t at = from; at < end; at += LINE)
        fetch_ahead(first + at);
}

/* Of a connection that is kept as its segments the next one is written behind them; the last one
 * of all has them copied. */
static inline __attribute__((always_inline)) void prefetch_transcript(const struct tuple *tuple)
{
    const char *transcript = (const char *)tuple->transcript;
    const size_t next = offsetof(struct transcript, entry) +
                        tuple->progress.count % TRANSCRIPT_MOST * sizeof(struct transcript_entry);
    const bool last = tuple->progress.course == COURSE_PARTED;
    fetch_ahead(transcript);
    prefetch_lines(transcript, last ? LINE : next / LINE * LINE,
                   next + sizeof(struct transcript_entry));
}

/* What an ordinary segment from that side needs of the incarnation.  Inline for certain: of a
 * function that changes nothing a compiler may leave out the call. */
static inline __attribute__((always_inline)) void prefetch_ordinary(const char *first, size_t from)
{
    const char *sender = first + PLACE(side) + from * sizeof(struct side);
    const char *other = first + PLACE(side) + (from ^ 1) * sizeof(struct side);
    fetch_ahead(first);
    fetch_ahead(first + PLACE(recent));
    fetch_ahead(sender);
    fetch_ahead(sender + offsetof(struct side, last_t));
    fetch_ahead(sender + offsetof(struct side, tally));
    fetch_ahead(other);
    fetch_ahead(other + offsetof(struct side, rtt));
}

enum { PARKED_LINES = 3 }; /* of what is parked: as many as a transcript of a few segments takes */

/* Of a tuple that is calm the next segment is an ordinary one, nearly always. */
void flow_table_prefetch_incarnation(const struct tuple *tuple, int end)
{
    if (tuple == NULL)
        return;
    if (tuple->calm != 0 && tuple->current != NULL) { /* it may be gone by now */
        prefetch_ordinary((const char *)tuple->current, (unsigned)(end ^ tuple->client_end) & 1);
        return;
    }
    tuple_fetch_second(tuple);
    if (tuple->is_transcribed)
        prefetch_transcript(tuple);
    if (tuple->embryonic || tuple->current == NULL || tuple->is_transcribed)
        return;
    const char *first = (const char *)tuple->current; /* or what it is parked in */
    if (tuple->is_parked) {
        prefetch_lines(first, 0, PARKED_LINES * (size_t)LINE);
        return;
    }
    const size_t second = PLACE(side) + sizeof(struct side), tally = offsetof(struct side, tally);
    prefetch_lines(first, 0, PLACE(side) + tally + 1);
    prefetch_lines(first, second, second + tally + 1);
    prefetch_lines(first, PLACE(zeek), PLACE(history) + 1);
}

/* Of one whose record is made of its segments, as many lines as these nearly always take. */
void flow_table_prefetch_parked(const struct tuple *tuple)
{
    enum { LINES = 13, TRANSCRIPT_LINES = 4, OF_END = offsetof(struct parked, packed) - 1 };
    const struct foretold *foretold = &tuple->foretold;
    if (!tuple->is_parked)
        return;
    const char *parked = (const char *)tuple->parked;
    __builtin_prefetch(parked - CHUNKS_BEFORE);
    __builtin_prefetch(parked + OF_END); /* half of them lie in two lines */
    if (!foretold->known || foretold->recorded)
        prefetch_lines(parked, LINE, (foretold->known ? TRANSCRIPT_LINES : LINES) * (size_t)LINE);
}

void flow_table_enter(struct flow_table *table, uint64_t hash, uint32_t index)
{
    table_room_place(table->slot, table->mask, (struct table_slot){flow_table_tag(hash), index});
    table->count++;
    table->most = table->count > table->most ? table->count : table->most;
}

struct tuple *flow_table_add(struct flow_table *table, const struct flow_key *key, uint64_t hash)
{
    uint32_t index = flow_table_make_slot(table) ? pool_take(&table->tuples) : 0;
    if (index == 0)
        return NULL;
    struct tuple *tuple = flow_table_tuple(table, index);
    tuple->key = *key;
    tuple->index = index;
    tuple->armed = NANOTIME_UNKNOWN;
    flow_table_enter(table, hash, index);
    return tuple;
}

/* Backward shift: entries after the hole move up when their home allows (Knuth 6.4, algorithm R).
 */
static void close_gap(struct flow_table *table, uint32_t hole)
{
    for (uint32_t i = (hole + 1) & table->mask; table->slot[i].index != 0;
         i = (i + 1) & table->mask) {
        uint32_t home = table->slot[i].tag & table->mask;
        bool stays = ((i - home) & table->mask) < ((i - hole) & table->mask);
        if (stays)
            continue;
        table->slot[hole] = table->slot[i];
        hole = i;
    }
    table->slot[hole] = (struct table_slot){0, 0};
}

void flow_table_leave(struct flow_table *table, uint64_t hash, uint32_t index)
{
    close_gap(table, (uint32_t)(flow_table_slot_of(table, hash, index) - table->slot));
    table->count--;
}

void flow_table_remove(struct flow_table *table, struct tuple *tuple)
{
    flow_table_leave(table, flow_key_hash(table->secret, &tuple->key), tuple->index);
    if (!tuple->embryonic && !tuple->is_parked && !tuple->is_transcribed)
        tombstone_list_free(tuple->tombstones);
    uint32_t index = tuple->index;
    tuple->index = 0; /* flow_table_is_of() */
    pool_give(&table->tuples, index);
}

uint64_t flow_table_bytes(const struct flow_table *table)
{
    return pool_bytes(&table->tuples) + pool_bytes(&table->transcripts) +
           (uint64_t)table->nest.count * sizeof(struct nested) +
           berths_octets(&table->incarnations) + berths_octets(&table->parking.open) +
           ((uint64_t)table->mask + 1) * sizeof(*table->slot);
}

void flow_table_clear(struct flow_table *table, bool has_tombstones)
{
    bool owns = has_tombstones || table->incarnations.taken > 0 || table->parking.open.taken > 0;
    for (uint32_t i = 1; owns && i < flow_table_end(table); i++) {
        struct tuple *tuple = flow_table_at(table, i);
        if (tuple != NULL)
            flow_table_clear_tuple(table, tuple);
    }
    while (table->spares > 0)
        free(table->spare[--table->spares]);
    table_room_clear(table);
    pool_clear(&table->tuples);
    nest_clear(&table->nest);
    berths_clear(&table->incarnations);
    pool_clear(&table->transcripts);
    parking_clear(&table->parking);
}
