/*
 * link_ethernet: Ethernet II and the VLAN tags behind it.
 *
 *      0            6            12     14
 *      +------------+------------+------+-----------
 *      | destination|   source   | type | IP, or a tag:
 *      +------------+------------+------+-----------
 *                                0     2      4
 *                                +-----+------+-----------
 *                                | TCI | type | IP, or a tag
 *                                +-----+------+-----------
 *
 * IEEE 802.3 3.2.6 and 802.1Q 9.6: the tag control information holds the identifier in its low
 * twelve bits, below priority and drop eligibility.
 */
#include "link.h"

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_TYPE = 12,
    VLAN_TAG = 4,
    VLAN_IDENTIFIER = 0x0fff,
};

static void vlan_note(struct segment *segment, uint16_t identifier)
{
    if (segment->vlans < SEGMENT_VLANS)
        segment->vlan[segment->vlans++] = identifier;
}

enum dissect_result link_vlan(struct packet *packet)
{
    struct view tag = packet->rest;
    if (!view_holds(tag, VLAN_TAG))
        return DISSECT_LINK_TRUNCATED;
    vlan_note(packet->segment, view_u16(tag, 0) & VLAN_IDENTIFIER);
    packet_skip(packet, VLAN_TAG);
    return ethertype_read(packet, view_u16(tag, 2));
}

enum dissect_result link_ethernet(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, ETHERNET_HEADER))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, ETHERNET_HEADER);
    return ethertype_read(packet, view_u16(header, ETHERNET_TYPE));
}
