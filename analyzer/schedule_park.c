/* schedule_park: what only waits is packed away, and brought back; see schedule.h. */
#include "schedule.h"

#include "evict.h"
#include "flow/park.h"
#include "foretold.h"
#include "retrace.h"
#include "stow.h"
#include "transcribe.h"

static void hold_parked(struct engine *engine, struct tuple *tuple, struct parked *parked,
                        const struct foretold *foretold, nanotime due)
{
    engine_spend_ease(engine);
    tuple->parked = parked;
    tuple->foretold.known = foretold->known;
    if (foretold->known)
        tuple->foretold = *foretold;
    tuple->is_parked = true;
    tuple->due = due;
    engine->parked_octets += park_room(parked);
}

bool schedule_park(struct engine *engine, struct tuple *tuple, nanotime due)
{
    struct foretold foretold;
    foretold_of(engine, tuple, due, &foretold);
    struct parked *parked = park_incarnation(&engine->table.parking, tuple->current, tuple);
    if (parked == NULL)
        return false;
    flow_table_free_incarnation(&engine->table, tuple->current);
    hold_parked(engine, tuple, parked, &foretold, due);
    return true;
}

bool schedule_restore(struct engine *engine, struct tuple *tuple, const struct parked *parked)
{
    struct incarnation *incarnation = flow_table_new_unclear(&engine->table, tuple);
    if (incarnation == NULL || !park_restore(&engine->table.parking, parked, tuple, incarnation)) {
        engine->status = STATUS_NO_MEMORY;
        if (incarnation != NULL)
            berths_give(&engine->table.incarnations, incarnation->index);
        return false;
    }
    tuple->candidate = tuple->retiring = NULL; /* where its end was foretold */
    tuple->tombstones = NULL;
    tuple->current = incarnation;
    return true;
}

bool schedule_unpark(struct engine *engine, struct tuple *tuple)
{
    if (tuple_is_stowed(tuple))
        return stow_bring_back(engine, tuple) && (!tuple->is_transcribed || retrace(engine, tuple));
    struct parked *parked = tuple->parked;
    bool whole = parked->form == PARKED_TRANSCRIPT ? retrace_parked(engine, tuple, parked)
                                                   : schedule_restore(engine, tuple, parked);
    if (!whole)
        return false;
    engine->parked_octets -= park_room(parked);
    park_free(&engine->table.parking, parked);
    tuple->is_parked = false;
    return true;
}

void schedule_park_transcript(struct engine *engine, struct tuple *tuple, nanotime due)
{
    struct transcript *transcript = tuple->transcript;
    struct foretold foretold;
    uint8_t state[SIDES];
    schedule_arm(engine, tuple, due);
    transcribe_states(&tuple->progress, state);
    foretold_of_transcript(engine, tuple, due, &foretold);
    struct parked *parked =
        park_transcript(&engine->table.parking, transcript, &tuple->progress, state);
    if (parked == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return;
    }
    pool_give(&engine->table.transcripts, transcript->head.index);
    tuple->is_transcribed = false;
    hold_parked(engine, tuple, parked, &foretold, due);
    evict_enqueue(engine, tuple);
}
