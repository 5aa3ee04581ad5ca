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

/* What is told of a connection that is kept otherwise. */
struct life_side {
    uint64_t packets, ip_bytes;
    uint8_t state; /* enum tcp_state */
    uint8_t told;  /* as in struct incarnation */
};

struct life {
    nanotime started;
    uint64_t uid;
    uint32_t number;
    uint8_t client_end; /* the same */
    bool answered;      /* a SYN of the server was seen */
    uint8_t told_once;  /* the same */
    struct life_side side[SIDES];
};

/* Of a segment of that side, or of time where it is NULL, and of its end: as tell_segment() and
 * tell_gone().  In *life stands then what was told. */
void tell_life(struct engine *engine, const struct tuple *tuple, struct life *life,
               const struct segment *segment, int from);
void tell_life_gone(struct engine *engine, const struct tuple *tuple, struct life *life,
                    const struct outcome *outcome);

#endif
