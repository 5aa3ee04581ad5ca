/*
 * The short way through the engine of the segments that open a connection and end it leaves the
 * connection, the engine's counts, its deadlines and what it tells as the long way does: short
 * connections drawn at random, some with losses, repetitions, silence, and SYNs on old ports; each
 * segment is given to two engines, one of which has a probe, which sees every segment and so sends
 * none the short way.  What the first keeps as its segments is now and then made an incarnation, to
 * be compared.  The other one's sink wants records of flows, the first one's a plain_flow where
 * that is enough: it is what the record would have given, be it made at the end or foretold.  Where
 * both want records, these say the same, though the first makes them of segments (account.h).
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
#include "../../analyzer/flow/story.h"
#include "../../analyzer/sink/sinks.h"
#include "heard.h"
#include "two_ways.h"

enum { ROUNDS = 1600, LIVES = 12, PORTS = 9, SAID = 16 };

struct pair {
    uint64_t seed;
    struct engine engine[2]; /* briefly, fully */
    struct listener listener[2];
    uint64_t packet, taken, brief, transcribed, events;
    uint64_t accounts; /* connections that were over as their segments, and their records wanted */
    struct speller *speller;
    uint64_t among_old; /* of the brief ones: on ports of which an earlier life is remembered */
    struct segment said[SAID]; /* the last ones of any life, a ring */
    uint32_t said_next;
    nanotime now;
    struct moments losses;
    uint16_t port;
    uint32_t first[SIDES], next[SIDES], acked[SIDES], clock[SIDES];
    bool stamped, rough, slow, tagged, recorded, narrow, left_alone;
};

static uint32_t draw(struct pair *pair, uint32_t below)
{
    return draw_below(&pair->seed, below);
}

static void note_step(void *context, const struct step *step)
{
    (void)context;
    (void)step;
}

static void assert_same_unanswered(const struct unanswered *one, const struct unanswered *other)
{
    assert_true(one->first.packet == other->first.packet && one->first.t == other->first.t);
    assert_int_equal(one->first.sequence, other->first.sequence);
    assert_int_equal(one->first.payload, other->first.payload);
    assert_int_equal(one->first.from, other->first.from);
    assert_true(one->last.packet == other->last.packet);
    assert_true(one->interval == other->interval);
    assert_true(one->idle == other->idle);
    assert_int_equal(one->copies, other->copies);
    assert_int_equal(one->probes, other->probes);
}

static void assert_same_story(const struct story *one, const struct story *other)
{
    assert_same_unanswered(&one->answered, &other->answered);
    assert_true(one->strange.packet == other->strange.packet);
    assert_true(one->lone_ack.packet == other->lone_ack.packet);
    for (int side = 0; side < SIDES; side++) {
        assert_same_unanswered(&one->unanswered[side], &other->unanswered[side]);
        assert_same_unanswered(&one->reset_run[side], &other->reset_run[side]);
        assert_true(one->shut[side].packet == other->shut[side].packet);
        assert_true(one->knock[side].packet == other->knock[side].packet);
    }
}

static void assert_same_incarnation(const struct incarnation *one, const struct incarnation *other)
{
    assert_int_equal(one == NULL, other == NULL);
    if (one == NULL)
        return;
    struct incarnation a = bare(one), b = bare(other);
    assert_memory_equal(&a, &b, sizeof a);
    assert_same_connection(&one->connection, &other->connection);
    assert_int_equal(one->story == NULL, other->story == NULL);
    if (one->story != NULL)
        assert_same_story(one->story, other->story);
    assert_int_equal(one->collision == NULL, other->collision == NULL);
}

static void assert_same_parked(const struct parked *one, const struct parked *other)
{
    if (one->form != PARKED_TRANSCRIPT) {
        assert_int_equal(one->octets, other->octets);
        assert_int_equal(one->form, other->form);
    }
    assert_true(one->first_packet == other->first_packet);
    assert_true(one->started == other->started);
    assert_memory_equal(one->snd_nxt, other->snd_nxt, sizeof one->snd_nxt);
    assert_int_equal(one->states, other->states);
}

static struct tuple *tuple_of(const struct engine *engine, const struct segment *segment)
{
    struct engine_item item = {.segment = *segment};
    engine_identify(engine->table.secret, 0, &item);
    return flow_table_find(&engine->table, &item.key, item.hash);
}

/* A record is made of segments alone. */
static void assert_well_foretold(const struct tuple *tuple)
{
    assert_false(tuple->foretold.known && tuple->foretold.recorded &&
                 tuple->parked->form != PARKED_TRANSCRIPT);
}

static void assert_same_told(const struct pair *pair)
{
    const struct listener *one = &pair->listener[0], *other = &pair->listener[1];
    assert_int_equal(one->count, other->count);
    assert_memory_equal(one->told, other->told, one->count * sizeof *one->told);
}

/* What ended by its deadline, brought back for that or not, leaves the same behind. */
static void assert_same_rest(const struct pair *pair)
{
    const struct flow_table *one = &pair->engine[0].table, *other = &pair->engine[1].table;
    for (uint32_t i = 1; i < flow_table_end(one); i++) {
        const struct tuple *a = flow_table_at(one, i);
        if (a == NULL)
            continue;
        const struct tuple *b =
            flow_table_find(other, &a->key, flow_key_hash(other->secret, &a->key));
        assert_non_null(b);
        assert_int_equal(a->resting, b->resting);
        assert_int_equal(a->queue, a->is_transcribed ? QUEUE_NOTED : b->queue);
        assert_int_equal(a->armed, b->armed);
        if (a->resting)
            assert_memory_equal(a->rest, b->rest, sizeof a->rest);
    }
}

/* What stands beside an incarnation, its story, is nowhere while there are segments alone. */
static void assert_same_beside(const struct pair *pair)
{
    const struct flow_table *one = &pair->engine[0].table, *other = &pair->engine[1].table;
    uint64_t untold = 0;
    for (uint32_t i = 1; i < flow_table_end(one); i++) {
        const struct tuple *a = flow_table_at(one, i);
        if (a == NULL || !a->is_transcribed)
            continue;
        const struct tuple *b =
            flow_table_find(other, &a->key, flow_key_hash(other->secret, &a->key));
        assert_non_null(b);
        assert_non_null(b->current);
        untold += b->current->beside;
    }
    assert_int_equal(one->beside + untold, other->beside);
}

static void assert_same(const struct pair *pair, const struct segment *segment)
{
    const struct engine *briefly = &pair->engine[0], *fully = &pair->engine[1];
    const struct tuple *one = tuple_of(briefly, segment), *other = tuple_of(fully, segment);
    assert_int_equal(one == NULL, other == NULL);
    assert_memory_equal(&briefly->counts, &fully->counts, sizeof fully->counts);
    assert_int_equal(briefly->agenda.count, fully->agenda.count);
    assert_same_rest(pair);
    assert_same_beside(pair);
    if (one == NULL)
        return;
    assert_int_equal(one->armed, other->armed);
    assert_int_equal(one->queue, one->is_transcribed ? QUEUE_NOTED : other->queue);
    assert_int_equal(one->calm, one->is_transcribed ? 0 : other->calm);
    assert_int_equal(one->embryonic, other->embryonic);
    assert_int_equal(one->is_parked, other->is_parked);
    if (one->embryonic)
        return;
    if (one->is_parked) {
        assert_same_parked(one->parked, other->parked);
        assert_well_foretold(one);
        assert_well_foretold(other);
        return;
    }
    if (one->is_transcribed)
        return;
    assert_same_incarnation(one->current, other->current);
    assert_same_incarnation(one->candidate, other->candidate);
}

/* What the stack holds of those before: nothing may depend on it. */
static __attribute__((noinline)) void litter(unsigned char octet)
{
    volatile unsigned char left[1 << 14];
    for (size_t i = 0; i < sizeof left; i++)
        left[i] = octet;
}

/* Milliseconds as a rule; now and then so long that something is over. */
static void wait(struct pair *pair)
{
    pair->now += (nanotime)draw(pair, 4000000);
    if (pair->slow && draw(pair, 12) == 0)
        pair->now += (nanotime)draw(pair, 70) * NANO_PER_SECOND;
    if (pair->rough && draw(pair, 50) == 0)
        moments_add(&pair->losses, pair->now - 1000, pair->now, pair->now);
}

/* What does not lead a connection off its course, and yet is in its record. */
static void tinge(struct pair *pair, struct segment *segment)
{
    const bool syn = (segment->flags & TCP_SYN) != 0;
    if (draw(pair, 8) == 0)
        segment->time -= (nanotime)draw(pair, 6000000);
    if (draw(pair, 40) == 0)
        segment->cut = 1;
    if (draw(pair, 12) == 0)
        segment->checksum_verdict = CHECKSUM_PARTIAL;
    if (draw(pair, 10) == 0)
        segment->tsecr -= draw(pair, 4);
    if (syn && draw(pair, 10) == 0)
        segment->window = 0;
    if (draw(pair, 100) == 0)
        moments_add(&pair->losses, pair->now - 1000, pair->now, pair->now);
}

static void give(struct pair *pair, struct segment *segment)
{
    uint32_t ease = pair->engine[0].ease;
    wait(pair);
    segment->packet = ++pair->packet;
    segment->time = pair->now;
    if (pair->rough && draw(pair, 40) == 0)
        segment->time -= (nanotime)draw(pair, 90) * NANO_PER_SECOND;
    if (pair->left_alone)
        tinge(pair, segment);
    for (int i = 0; i < 2; i++) {
        struct engine_item item = {
            .segment = *segment, .clock = pair->now, .losses = pair->losses.count};
        engine_identify(pair->engine[i].table.secret, 0, &item);
        litter(i == 0 ? 0xff : 0);
        engine_segment(&pair->engine[i], &item, NULL);
        assert_int_equal(pair->engine[i].status, STATUS_OK);
    }
    pair->taken++;
    const struct tuple *tuple = tuple_of(&pair->engine[0], segment);
    bool brief = went_briefly(&pair->engine[0], ease);
    bool whole = tuple != NULL && !tuple->embryonic && !tuple->is_parked && !tuple->is_transcribed;
    pair->brief += brief;
    pair->among_old += brief && whole && tuple->tombstones != NULL;
    pair->transcribed += tuple != NULL && tuple->is_transcribed;
    pair->accounts +=
        tuple != NULL && tuple->is_parked && tuple->foretold.known && tuple->foretold.recorded;
    if (draw(pair, pair->left_alone ? 200 : 4) == 0)
        make_comparable(&pair->engine[0], tuple_of(&pair->engine[0], segment), &pair->engine[1],
                        tuple_of(&pair->engine[1], segment));
    assert_same(pair, segment);
}

/* What a segment should not be. */
static void bend(struct pair *pair, struct segment *segment)
{
    switch (draw(pair, 10)) {
    case 0:
        segment->sequence += draw(pair, 300) - 100;
        break;
    case 1:
        segment->acknowledgment += draw(pair, 3) - 1;
        break;
    case 2:
        segment->window = 0;
        break;
    case 3:
        segment->checksum_verdict = (enum checksum_verdict)draw(pair, 4);
        break;
    case 4:
        segment->flags ^= (uint8_t)(1u << draw(pair, 6));
        break;
    case 5:
        segment->payload += 1 + draw(pair, 20);
        break;
    case 6:
        segment->vlans = 1;
        segment->vlan[0] = 7;
        break;
    case 7:
        segment->cut = 1;
        break;
    case 8:
        segment->tsval -= draw(pair, 200);
        break;
    default:
        segment->options = OPTION_CUT;
    }
}

/* What an earlier life said, on the same ports or others, comes again: late, or sent once more. */
static void say_again(struct pair *pair)
{
    struct segment late = pair->said[draw(pair, SAID)];
    if (late.packet == 0)
        return;
    if (draw(pair, 3) == 0)
        bend(pair, &late);
    give(pair, &late);
}

/* What the side sends now: most often once, and as it should be. */
static void say(struct pair *pair, int from, uint8_t flags, uint32_t payload)
{
    bool syn = (flags & TCP_SYN) != 0;
    pair->clock[from] += draw(pair, 3);
    bool elsewhere = draw(pair, 30) == 0;
    struct segment segment = {
        .source = {10, 0, 0, (uint8_t)from},
        .destination = {10, 0, 0, (uint8_t)(1 - from)},
        .source_port = from == 0 ? pair->port : 80,
        .destination_port = from == 0 ? 80 : pair->port,
        .ip_version = 4,
        .ttl = (uint8_t)(64 - from),
        .ip_id = (uint16_t)(pair->packet + 1),
        .ip_length = (syn && draw(pair, 30) == 0 ? 300 : 52) + payload, /* as IPv6 may */
        .sequence = pair->next[from],
        .acknowledgment = (flags & TCP_ACK) != 0 ? pair->acked[from] : 0,
        .payload = payload,
        .payload_hash = payload * 2654435761u,
        .payload_hashed = (uint8_t)(payload < 128 ? payload : 128),
        .window = 500,
        .options = (uint16_t)((pair->stamped ? OPTION_TIMESTAMPS : 0) | (syn ? OPTION_MSS : 0)),
        .mss = pair->narrow ? 150 : 1460,
        .tsval = pair->clock[from],
        .tsecr = pair->clock[1 - from],
        .flags = flags,
        .vlans = pair->tagged,
        .vlan = {pair->tagged ? (elsewhere ? 7 : 3) : 0},
        .checksum_verdict = CHECKSUM_GOOD,
    };
    pair->next[from] += payload + syn + ((flags & TCP_FIN) != 0);
    if (!pair->rough || draw(pair, 8) > 0)
        pair->acked[1 - from] = pair->next[from];
    uint32_t copies = !pair->rough || draw(pair, 15) > 1 ? 1 : draw(pair, 3);
    for (; copies > 0; copies--) {
        struct segment copy = segment;
        while (pair->rough && draw(pair, 20) == 0)
            bend(pair, &copy);
        give(pair, &copy);
    }
    segment.packet = pair->packet;
    pair->said[pair->said_next++ % SAID] = segment;
    if (pair->rough && draw(pair, 15) == 0)
        say_again(pair);
}

static void part(struct pair *pair)
{
    int first = (int)draw(pair, 2);
    if (draw(pair, 12) == 0) {
        say(pair, first, TCP_RST | TCP_ACK, 0);
        return;
    }
    say(pair, first, TCP_FIN | TCP_ACK, draw(pair, 4) == 0 ? 100 : 0);
    if (draw(pair, 2) == 0)
        say(pair, 1 - first, TCP_ACK, 0);
    for (uint32_t more = draw(pair, 4) == 0 ? 3 : 0; more > 0; more--) {
        say(pair, 1 - first, TCP_ACK | TCP_PSH, 100);
        if (draw(pair, 2) == 0)
            say(pair, first, TCP_ACK, 0);
    }
    say(pair, 1 - first, TCP_FIN | TCP_ACK, draw(pair, 5) == 0 ? 50 : 0);
    if (draw(pair, 8) > 0)
        say(pair, first, TCP_ACK, 0);
}

static void live(struct pair *pair)
{
    bool again = draw(pair, 3) == 0; /* the ports of the life before, and numbers close to its */
    if (!again)
        pair->port = (uint16_t)(40000 + draw(pair, PORTS));
    for (int side = 0; side < SIDES; side++) {
        if (again && draw(pair, 4) == 0)
            pair->next[side] = pair->first[side];
        else if (again && draw(pair, 3) > 0)
            pair->next[side] += draw(pair, 3) > 0 ? draw(pair, 200000) : draw(pair, 300) - 150;
        else if (draw(pair, 3) == 0)
            pair->next[side] = UINT32_MAX - draw(pair, 200);
        else
            pair->next[side] = draw(pair, 1u << 30);
        pair->first[side] = pair->next[side];
    }
    say(pair, 0, TCP_SYN, 0);
    say(pair, 1, TCP_SYN | TCP_ACK, 0);
    say(pair, 0, TCP_ACK, draw(pair, 10) == 0 ? 100 : 0);
    if (pair->left_alone)
        say(pair, 1, TCP_ACK | TCP_PSH, 100); /* which proves that the server is there */
    for (uint32_t segments = draw(pair, 6); segments > 0; segments--) {
        int from = (int)draw(pair, 2); /* one draw a statement: the same with every compiler */
        say(pair, from, TCP_ACK | TCP_PSH, draw(pair, 3) * 100);
    }
    if (draw(pair, 15) > 0)
        part(pair);
    if (draw(pair, 2) == 0)
        pair->now += (nanotime)draw(pair, 150) * NANO_PER_SECOND;
}

static void begin(struct pair *pair, uint64_t seed)
{
    struct config config = config_default();
    pair->seed = seed * 2654435761u;
    pair->now = (nanotime)1700000000 * NANO_PER_SECOND;
    pair->rough = draw(pair, 2) > 0;
    pair->slow = draw(pair, 2) == 0;
    pair->stamped = draw(pair, 2) == 0;
    pair->tagged = draw(pair, 4) == 0;
    pair->recorded = draw(pair, 2) == 0;
    pair->narrow = draw(pair, 3) == 0;
    pair->left_alone = draw(pair, 2) == 0; /* as its segments, until it ends */
    pair->packet = 0;
    memset(pair->said, 0, sizeof pair->said);
    if (draw(pair, 4) == 0) {
        config.max_memory = 34000 + draw(pair, 14000); /* the index alone is 32768 */
        config.close_wait_slow = 0; /* none is transcribed: it takes less, and another would go */
    }
    for (int i = 0; i < 2; i++) {
        pair->listener[i].sink.ops = &listening[pair->recorded ? 1 : i];
        pair->listener[i].speller = pair->recorded ? pair->speller : NULL;
        pair->listener[i].count = 0;
        assert_int_equal(engine_init(&pair->engine[i], &config, &pair->listener[i].sink),
                         STATUS_OK);
        pair->engine[i].losses = &pair->losses;
    }
    pair->engine[1].probe = note_step;
}

static void end(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        engine_finish_begin(&pair->engine[i]);
        engine_finish_until(&pair->engine[i], UINT64_MAX);
        engine_clear(&pair->engine[i]);
    }
    assert_same_told(pair);
    for (size_t i = 0; i < pair->listener[0].count; i++)
        pair->events += pair->listener[0].told[i].what / 1000 == 1;
    pair->losses.count = 0;
}

static void both_ways_leave_the_same(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    (void)state;
    assert_non_null(pair);
    FILE *nowhere = fopen("/dev/null", "w");
    struct sink *ndjson;
    const struct sink_options options = {.nano = true, .flows = FLOWS_ALL};
    assert_int_equal(sink_ndjson_new(&options, nowhere, &ndjson), STATUS_OK);
    pair->speller = ndjson->ops->speller(ndjson);
    assert_non_null(pair->speller);
    for (int i = 0; i < 2; i++) {
        pair->listener[i].told = calloc(TOLD, sizeof *pair->listener[i].told);
        assert_non_null(pair->listener[i].told);
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        begin(pair, seed);
        for (int i = 0; i < LIVES; i++)
            live(pair);
        end(pair);
    }
    assert_true(pair->brief + pair->transcribed > pair->taken / 4);
    assert_true(pair->brief < pair->taken);
    assert_true(pair->transcribed > pair->taken / 16);
    assert_true(pair->among_old > ROUNDS);
    assert_true(pair->events > ROUNDS); /* the rough lives have them */
    assert_true(pair->accounts > ROUNDS / 8);
    pair->speller->ops->free(pair->speller);
    ndjson->ops->free(ndjson);
    assert_int_equal(fclose(nowhere), 0);
    for (int i = 0; i < 2; i++)
        free(pair->listener[i].told);
    free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_leave_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
