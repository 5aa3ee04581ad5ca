/*
 * tunnel_gre: generic routing encapsulation and what is built on it.
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
 *      |C|R|K|S|s|Recur|A| Flags | Ver |           Protocol            |
 *      +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
 *      | checksum, offset (C or R) | key (K) | sequence (S) | acknowledgment (A, version 1)
 *      | routes (R): | family 2 | offset 1 | length 1 | address ... | until family, length are 0
 *
 * RFC 2784, RFC 2890 (K, S), RFC 1701 (R), RFC 2637 (version 1: PPP of PPTP).  ERSPAN is a mirror
 * port's frame behind GRE: without a sequence number bare (type I), with one behind 8 octets (II),
 * or behind 12 or 20 (III), draft-foschiano-erspan.
 */
#include "tunnel.h"

#include "link.h"

enum {
    GRE_HEADER = 4,
    GRE_FIELD = 4,
    CHECKSUM = 0x8000,
    ROUTING = 0x4000,
    KEY = 0x2000,
    SEQUENCE = 0x1000,
    ACKNOWLEDGMENT = 0x0080,
    VERSION_BITS = 0x0007,
    ROUTE_HEADER = 4,
    TYPE_ERSPAN = 0x88be, /* I and II */
    TYPE_ERSPAN3 = 0x22eb,
    TYPE_PPP = 0x880b,
    TYPE_ARUBA = 0x8200, /* to 0x82ff: a wireless frame of an access point */
    TYPE_ARUBA_MASK = 0xff00,
    TYPE_KEEP_ALIVE = 0,
};

/* Octets of the fields that the flags announce. */
static uint32_t fields_octets(uint16_t flags)
{
    uint32_t octets = GRE_HEADER;
    if ((flags & (CHECKSUM | ROUTING)) != 0)
        octets += GRE_FIELD;
    if ((flags & KEY) != 0)
        octets += GRE_FIELD;
    if ((flags & SEQUENCE) != 0)
        octets += GRE_FIELD;
    if ((flags & VERSION_BITS) == 1 && (flags & ACKNOWLEDGMENT) != 0)
        octets += GRE_FIELD;
    return octets;
}

/* Takes the list of source routes off; false where it does not end in the packet. */
static bool routes_skip(struct packet *packet)
{
    while (view_holds(packet->rest, ROUTE_HEADER)) {
        uint8_t length = view_u8(packet->rest, 3);
        bool last = view_u16(packet->rest, 0) == 0 && length == 0;
        packet_skip(packet, ROUTE_HEADER + length);
        if (last)
            return true;
    }
    return false;
}

static enum dissect_result erspan_read(struct packet *packet, bool sequence)
{
    enum { HEADER2 = 8, SESSION = 0x3ff };
    packet->tunnel_kind = TUNNEL_ERSPAN;
    if (!sequence)
        return link_ethernet(packet);
    if (!view_holds(packet->rest, HEADER2))
        return DISSECT_TUNNEL_TRUNCATED;
    if (view_u8(packet->rest, 0) >> 4 != 1)
        return DISSECT_NOT_TCP;
    packet->tunnel_id = view_u32(packet->rest, 0) & SESSION;
    packet_skip(packet, HEADER2);
    return link_ethernet(packet);
}

static enum dissect_result erspan3_read(struct packet *packet)
{
    enum { HEADER3 = 12, SUBHEADER = 8, SUBHEADER_PRESENT = 0x01, FRAME_IP = 2, SESSION = 0x3ff };
    packet->tunnel_kind = TUNNEL_ERSPAN;
    struct view header = packet->rest;
    uint32_t octets = HEADER3 + ((view_u8(header, 11) & SUBHEADER_PRESENT) != 0 ? SUBHEADER : 0);
    if (!view_holds(header, octets))
        return DISSECT_TUNNEL_TRUNCATED;
    if (view_u8(header, 0) >> 4 != 2)
        return DISSECT_NOT_TCP;
    packet->tunnel_id = view_u32(header, 0) & SESSION;
    packet_skip(packet, octets);
    return (view_u8(header, 10) >> 2 & 0x1f) == FRAME_IP ? link_raw(packet) : link_ethernet(packet);
}

static enum dissect_result type_read(struct packet *packet, uint16_t type, bool sequence)
{
    switch (type) {
    case TYPE_ERSPAN:
        return erspan_read(packet, sequence);
    case TYPE_ERSPAN3:
        return erspan3_read(packet);
    case TYPE_PPP:
        packet->tunnel_kind = TUNNEL_PPTP;
        packet->tunnel_id &= 0xffff; /* the call; the other half is a length */
        return link_ppp(packet);
    case TYPE_KEEP_ALIVE:
        return DISSECT_NOT_TCP;
    default:
        if ((type & TYPE_ARUBA_MASK) == TYPE_ARUBA)
            return link_80211(packet);
        return ethertype_read(packet, type);
    }
}

enum dissect_result tunnel_gre(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, GRE_HEADER))
        return DISSECT_TUNNEL_TRUNCATED;
    uint16_t flags = view_u16(header, 0), type = view_u16(header, 2);
    uint32_t octets = fields_octets(flags);
    if ((flags & VERSION_BITS) > 1)
        return DISSECT_NOT_TCP;
    if (!view_holds(header, octets))
        return DISSECT_TUNNEL_TRUNCATED;
    if ((flags & KEY) != 0)
        packet->tunnel_id =
            view_u32(header, GRE_HEADER + ((flags & (CHECKSUM | ROUTING)) != 0 ? GRE_FIELD : 0));
    packet_skip(packet, octets);
    if ((flags & ROUTING) != 0 && !routes_skip(packet))
        return DISSECT_TUNNEL_TRUNCATED;
    if (packet->length == 0) /* an acknowledgment of PPTP */
        return DISSECT_NOT_TCP;
    return type_read(packet, type, (flags & SEQUENCE) != 0);
}

/* | version 3 in four bits, reserved 12 bits | an Ethernet frame |, RFC 3378 3. */
enum dissect_result tunnel_etherip(struct packet *packet)
{
    enum { ETHERIP_HEADER = 2, ETHERIP_VERSION = 3 };
    if (!view_holds(packet->rest, ETHERIP_HEADER))
        return DISSECT_TUNNEL_TRUNCATED;
    if (view_u8(packet->rest, 0) >> 4 != ETHERIP_VERSION)
        return DISSECT_NOT_TCP;
    packet_skip(packet, ETHERIP_HEADER);
    return link_ethernet(packet);
}
