/*
 * A transcript comes back from its packed form as it was, with and without vectors, and both write
 * the same: drawn at random, mostly as a connection has it, now and then with any value in any
 * member, in whole microseconds or not; and it keeps within the room.
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

enum { ROUNDS = 20000, USUAL_OCTETS = 22, INDEX = 7, MICROSECOND = 1000 };

struct drawn {
    uint64_t seed;
    struct transcript transcript;
    seq next[2];
    uint64_t since;
    uint32_t packets, tsval[2];
    uint16_t ip_id[2];
    bool rough, in_microseconds;
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
    drawn->since += drawn->in_microseconds
                        ? (uint64_t)draw_below(&drawn->seed, 1000000) * MICROSECOND
                        : draw_below(&drawn->seed, 1000000000);
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

/* What follows from the segments does; all else is anything. */
static void draw_head(struct drawn *drawn, struct transcript_head *head)
{
    const bool plain = !drawn->rough;
    head->first_packet = any(drawn);
    head->started = (nanotime)any(drawn) * (drawn->in_microseconds ? MICROSECOND : 1);
    head->client_end = draw_below(&drawn->seed, 2) & 1;
    head->vlans = plain ? 0 : draw_below(&drawn->seed, 2) & 1;
    head->vlan = plain ? 0 : (uint16_t)any(drawn);
    head->seen_t = plain ? 0 : (nanotime)any(drawn);
    head->told_once = (uint8_t)any(drawn);
    head->parts = (uint8_t)any(drawn);
    head->index = INDEX;
    for (int side = 0; side < 2; side++) {
        head->told[side] = draw_below(&drawn->seed, 6) & 7;
        drawn->next[side] = head->iss[side] = any(drawn);
        head->mss[side] = plain ? 1460 : (uint16_t)any(drawn);
        head->options[side] = plain ? OPTION_TIMESTAMPS : (uint16_t)any(drawn);
        head->window_scale[side] = plain ? 7 : (uint8_t)any(drawn);
    }
}

static void draw_transcript(struct drawn *drawn)
{
    const uint64_t seed = drawn->seed;
    struct transcript_head *head = &drawn->transcript.head;
    memset(drawn, 0, sizeof *drawn);
    drawn->seed = seed;
    drawn->rough = draw_below(&drawn->seed, 2) == 0;
    drawn->in_microseconds = draw_below(&drawn->seed, 2) == 0;
    draw_head(drawn, head);
    const uint32_t count = draw_below(&drawn->seed, TRANSCRIPT_MOST + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct transcript_entry *entry = &drawn->transcript.entry[i];
        draw_entry(drawn, entry);
        if (i == 0)
            entry->acknowledgment = 0;
        head->packets[transcript_side(entry)]++;
        head->ip_bytes[transcript_side(entry)] += entry->headers + entry->payload;
    }
}

/* There and back; returns octets. */
static size_t pack(bool vectors, const struct drawn *drawn, uint8_t packed[TRANSCRIPT_PACKED_MOST])
{
    const struct transcript *before = &drawn->transcript;
    const bool has = vectors && octets_have_vectors();
    struct transcript after;
    memset(packed, 0xa5, TRANSCRIPT_PACKED_MOST);
    memset(&after, 0, sizeof after); /* what of the head is no member's */
    memset(after.entry, 0xa5, sizeof after.entry);
    after.head.first_packet = before->head.first_packet;
    after.head.started = before->head.started;
    after.head.index = before->head.index;
    const size_t taken = transcript_pack(has, before, packed);
    assert_true(taken + OCTETS_SLACK <= TRANSCRIPT_PACKED_MOST);
    memset(packed + taken, 0xff, TRANSCRIPT_PACKED_MOST - taken);
    transcript_unpack(has, packed, drawn->next, &after.head, after.entry);
    assert_memory_equal(&after.head, &before->head, sizeof after.head);
    assert_memory_equal(after.entry, before->entry,
                        transcript_count(&before->head) * sizeof after.entry[0]);
    return taken;
}

static void comes_back_as_it_was(void **state)
{
    struct drawn drawn = {.seed = 1};
    uint64_t segments = 0, octets = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t plain[TRANSCRIPT_PACKED_MOST], vectors[TRANSCRIPT_PACKED_MOST];
        draw_transcript(&drawn);
        const size_t taken = pack(false, &drawn, plain);
        assert_int_equal(pack(true, &drawn, vectors), taken);
        assert_memory_equal(plain, vectors, taken);
        segments += drawn.rough ? 0 : transcript_count(&drawn.transcript.head);
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
