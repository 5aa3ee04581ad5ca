/*
 * dissect is not led astray by lengths that lie, by headers that hold one another without end, or
 * by frames that are full of nothing: each has its reason, and an end.
 */
#include <stdio.h>

#include "layers.h"

#define ETHERNET_OF(type) TO_ETHERNET(type)
#define IP4(protocol)                                                                              \
    "45000000 abcd4000 40" protocol "0000" IP4_ADDRESSES /* as long as there is                    \
                                                          */
#define UDP_TO(port) "9c40" port "0000 0000"
#define PACKET       "45000028 abcd4000 4006 0000" IP4_ADDRESSES TCP_PLAIN
#define OPEN_PACKET  IP4("06") TCP_PLAIN
#define PACKET6      "60000000 0014 0640" IP6_SOURCE IP6_TARGET TCP_PLAIN

struct lie {
    const char *what;
    int link_type;
    const char *frame;
    enum dissect_result result;
};

/* clang-format off */
static const struct lie lies[] = {
    {"802.3, nothing",             1,   ETHERNET_OF("0000") SNAP4 PACKET, DISSECT_LINK_TRUNCATED},
    {"802.3, no room for SNAP",    1,   ETHERNET_OF("0007") SNAP4 PACKET, DISSECT_LINK_TRUNCATED},
    {"802.3, no room for IP",      1,   ETHERNET_OF("0010") SNAP4 PACKET, DISSECT_IP_TRUNCATED},
    {"802.3, beyond the frame",    1,   ETHERNET_OF("05dc") SNAP4 PACKET, DISSECT_SEGMENT},
    {"802.3, neither length nor type", 1, ETHERNET_OF("05dd") SNAP4 PACKET, DISSECT_NOT_IP},
    {"PPPoE, nothing",             1,   ETHERNET_OF("8864 11 00 0001 0000 0021") PACKET, DISSECT_SEGMENT},
    {"TRILL, options beyond",      1,   ETHERNET_OF("22f3 07df 0001 0002") ETHERNET_OF("0800") PACKET, DISSECT_LINK_TRUNCATED},
    {"MACsec, channel beyond",     1,   ETHERNET_OF("88e5 20 00 00000001 00000000"), DISSECT_LINK_TRUNCATED},
    {"MPLS, no last label",        219, "00010040 00010040", DISSECT_LINK_TRUNCATED},
    {"frame relay, no last octet", 107, "fefefefe 03cc" PACKET, DISSECT_NOT_IP},
    {"token ring, route of 0",     6,   "1040 020000000002 820000000001 0030" SNAP4 PACKET, DISSECT_NOT_IP},
    {"token ring, route beyond",   6,   "1040 020000000002 820000000001 1f30 aaaa03", DISSECT_LINK_TRUNCATED},
    {"radiotap, too short",        127, "00 00 0700 00000000" WIRELESS("0801") SNAP4 PACKET, DISSECT_NOT_IP},
    {"radiotap, beyond",           127, "00 00 ffff 00000000" WIRELESS("0801") SNAP4 PACKET, DISSECT_LINK_TRUNCATED},
    {"radiotap, words for ever",   127, "00 00 0800 ffffffff" WIRELESS("0801") SNAP4 PACKET, DISSECT_SEGMENT},
    {"AVS, too short",             163, "80211001 00000007" WIRELESS("0801") SNAP4 PACKET, DISSECT_NOT_IP},
    {"AVS, beyond all",            163, "80211001 ffffffff" WIRELESS("0801") SNAP4 PACKET, DISSECT_LINK_TRUNCATED},
    {"PPI, too short",             192, "00 00 0700 01000000" ETHERNET_OF("0800") PACKET, DISSECT_NOT_IP},
    {"PPI, beyond",                192, "00 00 ffff 01000000" ETHERNET_OF("0800") PACKET, DISSECT_LINK_TRUNCATED},
    {"PPI, no such link type",     192, "00 00 0800 ffffff7f" ETHERNET_OF("0800") PACKET, DISSECT_UNKNOWN_LINK_TYPE},
    {"A-MSDU, nothing",            105, WIRELESS("8802") "8000" ETHERNET_OF("0000") SNAP4 PACKET, DISSECT_LINK_TRUNCATED},
    {"A-MSDU, beyond",             105, WIRELESS("8802") "8000" ETHERNET_OF("ffff") SNAP4 PACKET, DISSECT_LINK_TRUNCATED},
    {"NFLOG, value too short",     239, "02000005 0003 0009" PACKET, DISSECT_LINK_TRUNCATED},
    {"NFLOG, value of nothing",    239, "02000005 0004 0009" PACKET, DISSECT_IP_TRUNCATED},
    {"NFLOG, value beyond",        239, "02000005 ffff 0009" OPEN_PACKET, DISSECT_SEGMENT},
    {"NFLOG, another beyond",      239, "02000005 ffff 0001" PACKET, DISSECT_LINK_TRUNCATED},
    {"PFLOG, nothing",             117, "0002 0000" PACKET, DISSECT_NOT_IP},
    {"PFLOG, beyond",              117, "ff02 0000" PACKET, DISSECT_LINK_TRUNCATED},
    {"PKTAP, nothing",             258, "00000000 01000000 01000000" ETHERNET_OF("0800") PACKET, DISSECT_NOT_IP},
    {"PKTAP, beyond",              258, "ffffffff 01000000 01000000" ETHERNET_OF("0800") PACKET, DISSECT_LINK_TRUNCATED},

    {"GRE, flags beyond",          12,  IP4("2f") "b000 0800 00000000", DISSECT_TUNNEL_TRUNCATED},
    {"GRE, version 2",             12,  IP4("2f") "0002 0800" PACKET, DISSECT_NOT_TCP},
    {"GRE, routes without end",    12,  IP4("2f") "4000 0800 00000000 0800 0004 0a000009" "0800 00ff", DISSECT_TUNNEL_TRUNCATED},
    {"GRE, route after route",     12,  IP4("2f") "4000 0800 00000000 0800 0000 0800 0000 0800 0000", DISSECT_TUNNEL_TRUNCATED},
    {"ERSPAN II, of version 3",    12,  IP4("2f") "1000 88be 00000001 30000007 00000000" ETHERNET_OF("0800") PACKET, DISSECT_NOT_TCP},
    {"ERSPAN III, subheader beyond", 12, IP4("2f") "1000 22eb 00000001 20000007 00000000 00000001 0000", DISSECT_TUNNEL_TRUNCATED},
    {"EtherIP, version 4",         12,  IP4("61") "4000" ETHERNET_OF("0800") PACKET, DISSECT_NOT_TCP},
    {"UDP, too short",             12,  IP4("11") "9c40 12b5 0007 0000" "08000000 00002a00" ETHERNET_OF("0800") PACKET, DISSECT_SEGMENT},
    {"UDP, ends in VXLAN",         12,  IP4("11") "9c40 12b5 000f 0000" "08000000 00002a00" ETHERNET_OF("0800") PACKET, DISSECT_NOT_TCP},
    {"UDP, beyond",                12,  IP4("11") "9c40 12b5 ffff 0000" "08000000 00002a00" ETHERNET_OF("0800") PACKET, DISSECT_SEGMENT},
    {"VXLAN, no network",          12,  IP4("11") UDP_TO("12b5") "00000000 00002a00" ETHERNET_OF("0800") PACKET, DISSECT_NOT_TCP},
    {"NSH, length of 0",           12,  IP4("11") UDP_TO("12b6") "0c000004 00002a00 0000 0101 00000000" PACKET, DISSECT_NOT_TCP},
    {"NSH, beyond",                12,  IP4("11") UDP_TO("12b6") "0c000004 00002a00 003f 0101 00000000" PACKET, DISSECT_NOT_TCP},
    {"GENEVE, options beyond",     12,  IP4("11") UDP_TO("17c1") "3f000800 00002a00" PACKET, DISSECT_NOT_TCP},
    {"GENEVE, option beyond",      12,  IP4("11") UDP_TO("17c1") "01000800 00002a00 01028001" PACKET, DISSECT_NOT_TCP},
    {"GTP-U, beyond",              12,  IP4("11") UDP_TO("0868") "30ff 0029" TEID PACKET, DISSECT_NOT_TCP},
    {"GTP-U, ends in the packet",  12,  IP4("11") UDP_TO("0868") "30ff 0027" TEID PACKET, DISSECT_NOT_TCP},
    {"GTP-U, extension of 0",      12,  IP4("11") UDP_TO("0868") "34ff 0030" TEID "0000 00 85 00 1001 85" PACKET, DISSECT_NOT_TCP},
    {"GTP-U, extension beyond",    12,  IP4("11") UDP_TO("0868") "34ff 0030" TEID "0000 00 85 ff 1001 85" PACKET, DISSECT_NOT_TCP},
    {"L2TP, offset beyond",        12,  IP4("11") UDP_TO("06a5") "0202 0001 0002 ffff ff03 0021" PACKET, DISSECT_NOT_TCP},
    {"Teredo, identifier beyond",  12,  IP4("11") UDP_TO("0dd8") "0001 ffff" ZEROS8 "00" PACKET6, DISSECT_NOT_TCP},
    {"AYIYA, identity beyond",     12,  IP4("11") UDP_TO("13d0") "f0 52 11 29 00000000" PACKET6, DISSECT_NOT_TCP},
    {"LISP, packet too long",      12,  IP4("11") UDP_TO("10f5") "c0000001 00000001 450000ff" ZEROS8 ZEROS8 TCP_PLAIN, DISSECT_NOT_TCP},
};
/* clang-format on */

static void a_length_that_lies_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct segment segment;
        struct bytes bytes = bytes_of(lies[i].frame);
        print_message("    %s\n", lies[i].what);
        assert_result(whole_read(&bytes, lies[i].link_type, &segment), lies[i].result);
        if (lies[i].result != DISSECT_SEGMENT)
            continue;
        assert_plain(&segment, 4, 0);
        assert_int_equal(segment.cut, 0);
    }
}

/* Headers below IP that may hold one of their own kind. */
struct loop {
    const char *what;
    int link_type;
    const char *first; /* then again and again, then last and a packet */
    const char *again;
    const char *last;
};

/* clang-format off */
static const struct loop loops[] = {
    {"802.1Q",     1,   ETHERNET_OF("8100"), "0001 8100", "0001 0800"},
    {"802.1ad",    1,   ETHERNET_OF("88a8"), "0001 88a8", "0001 0800"},
    {"802.1ah",    1,   ETHERNET_OF("88e7"), "00000007" ETHERNET_OF("88e7"), "00000007" ETHERNET_OF("0800")},
    {"VN-tag",     1,   ETHERNET_OF("8926"), "00010002 8926", "00010002 0800"},
    {"FabricPath", 1,   ETHERNET_OF("8903"), "1220" ETHERNET_OF("8903"), "1220" ETHERNET_OF("0800")},
    {"TRILL",      1,   ETHERNET_OF("22f3"), "001f 0001 0002" ETHERNET_OF("22f3"), "001f 0001 0002" ETHERNET_OF("0800")},
    {"EDSA",       1,   ETHERNET_OF("dada"), "0000 c0080001 dada", "0000 c0080001 0800"},
    {"MACsec",     1,   ETHERNET_OF("88e5"), "00 00 00000001 88e5", "00 00 00000001 0800"},
    {"bridges",    1,   ETHERNET_OF("6558"), ETHERNET_OF("6558"), ETHERNET_OF("0800")},
    {"pseudowires", 1,  ETHERNET_OF("8847"), "00010140" ETHERNET_OF("8847"), "00010140" ETHERNET_OF("0800")},
    {"SNAP",       1,   ETHERNET_OF("05dc"), "aaaa03 000000 05dc", SNAP4},
    {"HDLC",       104, "0f00 8847", "00010140" ETHERNET_OF("8847"), "00010140" ETHERNET_OF("0800")},
    {"PPI",        192, "",  "00 00 0800 c0000000", "00 00 0800 e4000000"},
    {"PKTAP",      258, "", "0c000000 01000000 02010000", "0c000000 01000000 0c000000"},
};
/* clang-format on */

static struct bytes looped(const struct loop *loop, int times)
{
    struct bytes bytes = bytes_of(loop->first);
    for (int i = 0; i < times; i++)
        bytes_put(&bytes, loop->again);
    bytes_put(&bytes, loop->last);
    bytes_put(&bytes, PACKET);
    return bytes;
}

static void a_loop_of_links_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
        struct segment segment;
        int times = 0;
        enum dissect_result result;
        print_message("    %s\n", loops[i].what);
        do {
            struct bytes bytes = looped(&loops[i], times++);
            result = whole_read(&bytes, loops[i].link_type, &segment);
        } while (result == DISSECT_SEGMENT && times < 80);
        assert_result(result, DISSECT_LINK_LOOP);
        assert_in_range(times, 8, 40); /* what networks really stack is read */
    }
}

/* A tunnel in itself: as deep as networks nest is read, one more is said. */
static void a_loop_of_tunnels_ends(void **state)
{
    enum { DEEPEST = 8 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        const struct layer *layer = &layers[i];
        if (layer->protocol == 0 || layer->version != 4)
            continue;
        struct bytes bytes = layer_packet(layer);
        print_message("    %s\n", layer->what);
        for (int depth = 1; depth <= DEEPEST + 2; depth++) {
            struct segment segment;
            bytes = layer_around(layer, &bytes);
            enum dissect_result result = whole_read(&bytes, layer->link_type, &segment);
            assert_result(result, depth <= DEEPEST ? DISSECT_SEGMENT : DISSECT_TUNNEL_LOOP);
            if (result != DISSECT_SEGMENT)
                continue;
            assert_plain(&segment, 4, INNER_PAYLOAD);
            assert_int_equal(segment.around.tunnels,
                             depth < SEGMENT_TUNNELS ? depth : SEGMENT_TUNNELS);
        }
    }
}

/* Labels have no bound but the frame's end: there is one step per four octets. */
static void labels_end_with_the_frame(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = {.length = 0};
    for (int i = 0; i < 400; i++)
        bytes_put(&bytes, "00010040");
    assert_result(whole_read(&bytes, 219, &segment), DISSECT_LINK_TRUNCATED);
    bytes_put(&bytes, "00010140" PACKET);
    assert_result(whole_read(&bytes, 219, &segment), DISSECT_SEGMENT);
}

enum { BOMB = 256 * 1024 };

/* A frame of one head and then the same few octets over and over. */
static uint8_t *bomb_new(const char *head, const char *again)
{
    uint8_t *octets = malloc(BOMB);
    struct bytes first = bytes_of(head), rest = bytes_of(again);
    assert_non_null(octets);
    memcpy(octets, first.data, first.length);
    for (uint32_t i = first.length; i < BOMB; i++)
        octets[i] = rest.data[(i - first.length) % rest.length];
    return octets;
}

/* An aggregate of nothing but empty subframes: the caller asks for one after the other. */
static void an_aggregate_of_nothing_ends(void **state)
{
    (void)state;
    uint8_t *octets = bomb_new(WIRELESS("8802") "8000", ETHERNET_OF("0000") "0000");
    struct segment segment;
    uint32_t part = 0;
    do {
        struct frame frame = {octets, BOMB, BOMB, 105, part++};
        assert_int_not_equal(dissect(&frame, &segment), DISSECT_SEGMENT);
    } while (segment.further && part < BOMB);
    assert_in_range(part, 2, 300);
    free(octets);
}

static void frames_full_of_nothing_have_their_reason(void **state)
{
    static const struct {
        const char *what, *head, *again;
        int link_type;
        enum dissect_result result;
    } bombs[] = {
        {"NFLOG", "02000005", "00040001", 239, DISSECT_LINK_TRUNCATED},
        {"GRE routes", IP4("2f") "4000 0800 00000000", "08000000", RAW, DISSECT_TUNNEL_TRUNCATED},
        {"tags", ETHERNET_OF("8100"), "00018100", 1, DISSECT_LINK_LOOP},
        {"IPv4 in IPv4", "", IP4("04"), RAW, DISSECT_TUNNEL_LOOP},
        {"IPv6 in IPv6", "", "60000000 0000 2940" IP6_SOURCE IP6_TARGET, RAW, DISSECT_TUNNEL_LOOP},
        {"IPv6 options", "60000000 0000 3c40" IP6_SOURCE IP6_TARGET, "3c00 010400000000", RAW,
         DISSECT_IP_EXTENSION_LOOP},
        {"radiotap", "0000ffff", "ffffffff", 127, DISSECT_NOT_IP},
        {"PPI", "", "00000800 c0000000", 192, DISSECT_LINK_LOOP},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
        struct segment segment;
        uint8_t *octets = bomb_new(bombs[i].head, bombs[i].again);
        struct frame frame = {octets, BOMB, BOMB, bombs[i].link_type, 0};
        print_message("    %s\n", bombs[i].what);
        assert_result(dissect(&frame, &segment), bombs[i].result);
        free(octets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_that_lies_has_its_reason),
        cmocka_unit_test(a_loop_of_links_ends),
        cmocka_unit_test(a_loop_of_tunnels_ends),
        cmocka_unit_test(labels_end_with_the_frame),
        cmocka_unit_test(an_aggregate_of_nothing_ends),
        cmocka_unit_test(frames_full_of_nothing_have_their_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
