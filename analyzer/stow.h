/*
 * stow: open connections kept as their segments (flow/transcript.h), packed away where there are so
 * many that their room is short.
 *
 * A transcript has room for all the segments that may come, and nearly always has a few.  A crowd
 * of connections that are seldom heard of is held longest as it would be once it is over
 * (flow/park.h), in a fifth of that: the one whose transcript is oldest gives its room up for the
 * next, and takes another's with its next segment.  Nobody is told, and nothing is forgotten.
 */
#ifndef LASTACK_STOW_H
#define LASTACK_STOW_H

#include "engine.h"

enum { STOW_PART = 8 }; /* an eighth of the engine's room is for transcripts as they are */

/* Whether another transcript is to have the room of one that there is. */
static inline bool stow_is_due(const struct engine *engine)
{
    const struct pool *pool = &engine->table.transcripts;
    return pool->freed == 0 &&
           (uint64_t)pool->next * pool->slot_size >= engine->room / engine->transcripts_part;
}

/* Packs the transcript away that has been one longest, so that its room is free; false: of the few
 * that come first none may go. */
bool stow_oldest(struct engine *engine);

/* Packs an open tuple's transcript away, of which nothing is waited for; false when memory ran out,
 * and then it stays as it is. */
bool stow_pack(struct engine *engine, struct tuple *tuple);

/* Brings a stowed tuple's transcript back, as it was; false when memory ran out. */
bool stow_bring_back(struct engine *engine, struct tuple *tuple);

#endif
