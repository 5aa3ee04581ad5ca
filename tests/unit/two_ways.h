/* two_ways: what the tests of the short ways have in common: numbers drawn, and connections and
 * steps that must be the same on both ways.  After cmocka.h. */
#ifndef LASTACK_UNIT_TWO_WAYS_H
#define LASTACK_UNIT_TWO_WAYS_H

#include <string.h>

#include "../../analyzer/engine.h"
#include "../../analyzer/flow/incarnation.h"
#include "../../analyzer/retrace.h"
#include "../../analyzer/schedule.h"
#include "../../analyzer/tcp/zeek_trail.h"

/* Below `below`, which is not 0; the same numbers for the same seed. */
static inline uint32_t draw_below(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* Whether a segment, before which the engine had that ease, went a short way and took no memory:
 * the long way, and a new deadline, spend of it. */
static inline bool went_briefly(const struct engine *engine, uint32_t ease)
{
    return engine->ease > 0 && engine->ease >= ease;
}

/* Without what stands beside an incarnation, and where it lies; with what it lets wait. */
static inline struct incarnation bare(const struct incarnation *incarnation)
{
    struct incarnation copy;
    memcpy(&copy, incarnation, sizeof copy);
    zeek_trail_end(&copy.connection);
    copy.connection.closing = NULL;
    copy.connection.history.more = NULL;
    copy.collision = NULL;
    copy.story = NULL;
    copy.doubts = NULL;
    copy.icmp = NULL;
    copy.around = NULL;
    copy.index = 0;
    return copy;
}

/* Now and then, what the one engine keeps of a tuple as its segments, open or parked, becomes an
 * incarnation: then the two can be compared; and what the other has parked, too. */
static inline void make_comparable(struct engine *one, struct tuple *a, struct engine *other,
                                   struct tuple *b)
{
    if (a == NULL || b == NULL)
        return;
    if (a->is_transcribed)
        assert_true(retrace(one, a));
    if (!a->is_parked || a->parked->form != PARKED_TRANSCRIPT || !b->is_parked)
        return;
    assert_true(schedule_unpark(one, a));
    assert_true(schedule_unpark(other, b));
}

/* Octet for octet, once what waits is done; what stands apart is compared as what it holds. */
static inline void assert_same_connection(const struct connection *briefly,
                                          const struct connection *fully)
{
    struct connection one = *briefly, other = *fully;
    zeek_trail_end(&one);
    zeek_trail_end(&other);
    assert_int_equal(one.closing == NULL, other.closing == NULL);
    if (one.closing != NULL)
        assert_memory_equal(one.closing, other.closing, sizeof *one.closing);
    assert_int_equal(one.history.more == NULL, other.history.more == NULL);
    one.closing = other.closing = NULL;
    one.history.more = other.history.more = NULL;
    assert_memory_equal(&one, &other, sizeof one);
}

static inline void assert_same_changes(const struct step *one, const struct step *other)
{
    assert_int_equal(one->changes, other->changes);
    for (uint32_t i = 0; i < one->changes; i++) {
        const struct change *a = &one->change[i], *b = &other->change[i];
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->side, b->side);
        assert_int_equal(a->before, b->before);
        assert_int_equal(a->after, b->after);
        assert_int_equal(a->fact, b->fact);
        assert_true(a->packet == b->packet);
        assert_true(a->t == b->t);
    }
    assert_int_equal(one->cells, other->cells);
    for (uint32_t i = 0; i < one->cells; i++) {
        const struct cell *a = &one->cell[i], *b = &other->cell[i];
        assert_int_equal(a->side, b->side);
        assert_int_equal(a->state, b->state);
        assert_int_equal(a->fact, b->fact);
        assert_int_equal(a->unexpected, b->unexpected);
    }
}

/* But that one says that it was ordinary. */
static inline void assert_same_step(struct step *one, struct step *other)
{
    one->ordinary = other->ordinary = false;
    assert_same_changes(one, other);
    assert_memory_equal(one, other, offsetof(struct step, change));
}

#endif
