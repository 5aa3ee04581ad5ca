/*
 * foretold: the end of a parked connection, foretold when it is parked.
 *
 * Nearly every connection that waits for the end of 2MSL ends without anything more having come of
 * it, by its deadline or with the capture.  Where its record is not wanted, all that is then
 * counted and told is known beforehand: kept in its tuple, it ends without being unpacked.  Where
 * it is, and the connection was transcribed, the record is made of its segments (account.h).
 */
#ifndef LASTACK_FORETOLD_H
#define LASTACK_FORETOLD_H

#include "engine.h"

/* The end of the tuple's current incarnation, its only one, which is about to be parked until
 * `due`; known only where all of it is usual. */
void foretold_of(const struct engine *engine, const struct tuple *tuple, nanotime due,
                 struct foretold *ret_foretold);

/* The same of one that is transcribed, and over. */
void foretold_of_transcript(const struct engine *engine, const struct tuple *tuple, nanotime due,
                            struct foretold *ret_foretold);

/* Ends what is parked with the capture; false: it must be brought back. */
bool foretold_finish(struct engine *engine, struct tuple *tuple);

/* Ends what is parked at its deadline: the tuple rests.  false: it must be brought back. */
bool foretold_rest(struct engine *engine, struct tuple *tuple);

#endif
