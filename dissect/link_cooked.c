/*
 * link_cooked: what Linux puts in front of a packet captured on "any", pcap-linktype(7).
 *
 *      LINKTYPE_LINUX_SLL, 16 octets
 *      | packet type 2 | ARPHRD_ 2 | address length 2 | address 8 | protocol 2 |
 *
 *      LINKTYPE_LINUX_SLL2, 20 octets
 *      | protocol 2 | zero 2 | interface 4 | ARPHRD_ 2 | packet type 1 | length 1 | address 8 |
 *
 * The protocol is an Ethertype; libpcap puts a VLAN tag that the card had taken off back behind
 * the header, so tags are read as under Ethernet.  Below 1536 it is a number of Linux's own
 * (linux/if_ether.h): 4 is an 802.2 frame; the others carry no IP, nor does netlink, of which the
 * field holds the family.
 */
#include "link.h"

enum {
    COOKED_HEADER = 16,
    COOKED_PROTOCOL = 14,
    COOKED2_HEADER = 20,
    COOKED2_PROTOCOL = 0,
    COOKED2_INTERFACE = 4,
    COOKED_HARDWARE = 2,
    COOKED2_HARDWARE = 8,
    HARDWARE_NETLINK = 824,
    PROTOCOL_802_2 = 4,
    ETHERTYPE_LEAST = 1536,
};

static enum dissect_result cooked_read(struct packet *packet, uint32_t octets, uint32_t protocol_at,
                                       uint32_t hardware_at)
{
    struct view header = packet->rest;
    if (!view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, octets);
    uint16_t protocol = view_u16(header, protocol_at);
    if (view_u16(header, hardware_at) == HARDWARE_NETLINK)
        return DISSECT_NOT_IP;
    if (protocol >= ETHERTYPE_LEAST)
        return ethertype_read(packet, protocol);
    return protocol == PROTOCOL_802_2 ? link_llc(packet) : DISSECT_NOT_IP;
}

enum dissect_result link_cooked(struct packet *packet)
{
    return cooked_read(packet, COOKED_HEADER, COOKED_PROTOCOL, COOKED_HARDWARE);
}

enum dissect_result link_cooked2(struct packet *packet)
{
    if (view_holds(packet->rest, COOKED2_HEADER)) {
        uint32_t interface = view_u32(packet->rest, COOKED2_INTERFACE);
        packet->segment->around.seen_on = (uint8_t)(1 + interface % (SEEN_ON_CALLERS - 1));
    }
    return cooked_read(packet, COOKED2_HEADER, COOKED2_PROTOCOL, COOKED2_HARDWARE);
}
