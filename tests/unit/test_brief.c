/*
 * The short way of an ordinary segment through the engine leaves its connection, and the engine's
 * counts, as the long way does: conversations drawn at random, mostly ordinary, each segment given
 * to two engines, one of which has a probe, which sees every segment and so sends none the short
 * way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../analyzer/config.h"
#include "../../analyzer/engine.h"
#include "two_ways.h"

enum { CONVERSATIONS = 400, TALKS = 3, SEGMENTS = 150 };

/* One tuple, whose ends open, talk, close, and begin anew. */
struct talk {
    uint32_t first[SIDES], next[SIDES], acked[SIDES];
    uint16_t port;
    bool open;
    struct segment before; /* the one sent last */
    struct segment former; /* one of the life before */
};

struct pair {
    uint64_t seed;
    struct engine briefly, fully;
    struct talk talk[TALKS];
    uint64_t packet, taken;
    uint64_t ordinary, brief; /* of these: ordinary by their steps, and that went the short way */
    uint64_t among_old;       /* of the brief ones: where an earlier life is remembered */
    struct moments losses;
    nanotime now;
    bool cut, tagged;
};

static uint32_t draw(struct pair *pair, uint32_t below)
{
    return draw_below(&pair->seed, below);
}

static void note_step(void *context, const struct step *step)
{
    struct pair *pair = context;
    pair->ordinary += step->ordinary;
}

static void assert_same_incarnation(const struct incarnation *one, const struct incarnation *other)
{
    assert_int_equal(one == NULL, other == NULL);
    if (one == NULL)
        return;
    struct incarnation a = bare(one), b = bare(other);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(one->story == NULL, other->story == NULL);
    assert_int_equal(one->collision == NULL, other->collision == NULL);
}

static struct tuple *tuple_of(const struct engine *engine, const struct segment *segment)
{
    struct engine_item item = {.segment = *segment};
    engine_identify(engine->table.secret, 0, &item);
    return flow_table_find(&engine->table, &item.key, item.hash);
}

static void assert_same(struct pair *pair, const struct segment *segment)
{
    const struct tuple *one = tuple_of(&pair->briefly, segment);
    const struct tuple *other = tuple_of(&pair->fully, segment);
    assert_int_equal(one == NULL, other == NULL);
    assert_memory_equal(&pair->briefly.counts, &pair->fully.counts, sizeof pair->fully.counts);
    assert_int_equal(pair->briefly.clock, pair->fully.clock);
    if (one == NULL)
        return;
    assert_int_equal(one->armed, other->armed);
    assert_int_equal(one->queue, one->is_transcribed ? QUEUE_NOTED : other->queue);
    assert_int_equal(one->embryonic, other->embryonic);
    assert_int_equal(one->is_parked, other->is_parked);
    if (one->embryonic || one->is_parked || one->is_transcribed)
        return;
    assert_same_incarnation(one->current, other->current);
    assert_same_incarnation(one->candidate, other->candidate);
}

static void give(struct pair *pair, struct segment *segment)
{
    struct engine *engines[] = {&pair->briefly, &pair->fully};
    uint32_t ease = pair->briefly.ease;
    segment->packet = ++pair->packet;
    segment->time = pair->now;
    for (int i = 0; i < 2; i++) {
        struct engine_item item = {
            .segment = *segment, .clock = pair->now, .losses = pair->losses.count};
        engine_identify(engines[i]->table.secret, 0, &item);
        engine_segment(engines[i], &item, NULL);
        assert_int_equal(engines[i]->status, STATUS_OK);
    }
    pair->taken++;
    const struct tuple *tuple = tuple_of(&pair->briefly, segment);
    bool brief = went_briefly(&pair->briefly, ease);
    bool whole = tuple != NULL && !tuple->embryonic && !tuple->is_parked && !tuple->is_transcribed;
    pair->brief += brief;
    pair->among_old += brief && whole && tuple->tombstones != NULL;
    if (draw(pair, 12) == 0)
        make_comparable(&pair->briefly, tuple_of(&pair->briefly, segment), &pair->fully,
                        tuple_of(&pair->fully, segment));
    assert_same(pair, segment);
}

static struct segment next_of(struct pair *pair, struct talk *talk, int from, uint8_t flags,
                              uint32_t payload)
{
    bool cut = pair->cut && payload > 0;
    return (struct segment){
        .source = {10, 0, 0, (uint8_t)from},
        .destination = {10, 0, 0, (uint8_t)(1 - from)},
        .source_port = from == 0 ? talk->port : 80,
        .destination_port = from == 0 ? 80 : talk->port,
        .ip_version = 4,
        .ttl = 64,
        .ip_id = (uint16_t)(pair->packet + 1),
        .ip_length = 40 + payload,
        .sequence = talk->next[from],
        .acknowledgment = talk->acked[from],
        .payload = payload,
        .window = 500,
        .flags = flags,
        .vlans = pair->tagged,
        .vlan = {pair->tagged ? 3 : 0},
        .cut = cut,
        .checksum_verdict = cut ? CHECKSUM_UNVERIFIED : CHECKSUM_GOOD,
    };
}

static void send(struct pair *pair, struct talk *talk, int from, uint8_t flags, uint32_t payload)
{
    struct segment segment = next_of(pair, talk, from, flags, payload);
    talk->next[from] += payload + ((flags & (TCP_SYN | TCP_FIN)) != 0);
    give(pair, &segment);
    talk->before = segment;
}

static void open_talk(struct pair *pair, struct talk *talk)
{
    talk->former = talk->before;
    for (int side = 0; side < SIDES; side++) { /* those of the life before, close to them, or any */
        talk->next[side] += draw(pair, 3) > 0 ? draw(pair, 100000) : draw(pair, UINT32_MAX);
        if (draw(pair, 4) == 0)
            talk->next[side] = talk->first[side];
        talk->first[side] = talk->next[side];
    }
    talk->acked[0] = talk->acked[1] = 0;
    talk->open = true;
    if (draw(pair, 10) > 0) { /* else it is picked up in the middle */
        send(pair, talk, 0, TCP_SYN, 0);
        talk->acked[1] = talk->next[0];
        send(pair, talk, 1, TCP_SYN | TCP_ACK, 0);
        talk->acked[0] = talk->next[1];
        send(pair, talk, 0, TCP_ACK, 0);
    }
    talk->acked[1] = talk->next[0];
    talk->acked[0] = talk->next[1];
}

static void close_talk(struct pair *pair, struct talk *talk)
{
    talk->open = false;
    if (draw(pair, 6) == 0) {
        send(pair, talk, 1, TCP_RST | TCP_ACK, 0);
        return;
    }
    for (int from = 0; from < SIDES; from++) {
        talk->acked[from] = talk->next[1 - from];
        send(pair, talk, from, TCP_FIN | TCP_ACK, 0);
        talk->acked[1 - from] = talk->next[from];
        send(pair, talk, 1 - from, TCP_ACK, 0);
    }
}

/* What an ordinary segment is not quite. */
static void bend(struct pair *pair, struct segment *segment)
{
    switch (draw(pair, 7)) {
    case 0:
        segment->vlans = 1;
        segment->vlan[0] = 7;
        break;
    case 1:
        segment->checksum_verdict = CHECKSUM_PARTIAL;
        break;
    case 2:
        segment->checksum_verdict = CHECKSUM_BAD;
        break;
    case 3:
        segment->sequence -= 100;
        break;
    case 4:
        segment->window = 0;
        break;
    case 5:
        segment->around.seen_on = (uint8_t)draw(pair, 3);
        break;
    default:
        segment->ttl = (uint8_t)(60 + draw(pair, 6));
    }
}

static void say(struct pair *pair, struct talk *talk)
{
    int from = (int)draw(pair, 2);
    uint32_t payload = draw(pair, 2) == 0 ? 0 : draw(pair, 2) == 0 ? 500 : draw(pair, 3000);
    if (draw(pair, 3) > 0)
        talk->acked[from] = talk->next[1 - from];
    struct segment segment = next_of(pair, talk, from, TCP_ACK, payload);
    talk->next[from] += payload;
    if (draw(pair, 20) == 0)
        bend(pair, &segment);
    give(pair, &segment);
    talk->before = segment;
}

/* Milliseconds as a rule; now and then so long that something is over. */
static void wait(struct pair *pair)
{
    nanotime long_while = draw(pair, 100) == 0 ? (nanotime)draw(pair, 90) * NANO_PER_SECOND : 0;
    pair->now += (nanotime)draw(pair, 4000000) + long_while;
}

static void act(struct pair *pair)
{
    struct talk *talk = &pair->talk[draw(pair, TALKS)];
    wait(pair);
    if (draw(pair, 200) == 0)
        moments_add(&pair->losses, pair->now - 1000, pair->now, pair->now);
    if (!talk->open)
        open_talk(pair, talk);
    else if (draw(pair, 60) == 0)
        close_talk(pair, talk);
    else if (draw(pair, 25) == 0)
        give(pair, draw(pair, 4) > 0 || talk->former.packet == 0
                       ? &talk->before /* a mirror port's copy, or sent again */
                       : &talk->former);
    else
        say(pair, talk);
}

static void begin(struct pair *pair, uint64_t seed)
{
    struct config config = config_default();
    memset(pair, 0, sizeof *pair);
    pair->seed = seed;
    if (draw(pair, 4) == 0) {
        config.max_memory = 34000 + draw(pair, 14000); /* the index alone is 32768 */
        config.close_wait_slow = 0; /* none is transcribed: it takes less, and another would go */
    }
    pair->now = (nanotime)1700000000 * NANO_PER_SECOND;
    pair->cut = draw(pair, 4) == 0;
    pair->tagged = draw(pair, 4) == 0;
    assert_int_equal(engine_init(&pair->briefly, &config, NULL), STATUS_OK);
    assert_int_equal(engine_init(&pair->fully, &config, NULL), STATUS_OK);
    pair->briefly.losses = pair->fully.losses = &pair->losses;
    pair->fully.probe = note_step;
    pair->fully.probe_context = pair;
    for (int i = 0; i < TALKS; i++)
        pair->talk[i].port = (uint16_t)(40000 + i);
}

static void both_ways_leave_the_same(void **state)
{
    uint64_t taken = 0, ordinary = 0, brief = 0, among_old = 0, evictions = 0;
    struct pair *pair = malloc(sizeof *pair);
    (void)state;
    assert_non_null(pair);
    for (uint64_t seed = 1; seed <= CONVERSATIONS; seed++) {
        begin(pair, seed);
        for (int i = 0; i < SEGMENTS; i++)
            act(pair);
        taken += pair->taken;
        ordinary += pair->ordinary;
        brief += pair->brief;
        among_old += pair->among_old;
        evictions += pair->briefly.counts.evictions;
        engine_clear(&pair->briefly);
        engine_clear(&pair->fully);
    }
    free(pair);
    assert_true(brief > taken / 4);
    assert_true(brief < ordinary);
    assert_true(among_old > brief / 10);
    assert_true(ordinary < taken);
    assert_true(evictions > CONVERSATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_leave_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
