/*
 * link_ppp: PPP in its framings, and Cisco's HDLC and frame relay beside it.
 *
 *      PPP      | address 0xff 1 | control 3 1 | protocol 1 or 2 |      RFC 1661, RFC 1662
 *      PPPoE    | version, type 1 | code 1 | session 2 | length 2 | PPP without address  RFC 2516
 *      Cisco    | address 0x0f or 0x8f 1 | 0 1 | Ethertype 2 |
 *      relay    | address 2 to 4 | control 3 1 | NLPID 1 |              RFC 2427
 *
 * Address and control may be left out, and so may the first octet of the protocol, which is then
 * odd (RFC 1661 6.5 and 6.6).
 */
#include "link.h"

enum {
    PPP_ALL_STATIONS = 0xff,
    PPP_UNNUMBERED = 0x03,
    PPPOE_HEADER = 6,
    PPPOE_VERSION_TYPE = 0x11,
    HDLC_HEADER = 4,
    HDLC_UNICAST = 0x0f,
    HDLC_MULTICAST = 0x8f,
};

static enum dissect_result protocol_read(struct packet *packet, uint16_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return link_ip4(packet);
    case 0x0057:
        return link_ip6(packet);
    case 0x0281: /* MPLS unicast, RFC 3032 4 */
    case 0x0283:
        return link_mpls(packet);
    default:
        return DISSECT_NOT_IP;
    }
}

enum dissect_result link_ppp(struct packet *packet)
{
    if (view_u8(packet->rest, 0) == PPP_ALL_STATIONS && view_u8(packet->rest, 1) == PPP_UNNUMBERED)
        packet_skip(packet, 2);
    if (!view_holds(packet->rest, 2))
        return DISSECT_LINK_TRUNCATED;
    uint16_t protocol = view_u8(packet->rest, 0);
    bool compressed = (protocol & 1) != 0;
    if (!compressed)
        protocol = view_u16(packet->rest, 0);
    packet_skip(packet, compressed ? 1 : 2);
    return protocol_read(packet, protocol);
}

/* pcap-linktype(7), LINKTYPE_PPP_HDLC: PPP, or Cisco's framing on the same line. */
enum dissect_result link_ppp_serial(struct packet *packet)
{
    uint8_t address = view_u8(packet->rest, 0);
    return address == HDLC_UNICAST || address == HDLC_MULTICAST ? link_hdlc(packet)
                                                                : link_ppp(packet);
}

/* An octet that tells the direction, then PPP: LINKTYPE_PPP_WITH_DIR. */
enum dissect_result link_ppp_directed(struct packet *packet)
{
    if (!view_holds(packet->rest, 1))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, 1);
    return link_ppp(packet);
}

/* The direction stands in place of the address: LINKTYPE_PPP_PPPD. */
enum dissect_result link_ppp_pppd(struct packet *packet)
{
    if (!view_holds(packet->rest, 2))
        return DISSECT_LINK_TRUNCATED;
    bool control = view_u8(packet->rest, 1) == PPP_UNNUMBERED;
    packet_skip(packet, control ? 2 : 1);
    return link_ppp(packet);
}

enum dissect_result link_pppoe(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, PPPOE_HEADER))
        return DISSECT_LINK_TRUNCATED;
    if (view_u8(header, 0) != PPPOE_VERSION_TYPE || view_u8(header, 1) != 0)
        return DISSECT_NOT_IP;
    packet_skip(packet, PPPOE_HEADER);
    return link_ppp(packet);
}

enum dissect_result link_hdlc(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, HDLC_HEADER))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, HDLC_HEADER);
    return ethertype_read(packet, view_u16(header, 2));
}

/* The address ends with the octet whose lowest bit is set (ITU-T Q.922 3.3). */
static uint32_t relay_address(struct view rest)
{
    for (uint32_t octets = 1; octets <= 4; octets++) {
        if ((view_u8(rest, octets - 1) & 1) != 0)
            return octets;
    }
    return 0;
}

enum dissect_result link_relay(struct packet *packet)
{
    enum { NLPID_SNAP = 0x80, NLPID_IP6 = 0x8e, NLPID_IP4 = 0xcc };
    uint32_t address = relay_address(packet->rest);
    if (!view_holds(packet->rest, address + 2u))
        return DISSECT_LINK_TRUNCATED;
    if (address == 0)
        return DISSECT_NOT_IP;
    packet_skip(packet, address);
    if (view_u8(packet->rest, 0) != PPP_UNNUMBERED) { /* Cisco's own: an Ethertype */
        struct view type = packet->rest;
        packet_skip(packet, 2);
        return ethertype_read(packet, view_u16(type, 0));
    }
    packet_skip(packet, view_u8(packet->rest, 1) == 0 ? 2 : 1); /* a pad octet aligns SNAP */
    if (!view_holds(packet->rest, 1))
        return DISSECT_LINK_TRUNCATED;
    uint8_t protocol = view_u8(packet->rest, 0);
    struct view snap = view_after(packet->rest, 1);
    switch (protocol) {
    case NLPID_IP4:
        packet_skip(packet, 1);
        return link_ip4(packet);
    case NLPID_IP6:
        packet_skip(packet, 1);
        return link_ip6(packet);
    case NLPID_SNAP:
        if (!view_holds(snap, 5))
            return DISSECT_LINK_TRUNCATED;
        if (view_u32(snap, 0) >> 8 != 0)
            return DISSECT_NOT_IP;
        packet_skip(packet, 6);
        return ethertype_read(packet, view_u16(snap, 3));
    default:
        return DISSECT_NOT_IP;
    }
}
