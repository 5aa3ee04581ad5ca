/*
 * dissect below TCP: every link type, every shape of IP header, every way to be malformed, and
 * every length at which a capture can cut a frame.
 */
#include "frames.h"

#define ETHERNET_TO(type) "020000000002 020000000001" type

struct link_case {
    const char *what;
    int link_type;
    const char *header;
    int version;
    int vlans;
    uint16_t vlan[SEGMENT_VLANS];
};

/* clang-format off */
static const struct link_case links[] = {
    {"ethernet, IPv4",            1,   ETHERNET_TO("0800"), 4, 0, {0}},
    {"ethernet, IPv6",            1,   ETHERNET_TO("86dd"), 6, 0, {0}},
    {"802.1Q, priority bits set", 1,   ETHERNET_TO("8100 f064 0800"), 4, 1, {100}},
    {"802.1Q, priority tag",      1,   ETHERNET_TO("8100 a000 86dd"), 6, 1, {0}},
    {"802.1ad",                   1,   ETHERNET_TO("88a8 0064 8100 00c8 0800"), 4, 2, {100, 200}},
    {"QinQ of 0x9100",            1,   ETHERNET_TO("9100 0fff 8100 0001 86dd"), 6, 2, {4095, 1}},
    {"QinQ of 0x8100",            1,   ETHERNET_TO("8100 0001 8100 0002 0800"), 4, 2, {1, 2}},
    {"five tags, four kept",      1,   ETHERNET_TO("88a8 0001 88a8 0002 8100 0003 8100 0004 8100 0005 0800"),
                                                            4, 4, {1, 2, 3, 4}},
    {"SLL, IPv4",                 113, "0000 0001 0006 0200000000010000 0800", 4, 0, {0}},
    {"SLL, IPv6",                 113, "0004 0304 0006 0000000000000000 86dd", 6, 0, {0}},
    {"SLL, VLAN",                 113, "0000 0001 0006 0200000000010000 8100 004d 0800", 4, 1, {77}},
    {"SLL2, IPv4",                276, "0800 0000 00000002 0001 00 06 0200000000010000", 4, 0, {0}},
    {"SLL2, IPv6",                276, "86dd 0000 00000002 0304 04 06 0000000000000000", 6, 0, {0}},
    {"SLL2, VLAN",                276, "8100 0000 00000002 0001 00 06 0200000000010000 0007 86dd", 6, 1, {7}},
    {"NULL, IPv4, little endian", 0,   "02000000", 4, 0, {0}},
    {"NULL, IPv4, big endian",    0,   "00000002", 4, 0, {0}},
    {"NULL, IPv6 of Linux",       0,   "0a000000", 6, 0, {0}},
    {"NULL, IPv6 of Windows",     0,   "17000000", 6, 0, {0}},
    {"NULL, IPv6 of NetBSD",      0,   "18000000", 6, 0, {0}},
    {"NULL, IPv6 of FreeBSD",     0,   "1c000000", 6, 0, {0}},
    {"NULL, IPv6 of macOS",       0,   "1e000000", 6, 0, {0}},
    {"NULL, IPv6, big endian",    0,   "0000001e", 6, 0, {0}},
    {"LOOP, IPv4",                108, "00000002", 4, 0, {0}},
    {"LOOP, IPv6",                108, "00000018", 6, 0, {0}},
    {"LOOP, little endian",       108, "18000000", 6, 0, {0}},
    {"RAW, IPv4",                 12,  "", 4, 0, {0}},
    {"RAW, IPv6",                 12,  "", 6, 0, {0}},
    {"RAW of OpenBSD",            14,  "", 4, 0, {0}},
    {"RAW as in files",           101, "", 6, 0, {0}},
    {"IPV4",                      228, "", 4, 0, {0}},
    {"IPV6",                      229, "", 6, 0, {0}},
};
/* clang-format on */

static struct bytes linked(const struct link_case *link)
{
    struct bytes bytes = bytes_of(link->header);
    struct bytes packet = link->version == 4 ? packet4(TCP_PLAIN, 9) : packet6(TCP_PLAIN, 9);
    memcpy(bytes.data + bytes.length, packet.data, packet.length);
    bytes.length += packet.length;
    return bytes;
}

static void every_link_type_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        struct segment segment;
        struct bytes bytes = linked(&links[i]);
        print_message("    %s\n", links[i].what);
        assert_result(whole_read(&bytes, links[i].link_type, &segment), DISSECT_SEGMENT);
        assert_plain(&segment, (uint8_t)links[i].version, 9);
        assert_int_equal(segment.vlans, links[i].vlans);
        assert_memory_equal(segment.vlan, links[i].vlan, sizeof segment.vlan);
        assert_true(dissect_knows_link_type(links[i].link_type));
    }
}

/* Cut inside the link header is said so, for all of them; RAW and its like have none. */
static void every_link_header_can_be_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        struct segment segment;
        struct bytes bytes = linked(&links[i]);
        uint32_t header = bytes_of(links[i].header).length;
        for (uint32_t captured = 0; captured < header; captured++)
            assert_result(frame_read(&bytes, captured, bytes.length, links[i].link_type, &segment),
                          DISSECT_LINK_TRUNCATED);
        assert_result(frame_read(&bytes, header, bytes.length, links[i].link_type, &segment),
                      DISSECT_IP_TRUNCATED);
    }
}

struct result_case {
    const char *what;
    int link_type;
    const char *frame;
    enum dissect_result result;
};

#define IP6_OF(length, next) "60000000" length next "40" IP6_SOURCE IP6_TARGET
#define IP4_OF(first, length, fragment, protocol)                                                  \
    first "00" length "0001" fragment "40" protocol "0000" IP4_ADDRESSES
#define EIGHT            "0000000000000000"
#define OPTIONS_TO(next) next "00 0104 00000000"

/* clang-format off */
#define PPI1 "0000 0800 c0000000"
#define PPI8 PPI1 PPI1 PPI1 PPI1 PPI1 PPI1 PPI1 PPI1

static const struct result_case results[] = {
    {"no such link type",        9999, "00", DISSECT_UNKNOWN_LINK_TYPE},
    {"no such link type",        -1,   "00", DISSECT_UNKNOWN_LINK_TYPE},
    {"ARP",                      1,    ETHERNET_TO("0806") EIGHT, DISSECT_NOT_IP},
    {"802.3 with LLC",           1,    ETHERNET_TO("0026") "4242 03" EIGHT, DISSECT_NOT_IP},
    {"ARP behind a tag",         1,    ETHERNET_TO("8100 0001 0806") EIGHT, DISSECT_NOT_IP},
    {"SLL, ARP",                 113,  "0000 0001 0006 0200000000010000 0806", DISSECT_NOT_IP},
    {"SLL2, 802.2",              276,  "0004 0000 00000002 0001 00 06 0200000000010000 4242 03", DISSECT_NOT_IP},
    {"802.11, protected",        105,  "0841 0000" EIGHT EIGHT EIGHT "000000000000", DISSECT_ENCRYPTED},
    {"802.11, a fragment",       105,  "0805 0000" EIGHT EIGHT "0000 1000" "aaaa03000000 0800", DISSECT_LINK_FRAGMENT},
    {"802.11, management",       105,  "8000 0000" EIGHT EIGHT "0000 1000", DISSECT_NOT_IP},
    {"radiotap, wrong sum",      127,  "0000 0900 02000000 40" "0801", DISSECT_LINK_DAMAGED},
    {"MACsec, encrypted",        1,    ETHERNET_TO("88e5") "0c00 00000001" EIGHT EIGHT, DISSECT_ENCRYPTED},
    {"PPPoE, discovery code",    1,    ETHERNET_TO("8864") "1109 0001 0004 0021" EIGHT, DISSECT_NOT_IP},
    {"MPLS, labels without end", 1,    ETHERNET_TO("8847") "00010040 00010040 00010040", DISSECT_LINK_TRUNCATED},
    {"MPLS, no known payload",   1,    ETHERNET_TO("8847") "00010140 1000000000000000", DISSECT_NOT_IP},
    {"PPI in PPI, for ever",     192,  PPI8 PPI8 PPI8 PPI8 PPI8, DISSECT_LINK_LOOP},
    {"NFLOG without a packet",   239,  "02000005 0800 0100 08000300", DISSECT_LINK_TRUNCATED},
    {"NFLOG, length of nothing", 239,  "02000005 0000 0100 08000300", DISSECT_LINK_TRUNCATED},
    {"NULL, another family",     0,    "07000000" EIGHT, DISSECT_NOT_IP},
    {"NULL, nonsense",           0,    "02020202" EIGHT, DISSECT_NOT_IP},
    {"NULL, third octet",        0,    "02000100" EIGHT, DISSECT_NOT_IP},
    {"NULL, second octet",       0,    "02010000" EIGHT, DISSECT_NOT_IP},
    {"NULL, two ends",           0,    "02000001" EIGHT, DISSECT_NOT_IP},
    {"RAW, version 5",           RAW,  "55" EIGHT EIGHT EIGHT, DISSECT_NOT_IP},
    {"IPV4, version 6",          228,  IP6_OF("0014", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPV6, version 4",          229,  IP4_OF("45", "0028", "0000", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"0x0800, version 6",        1,    ETHERNET_TO("0800") IP6_OF("0014", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},

    {"IPv4, header of 16",       RAW,  IP4_OF("44", "0028", "0000", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv4, header of 0",        RAW,  IP4_OF("40", "0028", "0000", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv4, length below 20",    RAW,  IP4_OF("45", "0013", "0000", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv4, length below header", RAW, IP4_OF("46", "0017", "0000", "06") TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv4, options not there",  RAW,  IP4_OF("4f", "0050", "0000", "06") TCP_PLAIN, DISSECT_IP_TRUNCATED},
    {"IPv4, first fragment",     RAW,  IP4_OF("45", "0028", "2000", "06") TCP_PLAIN, DISSECT_FRAGMENT},
    {"IPv4, last fragment",      RAW,  IP4_OF("45", "0028", "0001", "06") TCP_PLAIN, DISSECT_FRAGMENT},
    {"IPv4, far fragment",       RAW,  IP4_OF("45", "0028", "1fff", "06") TCP_PLAIN, DISSECT_FRAGMENT},
    {"IPv4, UDP",                RAW,  IP4_OF("45", "001c", "4000", "11") "003500350008 0000", DISSECT_NOT_TCP},
    {"IPv4, UDP cut short",      RAW,  IP4_OF("45", "001c", "4000", "11") "00", DISSECT_NOT_TCP},
    {"IPv4, ICMP",               RAW,  IP4_OF("45", "001c", "0000", "01") EIGHT, DISSECT_NOT_TCP},
    {"IPv4, IPv6 is no option",  RAW,  IP4_OF("45", "001c", "0000", "00") EIGHT, DISSECT_NOT_TCP},
    {"IPv4, ESP",                RAW,  IP4_OF("45", "001c", "0000", "32") EIGHT, DISSECT_ENCRYPTED},
    {"IPv4, ESP behind AH",      RAW,  IP4_OF("45", "0028", "0000", "33") "32 01 0000" EIGHT EIGHT, DISSECT_ENCRYPTED},
    {"IPv4, AH beyond the length", RAW, IP4_OF("45", "001c", "0000", "33") "06 04 0000" EIGHT EIGHT EIGHT, DISSECT_IP_MALFORMED},

    {"IPv6, no next header",     RAW,  IP6_OF("0000", "3b"), DISSECT_NOT_TCP},
    {"IPv6, none behind options", RAW, IP6_OF("0008", "3c") OPTIONS_TO("3b"), DISSECT_NOT_TCP},
    {"IPv6, ICMPv6",             RAW,  IP6_OF("0008", "3a") EIGHT, DISSECT_NOT_TCP},
    {"IPv6, ESP",                RAW,  IP6_OF("0008", "32") EIGHT, DISSECT_ENCRYPTED},
    {"IPv6, ESP behind options", RAW,  IP6_OF("0010", "00") OPTIONS_TO("32") EIGHT, DISSECT_ENCRYPTED},
    {"IPv6, first fragment",     RAW,  IP6_OF("001c", "2c") "06 00 0001 00000001" TCP_PLAIN, DISSECT_FRAGMENT},
    {"IPv6, last fragment",      RAW,  IP6_OF("001c", "2c") "06 00 0008 00000001" TCP_PLAIN, DISSECT_FRAGMENT},
    {"IPv6, fragment too short", RAW,  IP6_OF("0007", "2c") "06 00 0000 00000001", DISSECT_IP_MALFORMED},
    {"IPv6, fragment of nothing", RAW, IP6_OF("0008", "2c") "3b 00 0000 00000001", DISSECT_NOT_TCP},
    {"IPv6, options too long",   RAW,  IP6_OF("000f", "00") "06 01 0104 00000000" EIGHT, DISSECT_IP_MALFORMED},
    {"IPv6, options too short",  RAW,  IP6_OF("0004", "00") "06 00 0100", DISSECT_IP_MALFORMED},
    {"IPv6, options not there",  RAW,  IP6_OF("0030", "00") "06 03 0104 00000000" EIGHT, DISSECT_IP_TRUNCATED},
    {"IPv6, no octet of them",   RAW,  IP6_OF("0030", "2b") "06", DISSECT_IP_TRUNCATED},
    {"IPv6, fragment not there", RAW,  IP6_OF("0030", "2c") "06 00 0000", DISSECT_IP_TRUNCATED},
    {"IPv6, route too short",    RAW,  IP6_OF("001c", "2b") "06 00 00 01 00000000" TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv6, small jumbo",        RAW,  IP6_OF("0000", "00") "06 00 c204 0000ffff" TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv6, jumbo beyond all",   RAW,  IP6_OF("0000", "00") "06 00 c204 ffffffff" TCP_PLAIN, DISSECT_IP_MALFORMED},
    {"IPv6, length for no TCP",  RAW,  IP6_OF("0013", "06") TCP_PLAIN, DISSECT_TCP_MALFORMED},
    {"IPv4, length for no TCP",  RAW,  IP4_OF("45", "0027", "0000", "06") TCP_PLAIN, DISSECT_TCP_MALFORMED},
    {"IPv4, and none captured",  RAW,  IP4_OF("45", "0014", "0000", "06"), DISSECT_TCP_MALFORMED},
    {"TCP, header of 16",        RAW,  IP4_OF("45", "0028", "0000", "06") TCP_PORTS TCP_NUMBERS "4010 0100 0000 0000", DISSECT_TCP_MALFORMED},
    {"TCP, header of 0",         RAW,  IP4_OF("45", "0028", "0000", "06") TCP_PORTS TCP_NUMBERS "0010 0100 0000 0000", DISSECT_TCP_MALFORMED},
    {"TCP, header of 24 in 20",  RAW,  IP4_OF("45", "0028", "0000", "06") TCP_PORTS TCP_NUMBERS "6010 0100 0000 0000", DISSECT_TCP_MALFORMED},
    {"TCP, and padding behind",  RAW,  IP4_OF("45", "0028", "0000", "06") TCP_PORTS TCP_NUMBERS "6010 0100 0000 0000" EIGHT, DISSECT_TCP_MALFORMED},
};
/* clang-format on */

static void every_other_frame_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        struct segment segment;
        struct bytes bytes = bytes_of(results[i].frame);
        print_message("    %s\n", results[i].what);
        assert_result(whole_read(&bytes, results[i].link_type, &segment), results[i].result);
    }
}

static void unknown_link_types_are_known_as_such(void **state)
{
    (void)state;
    assert_false(dissect_knows_link_type(147)); /* USER0 */
    assert_false(dissect_knows_link_type(-1));
}

struct shape_case {
    const char *what;
    const char *headers; /* everything in front of the TCP header, lengths not filled in */
    int version;
    const char *source;
    const char *destination;
};

#define HOP4      "0a000001", "0a000002"
#define HOP6      IP6_SOURCE, IP6_TARGET
#define FAR       "20010db80000000000000000000000ff"
#define NEAR      "20010db80000000000000000000000ee"
#define V4(first) IP4_OF(first, "0000", "4000", "06")
#define V6(next)  IP6_OF("0000", next)

/* clang-format off */
static const struct shape_case shapes[] = {
    {"IPv4, router alert",      V4("46") "94040000", 4, HOP4},
    {"IPv4, options that lie",  V4("46") "94ff0000", 4, HOP4},
    {"IPv4, 40 octets of them", V4("4f") EIGHT EIGHT EIGHT EIGHT EIGHT, 4, HOP4},
    {"IPv4, loose route",       V4("49") "83 0b 04 01020304 05060708 00 00000000", 4, "0a000001", "05060708"},
    {"IPv4, strict route",      V4("47") "01 89 07 04 05060708", 4, "0a000001", "05060708"},
    {"IPv4, route at its end",  V4("47") "01 89 07 08 05060708", 4, HOP4},
    {"IPv4, route that lies",   V4("47") "01 89 0b 04 05060708", 4, HOP4},
    {"IPv4, route too short",   V4("46") "01 89 03 01", 4, HOP4},
    {"IPv4, alert, then route", V4("48") "94040000 83 07 04 05060708 00", 4, "0a000001", "05060708"},
    {"IPv4, end, then route",   V4("47") "00 83 07 04 05060708", 4, HOP4},
    {"IPv4, nil, then route",   V4("48") "0700 83 07 04 05060708 0000 00", 4, HOP4},
    {"IPv4, authenticated",     IP4_OF("45", "0000", "4000", "33") "06 04 0000" EIGHT EIGHT "00000000", 4, HOP4},
    {"hop-by-hop",              V6("00") OPTIONS_TO("06"), 6, HOP6},
    {"hop-by-hop, longer",      V6("00") "06 01 0502 0000 0108" EIGHT, 6, HOP6},
    {"destination options",     V6("3c") OPTIONS_TO("06"), 6, HOP6},
    {"home address",            V6("3c") "06 02 0102 0000 c910" FAR, 6, FAR, IP6_TARGET},
    {"home address, cut",       V6("3c") "06 00 0100 c910 0000", 6, HOP6},
    {"home address, odd pads",  V6("3c") "06 02 00 010107 c910" FAR, 6, FAR, IP6_TARGET},
    {"home address, Pad1s",     V6("3c") "06 02 00000000 c910" FAR, 6, FAR, IP6_TARGET},
    {"source route, done",      V6("2b") "06 02 00 00 00000000" FAR, 6, HOP6},
    {"source route, under way", V6("2b") "06 04 00 01 00000000" NEAR FAR, 6, IP6_SOURCE, FAR},
    {"mobile route",            V6("2b") "06 02 02 01 00000000" FAR, 6, IP6_SOURCE, FAR},
    {"segment route",           V6("2b") "06 04 04 01 01000000" FAR NEAR, 6, IP6_SOURCE, FAR},
    {"route unheard of",        V6("2b") "06 02 09 01 00000000" FAR, 6, HOP6},
    {"atomic fragment",         V6("2c") "06 00 0000 00000001", 6, HOP6},
    {"atomic, reserved bits",   V6("2c") "06 ff 0006 00000001", 6, HOP6},
    {"authenticated",           V6("33") "06 04 0000" EIGHT EIGHT "00000000", 6, HOP6},
    {"mobility",                V6("87") "06 00" "000000000000", 6, HOP6},
    {"host identity",           V6("8b") "06 04 0101" EIGHT EIGHT EIGHT EIGHT "00000000", 6, HOP6},
    {"shim6",                   V6("8c") "06 00 8000 00000000", 6, HOP6},
    {"all in a row",            V6("00") OPTIONS_TO("3c") OPTIONS_TO("2b") "2c 00 00 00 00000000" "33 00 0000 00000001"
                                "3c 01 0000" EIGHT OPTIONS_TO("87") "8b 00 000000000000" "8c 00 000000000000"
                                "06 00 000000000000", 6, HOP6},
};
/* clang-format on */

static struct bytes shaped(const struct shape_case *shape)
{
    struct bytes bytes = bytes_of(shape->headers);
    bytes_put(&bytes, TCP_PLAIN);
    bytes_fill(&bytes, 5);
    if (shape->version == 4)
        ip4_close(&bytes, 0);
    else
        ip6_close(&bytes, 0);
    return bytes;
}

static void every_shape_of_header_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct segment segment;
        struct bytes bytes = shaped(&shapes[i]);
        print_message("    %s\n", shapes[i].what);
        assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
        assert_plain(&segment, (uint8_t)shapes[i].version, 5);
        assert_int_equal(segment.ip_length, bytes.length);
        assert_int_equal(segment.ttl, 0x40);
        assert_address(segment.source, shapes[i].source);
        assert_address(segment.destination, shapes[i].destination);
    }
}

static struct bytes chained(int headers)
{
    struct bytes bytes = {.length = 0};
    ip6_put(&bytes, "3c");
    for (int i = 1; i <= headers; i++)
        bytes_put(&bytes, i < headers ? OPTIONS_TO("3c") : OPTIONS_TO("06"));
    bytes_put(&bytes, TCP_PLAIN);
    ip6_close(&bytes, 0);
    return bytes;
}

static void a_chain_of_extension_headers_is_bounded(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = chained(16);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
    bytes = chained(17);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_IP_EXTENSION_LOOP);
}

/* A card that cuts the packet up has yet to set the length; the frame's stands in, cut or not. */
static void a_length_of_zero_is_that_of_the_frame(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = packet4(TCP_PLAIN, 100);
    bytes_set16(&bytes, 2, 0);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, 140);
    assert_int_equal(segment.payload, 100);
    assert_result(frame_read(&bytes, 60, 70140, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, 70140);
    assert_int_equal(segment.payload, 70100);
    assert_int_equal(segment.cut, 1);

    bytes = packet6(TCP_PLAIN, 100);
    bytes_set16(&bytes, 4, 0);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, 160);
    assert_int_equal(segment.payload, 100);

    bytes = bytes_of(IP6_OF("0000", "00") OPTIONS_TO("06") TCP_PLAIN);
    assert_result(frame_read(&bytes, bytes.length, 80000, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, 80000);
    bytes = bytes_of(IP6_OF("0000", "3b"));
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_NOT_TCP);
}

static void a_jumbo_payload_has_its_length_in_an_option(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = bytes_of(IP6_OF("0000", "00") "06 00 c204 00011170" TCP_PLAIN);
    assert_result(frame_read(&bytes, bytes.length, 70040, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, 70040);
    assert_int_equal(segment.payload, 70000 - 8 - 20);
    assert_int_equal(segment.cut, 1);

    bytes = bytes_of(IP6_OF("0000", "00") "06 01 0106 000000000000 c204 00010000" TCP_PLAIN);
    assert_result(frame_read(&bytes, bytes.length, 65576, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, 65576);
    bytes = bytes_of(IP6_OF("0000", "00") "06 01 0106 000000000000 c204 0000ffff" TCP_PLAIN);
    assert_result(frame_read(&bytes, bytes.length, 65576, RAW, &segment), DISSECT_IP_MALFORMED);

    bytes = bytes_of(IP6_OF("0000", "00") "06 00 c204 fffffff0" TCP_PLAIN);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_IP_MALFORMED);
    bytes = bytes_of(IP6_OF("0000", "00") "06 00 c204 ffffffd7" TCP_PLAIN);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.ip_length, UINT32_MAX);
}

static void link_padding_is_no_payload(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = bytes_of(ETHERNET_TO("0800"));
    ip4_put(&bytes, "06");
    bytes_put(&bytes, TCP_PLAIN);
    ip4_close(&bytes, 14);
    bytes_put(&bytes, "eeeeeeeeeeee");
    assert_result(whole_read(&bytes, ETHERNET, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.payload, 0);
    assert_int_equal(segment.payload_hash, 0);
    assert_int_equal(segment.payload_hashed, 0);
    assert_int_equal(segment.cut, 0);
}

static void a_frame_shorter_than_its_capture_is_as_long_as_that(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = packet4(TCP_PLAIN, 10);
    bytes_set16(&bytes, 2, 0);
    assert_result(frame_read(&bytes, bytes.length, 3, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.payload, 10);
}

/* What a result must be when the capture ends there. */
struct boundary {
    uint32_t captured; /* from this many octets on */
    enum dissect_result result;
};

static void cut_everywhere(const struct bytes *bytes, int link_type, const struct boundary *bounds)
{
    for (uint32_t captured = 0; captured <= bytes->length; captured++) {
        struct segment segment;
        if (bounds[1].captured != 0 && captured >= bounds[1].captured)
            bounds++;
        assert_result(frame_read(bytes, captured, bytes->length, link_type, &segment),
                      bounds->result);
        if (bounds->result == DISSECT_SEGMENT) {
            assert_int_equal(segment.payload, 300);
            assert_int_equal(segment.cut, captured < bytes->length);
        }
    }
}

#define TCP_TIMESTAMPS TCP_PORTS TCP_NUMBERS "8010 0100 0000 0000 0101 080a 00000001 00000002"

static void a_capture_can_end_anywhere(void **state)
{
    (void)state;
    static const struct boundary bounds4[] = {{0, DISSECT_LINK_TRUNCATED},
                                              {18, DISSECT_IP_TRUNCATED},
                                              {42, DISSECT_TCP_TRUNCATED},
                                              {62, DISSECT_SEGMENT},
                                              {0, DISSECT_SEGMENT}};
    struct bytes bytes = bytes_of(ETHERNET_TO("8100 0001 0800") V4("46") "94040000");
    bytes_put(&bytes, TCP_TIMESTAMPS);
    bytes_fill(&bytes, 300);
    ip4_close(&bytes, 18);
    cut_everywhere(&bytes, ETHERNET, bounds4);

    static const struct boundary bounds6[] = {{0, DISSECT_LINK_TRUNCATED},
                                              {20, DISSECT_IP_TRUNCATED},
                                              {120, DISSECT_TCP_TRUNCATED},
                                              {140, DISSECT_SEGMENT},
                                              {0, DISSECT_SEGMENT}};
    bytes = bytes_of("86dd 0000 00000002 0001 00 06 0200000000010000" V6("00"));
    bytes_put(&bytes, OPTIONS_TO("3c") "2b 02 0102 0000 c910" FAR "33 00 00 00 00000000");
    bytes_put(&bytes, "2c 01 0000" EIGHT "06 00 0000 00000001" TCP_TIMESTAMPS);
    bytes_fill(&bytes, 300);
    ip6_close(&bytes, 20);
    cut_everywhere(&bytes, 276, bounds6);
}

/* Nothing of what stood in the segment before may show through, whatever a frame leaves unsaid. */
static void every_field_is_defined(void **state)
{
    (void)state;
    struct bytes packets[] = {packet4(TCP_PLAIN, 0), packet6(TCP_PLAIN, 3)};
    for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
        struct segment one;
        struct segment two;
        memset(&one, 0x00, sizeof one);
        memset(&two, 0xff, sizeof two);
        frame_read(&packets[i], packets[i].length, packets[i].length, RAW, &one);
        frame_read(&packets[i], packets[i].length, packets[i].length, RAW, &two);
        assert_int_equal(one.time, 0);
        assert_int_equal(two.time, -1);
        assert_true(two.packet == UINT64_MAX);
        assert_memory_equal(one.source, two.source,
                            offsetof(struct segment, further) - offsetof(struct segment, source));
        assert_memory_equal(one.sack, two.sack, sizeof one.sack);
        assert_int_equal(one.ip_length, two.ip_length);
        assert_memory_equal(&one.sequence, &two.sequence,
                            offsetof(struct segment, payload_hashed) + 1 -
                                offsetof(struct segment, sequence));
    }
}

static void every_result_has_a_name_and_a_reason(void **state)
{
    (void)state;
    for (int i = 0; i < DISSECT_RESULTS; i++) {
        assert_true(strlen(dissect_result_name((enum dissect_result)i)) > 0);
        assert_true(strlen(dissect_result_reason((enum dissect_result)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(dissect_result_name((enum dissect_result)i),
                                    dissect_result_name((enum dissect_result)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_type_is_read),
        cmocka_unit_test(every_link_header_can_be_cut),
        cmocka_unit_test(every_other_frame_has_its_reason),
        cmocka_unit_test(unknown_link_types_are_known_as_such),
        cmocka_unit_test(every_shape_of_header_is_read),
        cmocka_unit_test(a_chain_of_extension_headers_is_bounded),
        cmocka_unit_test(a_length_of_zero_is_that_of_the_frame),
        cmocka_unit_test(a_jumbo_payload_has_its_length_in_an_option),
        cmocka_unit_test(link_padding_is_no_payload),
        cmocka_unit_test(a_frame_shorter_than_its_capture_is_as_long_as_that),
        cmocka_unit_test(a_capture_can_end_anywhere),
        cmocka_unit_test(every_field_is_defined),
        cmocka_unit_test(every_result_has_a_name_and_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
