/* stow: see stow.h. */
#include "stow.h"

#include <stddef.h>

#include "evict.h"
#include "flow/park.h"
#include "schedule.h"
#include "tcp/course.h"
#include "transcribe.h"

enum { TRIES = 8 };

/* It is open, and waits for nothing. */
static bool transcript_may_go(const struct tuple *tuple)
{
    return tuple->armed == NANOTIME_UNKNOWN &&
           (tuple->progress.course == COURSE_OPEN || tuple->progress.course == COURSE_PROVEN);
}

/* From here on the tuple's connection is what is packed, in that slot. */
static void hold(struct engine *engine, struct tuple *tuple, struct parked *parked, uint32_t index)
{
    engine_spend_ease(engine); /* memory was taken */
    tuple->is_parked = true;
    tuple->parked = parked;
    tuple->foretold.known = 0;
    tuple->stowed_index = index;
    tuple->due = NANOTIME_UNKNOWN; /* a deadline brings it back */
    evict_enqueue(engine, tuple);
}

bool stow_pack(struct engine *engine, struct tuple *tuple)
{
    struct transcript *transcript = tuple->transcript;
    uint8_t state[SIDES];
    uint32_t index;
    transcribe_states(&tuple->progress, state);
    struct parked *parked =
        park_stow(&engine->table.parking, transcript, &tuple->progress, state, &index);
    if (parked == NULL)
        return false;
    pool_give(&engine->table.transcripts, transcript->head.index);
    tuple->is_transcribed = false;
    hold(engine, tuple, parked, index);
    return true;
}

/* Whether a tuple holds an open incarnation alone, and so little of it that packing is worth it. */
static bool incarnation_may_go(const struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    return tuple->queue == QUEUE_LIVE && current != NULL && tuple->candidate == NULL &&
           tuple->retiring == NULL && tuple->tombstones == NULL &&
           current->connection.closed_at == NANOTIME_UNKNOWN &&
           current->connection.history.more == NULL;
}

bool stow_incarnation(struct engine *engine, struct tuple *tuple)
{
    uint32_t index;
    if (!incarnation_may_go(tuple))
        return false;
    flow_table_count_beside(&engine->table, tuple);
    struct incarnation *current = tuple->current;
    struct parked *parked = park_open(&engine->table.parking, current, tuple, &index);
    if (parked == NULL)
        return false;
    flow_table_release_incarnation(&engine->table, current);
    tuple->calm = 0;
    hold(engine, tuple, parked, index);
    return true;
}

static inline __attribute__((always_inline)) void fetch_transcript(const struct tuple *tuple)
{
    const char *transcript = (const char *)tuple->transcript;
    const size_t octets = offsetof(struct transcript, entry) +
                          tuple->progress.count * sizeof(struct transcript_entry);
    for (size_t at = 0; at < octets; at += ENGINE_LINE)
        __builtin_prefetch(transcript + at);
}

/* Those that go next, one with each that goes: what of them is far is fetched meanwhile.  Inline
 * for certain: of a function that changes nothing a compiler may leave out the call. */
static inline __attribute__((always_inline)) void fetch_next(const struct engine *engine,
                                                             const struct tuple *tuple)
{
    const struct flow_table *table = &engine->table;
    if (tuple->next == 0)
        return;
    const struct tuple *next = flow_table_tuple(table, tuple->next);
    fetch_transcript(next);
    if (next->next != 0)
        tuple_fetch(flow_table_tuple(table, next->next));
}

bool stow_oldest(struct engine *engine)
{
    const struct tuple_list *noted = &engine->queue[QUEUE_NOTED];
    for (int i = 0; i < TRIES && noted->first != 0; i++) {
        struct tuple *tuple = flow_table_tuple(&engine->table, noted->first);
        fetch_next(engine, tuple);
        if (transcript_may_go(tuple))
            return stow_pack(engine, tuple);
        evict_turn(engine, tuple);
    }
    return false;
}

static bool bring_back_transcript(struct engine *engine, struct tuple *tuple,
                                  const struct parked *parked)
{
    const uint32_t index = pool_take_unclear(&engine->table.transcripts);
    if (index == 0) {
        engine->status = STATUS_NO_MEMORY;
        return false;
    }
    struct transcript *transcript = pool_at(&engine->table.transcripts, index);
    park_read_transcript(&engine->table.parking, parked, &transcript->head, transcript->entry);
    transcript->head.index = index;
    tuple->is_transcribed = true;
    tuple->transcript = transcript;
    transcript_measure(transcript, &tuple->key, parked->snd_nxt, &tuple->progress);
    return true;
}

bool stow_bring_back(struct engine *engine, struct tuple *tuple)
{
    struct parked *parked = tuple->parked;
    const uint32_t index = tuple->stowed_index;
    const bool whole = parked->form != PARKED_OPEN;
    engine_spend_ease(engine);
    if (whole ? !schedule_restore(engine, tuple, parked)
              : !bring_back_transcript(engine, tuple, parked))
        return false;
    tuple->is_parked = false;
    if (whole)
        park_free_open(&engine->table.parking, index);
    else
        park_free_stowed(&engine->table.parking, parked, index);
    evict_enqueue(engine, tuple);
    flow_table_count_beside(&engine->table, tuple);
    if (whole)
        flow_table_draw_in_parked(&engine->table);
    return true;
}
