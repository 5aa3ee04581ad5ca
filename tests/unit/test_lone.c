/*
 * A tuple of one SYN ends with the record, the counts and the deltas that it would have had as a
 * whole incarnation: SYNs drawn at random, whole, cut, tagged, damaged, of IPv4 and IPv6, some sent
 * again or quoted by an error, some evicted; each is given to two engines, one of which has a probe
 * and so hatches every SYN before it ends, and keeps none in the nest, as the other does from a few
 * on.
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
#include "../../analyzer/event/told.h"
#include "../../analyzer/lone.h"
#include "two_ways.h"

enum { ROUNDS = 60, SYNS = 400, FLOWS = 2 * SYNS, TOLD_ROOM = 1 << 20 };

/* A sink that remembers what it was told. */
struct listener {
    struct sink sink; /* first: it is a sink */
    struct flow_record *flow;
    size_t flows;
    uint8_t *told; /* deltas, packed */
    size_t octets;
    uint64_t events;
};

struct pair {
    uint64_t seed, packet;
    nanotime now;
    struct engine engine[2]; /* briefly, fully */
    struct listener listener[2];
    struct moments losses;
    uint64_t lone, evicted, nested;
};

static uint32_t draw(struct pair *pair, uint32_t below)
{
    return draw_below(&pair->seed, below);
}

/* But for room that is not used, and octets between members. */
static void copy_flow(struct flow_record *to, const struct flow_record *from)
{
    *to = *from;
    for (int side = 0; side < SIDES; side++) {
        memset(to->side[side].history, 0, sizeof to->side[side].history);
        for (uint32_t i = 0; i < from->side[side].history_count; i++) {
            struct history_record *entry = &to->side[side].history[i];
            const struct history_record *own = &from->side[side].history[i];
            entry->t = own->t;
            entry->packet = own->packet;
            entry->proof = own->proof;
            entry->revoked_by = own->revoked_by;
            entry->revoked = own->revoked;
            entry->state = own->state;
            entry->fact = own->fact;
            entry->basis = own->basis;
        }
    }
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct listener *listener = (struct listener *)(void *)sink;
    assert_true(listener->flows < FLOWS);
    copy_flow(&listener->flow[listener->flows++], flow);
    return STATUS_OK;
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    (void)event;
    ((struct listener *)(void *)sink)->events++;
    return STATUS_OK;
}

static enum status take_delta(struct sink *sink, const struct delta *delta)
{
    struct listener *listener = (struct listener *)(void *)sink;
    size_t room = TOLD_ROOM - listener->octets;
    size_t octets = told_pack_delta(delta, listener->told + listener->octets, room);
    assert_true(octets > 0);
    listener->octets += octets;
    return STATUS_OK;
}

static enum status take_plain(struct sink *sink, const struct plain_flow *plain)
{
    assert_true(plain->flow.stays > 0 || plain->is_closed);
    (void)sink;
    return STATUS_OK;
}

static const struct sink_ops listening = {
    .flow = take_flow, .event = take_event, .delta = take_delta};
static const struct sink_ops counting = {
    .flow = take_flow, .plain = take_plain, .event = take_event, .delta = take_delta};

static void note_step(void *context, const struct step *step)
{
    (void)context;
    (void)step;
}

static void draw_address(struct pair *pair, uint8_t address[16], uint8_t ip_version)
{
    for (int i = 0; i < (ip_version == 4 ? 4 : 16); i++)
        address[i] = (uint8_t)draw(pair, 256);
}

static struct segment draw_syn(struct pair *pair)
{
    struct segment syn = {.ip_version = draw(pair, 3) == 0 ? 6 : 4};
    draw_address(pair, syn.source, syn.ip_version);
    draw_address(pair, syn.destination, syn.ip_version);
    syn.source_port = (uint16_t)draw(pair, 65536);
    syn.destination_port = (uint16_t)draw(pair, 65536);
    syn.ttl = (uint8_t)draw(pair, 256);
    syn.ip_id = (uint16_t)draw(pair, 65536);
    syn.ip_length = 40 + draw(pair, 60);
    syn.sequence = draw(pair, UINT32_MAX);
    syn.window = draw(pair, 4) == 0 ? 0 : (uint16_t)draw(pair, 65536);
    syn.checksum = (uint16_t)draw(pair, 65536);
    syn.mss = (uint16_t)draw(pair, 65536);
    syn.window_scale = (uint8_t)draw(pair, 20);
    syn.tsval = draw(pair, UINT32_MAX);
    syn.tsecr = draw(pair, 3);
    syn.flags = (uint8_t)(TCP_SYN | (draw(pair, 5) == 0 ? TCP_ECE | TCP_CWR : 0));
    syn.options = (uint16_t)(draw(pair, 0x800) & ~(unsigned)OPTION_SACK);
    syn.options |= draw(pair, 8) == 0 ? OPTION_CUT : 0;
    syn.cut = draw(pair, 4) == 0;
    syn.vlans = draw(pair, 4) == 0;
    syn.vlan[0] = (uint16_t)(syn.vlans ? draw(pair, 4096) : 0);
    syn.around.seen_on = (uint8_t)draw(pair, 3);
    syn.checksum_verdict = (enum checksum_verdict)draw(pair, 4);
    return syn;
}

/* What an error quotes of it. */
static void quote(struct pair *pair, struct engine_item *item)
{
    item->kind = ITEM_ICMP;
    item->icmp = (struct icmp_error){.ip_version = item->segment.ip_version, .type = 3, .code = 1};
    item->segment.packet = ++pair->packet;
}

static void give(struct pair *pair, struct segment *syn, bool quoted)
{
    pair->now += (nanotime)draw(pair, 40000000);
    syn->packet = ++pair->packet;
    syn->time = pair->now - (draw(pair, 9) == 0 ? (nanotime)draw(pair, 5) * NANO_PER_SECOND : 0);
    struct engine_item item = {
        .segment = *syn, .clock = pair->now, .losses = (uint16_t)pair->losses.count};
    for (int i = 0; i < 2; i++) {
        engine_identify(pair->engine[i].table.secret, 0, &item);
        engine_segment(&pair->engine[i], &item, NULL);
    }
    if (!quoted)
        return;
    quote(pair, &item);
    for (int i = 0; i < 2; i++) {
        engine_identify(pair->engine[i].table.secret, 0, &item);
        engine_icmp(&pair->engine[i], &item);
    }
}

static void begin(struct pair *pair, uint64_t seed, const struct sink_ops *ops)
{
    struct config config = config_default();
    pair->seed = seed * 2654435761u;
    pair->now = (nanotime)1700000000 * NANO_PER_SECOND;
    pair->packet = 0;
    if (draw(pair, 2) == 0)
        config.max_memory = 40000 + draw(pair, 100000);
    for (int i = 0; i < 2; i++) {
        struct listener *listener = &pair->listener[i];
        listener->sink.ops = i == 0 ? ops : &listening;
        listener->flows = listener->octets = listener->events = 0;
        assert_int_equal(engine_init(&pair->engine[i], &config, &listener->sink), STATUS_OK);
        pair->engine[i].losses = &pair->losses;
    }
    pair->engine[0].shares_frames = pair->engine[1].shares_frames = draw(pair, 4) == 0;
    pair->engine[0].crowd = draw(pair, 40);
    pair->engine[1].crowd = UINT32_MAX;
    pair->engine[1].probe = note_step;
}

static void play(struct pair *pair, bool lossy)
{
    for (int i = 0; i < SYNS; i++) {
        struct segment syn = draw_syn(pair);
        bool quoted = draw(pair, 30) == 0;
        if (lossy && i == SYNS / 2)
            moments_add(&pair->losses, pair->now - 1000, pair->now, pair->now);
        give(pair, &syn, quoted);
        if (draw(pair, 20) == 0)
            give(pair, &syn, false);
    }
}

static void end(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        struct engine *engine = &pair->engine[i];
        pair->nested += engine->table.nest.count;
        engine_finish_begin(engine);
        engine_finish_until(engine, UINT64_MAX);
        assert_int_equal(engine->status, STATUS_OK);
    }
    const struct engine_counts *counts = &pair->engine[0].counts;
    assert_memory_equal(counts, &pair->engine[1].counts, sizeof *counts);
    pair->lone += counts->flows_by_kind[CLOSE_UNANSWERED];
    pair->evicted += counts->evictions;
    assert_int_equal(pair->engine[0].table.incarnations.taken, 0);
    for (int i = 0; i < 2; i++)
        engine_clear(&pair->engine[i]);
    const struct listener *one = &pair->listener[0], *other = &pair->listener[1];
    assert_int_equal(one->octets, other->octets);
    assert_memory_equal(one->told, other->told, one->octets);
    assert_int_equal(one->events, other->events);
    pair->losses.count = 0;
}

static void assert_same_flows(const struct pair *pair)
{
    const struct listener *one = &pair->listener[0], *other = &pair->listener[1];
    assert_int_equal(one->flows, other->flows);
    for (size_t i = 0; i < one->flows; i++) {
        assert_string_equal(one->flow[i].zeek_state, other->flow[i].zeek_state);
        one->flow[i].zeek_state = other->flow[i].zeek_state = NULL;
        assert_memory_equal(&one->flow[i], &other->flow[i], sizeof one->flow[i]);
    }
}

static struct pair *make(void)
{
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    for (int i = 0; i < 2; i++) {
        pair->listener[i].flow = calloc(FLOWS, sizeof *pair->listener[i].flow);
        pair->listener[i].told = calloc(TOLD_ROOM, 1);
        assert_non_null(pair->listener[i].flow);
        assert_non_null(pair->listener[i].told);
    }
    return pair;
}

static void take_apart(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        free(pair->listener[i].flow);
        free(pair->listener[i].told);
    }
    free(pair);
}

static void hatched_or_not_it_leaves_the_same(void **state)
{
    struct pair *pair = make();
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        begin(pair, seed, &listening);
        play(pair, seed % 5 == 0);
        end(pair);
        assert_same_flows(pair);
    }
    assert_true(pair->lone > ROUNDS * SYNS / 2);
    assert_true(pair->evicted > ROUNDS);
    assert_true(pair->nested > pair->evicted);
    take_apart(pair);
}

static void no_record_is_made_that_nobody_wants(void **state)
{
    struct pair *pair = make();
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        begin(pair, seed, &counting);
        play(pair, false);
        end(pair);
        assert_true(pair->listener[0].flows < pair->listener[1].flows / 2);
    }
    take_apart(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hatched_or_not_it_leaves_the_same),
        cmocka_unit_test(no_record_is_made_that_nobody_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
