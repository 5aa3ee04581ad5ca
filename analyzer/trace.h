/* trace: the opt-in records: every segment with both sides' states after it, every transition. */
#ifndef LASTACK_TRACE_H
#define LASTACK_TRACE_H

#include "engine.h"

/* Tells the census of a step; writes its transitions and segment as far as they are asked for. */
void trace_step(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                const struct step *step);

/* Writes a segment that was not taken in (a copy, an old one). */
void trace_segment(struct engine *engine, const struct tuple *tuple,
                   const struct incarnation *incarnation, const struct segment *segment, int from,
                   enum segment_verdict verdict);

#endif
