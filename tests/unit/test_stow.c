/*
 * A crowd of open connections that have to give each other the room of their transcripts is
 * analysed as one that has room for all: connections drawn at random, whose segments come in turn,
 * are given to two engines, one of which has room for a few transcripts.  After each segment the
 * transcript of its connection, brought back, is octet for octet that of the other engine; at the
 * end both have told the same.
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
#include "../../analyzer/evict.h"
#include "../../analyzer/stow.h"
#include "heard.h"
#include "two_ways.h"

enum { ROUNDS = 40, CROWD = 40, STEPS = 900, FEW = 6 };

/* What the next segment of a connection is made of. */
struct talk {
    uint32_t next[SIDES], acked[SIDES], stamp[SIDES], said;
    uint16_t port;
    bool stamped, parting;
};

struct crowd {
    uint64_t seed, packet;
    nanotime now;
    struct engine engine[2]; /* with room for few, for all */
    struct listener listener[2];
    struct talk talk[CROWD];
    uint64_t stowed, back;  /* segments after which some were, and that brought one back */
    uint64_t compared;      /* transcripts */
    bool packs;             /* incarnations of the first engine, too */
    uint64_t packed, whole; /* of those, and how often one was compared with what it had been */
};

static uint32_t draw(struct crowd *crowd, uint32_t below)
{
    return draw_below(&crowd->seed, below);
}

static struct tuple *tuple_of(const struct engine *engine, const struct engine_item *item)
{
    return flow_table_find(&engine->table, &item->key, item->hash);
}

/* But for the slot of the transcript. */
static void assert_same_transcript(const struct tuple *one, const struct tuple *other)
{
    const struct transcript *a = one->transcript, *b = other->transcript;
    const struct transcript_head *head = &a->head, *kept = &b->head;
    const size_t first_line = offsetof(struct transcript_head, vlans) + sizeof head->vlans;
    assert_memory_equal(&one->progress, &other->progress, sizeof one->progress);
    assert_memory_equal(a->print, b->print, sizeof a->print);
    assert_memory_equal(head, kept, first_line);
    assert_int_equal(head->parts, kept->parts);
    assert_true(head->seen_t == kept->seen_t);
    assert_memory_equal(head->iss, kept->iss, sizeof head->iss);
    assert_memory_equal(head->mss, kept->mss, sizeof head->mss);
    assert_memory_equal(head->options, kept->options, sizeof head->options);
    assert_int_equal(head->vlan, kept->vlan);
    assert_memory_equal(head->window_scale, kept->window_scale, sizeof head->window_scale);
    assert_memory_equal(a->entry, b->entry, one->progress.count * sizeof *a->entry);
}

static void assert_same(struct crowd *crowd, const struct engine_item item[2])
{
    const struct tuple *one = tuple_of(&crowd->engine[0], &item[0]),
                       *other = tuple_of(&crowd->engine[1], &item[1]);
    assert_int_equal(one == NULL, other == NULL);
    if (one == NULL)
        return;
    assert_true(one->is_transcribed <= other->is_transcribed); /* where none of the few may go */
    assert_int_equal(one->is_parked, other->is_parked);
    assert_true(one->queue == other->queue || one->is_transcribed < other->is_transcribed);
    assert_int_equal(one->armed, other->armed);
    crowd->compared += one->is_transcribed;
    if (one->queue == QUEUE_LIVE && other->queue == QUEUE_LIVE)
        assert_same_connection(&one->current->connection, &other->current->connection);
    if (one->is_transcribed)
        assert_same_transcript(one, other);
}

/* One that is whole, packed and brought back, is what it was, but for where it stands. */
static void pack_and_compare(struct crowd *crowd)
{
    struct engine *engine = &crowd->engine[0];
    struct tuple *tuple = flow_table_tuple(&engine->table, engine->queue[QUEUE_LIVE].first);
    const struct incarnation before = *tuple->current;
    struct closing closing = {0};
    if (before.connection.closing != NULL)
        closing = *before.connection.closing;
    if (!stow_incarnation(engine, tuple))
        return;
    assert_true(tuple_is_stowed(tuple));
    assert_true(stow_bring_back(engine, tuple));
    struct incarnation after = *tuple->current;
    assert_int_equal(before.connection.closing == NULL, after.connection.closing == NULL);
    if (after.connection.closing != NULL)
        assert_memory_equal(&closing, after.connection.closing, sizeof closing);
    after.connection.closing = before.connection.closing;
    after.index = before.index;
    after.beside = before.beside; /* counted when it was packed */
    assert_memory_equal(&before, &after, sizeof before);
    crowd->whole++;
}

/* Of the open incarnations that one engine has some are packed, as where memory is short. */
static void pack_some(struct crowd *crowd)
{
    if (crowd->engine[0].queue[QUEUE_LIVE].count > 0 && draw(crowd, 3) == 0)
        pack_and_compare(crowd);
    for (uint32_t i = draw(crowd, 3); i > 0; i--)
        crowd->packed += evict_pack(&crowd->engine[0], NULL, 0);
    flow_table_draw_in(&crowd->engine[0].table);
}

static void give(struct crowd *crowd, const struct segment *segment)
{
    struct engine_item item[2];
    crowd->now += (nanotime)draw(crowd, 40000000);
    if (draw(crowd, 200) == 0)
        crowd->now += (nanotime)draw(crowd, 50) * NANO_PER_SECOND;
    crowd->packet++;
    for (int i = 0; i < 2; i++) {
        item[i] = (struct engine_item){.segment = *segment, .clock = crowd->now};
        item[i].segment.packet = crowd->packet;
        item[i].segment.time = crowd->now;
        engine_identify(crowd->engine[i].table.secret, 0, &item[i]);
        const struct tuple *before = tuple_of(&crowd->engine[i], &item[i]);
        crowd->back += before != NULL && tuple_is_stowed(before);
        engine_segment(&crowd->engine[i], &item[i], NULL);
        assert_int_equal(crowd->engine[i].status, STATUS_OK);
    }
    crowd->stowed += crowd->engine[0].queue[QUEUE_STOWED].count > 0;
    assert_int_equal(crowd->engine[1].queue[QUEUE_STOWED].count, 0);
    assert_int_equal(crowd->engine[1].queue[QUEUE_PACKED].count, 0);
    assert_same(crowd, item);
    if (crowd->packs)
        pack_some(crowd);
}

static void say(struct crowd *crowd, struct talk *talk, int from, uint8_t flags, uint32_t payload)
{
    const bool syn = (flags & TCP_SYN) != 0;
    talk->stamp[from] += draw(crowd, 100);
    const struct segment segment = {
        .source = {10, 0, 0, (uint8_t)from},
        .destination = {10, 0, 0, (uint8_t)(1 - from)},
        .source_port = from == 0 ? talk->port : 80,
        .destination_port = from == 0 ? 80 : talk->port,
        .ip_version = 4,
        .ttl = (uint8_t)(64 - from),
        .ip_id = (uint16_t)(crowd->packet * 7),
        .ip_length = 52 + payload,
        .sequence = talk->next[from],
        .acknowledgment = (flags & TCP_ACK) != 0 ? talk->acked[from] : 0,
        .payload = payload,
        .payload_hash = payload * 2654435761u,
        .payload_hashed = (uint8_t)(payload < 128 ? payload : 128),
        .window = (uint16_t)(500 + draw(crowd, 3)),
        .checksum = (uint16_t)draw(crowd, 65536),
        .options = (uint16_t)((talk->stamped ? OPTION_TIMESTAMPS : 0) | (syn ? OPTION_MSS : 0)),
        .mss = syn ? 1460 : 0,
        .tsval = talk->stamped ? talk->stamp[from] : 0,
        .tsecr = talk->stamped ? talk->stamp[1 - from] : 0,
        .flags = flags,
        .checksum_verdict = CHECKSUM_GOOD,
    };
    talk->next[from] += payload + syn + ((flags & TCP_FIN) != 0);
    talk->acked[1 - from] = talk->next[from];
    talk->said++;
    give(crowd, &segment);
}

static void open_anew(struct crowd *crowd, uint32_t which)
{
    struct talk *talk = &crowd->talk[which];
    const uint16_t port = (uint16_t)(talk->port + CROWD);
    *talk = (struct talk){.port = port, .stamped = draw(crowd, 2) == 0};
    for (int side = 0; side < SIDES; side++) {
        talk->next[side] =
            draw(crowd, 4) == 0 ? UINT32_MAX - draw(crowd, 500) : draw(crowd, UINT32_MAX);
        talk->stamp[side] = draw(crowd, UINT32_MAX);
    }
    say(crowd, talk, 0, TCP_SYN, 0);
    say(crowd, talk, 1, TCP_SYN | TCP_ACK, 0);
    if (draw(crowd, 10) > 0)
        say(crowd, talk, 0, TCP_ACK, 0);
}

static void part(struct crowd *crowd, struct talk *talk)
{
    const int first = (int)draw(crowd, 2);
    if (draw(crowd, 10) == 0) {
        say(crowd, talk, first, TCP_RST | TCP_ACK, 0);
        return;
    }
    say(crowd, talk, first, TCP_FIN | TCP_ACK, 0);
    if (draw(crowd, 2) == 0)
        say(crowd, talk, 1 - first, TCP_ACK, 0);
    say(crowd, talk, 1 - first, TCP_FIN | TCP_ACK, 0);
    say(crowd, talk, first, TCP_ACK, 0);
}

/* Whoever's turn it is says a little; seldom something once more. */
static void step(struct crowd *crowd)
{
    const uint32_t which = draw(crowd, CROWD);
    struct talk *talk = &crowd->talk[which];
    const uint32_t payload = draw(crowd, 3) * 300;
    const int from = (int)draw(crowd, 2);
    if (talk->said > 3 + draw(crowd, 30)) {
        part(crowd, talk);
        open_anew(crowd, which);
        return;
    }
    if (payload > 0 && draw(crowd, 40) == 0)
        talk->next[from] -= payload < talk->said * 100 ? payload : 0;
    say(crowd, talk, from, TCP_ACK | (payload > 0 ? TCP_PSH : 0), payload);
}

/* Parts of all that is open are written, which changes nobody but for the count of parts. */
static void write_parts(struct crowd *crowd)
{
    const uint32_t stowed = crowd->engine[0].queue[QUEUE_STOWED].count;
    const uint32_t packed = crowd->engine[0].queue[QUEUE_PACKED].count;
    for (int i = 0; i < 2; i++) {
        engine_snapshot_begin(&crowd->engine[i]);
        engine_snapshot_until(&crowd->engine[i], UINT64_MAX);
        assert_int_equal(crowd->engine[i].status, STATUS_OK);
    }
    assert_int_equal(crowd->engine[0].queue[QUEUE_STOWED].count, stowed);
    assert_int_equal(crowd->engine[0].queue[QUEUE_PACKED].count, packed);
}

static void begin(struct crowd *crowd, uint64_t seed)
{
    const struct config config = config_default();
    crowd->seed = seed * 2654435761u;
    crowd->now = (nanotime)1700000000 * NANO_PER_SECOND;
    crowd->packet = 0;
    for (int i = 0; i < 2; i++) {
        crowd->listener[i].sink.ops = &listening[i];
        crowd->listener[i].count = 0;
        assert_int_equal(engine_init(&crowd->engine[i], &config, &crowd->listener[i].sink),
                         STATUS_OK);
    }
    crowd->engine[0].transcripts_part =
        crowd->engine[0].room / (FEW * (uint64_t)crowd->engine[0].table.transcripts.slot_size);
}

static void end(struct crowd *crowd)
{
    for (int i = 0; i < 2; i++) {
        engine_finish_begin(&crowd->engine[i]);
        engine_finish_until(&crowd->engine[i], UINT64_MAX);
        assert_int_equal(crowd->engine[i].queue[QUEUE_STOWED].count, 0);
        assert_int_equal(crowd->engine[i].queue[QUEUE_PACKED].count, 0);
        engine_clear(&crowd->engine[i]);
    }
    assert_int_equal(crowd->listener[0].count, crowd->listener[1].count);
    assert_memory_equal(crowd->listener[0].told, crowd->listener[1].told,
                        crowd->listener[0].count * sizeof *crowd->listener[0].told);
}

static void play(struct crowd *crowd)
{
    for (int i = 0; i < 2; i++) {
        crowd->listener[i].told = calloc(TOLD, sizeof *crowd->listener[i].told);
        assert_non_null(crowd->listener[i].told);
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        begin(crowd, seed);
        for (uint32_t i = 0; i < CROWD; i++) {
            crowd->talk[i].port = (uint16_t)(1024 + i);
            open_anew(crowd, i);
        }
        for (int i = 0; i < STEPS; i++) {
            step(crowd);
            if (draw(crowd, 400) == 0)
                write_parts(crowd);
        }
        end(crowd);
    }
    for (int i = 0; i < 2; i++)
        free(crowd->listener[i].told);
}

static void a_crowd_loses_nothing(void **state)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    (void)state;
    assert_non_null(crowd);
    play(crowd);
    assert_true(crowd->stowed > (uint64_t)ROUNDS * STEPS / 2);
    assert_true(crowd->compared > (uint64_t)ROUNDS * STEPS / 4);
    assert_true(crowd->back > (uint64_t)ROUNDS * STEPS / 4);
    free(crowd);
}

static void what_is_packed_whole_loses_nothing(void **state)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    (void)state;
    assert_non_null(crowd);
    crowd->packs = true;
    play(crowd);
    assert_true(crowd->packed > (uint64_t)ROUNDS * STEPS / 4);
    assert_true(crowd->whole > (uint64_t)ROUNDS * STEPS / 16);
    free(crowd);
}

/* Where whole ones hold an eighth of the memory, those that were silent for long are packed. */
static void what_is_silent_is_packed(void **state)
{
    enum { MANY = 1000, ROOM = 4 << 20, AT_ONCE = ROOM / STOW_PART / sizeof(struct incarnation) };
    struct crowd *crowd = calloc(1, sizeof *crowd);
    (void)state;
    assert_non_null(crowd);
    for (int i = 0; i < 2; i++) {
        crowd->listener[i].told = calloc(TOLD, sizeof *crowd->listener[i].told);
        assert_non_null(crowd->listener[i].told);
    }
    begin(crowd, 1);
    struct engine *engine = &crowd->engine[0];
    engine->room = ROOM;
    for (uint32_t i = 0; i < MANY; i++) {
        struct engine_item item = {.segment = {.source = {10, 0, 0, 1},
                                               .destination = {10, 0, 0, 2},
                                               .source_port = (uint16_t)(1024 + i),
                                               .destination_port = 80,
                                               .ip_version = 4,
                                               .ip_length = 41,
                                               .sequence = i,
                                               .acknowledgment = 1,
                                               .payload = 1,
                                               .flags = TCP_ACK,
                                               .packet = i + 1}};
        crowd->now += STOW_SILENCE / 100;
        item.segment.time = item.clock = crowd->now;
        engine_identify(engine->table.secret, 0, &item);
        engine_segment(engine, &item, NULL);
        assert_int_equal(engine->status, STATUS_OK);
        assert_true(engine->queue[QUEUE_LIVE].count <= AT_ONCE + 100);
    }
    assert_int_equal(engine->counts.evictions, 0);
    assert_int_equal(engine->queue[QUEUE_LIVE].count + engine->queue[QUEUE_PACKED].count, MANY);
    assert_true(engine->queue[QUEUE_PACKED].count >= MANY - AT_ONCE - 100);
    for (int i = 0; i < 2; i++) {
        engine_clear(&crowd->engine[i]); /* as it is: what is packed, too */
        free(crowd->listener[i].told);
    }
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_loses_nothing),
        cmocka_unit_test(what_is_packed_whole_loses_nothing),
        cmocka_unit_test(what_is_silent_is_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
