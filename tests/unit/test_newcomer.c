/*
 * A source or a pair of which one SYN came counts as the entry that it would be: deltas drawn at
 * random, of few ends and many, in and out of their order, are given to two censuses, one of which
 * makes an entry of every newcomer at once.  Both are small, so that those quiet longest give way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../analyzer/host/census_busiest.h"
#include "../../analyzer/host/census_table.h"
#include "two_ways.h"

enum { ROUNDS = 60, DELTAS = 4000 };

struct both {
    uint64_t seed, packet;
    nanotime now;
    uint32_t sources, services;
    struct config config;
    struct census *census[2]; /* with newcomers, without */
    uint64_t newcomers;
};

static uint32_t draw(struct both *both, uint32_t below)
{
    return draw_below(&both->seed, below);
}

/* Makes entries of all newcomers. */
static void hatch_all(struct census *census)
{
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        const struct census_index *index = &census->index[scope];
        for (uint32_t i = 0; i <= index->mask; i++) {
            if (index->slot[i].index != 0 && census_is_code(index->slot[i].index))
                assert_non_null(census_hatch(census, &index->slot[i]));
        }
    }
}

/* Prints and slots say the same. */
static uint64_t count_newcomers(const struct census *census)
{
    uint64_t count = 0;
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        const struct census_index *index = &census->index[scope];
        for (uint32_t i = 0; i <= index->mask; i++) {
            const struct census_slot *slot = &index->slot[i];
            count += slot->index != 0 && census_is_code(slot->index);
            assert_int_equal(index->print[i], slot->index == 0 ? 0 : census_print(slot->tag));
            assert_true(slot->index == 0 || !census_is_absent(index, slot->tag));
        }
    }
    return count;
}

/* Nearly always an opening, or the end of a lone SYN; else anything. */
static void draw_delta(struct both *both, struct delta *delta)
{
    uint32_t kind = draw(both, 8), source = draw(both, both->sources);
    *delta = (struct delta){.t = both->now,
                            .opened = both->now,
                            .reuse = NANOTIME_UNKNOWN,
                            .ip_version = 4,
                            .packet = ++both->packet};
    memcpy(delta->end[CLIENT].address, &source, sizeof source);
    delta->end[CLIENT].port = (uint16_t)(1024 + draw(both, 60000));
    delta->end[SERVER].address[0] = 10;
    delta->end[SERVER].port = (uint16_t)(1 + draw(both, both->services));
    if (kind < 5) {
        delta->what = DELTA_OPENED;
        delta->after[CLIENT] = HOLDING_OPENING;
    } else if (kind < 7) {
        bool cut = draw(both, 3) == 0;
        delta->what = DELTA_GONE | (cut ? DELTA_CUT : 0);
        delta->packet = 0;
        delta->before[CLIENT] = HOLDING_OPENING;
        delta->after[CLIENT] = cut ? HOLDING_OPENING : HOLDING_NOTHING;
        delta->close_kind = CLOSE_UNANSWERED;
        delta->initiator = INITIATOR_NONE;
    } else {
        delta->what = draw(both, 0x100); /* nothing else comes with CUT than GONE */
        delta->packet *= draw(both, 2);
        delta->from = (uint8_t)draw(both, 2);
        for (int side = 0; side < 2; side++) {
            delta->before[side] = (uint8_t)draw(both, HOLDINGS);
            delta->after[side] = (uint8_t)draw(both, HOLDINGS);
        }
        delta->close_kind = (uint8_t)draw(both, CLOSE_KINDS);
        delta->initiator = (uint8_t)draw(both, INITIATOR_BOTH + 1);
        delta->answered = draw(both, 2) != 0;
        delta->established = draw(both, 2) != 0;
    }
}

/* But for the place of its points, and octets between members. */
static void write_record(const struct host_record *record, struct host_record *to)
{
    memset(to, 0, sizeof *to);
    to->first = record->first;
    to->last = record->last;
    to->opened = record->opened;
    to->answered = record->answered;
    to->established = record->established;
    to->closed = record->closed;
    to->ports_low = record->ports_low;
    to->ports_high = record->ports_high;
    to->port = record->port;
    to->opened_per_second_most = record->opened_per_second_most;
    to->closed_per_second_most = record->closed_per_second_most;
    to->reuses = record->reuses;
    to->runs_out = record->runs_out;
    to->point_count = record->point_count;
    memcpy(to->source, record->source, sizeof to->source);
    memcpy(to->destination, record->destination, sizeof to->destination);
    memcpy(to->by_close, record->by_close, sizeof to->by_close);
    memcpy(to->by_initiator, record->by_initiator, sizeof to->by_initiator);
    memcpy(to->time_wait, record->time_wait, sizeof to->time_wait);
    memcpy(to->close_wait, record->close_wait, sizeof to->close_wait);
    to->ports = record->ports;
}

static void compare_censuses(struct both *both)
{
    const uint32_t most[HOST_SCOPES] = {1 + draw(both, 200), UINT32_MAX, UINT32_MAX};
    struct census_busiest busiest[2];
    for (int way = 0; way < 2; way++)
        assert_int_equal(census_find_busiest(both->census[way], most, &busiest[way]), STATUS_OK);
    assert_int_equal(both->census[0]->left_out, both->census[1]->left_out);
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        assert_int_equal(busiest[0].count[scope], busiest[1].count[scope]);
        for (uint32_t i = 0; i < busiest[0].count[scope]; i++) {
            struct host_record record[2];
            for (int way = 0; way < 2; way++) {
                const struct census_entry *entry = busiest[way].entry[scope][i];
                struct host_record whole = census_record(both->census[way], entry, both->now);
                write_record(&whole, &record[way]);
            }
            assert_memory_equal(&record[0], &record[1], sizeof record[0]);
            assert_memory_equal(busiest[0].entry[scope][i]->alive,
                                busiest[1].entry[scope][i]->alive, sizeof(nanotime[2]));
        }
    }
    struct stock_peaks peaks[2];
    for (int way = 0; way < 2; way++) {
        peaks[way] = census_peaks(both->census[way], both->now);
        census_busiest_clear(&busiest[way]);
    }
    assert_memory_equal(&peaks[0], &peaks[1], sizeof peaks[0]);
}

/* What is foreseen changes nothing. */
static void take(struct both *both, struct delta *delta)
{
    struct census_place place[2];
    if (draw(both, 4) == 0)
        for (int step = 0; step < FORESEE_STEPS; step++)
            census_foresee(both->census[0], &delta, 1, step);
    for (int way = 0; way < 2; way++) {
        census_take(both->census[way], delta, &place[way]);
        delta->place[CLIENT] = delta->place[SERVER] = 0; /* the secrets are two */
        assert_false(both->census[way]->starved);
    }
    hatch_all(both->census[1]);
    assert_int_equal(place[0].service != NULL, place[1].service != NULL);
}

static void play_round(struct both *both)
{
    static const uint32_t sources[] = {3, 40, 300, 100000}, pairs[] = {16, 64, 500, 6000};
    both->sources = sources[draw(both, 4)];
    both->services = 1 + draw(both, 30);
    both->config = config_default();
    both->config.census_pairs = pairs[draw(both, 4)];
    for (int way = 0; way < 2; way++)
        assert_non_null(both->census[way] = census_new(&both->config));
    for (int i = 0; i < DELTAS; i++) {
        struct delta delta;
        both->now += draw(both, 3) == 0 ? draw(both, 40000000) : 0;
        draw_delta(both, &delta);
        take(both, &delta);
        if (draw(both, 1000) == 0)
            compare_censuses(both);
    }
    compare_censuses(both);
    both->newcomers += count_newcomers(both->census[0]);
    for (int way = 0; way < 2; way++)
        census_free(both->census[way]);
}

static void test_counts_as_an_entry(void **state)
{
    struct both both = {.seed = 20261122, .now = (nanotime)5 * NANO_PER_SECOND};
    (void)state;
    for (int round = 0; round < ROUNDS; round++)
        play_round(&both);
    assert_true(both.newcomers > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts_as_an_entry)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
