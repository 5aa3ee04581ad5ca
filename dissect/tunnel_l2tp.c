/*
 * tunnel_l2tp: layer 2 over IP, RFC 2661 3.1 (version 2, PPP) and RFC 3931 4.1 (version 3).
 *
 *      version 2    | flags, version 2 | (length 2) | tunnel 2 | session 2 | (sequence 4) |
 *      behind UDP   | (offset 2, padding) | PPP
 *      version 3    | flags, version 2 | reserved 2 | session 4 | cookie 0, 4 or 8 | (4) | frame
 *      behind UDP
 *      version 3    | session 4 | cookie 0, 4 or 8 | (layer 2 specific 4) | frame
 *
 * The two ends of a version 3 session agree on cookie and sublayer beforehand, so a reader in the
 * middle must try: the first that makes an Ethernet frame with an IP packet that fits, or PPP.
 */
#include "tunnel.h"

#include "link.h"

enum {
    FLAG_CONTROL = 0x8000,
    FLAG_LENGTH = 0x4000,
    FLAG_SEQUENCE = 0x0800,
    FLAG_OFFSET = 0x0200,
    VERSION_BITS = 0x000f,
    SESSION = 4,
    VERSION3_HEADER = 8,
    ETHERNET_HEADER = 14,
    ETHERNET_TYPE = 12,
    VLAN_TAG = 4,
    SUBLAYER_MOST = 12, /* a cookie of 8 and the default sublayer of 4 */
};

/* Whether an Ethernet frame with an IP packet in it, behind up to two tags, stands there. */
static bool holds_frame(struct view rest, uint32_t length)
{
    for (uint32_t at = ETHERNET_TYPE; at <= ETHERNET_TYPE + 2 * VLAN_TAG; at += VLAN_TAG) {
        uint16_t type = view_u16(rest, at);
        uint32_t header = at + 2;
        if (header >= length)
            return false;
        if (type == 0x0800 || type == 0x86dd)
            return tunnel_holds_ip(view_after(rest, header), length - header,
                                   type == 0x0800 ? IP_4 : IP_6);
        if (type != 0x8100 && type != 0x88a8)
            return false;
    }
    return false;
}

/* Whether PPP with an IP packet in it stands there. */
static bool holds_ppp(struct view rest, uint32_t length)
{
    uint32_t at = view_u16(rest, 0) == 0xff03 ? 2 : 0;
    uint16_t protocol = view_u16(rest, at);
    if ((protocol != 0x0021 && protocol != 0x0057) || length <= at + 2)
        return false;
    return tunnel_holds_ip(view_after(rest, at + 2), length - at - 2,
                           protocol == 0x0021 ? IP_4 : IP_6);
}

/* Behind the session's number: whatever cookie and sublayer make sense. */
static enum dissect_result session_read(struct packet *packet, uint32_t header)
{
    for (uint32_t at = header; at <= header + SUBLAYER_MOST; at += 4) {
        if (at >= packet->length)
            return DISSECT_NOT_TCP;
        struct view inner = view_after(packet->rest, at);
        bool frame = holds_frame(inner, packet->length - at);
        if (!frame && !holds_ppp(inner, packet->length - at))
            continue;
        packet->tunnel_id = view_u32(packet->rest, header - SESSION);
        packet_skip(packet, at);
        return frame ? link_ethernet(packet) : link_ppp(packet);
    }
    return DISSECT_NOT_TCP;
}

enum dissect_result tunnel_l2tp3(struct packet *packet)
{
    if (!view_holds(packet->rest, SESSION))
        return DISSECT_TUNNEL_TRUNCATED;
    if (view_u32(packet->rest, 0) == 0) /* a control message */
        return DISSECT_NOT_TCP;
    return session_read(packet, SESSION);
}

static enum dissect_result version2_read(struct packet *packet, uint16_t flags)
{
    struct view header = packet->rest;
    uint32_t at = 2 + ((flags & FLAG_LENGTH) != 0 ? 2 : 0) + 4;
    if ((flags & FLAG_SEQUENCE) != 0)
        at += 4;
    if ((flags & FLAG_OFFSET) != 0)
        at += 2u + view_u16(header, at);
    if (!view_holds(header, at) || packet->length <= at)
        return DISSECT_NOT_TCP;
    if (!holds_ppp(view_after(header, at), packet->length - at))
        return DISSECT_NOT_TCP;
    packet->tunnel_id = view_u16(header, (flags & FLAG_LENGTH) != 0 ? 6 : 4); /* the session */
    packet_skip(packet, at);
    return link_ppp(packet);
}

enum dissect_result tunnel_l2tp(struct packet *packet)
{
    uint16_t flags = view_u16(packet->rest, 0);
    if (!view_holds(packet->rest, VERSION3_HEADER) || (flags & FLAG_CONTROL) != 0)
        return DISSECT_NOT_TCP;
    if ((flags & VERSION_BITS) == 2)
        return version2_read(packet, flags);
    return (flags & VERSION_BITS) == 3 ? session_read(packet, VERSION3_HEADER) : DISSECT_NOT_TCP;
}
