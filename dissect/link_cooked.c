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
 * the header, so tags are read as under Ethernet.  What is no Ethertype under some ARPHRD_ (802.2
 * frames, netlink) stays below 1536 and has no row in ethertype.def.
 */
#include "link.h"

enum {
    COOKED_HEADER = 16,
    COOKED_PROTOCOL = 14,
    COOKED2_HEADER = 20,
    COOKED2_PROTOCOL = 0,
};

static enum dissect_result cooked_read(struct packet *packet, uint32_t octets, uint32_t protocol)
{
    struct view header = packet->rest;
    if (!view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, octets);
    return ethertype_read(packet, view_u16(header, protocol));
}

enum dissect_result link_cooked(struct packet *packet)
{
    return cooked_read(packet, COOKED_HEADER, COOKED_PROTOCOL);
}

enum dissect_result link_cooked2(struct packet *packet)
{
    return cooked_read(packet, COOKED2_HEADER, COOKED2_PROTOCOL);
}
