/*
 * A transcript's segments come back from their packed form as they were: drawn at random, mostly as
 * a connection has them, now and then with any value in any member; and they keep within the room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../analyzer/flow/transcript_pack.h"
#include "two_ways.h"

enum { ROUNDS = 20000, USUAL_OCTETS = 24, BEHIND = 8 };

struct drawn {
    uint64_t seed;
    struct transcript_head head;
    struct transcript_entry entry[TRANSCRIPT_MOST];
    seq next[2];
    uint64_t since;
    uint32_t packets, tsval[2];
    uint16_t ip_id[2];
    bool rough;
};

static uint32_t any(struct drawn *drawn)
{
    return draw_below(&drawn->seed, UINT32_MAX) << draw_below(&drawn->seed, 9);
}

/* Any value in place of one of the members, but for those that say which side it is of, and that
 * it opens or closes. */
static void bend(struct drawn *drawn, struct transcript_entry *entry)
{
    switch (draw_below(&drawn->seed, 9)) {
    case 0:
        entry->acknowledgment = any(drawn);
        break;
    case 1:
        entry->payload = any(drawn) % TRANSCRIPT_LONG;
        break;
    case 2:
        entry->payload_hash = any(drawn);
        entry->payload_hashed = (uint8_t)any(drawn);
        break;
    case 3:
        entry->tsval = any(drawn);
        entry->tsecr = any(drawn);
        break;
    case 4:
        entry->since_high = (uint16_t)any(drawn); /* the clock may be set back */
        entry->since_low = any(drawn);
        break;
    case 5:
        entry->packets = any(drawn);
        break;
    case 6:
        entry->headers = (uint8_t)any(drawn);
        entry->ttl = (uint8_t)any(drawn);
        break;
    case 7:
        entry->cut ^= 1;
        entry->stamped ^= 1;
        break;
    default:
        entry->ip_id = (uint16_t)any(drawn);
        entry->window = (uint16_t)any(drawn);
    }
}

static void draw_entry(struct drawn *drawn, struct transcript_entry *entry)
{
    const unsigned side = draw_below(&drawn->seed, 2);
    const uint32_t payload =
        draw_below(&drawn->seed, 2) == 0 ? 0 : draw_below(&drawn->seed, 1460) + 1;
    drawn->since += draw_below(&drawn->seed, 1000000000);
    drawn->packets += 1 + draw_below(&drawn->seed, 50000);
    drawn->tsval[side] += draw_below(&drawn->seed, 300);
    *entry = (struct transcript_entry){
        .packets = drawn->packets,
        .acknowledgment = drawn->next[1 - side],
        .payload = payload,
        .payload_hash = payload * 2654435761u,
        .tsval = drawn->tsval[side],
        .tsecr = drawn->tsval[1 - side],
        .window = 500,
        .checksum = (uint16_t)any(drawn),
        .since_high = (uint16_t)(drawn->since >> 32),
        .flags = (uint8_t)(TCP_ACK | (draw_below(&drawn->seed, 8) == 0 ? TCP_FIN : 0)),
        .headers = 52,
        .ip_id = ++drawn->ip_id[side],
        .origin = (uint8_t)side,
        .ttl = 64,
        .checksum_verdict = CHECKSUM_GOOD,
        .stamped = 1,
        .payload_hashed = (uint8_t)(payload < 128 ? payload : 128),
        .since_low = (uint32_t)drawn->since,
    };
    while (drawn->rough && draw_below(&drawn->seed, 3) == 0)
        bend(drawn, entry);
    drawn->next[side] += transcript_occupies(entry->flags, entry->payload);
}

static void draw_transcript(struct drawn *drawn)
{
    const uint64_t seed = drawn->seed;
    memset(drawn, 0, sizeof *drawn);
    drawn->seed = seed;
    drawn->rough = draw_below(&drawn->seed, 2) == 0;
    for (int side = 0; side < 2; side++)
        drawn->next[side] = drawn->head.iss[side] = any(drawn);
    const uint32_t count = draw_below(&drawn->seed, TRANSCRIPT_MOST + 1);
    for (uint32_t i = 0; i < count; i++) {
        draw_entry(drawn, &drawn->entry[i]);
        drawn->head.packets[transcript_side(&drawn->entry[i])]++;
    }
}

static void comes_back_as_it_was(void **state)
{
    struct drawn drawn = {.seed = 1};
    uint64_t segments = 0, octets = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t packed[TRANSCRIPT_PACKED_MOST];
        struct transcript_entry again[TRANSCRIPT_MOST];
        draw_transcript(&drawn);
        const uint32_t count = transcript_count(&drawn.head);
        memset(packed, 0xa5, sizeof packed);
        size_t taken = transcript_pack(&drawn.head, drawn.entry, packed);
        assert_true(taken + BEHIND < sizeof packed);
        assert_int_equal(packed[taken + BEHIND], 0xa5);
        transcript_unpack(&drawn.head, packed, again);
        assert_memory_equal(again, drawn.entry, count * sizeof again[0]);
        segments += drawn.rough ? 0 : count;
        octets += drawn.rough ? 0 : taken;
    }
    assert_true(segments > ROUNDS);
    assert_true(octets < USUAL_OCTETS * segments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
