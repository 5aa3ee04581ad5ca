/*
 * link_mpls: a stack of labels, and what stands below the last one (RFC 3032 2.1, RFC 4385).
 *
 *      0                    20  23  24    32
 *      +--------------------+---+---+-----+
 *      |       label        | TC| S | TTL |     S set: the last one
 *      +--------------------+---+---+-----+
 *
 * Nothing names what follows: IP by its first four bits, or a pseudowire: an Ethernet frame, with
 * or without a control word of four octets that begins with four zero bits.  A MAC address may
 * begin with any bits, so a frame counts as one only when a known Ethertype, or a length, stands at
 * its place.
 */
#include "link.h"

enum {
    LABEL = 4,
    LAST = 0x0100,
    NULL_IP4 = 0, /* explicit null labels, RFC 3032 2.1 */
    NULL_IP6 = 2,
    CONTROL_WORD = 4,
    ETHERNET_TYPE = 12,
    IP4_LEAST = 20,
};

/* Whether an Ethernet frame that carries something known stands so many octets in. */
static bool is_ethernet(struct view rest, size_t offset)
{
    return view_covers(rest, offset + ETHERNET_TYPE, 2) &&
           ethertype_is_known(view_u16(rest, offset + ETHERNET_TYPE));
}

static bool is_ip4(const struct packet *packet)
{
    struct view header = packet->rest;
    uint32_t octets = (view_u8(header, 0) & 0x0f) * 4u;
    uint32_t length = view_u16(header, 2);
    return octets >= IP4_LEAST && (length == 0 || (length >= octets && length <= packet->length));
}

static enum dissect_result pseudowire_read(struct packet *packet)
{
    if (view_u8(packet->rest, 0) >> 4 == 0 && is_ethernet(packet->rest, CONTROL_WORD)) {
        packet_skip(packet, CONTROL_WORD);
        return link_ethernet(packet);
    }
    if (is_ethernet(packet->rest, 0))
        return link_ethernet(packet);
    return DISSECT_NOT_IP;
}

enum dissect_result link_mpls(struct packet *packet)
{
    uint32_t label;
    do {
        if (!view_holds(packet->rest, LABEL))
            return DISSECT_LINK_TRUNCATED;
        label = view_u32(packet->rest, 0);
        packet_skip(packet, LABEL);
    } while ((label & LAST) == 0);
    if (!view_holds(packet->rest, 1))
        return DISSECT_LINK_TRUNCATED;
    if (label >> 12 == NULL_IP4)
        return link_ip4(packet);
    if (label >> 12 == NULL_IP6)
        return link_ip6(packet);
    uint8_t first = view_u8(packet->rest, 0) >> 4;
    if (first == IP_4 && (is_ip4(packet) || !is_ethernet(packet->rest, 0)))
        return link_ip4(packet);
    if (first == IP_6 && !is_ethernet(packet->rest, 0))
        return link_ip6(packet);
    return first == IP_6 && view_u8(packet->rest, 6) == PROTOCOL_TCP ? link_ip6(packet)
                                                                     : pseudowire_read(packet);
}
