/*
 * tunnel_gtp: the user plane of mobile networks, GTP-U (3GPP TS 29.281 5.1), and the version before
 * it that has no place for extensions in use today.
 *
 *       0 1 2   3  4 5 6 7  8             16                              32
 *      +-------+--+-+-+-+-+-------------+-------------------------------+
 *      |Version|PT|*|E|S|P| Type 0xff   |  length behind these 8 octets |
 *      +-------+--+-+-+-+-+-------------+-------------------------------+
 *      |                    tunnel endpoint (TEID)                      |
 *      +-------------------------------+-------------+------------------+
 *      |   sequence                    |   N-PDU     |  next extension  |   with E, S or P
 *      +-------------------------------+-------------+------------------+
 *      | length in 4 octets 1 | ... | next extension 1 |                    while not 0
 *
 * The length, and the IP packet within that fills it, say enough to know it on any port.
 */
#include "tunnel.h"

#include "link.h"

enum {
    GTP_HEADER = 8,
    GTP_OPTIONAL = 4,
    GTP_FLAGS_MASK = 0xf8, /* version, protocol type, and the bit to be 0 */
    GTP_FLAGS = 0x30,      /* version 1, GTP (not GTP') */
    GTP_ANY_OPTION = 0x07,
    GTP_EXTENSION = 0x04,
    GTP_PACKET = 0xff, /* message type: a user's packet */
    EXTENSIONS_MAX = 8,
    IP4_LEAST = 20,
    IP6_HEADER = 40,
};

/*
 * Where the user's packet begins, or 0: the extension headers do not end.  Where the capture does
 * before them, some place behind its end.
 */
static uint32_t payload_offset(struct view header)
{
    uint8_t flags = view_u8(header, 0);
    if ((flags & GTP_ANY_OPTION) == 0)
        return GTP_HEADER;
    uint32_t at = GTP_HEADER + GTP_OPTIONAL;
    uint8_t next = (flags & GTP_EXTENSION) != 0 ? view_u8(header, at - 1) : 0;
    for (int extensions = 0; next != 0 && view_holds(header, at + 1); extensions++) {
        uint32_t octets = view_u8(header, at) * 4u;
        if (octets == 0 || extensions == EXTENSIONS_MAX)
            return 0;
        at += octets;
        next = view_u8(header, at - 1);
    }
    return at;
}

/* Whether the capture, of a datagram that GTP fills, ends before the user's packet shows. */
static bool ends_before(const struct packet *packet, uint32_t length, uint32_t offset)
{
    uint32_t least = view_u8(packet->rest, offset) >> 4 == IP_6 ? IP6_HEADER : IP4_LEAST;
    return length == packet->length && tunnel_is_cut(packet, offset + least);
}

enum dissect_result tunnel_gtp(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, GTP_HEADER) || (view_u8(header, 0) & GTP_FLAGS_MASK) != GTP_FLAGS ||
        view_u8(header, 1) != GTP_PACKET)
        return DISSECT_NOT_TCP;
    uint32_t length = view_u16(header, 2) + (uint32_t)GTP_HEADER;
    uint32_t offset = payload_offset(header);
    if (length > packet->length || offset == 0 || offset >= length)
        return DISSECT_NOT_TCP;
    if (ends_before(packet, length, offset))
        return DISSECT_TUNNEL_TRUNCATED;
    if (!tunnel_holds_ip(view_after(header, offset), length - offset, IP_EITHER))
        return DISSECT_NOT_TCP;
    packet->tunnel_id = view_u32(header, 4);
    packet_limit(packet, length);
    packet_skip(packet, offset);
    return link_raw(packet);
}
