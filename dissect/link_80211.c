/*
 * link_80211: wireless frames, IEEE 802.11 9.3.2, and the headers that capturers put before them.
 *
 *      0         2          4     10    16    22     24     30    32
 *      +---------+----------+-----+-----+-----+------+------+-----+------+-------
 *      | control | duration | A1  | A2  | A3  | seq  | (A4) |(QoS)| (HT) | LLC
 *      +---------+----------+-----+-----+-----+------+------+-----+------+-------
 *                                                      both     data    order
 *                                                      systems  8-11    set
 *
 *      an aggregate (A-MSDU, 9.3.2.2) holds several packets instead of one:
 *      | destination 6 | source 6 | length 2 | LLC ... | padding to 4 |  ... again
 *
 * Numbers of 802.11 and of the capture headers are in little-endian order.
 */
#include "link.h"

enum {
    HEADER = 24,
    ADDRESS = 6,
    TYPE_DATA = 2,
    SUBTYPE_NULL = 0x4, /* bits of the subtype */
    SUBTYPE_QOS = 0x8,
    TO_SYSTEM = 0x01, /* bits of the second octet */
    FROM_SYSTEM = 0x02,
    MORE_FRAGMENTS = 0x04,
    PROTECTED = 0x40,
    ORDER = 0x80,
    QOS_AGGREGATE = 0x80,
    QOS_MESH = 0x01, /* of the second octet of QoS control */
    SUBFRAME_HEADER = 14,
    AGGREGATE_MOST = 11454, /* octets of an A-MSDU, IEEE 802.11 9.3.2.1 */
    SUBFRAMES_MOST = 256,   /* more do not fit, with a TCP segment in each */
    LLC_SNAP = 0xaaaa03,
};

static uint16_t little16(struct view view, size_t offset)
{
    return (uint16_t)(view_u8(view, offset) | view_u8(view, offset + 1) << 8);
}

static uint32_t little32(struct view view, size_t offset)
{
    return little16(view, offset) | (uint32_t)little16(view, offset + 2) << 16;
}

/* The subframe of an aggregate that the caller asks for (packet->part). */
static enum dissect_result aggregate_read(struct packet *packet)
{
    packet_limit_to(packet, AGGREGATE_MOST);
    for (uint32_t part = 0;; part++) {
        struct view header = packet->rest;
        packet->further = false;
        if (!view_holds(header, SUBFRAME_HEADER))
            return DISSECT_LINK_TRUNCATED;
        uint32_t octets = SUBFRAME_HEADER + view_u16(header, 12);
        uint32_t padded = (octets + 3) & ~3u;
        packet->further = part < SUBFRAMES_MOST && packet->length > padded + SUBFRAME_HEADER;
        if (part == packet->part) {
            if (octets > packet->length)
                return DISSECT_LINK_TRUNCATED;
            packet_limit(packet, octets);
            packet_skip(packet, SUBFRAME_HEADER);
            return link_llc(packet);
        }
        packet_skip(packet, padded);
    }
}

/* Behind the QoS field of a mesh frame stand flags, TTL, a number and addresses (9.2.4.7.3). */
static void mesh_skip(struct packet *packet)
{
    uint32_t octets = 6 + (view_u8(packet->rest, 0) & 3u) * ADDRESS;
    if (view_u32(packet->rest, 0) >> 8 != LLC_SNAP &&
        view_u32(packet->rest, octets) >> 8 == LLC_SNAP)
        packet_skip(packet, octets);
}

static enum dissect_result data_read(struct packet *packet, bool padded)
{
    struct view header = packet->rest;
    uint8_t subtype = view_u8(header, 0) >> 4, flags = view_u8(header, 1);
    bool both = (flags & (TO_SYSTEM | FROM_SYSTEM)) == (TO_SYSTEM | FROM_SYSTEM);
    bool qos = (subtype & SUBTYPE_QOS) != 0;
    uint32_t at = HEADER + (both ? ADDRESS : 0);
    uint32_t octets = at + (qos ? 2 : 0) + (qos && (flags & ORDER) != 0 ? 4 : 0);
    if (padded)
        octets = (octets + 3) & ~3u;
    if (!view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    if ((flags & MORE_FRAGMENTS) != 0 || (little16(header, 22) & 0x0f) != 0)
        return DISSECT_LINK_FRAGMENT;
    uint8_t qos_low = qos ? view_u8(header, at) : 0;
    uint8_t qos_high = qos ? view_u8(header, at + 1) : 0;
    packet_skip(packet, octets);
    if ((qos_low & QOS_AGGREGATE) != 0)
        return aggregate_read(packet);
    if ((qos_high & QOS_MESH) != 0)
        mesh_skip(packet);
    return link_llc(packet);
}

static enum dissect_result frame_read(struct packet *packet, bool padded)
{
    struct view header = packet->rest;
    if (!view_holds(header, 2))
        return DISSECT_LINK_TRUNCATED;
    uint8_t type = view_u8(header, 0) >> 2 & 3, subtype = view_u8(header, 0) >> 4;
    if (type != TYPE_DATA || (subtype & SUBTYPE_NULL) != 0)
        return DISSECT_NOT_IP;
    if ((view_u8(header, 1) & PROTECTED) != 0)
        return DISSECT_ENCRYPTED;
    return data_read(packet, padded);
}

enum dissect_result link_80211(struct packet *packet)
{
    return frame_read(packet, false);
}

/* The flags field of a radiotap header (radiotap.org); 0 where it has none. */
static uint8_t radiotap_flags(struct view header)
{
    enum { PRESENT = 4, TIME = 0x1, FLAGS = 0x2, MORE = 0x80000000 };
    uint32_t present = little32(header, PRESENT);
    size_t at = PRESENT + 4;
    for (uint32_t word = present; (word & MORE) != 0 && view_covers(header, at, 4); at += 4)
        word = little32(header, at);
    if ((present & FLAGS) == 0)
        return 0;
    if ((present & TIME) != 0)
        at = ((at + 7) & ~(size_t)7) + 8;
    return view_u8(header, at);
}

/* | version 1 | pad 1 | length 2 | present 4, or more | fields | */
enum dissect_result link_radiotap(struct packet *packet)
{
    enum { LEAST = 8, FLAG_PADDED = 0x20, FLAG_BAD_SUM = 0x40 };
    uint32_t octets = little16(packet->rest, 2);
    if (!view_holds(packet->rest, LEAST) || !view_holds(packet->rest, octets))
        return DISSECT_LINK_TRUNCATED;
    if (octets < LEAST)
        return DISSECT_NOT_IP;
    uint8_t flags = radiotap_flags(view_first(packet->rest, octets));
    packet_skip(packet, octets);
    if ((flags & FLAG_BAD_SUM) != 0)
        return DISSECT_LINK_DAMAGED;
    return frame_read(packet, (flags & FLAG_PADDED) != 0);
}

/* | version 1 | flags 1 | length 2 | DLT 4 | fields |: what follows is of that link type. */
enum dissect_result link_ppi(struct packet *packet)
{
    enum { LEAST = 8 };
    struct view header = packet->rest;
    uint32_t octets = little16(header, 2);
    if (!view_holds(header, LEAST) || !view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    if (octets < LEAST)
        return DISSECT_NOT_IP;
    packet_skip(packet, octets);
    return link_read(packet, (int)little32(header, 4));
}

/* Length in network order behind a cookie of four octets: LINKTYPE_IEEE802_11_AVS. */
enum dissect_result link_avs(struct packet *packet)
{
    enum { LEAST = 8 };
    uint32_t octets = view_u32(packet->rest, 4);
    if (!view_holds(packet->rest, LEAST) || !view_holds(packet->rest, octets))
        return DISSECT_LINK_TRUNCATED;
    if (octets < LEAST)
        return DISSECT_NOT_IP;
    packet_skip(packet, octets);
    return link_80211(packet);
}

/* 144 octets; AVS headers come under the same link type, told by their cookie. */
enum dissect_result link_prism(struct packet *packet)
{
    enum { PRISM_HEADER = 144, AVS_COOKIE = 0x80211 };
    if (view_u32(packet->rest, 0) >> 12 == AVS_COOKIE)
        return link_avs(packet);
    if (!view_holds(packet->rest, PRISM_HEADER))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, PRISM_HEADER);
    return link_80211(packet);
}
