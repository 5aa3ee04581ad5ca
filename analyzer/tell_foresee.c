/*
 * tell_foresee: where one engine tells the census itself, what that will need, most of it far away
 * in memory, is fetched for many connections together.  With several, the merge does it.
 */
#include <string.h>

#include "tell.h"

enum { TOGETHER = 16 };

/* Deltas that may come, as far as foreseeing looks at them. */
struct openings {
    struct delta delta[TOGETHER], *deltas[TOGETHER];
    size_t count;
};

static bool is_asked(const struct engine *engine)
{
    return engine->sink != NULL && engine->sink->ops->foresee != NULL;
}

static void show(const struct engine *engine, struct openings *openings)
{
    for (int step = 0; step < FORESEE_STEPS; step++)
        engine->sink->ops->foresee(engine->sink, openings->deltas, openings->count, step);
    openings->count = 0;
}

static struct delta *add_opening(struct openings *openings, const struct segment *syn)
{
    struct delta *delta = openings->deltas[openings->count] = &openings->delta[openings->count];
    openings->count++;
    delta->what = DELTA_OPENED;
    delta->opened = syn->time;
    delta->place[0] = delta->place[1] = 0;
    delta->ip_version = syn->ip_version;
    delta->before[0] = delta->before[1] = delta->after[1] = HOLDING_NOTHING;
    delta->after[0] = HOLDING_OPENING;
    return delta;
}

static void name_end(struct delta *delta, int side, const uint8_t *address, uint16_t port)
{
    memcpy(delta->end[side].address, address, sizeof(delta->end[side].address));
    delta->end[side].port = port;
}

void tell_foresee(const struct engine *engine, const struct engine_item *items,
                  const struct engine_turn *turns, uint32_t count)
{
    struct openings openings;
    openings.count = 0;
    if (!is_asked(engine))
        return;
    for (uint32_t i = 0; i < count; i++) {
        const struct engine_item *item = &items[turns[i].place];
        const struct segment *syn = &item->segment;
        if (item->kind != ITEM_SEGMENT || (syn->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
            continue;
        struct delta *delta = add_opening(&openings, syn);
        name_end(delta, CLIENT, syn->source, syn->source_port);
        name_end(delta, SERVER, syn->destination, syn->destination_port);
        if (openings.count == TOGETHER)
            show(engine, &openings);
    }
    if (openings.count > 0)
        show(engine, &openings);
}
