/*
 * link_null: the four octets of address family in front of a loopback packet, pcap-linktype(7).
 *
 * LINKTYPE_NULL has the family in the byte order of the machine that captured, which the file need
 * not share; LINKTYPE_LOOP has it in network order.  A family is a small number, so one in the
 * upper half is one in the other order, under either link type.  AF_INET is 2 everywhere, and
 * AF_INET6 is whatever each system made it.
 */
#include "link.h"

enum {
    NULL_HEADER = 4,
    FAMILY_LARGEST = 0xffff,
};

static uint32_t family_read(struct view header)
{
    uint32_t family = view_u32(header, 0);
    if (family <= FAMILY_LARGEST)
        return family;
    return family >> 24 | (family >> 8 & 0xff00) | (family << 8 & 0xff0000) | family << 24;
}

enum dissect_result link_null(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, NULL_HEADER))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, NULL_HEADER);

    switch (family_read(header)) {
    case 2: /* AF_INET of all */
        return link_ip4(packet);
    case 10: /* AF_INET6 of Linux */
    case 23: /* of Windows */
    case 24: /* of NetBSD, OpenBSD, BSD/OS */
    case 28: /* of FreeBSD, DragonFly */
    case 30: /* of macOS */
        return link_ip6(packet);
    default:
        return DISSECT_NOT_IP;
    }
}
