/*
 * ip6: the IPv6 header, RFC 8200 3; what follows it is read by ip_extension.
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-------+---------------+---------------------------------------+
 *    0 |Version| Traffic Class |              Flow Label               |
 *    4 |         Payload Length        |  Next Header  |   Hop Limit   |
 *    8 |                        Source Address (16)                    |
 *   24 |                     Destination Address (16)                  |
 *      +---------------------------------------------------------------+
 *
 * It also chooses between the two versions, where the layer below leaves that open.
 */
#include "ip.h"

enum {
    IP6_HEADER = 40,
    IP6_ADDRESS = 16,
    IP6_HOP_BY_HOP = 0,
    IP6_LARGEST_PAYLOAD = 65535,
};

/*
 * The octets behind the header when its length field is zero; false for a jumbo payload that lies.
 * RFC 2675 3: such a payload has its length in an option, and one that had fitted the field is an
 * error.  Linux since 6.8 hands its big packets to the card without the option, and other cards
 * have yet to set the field: then the frame's length stands in.
 */
static bool zero_length_resolve(const struct packet *packet, uint32_t *ret_length)
{
    struct view header = packet->rest;
    uint32_t jumbo = 0;
    if (view_u8(header, 6) == IP6_HOP_BY_HOP)
        jumbo = ip_extension_jumbo(view_after(header, IP6_HEADER));
    if (jumbo != 0 && (jumbo <= IP6_LARGEST_PAYLOAD || jumbo > UINT32_MAX - IP6_HEADER))
        return false;
    *ret_length = jumbo != 0 ? jumbo : packet->length - IP6_HEADER;
    return true;
}

static void header_note(struct segment *segment, struct view header, uint32_t length)
{
    segment->ip_version = IP_6;
    segment->ip_length = IP6_HEADER + length;
    segment->ip_id = 0;
    segment->ttl = view_u8(header, 7);
    view_copy(header, 8, segment->source, IP6_ADDRESS);
    view_copy(header, 24, segment->destination, IP6_ADDRESS);
}

enum dissect_result ip6_read(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, IP6_HEADER))
        return DISSECT_IP_TRUNCATED;
    if (view_u8(header, 0) >> 4 != IP_6)
        return DISSECT_IP_MALFORMED;

    uint32_t length = view_u16(header, 4);
    if (length == 0 && !zero_length_resolve(packet, &length))
        return DISSECT_IP_MALFORMED;

    header_note(packet->segment, header, length);
    packet_skip(packet, IP6_HEADER);
    packet_limit(packet, length);
    packet->protocol = view_u8(header, 6);
    if (packet->protocol == PROTOCOL_TCP)
        return DISSECT_SEGMENT;
    return ip_extensions_read(packet);
}

enum dissect_result ip_fragment(struct packet *packet, uint32_t id, uint32_t offset, bool more)
{
    const struct segment *segment = packet->segment;
    struct fragment *fragment = packet->fragment;
    if (packet->quoted && offset == 0)
        return DISSECT_SEGMENT; /* its front is all that is wanted */
    if (fragment == NULL)
        return DISSECT_FRAGMENT;
    *fragment = (struct fragment){
        .id = id,
        .offset = offset,
        .length = packet->length,
        .captured = (uint32_t)packet->rest.octets,
        .data = packet->rest.start,
        .ip_version = segment->ip_version,
        .protocol = packet->protocol,
        .ttl = segment->ttl,
        .more = more,
        .vlans = segment->vlans,
    };
    memcpy(fragment->source, segment->source, sizeof fragment->source);
    memcpy(fragment->destination, segment->destination, sizeof fragment->destination);
    memcpy(fragment->vlan, segment->vlan, sizeof fragment->vlan);
    if (segment->around.tunnels > 0)
        fragment->around = segment->around;
    return DISSECT_FRAGMENT;
}

enum dissect_result ip_read(struct packet *packet)
{
    uint8_t version = packet->ip_version;
    if (version == IP_EITHER && !view_holds(packet->rest, 1))
        return DISSECT_IP_TRUNCATED;
    if (version == IP_EITHER)
        version = view_u8(packet->rest, 0) >> 4;
    if (version == IP_4)
        return ip4_read(packet);
    if (version == IP_6)
        return ip6_read(packet);
    return DISSECT_NOT_IP;
}
