/* heard: a sink of tests that remembers what it was told, enough of each to know it again.  After
 * cmocka.h. */
#ifndef LASTACK_UNIT_HEARD_H
#define LASTACK_UNIT_HEARD_H

#include "../../analyzer/event/sink.h"
#include "../../analyzer/event/told.h"

enum { TOLD = 4096 /* that a listener has room for */ };

/* Of a record, enough to know it again. */
struct heard {
    uint64_t who, what, packet;
    nanotime t;
    uint64_t sides[SIDES];
};

/* A sink that remembers what it was told. */
struct listener {
    struct sink sink; /* first: it is a sink */
    struct heard *told;
    size_t count;
    struct speller *speller; /* of records; NULL: a flow is as much of it as its plain_flow has */
};

static void remember(struct sink *sink, struct heard told)
{
    struct listener *listener = (struct listener *)(void *)sink;
    assert_true(listener->count < TOLD);
    listener->told[listener->count++] = told;
}

static uint64_t hash_octets(const void *octets, size_t count) /* FNV-1a */
{
    const uint8_t *octet = octets;
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ octet[i]) * UINT64_C(1099511628211);
    return hash;
}

static enum status take_plain(struct sink *sink, const struct plain_flow *plain)
{
    uint8_t octets[TOLD_OCTETS];
    size_t count = told_pack_flow(&plain->flow, octets, sizeof octets);
    struct heard told = {plain->flow.flow_uid, 2000u + plain->is_closed, plain->flow.stays, 0, {0}};
    assert_true(count > 0);
    if (!plain->is_closed && plain->flow.stays == 0)
        return STATUS_OK; /* there is nothing in it: it may come, or not */
    told.sides[0] = hash_octets(octets, count);
    remember(sink, told);
    return STATUS_OK;
}

/* All that a record says; that of a lone SYN is for test_lone.c. */
static enum status take_text(struct sink *sink, struct speller *speller,
                             const struct flow_record *flow)
{
    static char room[SPELLED_ROOM];
    struct spelled spelled;
    if (flow->who.end[SERVER].packets == 0)
        return STATUS_OK;
    assert_true(
        speller->ops->flow(speller, flow, (struct spelled_room){room, sizeof room}, &spelled));
    assert_non_null(spelled.text);
    remember(sink, (struct heard){flow->who.flow_uid,
                                  3000,
                                  spelled.length,
                                  flow->end,
                                  {hash_octets(spelled.text, spelled.length)}});
    return STATUS_OK;
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct speller *speller = ((struct listener *)(void *)sink)->speller;
    struct plain_flow plain;
    if (speller != NULL)
        return take_text(sink, speller, flow);
    if (told_plain_flow(flow, &plain))
        return take_plain(sink, &plain);
    remember(sink, (struct heard){flow->who.flow_uid,
                                  flow->close_kind,
                                  0,
                                  flow->end,
                                  {flow->side[0].state, flow->side[1].state}});
    return STATUS_OK;
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    remember(sink, (struct heard){event->event_uid,
                                  event->id + 1000,
                                  event->evidence_count,
                                  event->decided,
                                  {event->level, event->caveats}});
    return STATUS_OK;
}

static enum status take_delta(struct sink *sink, const struct delta *delta)
{
    struct heard told = {delta->flow_uid, delta->what | 0x10000u, delta->packet, delta->t, {0}};
    for (int side = 0; side < SIDES; side++)
        told.sides[side] = delta->end[side].packets << 32 | delta->end[side].ip_bytes << 16 |
                           (unsigned)delta->before[side] << 8 | (unsigned)delta->after[side] << 4 |
                           delta->state[side];
    remember(sink, told);
    return STATUS_OK;
}

static const struct sink_ops listening[] = {
    {.flow = take_flow, .plain = take_plain, .event = take_event, .delta = take_delta},
    {.flow = take_flow, .event = take_event, .delta = take_delta},
};

#endif
