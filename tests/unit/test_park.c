/*
 * A parked connection comes back as it was, octet for octet, whatever stands in it; and one of ten
 * packets takes no more than 512 octets, so that a million of them, found again by tuple and
 * deadline, stay below 700 MiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../analyzer/flow/kin.h"
#include "../../analyzer/flow/park.h"
#include "two_ways.h"

enum { ROUNDS = 300, MOST_OCTETS = 512, INDEX = 7, OWNER = 9 };

struct bed {
    uint64_t seed;
    struct parking parking;
    struct incarnation before, after;
    struct closing closing;
    struct tuple tuple; /* that it is of */
};

/* Much of it zero, the rest anything, among that numbers that are equal. */
static void fill(struct bed *bed, void *memory, size_t octets)
{
    uint32_t number = draw_below(&bed->seed, UINT32_MAX);
    for (size_t i = 0; i + sizeof(number) <= octets; i += sizeof(number)) {
        uint32_t what = draw_below(&bed->seed, 4), lane = what == 0 ? 0 : number;
        if (what > 1)
            lane = number = draw_below(&bed->seed, UINT32_MAX);
        memcpy((char *)memory + i, &lane, sizeof(lane));
    }
}

/* Anything, but truths are truths, and ends are ends. */
static void make_up(struct bed *bed)
{
    struct connection *connection = &bed->before.connection;
    fill(bed, &bed->before, sizeof(bed->before));
    fill(bed, &bed->closing, sizeof(bed->closing));
    for (int side = 0; side < SIDES; side++) {
        bed->closing.carrier[side] = draw_below(&bed->seed, 2) == 0;
        connection->side[side].state = (uint8_t)draw_below(&bed->seed, TCP_STATES);
    }
    bed->before.client_end &= 1;
    connection->history.count = (uint16_t)draw_below(&bed->seed, HISTORY_INLINE + 1);
    connection->history.more = NULL;
    connection->closing = draw_below(&bed->seed, 8) == 0 ? NULL : &bed->closing;
    bed->before.collision = NULL;
    bed->before.story = NULL;
    bed->before.doubts = NULL;
    bed->before.icmp = NULL;
    bed->before.around = NULL;
    bed->before.index = INDEX;
    bed->before.owner = OWNER;
}

/* What parking forgets on purpose. */
static void forget(struct connection *connection)
{
    for (int i = 0; i < RECENT_PACKETS / 2; i++) {
        int oldest = (connection->recent_next + i) % RECENT_PACKETS;
        memset(&connection->recent[oldest], 0, sizeof(connection->recent[oldest]));
        connection->recent_print[oldest] = 0;
    }
}

/* Parks `before`, and brings it back into `after`, where anything may stand. */
static size_t park_and_restore(struct bed *bed)
{
    struct incarnation given;
    struct closing closing;
    memcpy(&given, &bed->before, sizeof(given));
    if (given.connection.closing != NULL) {
        memcpy(&closing, given.connection.closing, sizeof(closing));
        given.connection.closing = &closing;
    }
    struct parked *parked = park_incarnation(&bed->parking, &given, &bed->tuple);
    assert_non_null(parked);
    assert_int_equal(given.beside, bed->before.beside); /* to be taken off when it is freed */
    memset(&bed->after, 0xa5, sizeof(bed->after));
    bed->after.index = INDEX;
    bed->after.owner = OWNER;
    assert_true(park_restore(&bed->parking, parked, &bed->tuple, &bed->after));
    size_t room = park_room(parked);
    assert_true(parked->first_packet == bed->before.first_packet);
    park_free(&bed->parking, parked);
    return room;
}

static void assert_came_back(struct bed *bed)
{
    struct connection *before = &bed->before.connection, *after = &bed->after.connection;
    assert_int_equal(before->closing == NULL, after->closing == NULL);
    if (before->closing != NULL)
        assert_memory_equal(before->closing, after->closing, sizeof(struct closing));
    free(after->closing);
    before->closing = after->closing = NULL;
    forget(before);
    assert_int_equal(bed->after.beside, 0); /* nothing stands beside it that was counted */
    bed->before.beside = 0;
    assert_memory_equal(&bed->before, &bed->after, sizeof(bed->before));
}

static void anything_comes_back(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));
    (void)state;
    assert_non_null(bed);
    parking_init(&bed->parking);
    for (bed->seed = 1; bed->seed <= ROUNDS; bed->seed++) {
        uint64_t seed = bed->seed;
        make_up(bed);
        park_and_restore(bed);
        assert_came_back(bed);
        bed->seed = seed;
    }
    chunks_clear(&bed->parking.room);
    free(bed);
}

/* The way out where parking finds no memory. */
static void apart_and_together(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));
    struct closing closing;
    (void)state;
    assert_non_null(bed);
    for (bed->seed = 1; bed->seed <= ROUNDS; bed->seed++) {
        uint64_t seed = bed->seed;
        make_up(bed);
        memcpy(&bed->after, &bed->before, sizeof(bed->after));
        memcpy(&closing, &bed->closing, sizeof(closing));
        kin_take_apart(&bed->after, &closing);
        assert_memory_not_equal(&bed->after, &bed->before, sizeof(bed->after));
        kin_bring_together(&bed->after, &closing);
        assert_memory_equal(&bed->after, &bed->before, sizeof(bed->after));
        assert_memory_equal(&closing, &bed->closing, sizeof(closing));
        bed->seed = seed;
    }
    free(bed);
}

/* One segment of a short connection. */
struct line {
    int from;
    uint8_t flags;
    uint32_t payload;
};

static const struct line short_life[] = {
    {0, TCP_SYN, 0},           {1, TCP_SYN | TCP_ACK, 0},
    {0, TCP_ACK, 0},           {0, TCP_ACK | TCP_PSH, 80},
    {1, TCP_ACK, 0},           {1, TCP_ACK | TCP_PSH, 700},
    {0, TCP_ACK, 0},           {0, TCP_FIN | TCP_ACK, 0},
    {1, TCP_FIN | TCP_ACK, 0}, {0, TCP_ACK, 0},
};

static void live(struct bed *bed)
{
    uint32_t next[SIDES] = {0x12345678, 0x87654321};
    nanotime now = (nanotime)1700000000 * 1000000000;
    for (uint32_t i = 0; i < sizeof(short_life) / sizeof(short_life[0]); i++) {
        const struct line *line = &short_life[i];
        struct step step;
        struct segment segment = {
            .time = now + (nanotime)i * 12345678,
            .packet = 7654321 + 37 * i,
            .ip_version = 4,
            .ttl = 64,
            .ip_id = (uint16_t)(i * 999 + 1),
            .ip_length = 52 + line->payload,
            .sequence = next[line->from],
            .acknowledgment = i > 0 ? next[1 - line->from] : 0,
            .payload = line->payload,
            .payload_hash = 0x9E3779B9,
            .payload_hashed = true,
            .window = 500,
            .options = OPTION_TIMESTAMPS,
            .tsval = 0x1000000u * (unsigned)(line->from + 1) + i,
            .tsecr = 0x1000000u * (unsigned)(2 - line->from) + i,
            .flags = line->flags,
            .checksum_verdict = CHECKSUM_GOOD,
        };
        if (i == 0)
            connection_start(&bed->before.connection, &segment, 0);
        assert_true(connection_segment(&bed->before.connection, &segment, line->from, &step));
        if (line->payload > 0)
            incarnation_remember(&bed->before, &segment, line->from);
        next[line->from] += line->payload + ((line->flags & (TCP_SYN | TCP_FIN)) != 0);
    }
}

static void a_short_connection_is_small(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));
    (void)state;
    assert_non_null(bed);
    parking_init(&bed->parking);
    live(bed);
    bed->before.uid = bed->tuple.last_uid = UINT64_C(0x123456789abcdef0);
    bed->before.number = bed->tuple.numbers = 1;
    bed->before.first_packet = 7654321;
    bed->before.index = INDEX;
    bed->before.owner = OWNER;
    struct connection *connection = &bed->before.connection;
    for (uint32_t i = 0; i < RECENT_PACKETS; i++) {
        connection->recent_print[i] = 0x9E3779B9;
        connection->recent[i] = (struct recent_packet){.micros = 1 + i, .ip_id = 1, .ttl = 64};
    }
    assert_int_equal(connection->side[0].state, STATE_TIME_WAIT);
    struct closing *closing = connection->closing;
    assert_in_range(park_and_restore(bed), 1, MOST_OCTETS);
    assert_came_back(bed);
    free(closing);
    chunks_clear(&bed->parking.room);
    free(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_comes_back),
        cmocka_unit_test(apart_and_together),
        cmocka_unit_test(a_short_connection_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
