/*
 * dissect takes damage at every layer for what it is: each link type, Ethertype and tunnel cut at
 * every length, longer than it says, and with any octet of its header changed.
 *
 * frame_read() gives every frame memory of exactly its size: under a sanitizer one octet read too
 * many ends the test.
 */
#include <stdio.h>

#include "layers.h"

enum { ETHERTYPE_AT = 12, GARBAGE = 70, LONGEST_HASHED = 128 };

/* The segment that every layer here carries, whatever else was done to the frame. */
static void assert_carried(const struct segment *segment, const struct layer *layer)
{
    assert_plain(segment, (uint8_t)layer->version, INNER_PAYLOAD);
    assert_int_equal(segment->ip_length, layer_ip_octets(layer) + 20 + INNER_PAYLOAD);
    assert_address(segment->source, layer->version == 4 ? "0a000001" : IP6_SOURCE);
    assert_address(segment->destination, layer->version == 4 ? "0a000002" : IP6_TARGET);
}

static void every_layer_is_read_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct segment segment;
        struct bytes bytes = layer_frame(&layers[i]);
        print_message("    %s\n", layers[i].what);
        assert_result(whole_read(&bytes, layers[i].link_type, &segment), DISSECT_SEGMENT);
        assert_carried(&segment, &layers[i]);
        assert_int_equal(segment.cut, 0);
        assert_int_equal(segment.around.tunnels, layers[i].protocol != 0);
    }
}

static bool layers_have_link_type(int link_type)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++)
        if (layers[i].link_type == link_type)
            return true;
    return false;
}

static bool layers_have_ethertype(uint32_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct bytes bytes = bytes_of(layers[i].header);
        if (layers[i].link_type == ETHERNET &&
            (uint32_t)(bytes.data[ETHERTYPE_AT] << 8 | bytes.data[ETHERTYPE_AT + 1]) == type)
            return true;
    }
    return false;
}

static bool layers_have_tunnel(int protocol, int port)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++)
        if (layers[i].protocol == protocol && layers[i].port == port)
            return true;
    return false;
}

/* A row that is added to a table of dissect must be damaged here, too. */
static void no_layer_is_left_out(void **state)
{
    (void)state;
#define LINK(value, name, reader)           assert_true(layers_have_link_type(value));
#define FIXED(value, name, octets, type_at) assert_true(layers_have_link_type(value));
#define BEFORE(value, name, octets, reader) assert_true(layers_have_link_type(value));
#include "../../dissect/link.def"
#undef BEFORE
#undef FIXED
#undef LINK
#define ETHERTYPE(value, reader) assert_true(layers_have_ethertype(value));
#include "../../dissect/ethertype.def"
#undef ETHERTYPE
#define KIND(id, name)
#define SHAPE(kind, reader)
#define TUNNEL(protocol, kind, reader) assert_true(layers_have_tunnel(protocol, 0));
#define PORT(port, kind, reader)                                                                   \
    if ((kind) != TUNNEL_ESP && (kind) != TUNNEL_WIREGUARD) /* nothing is read in these */         \
        assert_true(layers_have_tunnel(17, port));
#include "../../dissect/tunnel.def"
#undef PORT
#undef TUNNEL
#undef SHAPE
#undef KIND
}

/* Whether a capture that ends there, before the carried packet's IP header is whole, is told so. */
static bool cut_is_told(const struct layer *layer, uint32_t captured, enum dissect_result result)
{
    uint32_t outer = layer->protocol == 0 ? 0 : OUTER_IP;
    uint32_t udp = layer->protocol == 17 ? OUTER_UDP : 0;
    if (captured < outer)
        return result == DISSECT_IP_TRUNCATED;
    bool proven = layer->protocol == 0 || captured >= outer + udp + layer->proven;
    if (!proven && result == DISSECT_NOT_TCP)
        return true;
    if (captured >= layer_octets(layer) && result == DISSECT_IP_TRUNCATED)
        return true;
    return result == DISSECT_LINK_TRUNCATED || result == DISSECT_TUNNEL_TRUNCATED;
}

static void assert_cut(const struct layer *layer, uint32_t captured, uint32_t length,
                       enum dissect_result result, const struct segment *segment)
{
    uint32_t ip = layer_octets(layer) + layer_ip_octets(layer);
    if (captured < ip) {
        if (!cut_is_told(layer, captured, result))
            fail_msg("%s, %u of %u octets: %s", layer->what, captured, length,
                     dissect_result_name(result));
        return;
    }
    assert_result(result, captured < ip + 20 ? DISSECT_TCP_TRUNCATED : DISSECT_SEGMENT);
    if (result != DISSECT_SEGMENT)
        return;
    assert_carried(segment, layer);
    assert_int_equal(segment->cut, captured < ip + 20 + INNER_PAYLOAD);
}

/* By a snapshot length: the frame was whole on the wire. */
static void a_capture_may_end_anywhere_in_any_layer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct segment segment;
        struct bytes bytes = layer_frame(&layers[i]);
        for (uint32_t captured = 0; captured <= bytes.length; captured++) {
            enum dissect_result result =
                frame_read(&bytes, captured, bytes.length, layers[i].link_type, &segment);
            assert_cut(&layers[i], captured, bytes.length, result, &segment);
        }
    }
}

/* The frame itself ends there, so every length inside it lies; never is another segment made up. */
static void a_frame_may_be_shorter_than_all_of_its_lengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct bytes bytes = layer_frame(&layers[i]);
        for (uint32_t octets = 0; octets < bytes.length; octets++) {
            struct segment segment;
            enum dissect_result result =
                frame_read(&bytes, octets, octets, layers[i].link_type, &segment);
            if (octets < layer_octets(&layers[i]) + layer_ip_octets(&layers[i]) + 20)
                assert_int_not_equal(result, DISSECT_SEGMENT);
            if (result != DISSECT_SEGMENT)
                continue;
            assert_carried(&segment, &layers[i]);
            assert_int_equal(segment.cut, 1);
        }
    }
}

/* What stands behind the packet (padding, check sequences, garbage) is no part of it. */
static void a_frame_may_be_longer_than_its_packet(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct segment segment;
        struct bytes bytes = layer_frame(&layers[i]);
        bytes_fill(&bytes, GARBAGE);
        print_message("    %s\n", layers[i].what);
        assert_result(whole_read(&bytes, layers[i].link_type, &segment), DISSECT_SEGMENT);
        assert_carried(&segment, &layers[i]);
        assert_int_equal(segment.cut, 0);
        assert_result(frame_read(&bytes, bytes.length, UINT32_MAX, layers[i].link_type, &segment),
                      DISSECT_SEGMENT);
        assert_carried(&segment, &layers[i]);
    }
}

/* What must hold of a segment whatever the frame was. */
static void assert_sound(const struct segment *segment, uint32_t length)
{
    assert_true(segment->ip_version == 4 || segment->ip_version == 6);
    assert_in_range(segment->vlans, 0, SEGMENT_VLANS);
    assert_in_range(segment->sacks, 0, SEGMENT_SACKS);
    assert_in_range(segment->around.tunnels, 0, SEGMENT_TUNNELS);
    for (uint8_t i = 0; i < segment->around.tunnels; i++)
        assert_in_range(segment->around.kind[i], 0, TUNNEL_KINDS - 1);
    assert_true(segment->payload < segment->ip_length);
    assert_in_range(segment->payload_hashed, 0, LONGEST_HASHED);
    assert_true(segment->payload_hashed <= segment->payload);
    assert_true(segment->cut == 1 || segment->ip_length <= length);
}

/* Every octet of every header takes every value, whole and cut: an answer, and a sound one. */
static void any_octet_may_lie(void **state)
{
    (void)state;
    uint64_t results[DISSECT_RESULTS] = {0};
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        const struct bytes good = layer_frame(&layers[i]);
        for (uint32_t at = 0; at < good.length; at++) {
            struct bytes bytes = good;
            for (unsigned value = 0; value < 256; value++) {
                struct segment segment;
                bytes.data[at] = (uint8_t)value;
                enum dissect_result result = whole_read(&bytes, layers[i].link_type, &segment);
                assert_in_range(result, 0, DISSECT_RESULTS - 1);
                results[result]++;
                if (result == DISSECT_SEGMENT)
                    assert_sound(&segment, bytes.length);
            }
        }
    }
    static const enum dissect_result met[] = {
        DISSECT_SEGMENT,          DISSECT_LINK_TRUNCATED, DISSECT_LINK_FRAGMENT,
        DISSECT_LINK_DAMAGED,     DISSECT_NOT_IP,         DISSECT_IP_TRUNCATED,
        DISSECT_IP_MALFORMED,     DISSECT_FRAGMENT,       DISSECT_NOT_TCP,
        DISSECT_TUNNEL_TRUNCATED, DISSECT_ENCRYPTED,      DISSECT_TCP_TRUNCATED,
        DISSECT_TCP_MALFORMED};
    for (size_t i = 0; i < ARRAY_LEN(met); i++)
        if (results[met[i]] == 0)
            fail_msg("no damage came out as %s", dissect_result_name(met[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_read_whole),
        cmocka_unit_test(no_layer_is_left_out),
        cmocka_unit_test(a_capture_may_end_anywhere_in_any_layer),
        cmocka_unit_test(a_frame_may_be_shorter_than_all_of_its_lengths),
        cmocka_unit_test(a_frame_may_be_longer_than_its_packet),
        cmocka_unit_test(any_octet_may_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
