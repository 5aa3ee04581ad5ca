/*
 * The short way of an ordinary segment leaves a connection as the long way does, octet for octet:
 * conversations drawn at random, mostly ordinary, each segment given to two equal connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../analyzer/tcp/ordinary.h"
#include "two_ways.h"

enum { CONVERSATIONS = 3000, SEGMENTS = 60 };

struct talk {
    uint64_t seed;
    struct connection briefly, fully;
    uint64_t packet;
    nanotime now;
    uint32_t next[SIDES], acked[SIDES], clock[SIDES];
    uint16_t window[SIDES];
    bool stamped, started;
    bool cut; /* the capture kept the headers alone */
};

static uint32_t draw(struct talk *talk, uint32_t below)
{
    return draw_below(&talk->seed, below);
}

static void give(struct talk *talk, struct segment *segment, int from, uint32_t *ordinary)
{
    struct step one, other;
    segment->packet = ++talk->packet;
    talk->now += (nanotime)draw(talk, 5000000);
    segment->time = talk->now;
    if (!talk->started) {
        connection_start(&talk->briefly, segment, from);
        connection_start(&talk->fully, segment, from);
        talk->started = true;
    }
    bool fits =
        ordinary_may_come(&talk->briefly, from) && ordinary_follows(&talk->briefly, segment, from);
    assert_true(connection_segment(&talk->briefly, segment, from, &one));
    assert_true(connection_segment_fully(&talk->fully, segment, from, &other));
    assert_int_equal(fits, one.ordinary);
    if (fits)
        assert_int_equal(one.changes, 0);
    *ordinary += fits;
    assert_same_step(&one, &other);
    assert_same_connection(&talk->briefly, &talk->fully);
}

/* What the side would send now, in order. */
static struct segment next_of(struct talk *talk, int from, uint8_t flags, uint32_t payload)
{
    talk->clock[from] += draw(talk, 3);
    return (struct segment){
        .source = {10, 0, 0, (uint8_t)from},
        .destination = {10, 0, 0, (uint8_t)(1 - from)},
        .ip_version = 4,
        .ttl = 64,
        .ip_id = (uint16_t)talk->packet,
        .ip_length = 52 + payload,
        .sequence = talk->next[from],
        .acknowledgment = talk->acked[from],
        .payload = payload,
        .window = talk->window[from],
        .options = talk->stamped ? OPTION_TIMESTAMPS : 0,
        .tsval = talk->clock[from],
        .tsecr = talk->clock[1 - from],
        .flags = flags,
        .cut = talk->cut && payload > 0,
        .checksum_verdict = talk->cut && payload > 0 ? CHECKSUM_UNVERIFIED : CHECKSUM_GOOD,
    };
}

/* Bends the segment somewhere: what the short way must leave alone, or take as it is. */
static void bend(struct talk *talk, struct segment *segment, int from)
{
    switch (draw(talk, 14)) {
    case 0:
        segment->sequence -= draw(talk, 3000);
        break;
    case 1:
        segment->sequence += draw(talk, 3000);
        break;
    case 2:
        segment->acknowledgment -= draw(talk, 3000);
        break;
    case 3:
        segment->acknowledgment += draw(talk, 3000);
        break;
    case 4:
        segment->window = (uint16_t)draw(talk, 3);
        break;
    case 5:
        segment->checksum_verdict = CHECKSUM_BAD;
        break;
    case 6:
        segment->flags |= TCP_FIN;
        break;
    case 7:
        segment->flags |= TCP_RST;
        break;
    case 8:
        segment->cut = 1;
        segment->checksum_verdict = CHECKSUM_UNVERIFIED;
        break;
    case 9:
        segment->payload = draw(talk, 2);
        talk->window[1 - from] = (uint16_t)draw(talk, 2);
        break;
    case 10:
        segment->options |= OPTION_SACK;
        segment->sacks = 1;
        segment->sack[0].left = segment->acknowledgment + draw(talk, 100);
        segment->sack[0].right = segment->sack[0].left + draw(talk, 3000);
        break;
    case 11:
        segment->tsval -= draw(talk, 50);
        break;
    case 12:
        segment->options = 0;
        segment->sacks = 0;
        break;
    default:
        segment->flags ^= TCP_ACK;
    }
}

static void say(struct talk *talk, uint32_t *ordinary)
{
    int from = (int)draw(talk, 2);
    uint32_t payload = draw(talk, 2) == 0 ? 0 : draw(talk, 20) == 0 ? 1 : draw(talk, 1460);
    if (draw(talk, 3) > 0)
        talk->acked[from] = talk->next[1 - from];
    if (draw(talk, 8) == 0)
        talk->window[from] = (uint16_t)(1 + draw(talk, 500));
    struct segment segment = next_of(talk, from, TCP_ACK | (payload > 0 ? TCP_PSH : 0), payload);
    talk->next[from] += payload;
    for (uint32_t bends = draw(talk, 12) == 0 ? 1 + draw(talk, 2) : 0; bends > 0; bends--)
        bend(talk, &segment, from);
    give(talk, &segment, from, ordinary);
}

static void shake_hands(struct talk *talk, uint32_t *ordinary)
{
    struct segment syn = next_of(talk, 0, TCP_SYN, 0);
    syn.options |= OPTION_WINDOW_SCALE | OPTION_MSS;
    syn.window_scale = (uint8_t)draw(talk, 9);
    talk->next[0]++;
    talk->acked[1] = talk->next[0];
    struct segment synack = next_of(talk, 1, TCP_SYN | TCP_ACK, 0);
    synack.options |= OPTION_WINDOW_SCALE | OPTION_MSS;
    synack.window_scale = (uint8_t)draw(talk, 9);
    talk->next[1]++;
    talk->acked[0] = talk->next[1];
    if (draw(talk, 10) > 0)
        give(talk, &syn, 0, ordinary);
    if (draw(talk, 10) > 0)
        give(talk, &synack, 1, ordinary);
    struct segment third = next_of(talk, 0, TCP_ACK, 0);
    if (draw(talk, 10) > 0)
        give(talk, &third, 0, ordinary);
}

/* Near the wrap of the sequence space, of half of it, or anywhere. */
static uint32_t draw_isn(struct talk *talk)
{
    static const uint32_t places[] = {0, 0xffff0000, 0x7fffff00, 0x80000000};
    uint32_t place = places[draw(talk, 4)];
    return draw(talk, 2) == 0 ? place + draw(talk, 0xffff) : draw(talk, UINT32_MAX);
}

static uint32_t converse(uint64_t seed)
{
    uint32_t ordinary = 0;
    struct talk *talk = calloc(1, sizeof *talk);
    assert_non_null(talk);
    talk->seed = seed;
    talk->now = (nanotime)1700000000 * 1000000000;
    talk->stamped = draw(talk, 2) == 0;
    talk->cut = draw(talk, 4) == 0;
    for (int side = 0; side < SIDES; side++) {
        talk->next[side] = draw_isn(talk);
        talk->clock[side] = draw_isn(talk);
        talk->window[side] = 500;
    }
    if (draw(talk, 8) == 0) { /* picked up in the middle */
        talk->acked[0] = talk->next[1];
        talk->acked[1] = talk->next[0];
    } else {
        shake_hands(talk, &ordinary);
    }
    for (int i = 0; i < SEGMENTS; i++)
        say(talk, &ordinary);
    connection_clear(&talk->briefly);
    connection_clear(&talk->fully);
    free(talk);
    return ordinary;
}

static void both_ways_leave_the_same(void **state)
{
    (void)state;
    uint32_t ordinary = 0;
    for (uint64_t seed = 1; seed <= CONVERSATIONS; seed++)
        ordinary += converse(seed);
    assert_true(ordinary > CONVERSATIONS * SEGMENTS / 8);
    assert_true(ordinary < CONVERSATIONS * SEGMENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_leave_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
