/*
 * ip4: the IPv4 header, RFC 791 3.1.
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-------+-------+---------------+-------------------------------+
 *    0 |Version|  IHL  |Type of Service|          Total Length         |
 *    4 |         Identification        |Flags|      Fragment Offset    |
 *    8 |  Time to Live |    Protocol   |         Header Checksum       |
 *   12 |                       Source Address                          |
 *   16 |                    Destination Address                        |
 *   20 |                    Options                    |    Padding    |
 *      +---------------------------------------------------------------+
 *
 * The header checksum is not judged: the card that fills it in comes after the capture, and a
 * router has dropped what arrives with a wrong one.
 */
#include "ip.h"

enum {
    IP4_HEADER = 20,
    IP4_ADDRESS = 4,
    IP4_MORE_FRAGMENTS = 0x2000,
    IP4_FRAGMENT_OFFSET = 0x1fff,
};

/* IP options, RFC 791 3.1. */
enum {
    OPTION_END = 0,
    OPTION_NO_OPERATION = 1,
    OPTION_LOOSE_ROUTE = 131,
    OPTION_STRICT_ROUTE = 137,
};

/* The address that a source route ends at, or nothing where it is already reached. */
static struct view route_end(struct view route)
{
    uint8_t length = view_u8(route, 1);
    uint8_t pointer = view_u8(route, 2); /* counts from 1, as RFC 791 has it */
    struct view none = {route.start, 0};
    if (length < 3 + IP4_ADDRESS || !view_holds(route, length) || pointer > length)
        return none;
    return view_after(view_first(route, length), length - IP4_ADDRESS);
}

/*
 * Under a source route on its way the destination field names the next hop, the route's last entry
 * the far end; that end's address is in the TCP checksum (RFC 9293 3.1) and is the connection's.
 */
static void source_route_read(struct view options, struct segment *segment)
{
    while (options.octets > 0) {
        uint8_t kind = view_u8(options, 0);
        uint8_t length = kind == OPTION_NO_OPERATION ? 1 : view_u8(options, 1);
        if (kind == OPTION_END || length == 0)
            return;
        if (kind == OPTION_LOOSE_ROUTE || kind == OPTION_STRICT_ROUTE) {
            struct view end = route_end(options);
            if (end.octets > 0)
                view_copy(end, 0, segment->destination, IP4_ADDRESS);
        }
        options = view_after(options, length);
    }
}

static void header_note(struct segment *segment, struct view header, uint32_t length)
{
    segment->ip_version = IP_4;
    segment->ip_length = length;
    segment->ip_id = view_u16(header, 4);
    segment->ttl = view_u8(header, 8);
    view_copy(header, 12, segment->source, IP4_ADDRESS);
    view_copy(header, 16, segment->destination, IP4_ADDRESS);
    if (header.octets > IP4_HEADER)
        source_route_read(view_after(header, IP4_HEADER), segment);
}

enum dissect_result ip4_read(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, IP4_HEADER))
        return DISSECT_IP_TRUNCATED;
    if (view_u8(header, 0) >> 4 != IP_4)
        return DISSECT_IP_MALFORMED;

    uint32_t octets = (view_u8(header, 0) & 0x0f) * 4u;
    uint32_t length = view_u16(header, 2);
    if (length == 0) /* more than 65535 octets, or a card that will set it for each segment */
        length = packet->length;
    if (octets < IP4_HEADER || length < octets)
        return DISSECT_IP_MALFORMED;
    if (!view_holds(header, octets))
        return DISSECT_IP_TRUNCATED;

    header_note(packet->segment, view_first(header, octets), length);
    packet_limit(packet, length);
    packet_skip(packet, octets);
    packet->protocol = view_u8(header, 9);
    uint16_t fragment = view_u16(header, 6);
    if ((fragment & (IP4_MORE_FRAGMENTS | IP4_FRAGMENT_OFFSET)) != 0)
        return ip_fragment(packet, view_u16(header, 4), (fragment & IP4_FRAGMENT_OFFSET) * 8u,
                           (fragment & IP4_MORE_FRAGMENTS) != 0);
    if (packet->protocol == PROTOCOL_AH || packet->protocol == PROTOCOL_ESP)
        return ip_extensions_read(packet);
    return DISSECT_SEGMENT;
}
