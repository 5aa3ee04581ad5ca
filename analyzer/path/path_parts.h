/* path_parts: what path.c, path_tell.c and path_segments.c share; nobody else includes it. */
#ifndef LASTACK_PATH_PATH_PARTS_H
#define LASTACK_PATH_PATH_PARTS_H

#include "hearing.h"
#include "journeys.h"
#include "order.h"
#include "pair.h"
#include "path.h"
#include "path_events.h"
#include "path_room.h"
#include "waiting.h"

struct path {
    struct sink sink; /* first, so that the one is the other */
    struct sink_ops ops;
    const struct config *config; /* not owned */
    const char *const *names;    /* not owned */
    struct sink *next;           /* not owned */
    struct path_room room;
    struct pair_table table;
    struct pair *pair; /* owned; one each that the table has */
    struct journeys journeys;
    struct hearing hearing;
    struct crossing_queue unclaimed; /* of further taps, whose connection is not known yet */
    struct event_record event;       /* room for one */
    struct path_record record;       /* likewise */
    struct segment_record segment;   /* likewise */
    struct waiting_room waiting;
    nanotime now;
    uint32_t untold; /* segments taken since what was decided was told */
    enum status status;
};

static inline void path_note(struct path *path, enum status status)
{
    if (status != STATUS_OK && path->status == STATUS_OK)
        path->status = status;
}

/* Up to where the first tap is read, by its clock. */
nanotime path_first_reached(const struct path *path);

/* Tells what the pairs have decided; all: what waits for the first tap to come so far as well. */
void path_tell_crossings(struct path *path, bool all);

/* --- segment records (path_segments.c) --- */

/* Says at the segment's record what became of it; told: it is for this pair to tell. */
void path_follow(struct path *path, const struct path_occasion *occasion, bool told);

/* Writes what nobody decides any more, from before `until`. */
void path_release_segments(struct path *path, nanotime until);

/* Takes a record of the engine, to be written when what became of its segment is known. */
enum status path_keep_segment(struct path *path, const struct segment_record *segment);

#endif
