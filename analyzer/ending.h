/*
 * ending: an incarnation's end, or that of a part of it, on its way out: counted, told to the
 * census, and its record handed on.
 *
 * Where nothing is to be told of a connection but that it ended, its plain_flow is made at once,
 * without the record, which is twenty times as large.
 */
#ifndef LASTACK_ENDING_H
#define LASTACK_ENDING_H

#include "engine.h"

/* The incarnation is about to be freed.  ended: it is over (false: the capture is). */
void ending_write(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                  bool ended);

/* Writes a part of a connection that goes on; it is counted when it ends. */
void ending_write_part(struct engine *engine, const struct tuple *tuple,
                       struct incarnation *incarnation);

#endif
