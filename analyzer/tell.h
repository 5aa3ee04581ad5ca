/*
 * tell: what the census by host is told of a connection: deltas, sent with the records.
 *
 * An incarnation remembers what was told of its sides, so that every delta begins where the one
 * before it ended, however many states were passed through or revoked in between.
 */
#ifndef LASTACK_TELL_H
#define LASTACK_TELL_H

#include "engine.h"
#include "outcome.h"

/* A lone SYN, kept small: opened.  Its identity stays in tuple->last_uid. */
void tell_embryo(struct engine *engine, struct tuple *tuple, const struct segment *segment);

/* Before the items of a batch: what the census will need of the connections that they open, as far
 * as SYNs tell, is fetched where nobody else does it. */
void tell_foresee(const struct engine *engine, const struct engine_item *items,
                  const struct engine_turn *turns, uint32_t count);

/* What was told of the SYN that the incarnation was hatched from. */
void tell_hatched(struct incarnation *incarnation);

/* A lone SYN that was never hatched ends, and with it its connection, unanswered. */
void tell_lone_gone(struct engine *engine, const struct tuple *tuple);

/*
 * An incarnation begins with the segment; those before it on the tuple, if any, are still there.
 * A second SYN of a hatched one is a step as any other.
 */
void tell_opened(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                 const struct segment *segment);

/* What a step changed. */
void tell_step(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
               const struct step *step);

/* The same of a segment of that side, which was taken in and moved its connection. */
void tell_segment(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                  const struct segment *segment, int from);

/* The incarnation is about to be freed, and its record comes next, where there is one. */
void tell_gone(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
               const struct outcome *outcome);

#endif
