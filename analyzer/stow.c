/* stow: see stow.h. */
#include "stow.h"

#include <stddef.h>

#include "evict.h"
#include "flow/park.h"
#include "tcp/course.h"
#include "transcribe.h"

enum { TRIES = 8 };

/* It is open, and waits for nothing. */
static bool may_go(const struct tuple *tuple)
{
    return tuple->armed == NANOTIME_UNKNOWN &&
           (tuple->progress.course == COURSE_OPEN || tuple->progress.course == COURSE_PROVEN);
}

bool stow_pack(struct engine *engine, struct tuple *tuple)
{
    struct transcript *transcript = tuple->transcript;
    uint8_t state[SIDES];
    uint32_t index;
    transcribe_states(&tuple->progress, state);
    struct parked *parked =
        park_stow(&engine->table.parking, transcript, &tuple->progress, state, &index);
    engine_spend_ease(engine); /* memory was taken */
    if (parked == NULL)
        return false;
    pool_give(&engine->table.transcripts, transcript->head.index);
    tuple->is_transcribed = false;
    tuple->is_parked = true;
    tuple->parked = parked;
    tuple->foretold.known = 0;
    tuple->stowed_index = index;
    tuple->due = NANOTIME_UNKNOWN;
    evict_enqueue(engine, tuple);
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
        if (may_go(tuple))
            return stow_pack(engine, tuple);
        evict_turn(engine, tuple);
    }
    return false;
}

bool stow_bring_back(struct engine *engine, struct tuple *tuple)
{
    struct parked *parked = tuple->parked;
    const uint32_t stowed = tuple->stowed_index;
    const uint32_t index = pool_take_unclear(&engine->table.transcripts);
    engine_spend_ease(engine);
    if (index == 0) {
        engine->status = STATUS_NO_MEMORY;
        return false;
    }
    struct transcript *transcript = pool_at(&engine->table.transcripts, index);
    park_read_transcript(&engine->table.parking, parked, &transcript->head, transcript->entry);
    transcript->head.index = index;
    tuple->is_parked = false;
    tuple->is_transcribed = true;
    tuple->transcript = transcript;
    transcript_measure(transcript, &tuple->key, parked->snd_nxt, &tuple->progress);
    park_free_stowed(&engine->table.parking, parked, stowed);
    evict_enqueue(engine, tuple);
    return true;
}
