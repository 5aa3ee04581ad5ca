/*
 * tunnel_overlay: the tunnels of data centres, all behind UDP.
 *
 *      VXLAN    | flags 1 | reserved 2, type 1 | network 3 | reserved 1 | Ethernet       RFC 7348 5
 *               the type stands there with the flag P set: VXLAN-GPE
 *      GENEVE   | version 2 bits, options' length in 4 octets 6 bits | flags 1 | type 2 |
 *               | network 3 | reserved 1 | options | by the type                      RFC 8926 3.4
 *      LISP     | flags 1 | nonce 3 | instance, locators 4 | IP                       RFC 9300 5.1
 *      MPLS     | labels | ...                                                        RFC 7510 3
 */
#include "tunnel.h"

#include "link.h"

enum {
    HEADER = 8,
    ETHERNET_TYPE = 12,
    ETHERNET_HEADER = 14,
    LENGTH_MOST = 1500,
    IP4_LEAST = 20,
    IP6_HEADER = 40,
    TYPE_BRIDGED = 0x6558, /* what GENEVE carries */
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
};

/* Whether an Ethernet frame that may carry IP stands at the front. */
static bool holds_ethernet(struct view rest)
{
    uint16_t type = view_u16(rest, ETHERNET_TYPE);
    return view_holds(rest, ETHERNET_HEADER) && (type <= LENGTH_MOST || ethertype_is_known(type));
}

/* An IP packet; one of which the capture holds too little to tell was cut there. */
static enum dissect_result carried_read(struct packet *packet, uint8_t version)
{
    if (tunnel_is_cut(packet, version == IP_4 ? IP4_LEAST : IP6_HEADER))
        return DISSECT_TUNNEL_TRUNCATED;
    if (!tunnel_holds_ip(packet->rest, packet->length, version))
        return DISSECT_NOT_TCP;
    return version == IP_4 ? link_ip4(packet) : link_ip6(packet);
}

static enum dissect_result bridged_read(struct packet *packet)
{
    if (tunnel_is_cut(packet, ETHERNET_HEADER))
        return DISSECT_TUNNEL_TRUNCATED;
    return holds_ethernet(packet->rest) ? link_ethernet(packet) : DISSECT_NOT_TCP;
}

/* Network service header, RFC 8300 2: its length counts words of four octets. */
static enum dissect_result service_read(struct packet *packet)
{
    enum { LEAST = 8, NEXT_IP4 = 1, NEXT_IP6 = 2, NEXT_ETHERNET = 3, NEXT_MPLS = 5 };
    struct view header = packet->rest;
    uint32_t octets = (view_u8(header, 1) & 0x3f) * 4u;
    uint8_t next = view_u8(header, 3);
    if (tunnel_is_cut(packet, octets < LEAST ? LEAST : octets))
        return DISSECT_TUNNEL_TRUNCATED;
    if (octets < LEAST || !view_holds(header, octets))
        return DISSECT_NOT_TCP;
    packet_skip(packet, octets);
    switch (next) {
    case NEXT_IP4:
        return link_ip4(packet);
    case NEXT_IP6:
        return link_ip6(packet);
    case NEXT_ETHERNET:
        return link_ethernet(packet);
    case NEXT_MPLS:
        return link_mpls(packet);
    default:
        return DISSECT_NOT_TCP;
    }
}

static enum dissect_result typed_read(struct packet *packet, uint8_t type)
{
    enum { NEXT_IP4 = 1, NEXT_IP6 = 2, NEXT_ETHERNET = 3, NEXT_SERVICE = 4 };
    switch (type) {
    case NEXT_IP4:
        return carried_read(packet, IP_4);
    case NEXT_IP6:
        return carried_read(packet, IP_6);
    case NEXT_ETHERNET:
        return bridged_read(packet);
    case NEXT_SERVICE:
        return service_read(packet);
    default:
        return DISSECT_NOT_TCP;
    }
}

enum dissect_result tunnel_vxlan(struct packet *packet)
{
    enum { FLAG_NETWORK = 0x08, FLAG_TYPE = 0x04, TYPE_ETHERNET = 3 };
    struct packet outer = *packet;
    struct view header = packet->rest;
    uint8_t flags = view_u8(header, 0);
    if (!view_holds(header, HEADER) || (flags & FLAG_NETWORK) == 0)
        return DISSECT_NOT_TCP;
    packet_skip(packet, HEADER);
    packet->tunnel_id = view_u32(header, 4) >> 8;
    enum dissect_result result =
        typed_read(packet, (flags & FLAG_TYPE) != 0 ? view_u8(header, 3) : TYPE_ETHERNET);
    if (result == DISSECT_NOT_TCP)
        *packet = outer;
    return result;
}

/* Whether the options fill their room to the octet; each has its length in words of four. */
static bool options_fit(struct view options)
{
    while (options.octets > 0) {
        uint32_t octets = 4 + (view_u8(options, 3) & 0x1f) * 4u;
        if (!view_holds(options, octets))
            return false;
        options = view_after(options, octets);
    }
    return true;
}

static enum dissect_result geneve_carried_read(struct packet *packet, uint16_t type)
{
    switch (type) {
    case TYPE_BRIDGED:
        return bridged_read(packet);
    case TYPE_IP4:
        return carried_read(packet, IP_4);
    default:
        return carried_read(packet, IP_6);
    }
}

enum dissect_result tunnel_geneve(struct packet *packet)
{
    enum { RESERVED_FLAGS = 0x3f };
    struct packet outer = *packet;
    struct view header = packet->rest;
    uint32_t octets = HEADER + (view_u8(header, 0) & 0x3f) * 4u;
    uint16_t type = view_u16(header, 2);
    if (!view_holds(header, HEADER) || view_u8(header, 0) >> 6 != 0 ||
        (view_u8(header, 1) & RESERVED_FLAGS) != 0 || view_u8(header, 7) != 0 ||
        (type != TYPE_BRIDGED && type != TYPE_IP4 && type != TYPE_IP6))
        return DISSECT_NOT_TCP;
    if (tunnel_is_cut(packet, octets))
        return DISSECT_TUNNEL_TRUNCATED;
    if (!view_holds(header, octets) || !options_fit(view_after(view_first(header, octets), HEADER)))
        return DISSECT_NOT_TCP;
    packet->tunnel_id = view_u32(header, 4) >> 8;
    packet_skip(packet, octets);
    enum dissect_result result = geneve_carried_read(packet, type);
    if (result == DISSECT_NOT_TCP)
        *packet = outer;
    return result;
}

enum dissect_result tunnel_lisp(struct packet *packet)
{
    struct view inner = view_after(packet->rest, HEADER);
    if (packet->length <= HEADER || !tunnel_holds_ip(inner, packet->length - HEADER, IP_EITHER))
        return DISSECT_NOT_TCP;
    packet_skip(packet, HEADER);
    return link_raw(packet);
}

enum dissect_result tunnel_mpls(struct packet *packet)
{
    struct packet outer = *packet;
    enum dissect_result result = link_mpls(packet);
    if (result == DISSECT_SEGMENT)
        return result;
    *packet = outer;
    return DISSECT_NOT_TCP;
}
