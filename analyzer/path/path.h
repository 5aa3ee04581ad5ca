/*
 * path: what lies between the taps.
 *
 * Segments of every tap come in here as they are read.  Those of the first tap go on to the engine
 * as well, which deduces the states; what it writes comes through here on its way to the sinks, so
 * that records say what the other taps know: `path_sink` is where the engine's records go.  Every
 * two taps make a pair; what happened is told by the pair of neighbours it happened between
 * (order.h).
 *
 *     tap 0 --segment--> engine --record--> path_sink --> the next sink
 *     tap n --segment--> pair (tap m, tap n) --crossing--> journey (of a flow) --event, record-->
 */
#ifndef LASTACK_PATH_PATH_H
#define LASTACK_PATH_PATH_H

#include "../../dissect/dissect.h"
#include "../config.h"
#include "../event/sink.h"
#include "path_room.h"

enum { PATH_TAPS = RECORD_PASSAGES + 1 };

struct path;

/* config and the names, one for each of the taps, are not owned.  NO_MEMORY is the only failure. */
enum status path_new(const struct config *config, const char *const *names, uint32_t taps,
                     const struct path_room *room, struct sink *next, struct path **ret_path);

/* Where records of the first tap's engine go. */
struct sink *path_sink(struct path *path);

/*
 * Takes a segment of a tap; of the first one, the engine has it already, or has it in its batch.
 * What follows from it is said when path_tell is called.
 */
void path_take(struct path *path, uint32_t tap, const struct segment *segment);

/* Whether so much was taken that it is time to tell, whatever the first tap still shows. */
bool path_is_due(const struct path *path);

/* The engine has all that was taken: what became of segments is told.  `now` is its clock. */
enum status path_tell(struct path *path, nanotime now);

/* A moment of a tap's clock as the first tap's shows it; NANOTIME_UNKNOWN while it is not known. */
nanotime path_time(const struct path *path, uint32_t tap, nanotime t);

/* Nothing more comes from a tap. */
void path_end(struct path *path, uint32_t tap);

/* All taps are read: decides what is open.  The engine's last records come after it. */
enum status path_finish(struct path *path, nanotime now);

/* After the engine's last record: what is left to be written of connections. */
enum status path_close(struct path *path);

void path_free(struct path *path); /* accepts NULL */

#endif
