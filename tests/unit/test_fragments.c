/* Fragments in any order become the packet again; what cannot be one never does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../analyzer/intake/fragments.h"

enum { MOST_PIECES = 64, MOST_PAYLOAD = 9000, ROUNDS = 20000 };

struct cut {
    struct fragment piece[MOST_PIECES];
    uint32_t count, length;
    uint8_t payload[MOST_PAYLOAD];
};

static uint32_t draw(uint32_t below)
{
    return (uint32_t)random() % below;
}

static struct fragment piece_of(struct cut *cut, int version, uint32_t id, uint32_t offset,
                                uint32_t end)
{
    struct fragment fragment = {
        .id = id,
        .offset = offset,
        .length = end - offset,
        .captured = end - offset,
        .data = cut->payload + offset,
        .ip_version = (uint8_t)version,
        .protocol = 6,
        .ttl = 61,
        .more = end < cut->length,
    };
    memset(fragment.source, 1, version == 4 ? 4 : 16);
    memset(fragment.destination, 2, version == 4 ? 4 : 16);
    return fragment;
}

/* A payload of random octets, cut at random places. */
static void cut_make(struct cut *cut, int version, uint32_t id)
{
    cut->length = 16 + draw(MOST_PAYLOAD - 16);
    for (uint32_t i = 0; i < cut->length; i++)
        cut->payload[i] = (uint8_t)random();
    cut->count = 0;
    for (uint32_t offset = 0; offset < cut->length;) {
        uint32_t end = offset + 8 * (1 + draw(100));
        if (end > cut->length || cut->count == MOST_PIECES - 1)
            end = cut->length;
        cut->piece[cut->count++] = piece_of(cut, version, id, offset, end);
        offset = end;
    }
}

static void cut_shuffle(struct cut *cut)
{
    for (uint32_t i = cut->count; i > 1; i--) {
        uint32_t other = draw(i);
        struct fragment swapped = cut->piece[i - 1];
        cut->piece[i - 1] = cut->piece[other];
        cut->piece[other] = swapped;
    }
}

static uint64_t sum_of(struct fragment_counts counts)
{
    return counts.joined + counts.incomplete + counts.overlapping + counts.malformed +
           counts.copies;
}

static void assert_whole(const struct cut *cut, const struct frame *frame, int version)
{
    uint32_t header = version == 4 ? 20 : 40;
    assert_int_equal(frame->length, header + cut->length);
    assert_int_equal(frame->captured, frame->length);
    assert_memory_equal(frame->data + header, cut->payload, cut->length);
    assert_int_equal(frame->data[0], version == 4 ? 0x45 : 0x60);
    assert_int_equal(frame->data[version == 4 ? 8 : 7], 61);
}

static void any_order_makes_the_packet(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    struct cut cut;
    struct frame frame;
    uint64_t given = 0, whole = 0;
    (void)state;
    for (int round = 0; round < ROUNDS / 10; round++) {
        int version = round % 2 == 0 ? 4 : 6;
        cut_make(&cut, version, (uint32_t)round);
        if (cut.count < 2)
            continue;
        cut_shuffle(&cut);
        for (uint32_t i = 0; i < cut.count; i++) {
            bool copy = i > 0 && draw(4) == 0;
            if (copy)
                assert_false(fragments_take(fragments, &cut.piece[draw(i)], 0, &frame));
            bool done = fragments_take(fragments, &cut.piece[i], 0, &frame);
            given += 1 + copy;
            assert_int_equal(done, i + 1 == cut.count);
        }
        whole++;
        assert_whole(&cut, &frame, version);
    }
    struct fragment_counts counts = fragments_counts(fragments);
    assert_int_equal(counts.incomplete, 0);
    assert_int_equal(counts.overlapping + counts.malformed, 0);
    assert_int_equal(sum_of(counts) + whole, given);
    fragments_free(fragments);
}

static void an_overlap_spoils_the_packet(void **state)
{
    struct config config = config_default();
    struct cut cut;
    struct frame frame;
    (void)state;
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct fragments *fragments = fragments_new(&config);
        cut_make(&cut, 4, 1);
        if (cut.count < 3) {
            fragments_free(fragments);
            continue;
        }
        uint32_t victim = draw(cut.count - 1);
        uint32_t end = cut.piece[victim].offset + cut.piece[victim].length + 8;
        if (end >= cut.length)
            end = cut.piece[victim].offset + cut.piece[victim].length - 8;
        if (end <= cut.piece[victim].offset) { /* eight octets: it cannot be shorter */
            fragments_free(fragments);
            continue;
        }
        struct fragment longer = piece_of(&cut, 4, 1, cut.piece[victim].offset, end);
        bool same = longer.length == cut.piece[victim].length;
        assert_false(fragments_take(fragments, &longer, 0, &frame));
        bool done = false;
        for (uint32_t i = 0; i < cut.count; i++)
            done |= fragments_take(fragments, &cut.piece[i], 0, &frame);
        assert_int_equal(done, same);
        if (!same)
            assert_int_equal(sum_of(fragments_counts(fragments)), cut.count + 1);
        fragments_free(fragments);
    }
}

static void the_same_place_with_other_octets_is_an_overlap(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    uint8_t octets[16] = {0}, others[16] = {1};
    struct fragment first = {
        .length = 16, .captured = 16, .data = octets, .ip_version = 4, .protocol = 6, .more = true};
    struct fragment forged = first;
    struct fragment last = {
        .offset = 16, .length = 16, .captured = 16, .data = octets, .ip_version = 4, .protocol = 6};
    struct frame frame;
    (void)state;
    forged.data = others;
    assert_false(fragments_take(fragments, &first, 0, &frame));
    assert_false(fragments_take(fragments, &forged, 0, &frame));
    assert_false(fragments_take(fragments, &last, 0, &frame));
    assert_int_equal(fragments_counts(fragments).overlapping, 3);
    fragments_free(fragments);
}

static void what_no_packet_can_have_is_refused(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    static uint8_t octets[1024];
    static const struct {
        uint32_t offset, length;
        bool more;
    } cases[] = {{65528, 100, false}, {0, 15, true}, {8, 0, true}, {65520, 16, true}};
    struct frame frame;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fragment fragment = {.id = (uint32_t)i,
                                    .offset = cases[i].offset,
                                    .length = cases[i].length,
                                    .captured = cases[i].length,
                                    .data = octets,
                                    .ip_version = 4,
                                    .protocol = 6,
                                    .more = cases[i].more};
        assert_false(fragments_take(fragments, &fragment, 0, &frame));
        assert_int_equal(fragments_counts(fragments).malformed, i + 1);
    }
    fragments_free(fragments);
}

/* A piece of packet 1 from 10.0.0.1 to 10.0.0.2, its octets those of the place they stand at. */
static struct fragment tcp_piece(uint32_t offset, uint32_t length, bool more)
{
    static const uint8_t octets[64] = {0x03, 0xe9, 0x03, 0xea};
    return (struct fragment){
        .source = {10, 0, 0, 1},
        .destination = {10, 0, 0, 2},
        .id = 1,
        .offset = offset,
        .length = length,
        .captured = length,
        .data = octets + offset,
        .ip_version = 4,
        .protocol = 6,
        .more = more,
    };
}

/* A jumbogram may not be fragmented (RFC 2675 3); the sum of its numbers wraps. */
static void a_length_that_wraps_is_refused(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    struct frame frame;
    (void)state;
    struct fragment fragment = tcp_piece(8, 48, true);
    fragment.ip_version = 6;
    fragment.length = UINT32_MAX - 7;
    assert_false(fragments_take(fragments, &fragment, 0, &frame));
    assert_int_equal(fragments_counts(fragments).malformed, 1);
    fragments_free(fragments);
}

static void two_ends_spoil_the_packet(void **state)
{
    struct config config = config_default();
    static const struct {
        uint32_t offset, length;
        bool more;
    } wrong[] = {{32, 8, false}, {24, 8, true}, {32, 16, true}, {0, 16, false}};
    struct frame frame;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fragments *fragments = fragments_new(&config);
        struct fragment last = tcp_piece(16, 8, false), first = tcp_piece(0, 16, true);
        struct fragment other = tcp_piece(wrong[i].offset, wrong[i].length, wrong[i].more);
        assert_false(fragments_take(fragments, &last, 0, &frame));
        assert_false(fragments_take(fragments, &other, 0, &frame));
        assert_false(fragments_take(fragments, &first, 0, &frame));
        struct fragment_counts counts = fragments_counts(fragments);
        assert_int_equal(counts.malformed + counts.overlapping, 3);
        assert_int_equal(counts.incomplete + counts.joined + counts.copies, 0);
        fragments_free(fragments);
    }
}

/* Every fragment captured twice: the copy of the last one begins no packet of its own. */
static void a_copy_of_the_last_piece_is_a_copy(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    struct frame frame;
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct fragment first = tcp_piece(0, 16, true), last = tcp_piece(16, 8, false);
        nanotime at = round * (config.copy_window + 1);
        first.id = last.id = (uint32_t)round % 3;
        assert_false(fragments_take(fragments, &first, at, &frame));
        assert_false(fragments_take(fragments, &first, at, &frame));
        assert_true(fragments_take(fragments, &last, at, &frame));
        assert_false(fragments_take(fragments, &last, at, &frame));
        assert_false(fragments_take(fragments, &first, at, &frame));
    }
    assert_int_equal(fragments_counts(fragments).copies, 120);
    assert_int_equal(fragments_counts(fragments).joined, 40);
    assert_int_equal(fragments_counts(fragments).incomplete, 0);
    fragments_free(fragments);
}

static void what_is_given_up_names_its_connection(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    struct frame frame;
    struct segment lost;
    (void)state;
    struct fragment first = tcp_piece(0, 16, true), late = tcp_piece(0, 16, true);
    struct fragment headless = tcp_piece(16, 8, false), datagram = tcp_piece(0, 16, true);
    headless.id = 2;
    late.id = 3;
    datagram.id = 4;
    datagram.protocol = 17;
    assert_false(fragments_take(fragments, &first, 0, &frame));
    assert_false(fragments_take(fragments, &headless, 0, &frame));
    assert_false(fragments_take(fragments, &datagram, 0, &frame));
    assert_false(fragments_lost(fragments, &lost));
    assert_false(fragments_take(fragments, &late, config.fragment_wait + 1, &frame));
    assert_true(fragments_lost(fragments, &lost));
    assert_int_equal(lost.source_port, 1001);
    assert_int_equal(lost.destination_port, 1002);
    assert_int_equal(lost.source[3] << 8 | lost.destination[3], 0x102);
    assert_int_equal(lost.ip_version, 4);
    assert_false(fragments_lost(fragments, &lost));
    fragments_finish(fragments);
    assert_true(fragments_lost(fragments, &lost));
    assert_false(fragments_lost(fragments, &lost));
    assert_int_equal(fragments_counts(fragments).incomplete, 4);
    fragments_free(fragments);
}

static void waiting_ends_in_capture_time(void **state)
{
    struct config config = config_default();
    struct fragments *fragments = fragments_new(&config);
    struct cut cut;
    struct frame frame;
    (void)state;
    do
        cut_make(&cut, 6, 1);
    while (cut.count < 2);
    bool done = false;
    for (uint32_t i = 0; i < cut.count; i++)
        done |= fragments_take(fragments, &cut.piece[i],
                               i + 1 == cut.count ? config.fragment_wait + 1 : 0, &frame);
    assert_false(done);
    assert_int_equal(fragments_counts(fragments).incomplete, cut.count);
    fragments_free(fragments);
}

static void a_bomb_is_bounded(void **state)
{
    struct config config = config_default();
    static uint8_t octets[65536];
    struct frame frame;
    (void)state;
    config.fragment_octets = 1 << 20;
    struct fragments *fragments = fragments_new(&config);
    for (uint32_t i = 0; i < 200000; i++) {
        struct fragment fragment = {.id = i,
                                    .offset = 65400,
                                    .length = 8,
                                    .captured = 8,
                                    .data = octets,
                                    .ip_version = 4,
                                    .protocol = 6,
                                    .more = true};
        assert_false(fragments_take(fragments, &fragment, 0, &frame));
    }
    for (uint32_t i = 0; i < 200000; i++) { /* one packet in the smallest pieces */
        struct fragment fragment = {.id = 1 << 24,
                                    .offset = i % 8000 * 8,
                                    .length = 8,
                                    .captured = 8,
                                    .data = octets,
                                    .ip_version = 4,
                                    .protocol = 6,
                                    .more = true};
        assert_false(fragments_take(fragments, &fragment, 0, &frame));
    }
    assert_int_equal(sum_of(fragments_counts(fragments)), 400000);
    fragments_free(fragments);
}

int main(void)
{
    const char *given = getenv("SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);
    print_message("SEED=%u\n", seed);
    srandom(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_makes_the_packet),
        cmocka_unit_test(an_overlap_spoils_the_packet),
        cmocka_unit_test(the_same_place_with_other_octets_is_an_overlap),
        cmocka_unit_test(what_no_packet_can_have_is_refused),
        cmocka_unit_test(a_length_that_wraps_is_refused),
        cmocka_unit_test(two_ends_spoil_the_packet),
        cmocka_unit_test(a_copy_of_the_last_piece_is_a_copy),
        cmocka_unit_test(what_is_given_up_names_its_connection),
        cmocka_unit_test(waiting_ends_in_capture_time),
        cmocka_unit_test(a_bomb_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
