/*
 * stow: open connections, packed away where there are so many that their room is short.
 *
 * A transcript (flow/transcript.h) has room for all the segments that may come, and nearly always
 * has a few.  A crowd of connections that are seldom heard of is held longest as it would be once
 * it is over (flow/park.h), in a fifth of that: the one whose transcript is oldest gives its room
 * up for the next, and takes another's with its next segment.
 *
 * A longer connection has an incarnation, of which half is zero.  It is packed where it was silent
 * for long and such ones hold much, or where memory is short, and then whoever is idle longest
 * (evict.h); its next packet or deadline brings it back.  With its tuple it then takes 1 KiB.
 *
 * Nobody is told of either, and nothing is forgotten.
 */
#ifndef LASTACK_STOW_H
#define LASTACK_STOW_H

#include "engine.h"

enum { STOW_PART = 8 }; /* an eighth of the engine's room is for transcripts as they are */

/* Before there is need, an incarnation is packed that was silent for so long, ns: seldom is it
 * brought back soon. */
#define STOW_SILENCE (10 * (nanotime)NANO_PER_SECOND)

/* Whether another transcript is to have the room of one that there is. */
static inline bool stow_is_due(const struct engine *engine)
{
    const struct pool *pool = &engine->table.transcripts;
    return pool->freed == 0 && (uint64_t)engine->queue[QUEUE_NOTED].count * pool->slot_size >=
                                   engine->room / engine->transcripts_part;
}

/* Whether whole incarnations have so much room that those which are silent are to be packed. */
static inline bool stow_is_worth(const struct engine *engine)
{
    const struct berths *berths = &engine->table.incarnations;
    return berths->taken * (uint64_t)berths->slot_size >= engine->room / STOW_PART;
}

/* Packs the transcript away that has been one longest, so that its room is free; false: of the few
 * that come first none may go. */
bool stow_oldest(struct engine *engine);

/* Packs an open tuple's transcript away, of which nothing is waited for; false when memory ran out,
 * and then it stays as it is. */
bool stow_pack(struct engine *engine, struct tuple *tuple);

/* Packs an open tuple's incarnation, its only one, into the room of a transcript; false where that
 * does not hold it, or memory ran out, and then it stays as it is. */
bool stow_incarnation(struct engine *engine, struct tuple *tuple);

/* Brings what is stowed of a tuple back, as it was: its transcript or its incarnation; false when
 * memory ran out. */
bool stow_bring_back(struct engine *engine, struct tuple *tuple);

#endif
