/*
 * layers: a whole header of every link type, of every Ethertype and of every tunnel, as it stands
 * in front of the IP packet that it carries; for the tests that damage them.
 */
#ifndef LASTACK_TESTS_LAYERS_H
#define LASTACK_TESTS_LAYERS_H

#include "frames.h"

#define TO_ETHERNET(type) "020000000002 020000000001" type
#define SNAP4             "aaaa03 000000 0800"
#define SNAP6             "aaaa03 000000 86dd"
#define ZEROS8            "0000000000000000"
#define ZEROS32           ZEROS8 ZEROS8 ZEROS8 ZEROS8
#define WIRELESS(control) control "0000" TO_ETHERNET("") "020000000003 1000"
#define TEID              "00000005"

enum {
    NOT_BEFORE_IP = 0xffff, /* nothing of the header proves the tunnel: what it carries does */
    INNER_PAYLOAD = 9,
};

struct layer {
    const char *what;
    int link_type;
    int protocol;       /* of the IPv4 header that stands before the header; 0: none does */
    int port;           /* with protocol 17 */
    const char *header; /* up to the packet that it carries */
    int version;        /* of that packet */
    uint32_t length_at; /* 16 bits that hold the length from length_from on; 0: none */
    uint32_t length_from;
    uint32_t proven; /* octets of a tunnel's header that prove it */
};

/* clang-format off */
static const struct layer layers[] = {
    {"ethernet",           1, 0, 0, TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"ethernet, IPv6",     1, 0, 0, TO_ETHERNET("86dd"), 6, 0, 0, 0},
    {"802.1Q",             1, 0, 0, TO_ETHERNET("8100 0064 0800"), 4, 0, 0, 0},
    {"802.1ad",            1, 0, 0, TO_ETHERNET("88a8 0064 8100 00c8 86dd"), 6, 0, 0, 0},
    {"QinQ",               1, 0, 0, TO_ETHERNET("9100 0064 0800"), 4, 0, 0, 0},
    {"QinQ of others",     1, 0, 0, TO_ETHERNET("9200 0064 0800"), 4, 0, 0, 0},
    {"MPLS",               1, 0, 0, TO_ETHERNET("8847 00010040 00011140"), 4, 0, 0, 0},
    {"MPLS, upstream",     1, 0, 0, TO_ETHERNET("8848 00010140"), 6, 0, 0, 0},
    {"PPPoE",              1, 0, 0, TO_ETHERNET("8864 11 00 0001 0000 0021"), 4, 18, 20, 0},
    {"802.1ah",            1, 0, 0, TO_ETHERNET("88e7 00000007") TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"VN-tag",             1, 0, 0, TO_ETHERNET("8926 00010002 0800"), 4, 0, 0, 0},
    {"FabricPath",         1, 0, 0, TO_ETHERNET("8903 1220") TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"TRILL",              1, 0, 0, TO_ETHERNET("22f3 001f 0001 0002") TO_ETHERNET("86dd"), 6, 0, 0, 0},
    {"EDSA",               1, 0, 0, TO_ETHERNET("dada 0000 c0080001 0800"), 4, 0, 0, 0},
    {"MACsec, plain",      1, 0, 0, TO_ETHERNET("88e5 20 00 00000001") ZEROS8 "0800", 4, 0, 0, 0},
    {"bridged Ethernet",   1, 0, 0, TO_ETHERNET("6558") TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"802.3",              1, 0, 0, TO_ETHERNET("0000") SNAP4, 4, 12, 14, 0},

    {"NULL",               0, 0, 0, "02000000", 4, 0, 0, 0},
    {"LOOP",             108, 0, 0, "00000018", 6, 0, 0, 0},
    {"RAW",               12, 0, 0, "", 4, 0, 0, 0},
    {"RAW of OpenBSD",    14, 0, 0, "", 6, 0, 0, 0},
    {"RAW as in files",  101, 0, 0, "", 4, 0, 0, 0},
    {"IPV4",             228, 0, 0, "", 4, 0, 0, 0},
    {"IPV6",             229, 0, 0, "", 6, 0, 0, 0},
    {"SLL",              113, 0, 0, "0000 0001 0006 0200000000010000 0800", 4, 0, 0, 0},
    {"SLL2",             276, 0, 0, "86dd 0000 00000002 0001 00 06 0200000000010000", 6, 0, 0, 0},

    {"PPP",                9, 0, 0, "ff03 0021", 4, 0, 0, 0},
    {"PPP_HDLC",          50, 0, 0, "ff03 0057", 6, 0, 0, 0},
    {"PPP_ETHER",         51, 0, 0, "11 00 0001 0000 0021", 4, 4, 6, 0},
    {"PPP_PPPD",         166, 0, 0, "0003 0021", 4, 0, 0, 0},
    {"PPP_WITH_DIR",     204, 0, 0, "00 ff03 0021", 4, 0, 0, 0},
    {"C_HDLC",           104, 0, 0, "0f00 0800", 4, 0, 0, 0},
    {"FRELAY",           107, 0, 0, "1841 03 00 80 000000 0800", 4, 0, 0, 0},
    {"MPLS alone",       219, 0, 0, "00010140", 4, 0, 0, 0},

    {"IEEE802_11",       105, 0, 0, WIRELESS("8801") "0000" SNAP4, 4, 0, 0, 0},
    {"802.11, A-MSDU",   105, 0, 0, WIRELESS("8802") "8000" TO_ETHERNET("0000") SNAP6, 6, 38, 40, 0},
    {"RADIOTAP",         127, 0, 0, "00 00 0900 02000000 00" WIRELESS("0801") SNAP4, 4, 0, 0, 0},
    {"AVS",              163, 0, 0, "80211001 00000010" ZEROS8 WIRELESS("0801") SNAP4, 4, 0, 0, 0},
    {"PRISM",            119, 0, 0, "44000000 90000000 776c616e30000000" ZEROS32 ZEROS32 ZEROS32 ZEROS32
                                    WIRELESS("0801") SNAP4, 4, 0, 0, 0},
    {"PPI",              192, 0, 0, "00 00 0800 69000000" WIRELESS("0801") SNAP4, 4, 0, 0, 0},

    {"NFLOG",            239, 0, 0, "02 00 0005 0800 0100 08000300 0000 0009", 4, 12, 12, 0},
    {"PFLOG",            117, 0, 0, "3d 02 0000 656d3000" ZEROS32 ZEROS8 ZEROS8 "00000000 00000000", 4, 0, 0, 0},
    {"PKTAP",            258, 0, 0, "10000000 01000000 01000000 00000000" TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"PKTAP of Apple",   149, 0, 0, "10000000 01000000 0c000000 00000000", 6, 0, 0, 0},
    {"ENC",              109, 0, 0, "02000000 00000001 00000000", 4, 0, 0, 0},
    {"IEEE802_5",          6, 0, 0, "1040 020000000002 820000000001 0600 0101 0202" SNAP4, 4, 0, 0, 0},
    {"FDDI",              10, 0, 0, "50" TO_ETHERNET("") SNAP4, 4, 0, 0, 0},
    {"IP_OVER_FC",       122, 0, 0, ZEROS8 ZEROS8 SNAP4, 4, 0, 0, 0},
    {"ATM_RFC1483",       11, 0, 0, SNAP6, 6, 0, 0, 0},
    {"ATM_RFC1483",      100, 0, 0, SNAP4, 4, 0, 0, 0},
    {"SUNATM",           123, 0, 0, "02000021" SNAP4, 4, 0, 0, 0},
    {"SLIP",               8, 0, 0, ZEROS8 ZEROS8, 4, 0, 0, 0},
    {"NETANALYZER",      240, 0, 0, "00000000" TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"BRCM_PREPEND",     282, 0, 0, "20000001" TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"BRCM",             281, 0, 0, TO_ETHERNET("") "20000001 0800", 4, 0, 0, 0},
    {"DSA",              283, 0, 0, TO_ETHERNET("") "c0080001 86dd", 6, 0, 0, 0},
    {"EDSA alone",       284, 0, 0, TO_ETHERNET("dada 0000 c0080001 0800"), 4, 0, 0, 0},
    {"IEEE1394",         138, 0, 0, ZEROS8 ZEROS8 "0800", 4, 0, 0, 0},
    {"IPOIB",            242, 0, 0, ZEROS32 ZEROS8 "0800 0000", 4, 0, 0, 0},

    {"IP in IP",          12, 4,   0, "", 4, 0, 0, 0},
    {"IPv6 in IP",        12, 41,  0, "", 6, 0, 0, 0},
    {"GRE",               12, 47,  0, "b000 0800 00000000 00000007 00000001", 4, 0, 0, 0},
    {"GRE, routed",       12, 47,  0, "4000 86dd 00000000 0800 0004 0a000009 0000 0000", 6, 0, 0, 0},
    {"GRE, bridged",      12, 47,  0, "0000 6558" TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"PPTP",              12, 47,  0, "3081 880b 00000007 00000001 00000002 ff03 0021", 4, 0, 0, 0},
    {"Aruba",             12, 47,  0, "0000 8200" WIRELESS("0801") SNAP4, 4, 0, 0, 0},
    {"ERSPAN I",          12, 47,  0, "0000 88be" TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"ERSPAN II",         12, 47,  0, "1000 88be 00000001 10000007 00000000" TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"ERSPAN III",        12, 47,  0, "1000 22eb 00000001 20000007 00000000 00000001" ZEROS8
                                      TO_ETHERNET("0800"), 4, 0, 0, 0},
    {"EtherIP",           12, 97,  0, "3000" TO_ETHERNET("86dd"), 6, 0, 0, 0},
    {"L2TPv3",            12, 115, 0, "00000007 636f6f6b" TO_ETHERNET("0800"), 4, 0, 0, NOT_BEFORE_IP},
    {"MPLS in IP",        12, 137, 0, "00010140", 4, 0, 0, 0},
    {"VXLAN",             12, 17, 4789, "08000000 00002a00" TO_ETHERNET("0800"), 4, 0, 0, 8},
    {"VXLAN of Linux",    12, 17, 8472, "08000000 00002a00" TO_ETHERNET("86dd"), 6, 0, 0, 8},
    {"VXLAN-GPE",         12, 17, 4790, "0c000001 00002a00", 4, 0, 0, 8},
    {"VXLAN-GPE, NSH",    12, 17, 4790, "0c000004 00002a00 0002 0101 00000000", 4, 0, 0, 8},
    {"GENEVE",            12, 17, 6081, "02000800 00002a00 01028001 00000001", 4, 0, 0, 8},
    {"GENEVE, bridged",   12, 17, 6081, "00006558 00002a00" TO_ETHERNET("86dd"), 6, 0, 0, 8},
    {"GTP-U",             12, 17, 2152, "30ff 0000" TEID, 4, 30, 36, 8},
    {"GTP-U, extended",   12, 17, 2152, "34ff 0000" TEID "0000 00 85 01 1001 00", 6, 30, 36, 8},
    {"Teredo",            12, 17, 3544, "0001 0000" ZEROS8 "00 0000 1234 01020304", 6, 0, 0, NOT_BEFORE_IP},
    {"AYIYA",             12, 17, 5072, "40 52 11 29 00000000" ZEROS8 ZEROS8 ZEROS8 ZEROS8 "00000000",
                                                            6, 0, 0, NOT_BEFORE_IP},
    {"L2TPv2",            12, 17, 1701, "0002 0001 0002 ff03 0021", 4, 0, 0, NOT_BEFORE_IP},
    {"L2TPv3 over UDP",   12, 17, 1701, "0003 0000 00000007" TO_ETHERNET("0800"), 4, 0, 0, NOT_BEFORE_IP},
    {"LISP",              12, 17, 4341, "c0000001 00000001", 4, 0, 0, NOT_BEFORE_IP},
    {"MPLS in UDP",       12, 17, 6635, "00010140", 4, 0, 0, NOT_BEFORE_IP},
};
/* clang-format on */

enum { OUTER_IP = 20, OUTER_UDP = 8 };

/* Octets before the packet that the layer carries. */
static inline uint32_t layer_octets(const struct layer *layer)
{
    uint32_t outer = layer->protocol == 0 ? 0 : OUTER_IP;
    return outer + (layer->protocol == 17 ? OUTER_UDP : 0) + bytes_of(layer->header).length;
}

static inline uint32_t layer_ip_octets(const struct layer *layer)
{
    return layer->version == 4 ? 20 : 40;
}

static inline void layer_put_outer(struct bytes *bytes, const struct layer *layer)
{
    char digits[16];
    if (layer->protocol == 0)
        return;
    snprintf(digits, sizeof digits, "%02x", (unsigned)layer->protocol);
    ip4_put(bytes, digits);
    if (layer->protocol != 17)
        return;
    snprintf(digits, sizeof digits, "9c40%04x", (unsigned)layer->port);
    bytes_put(bytes, digits);
    bytes_put(bytes, "0000 0000");
}

/* The layer around a packet; all lengths are right. */
static inline struct bytes layer_around(const struct layer *layer, const struct bytes *packet)
{
    struct bytes bytes = {.length = 0};
    layer_put_outer(&bytes, layer);
    bytes_put(&bytes, layer->header);
    assert_true(bytes.length + packet->length <= sizeof bytes.data);
    memcpy(bytes.data + bytes.length, packet->data, packet->length);
    bytes.length += packet->length;
    if (layer->length_at != 0)
        bytes_set16(&bytes, layer->length_at, bytes.length - layer->length_from);
    if (layer->protocol != 0)
        ip4_close(&bytes, 0);
    if (layer->protocol == 17)
        bytes_set16(&bytes, OUTER_IP + 4, bytes.length - OUTER_IP);
    return bytes;
}

/* The packet that every layer here carries: TCP_PLAIN and INNER_PAYLOAD octets. */
static inline struct bytes layer_packet(const struct layer *layer)
{
    return layer->version == 4 ? packet4(TCP_PLAIN, INNER_PAYLOAD)
                               : packet6(TCP_PLAIN, INNER_PAYLOAD);
}

static inline struct bytes layer_frame(const struct layer *layer)
{
    struct bytes packet = layer_packet(layer);
    return layer_around(layer, &packet);
}

#endif
