/*
 * ip_extension: the headers between IP and TCP, RFC 8200 4; AH and ESP are RFC 4302 and 4303.
 *
 *      0             1             2                        all but ESP begin so; the length
 *      +-------------+-------------+-----------             counts units of 8 octets beyond the
 *      | Next Header |   Length    | ...                    first 8, in AH units of 4 beyond 8
 *      +-------------+-------------+-----------
 *
 * Two of them change who talks to whom, as the TCP checksum knows: a routing header on its way
 * hides the final destination (RFC 8200 8.1), a home address option the true source (RFC 6275
 * 11.3.1).  The segment carries the addresses of the connection, not those of the hop.
 */
#include "ip.h"

enum {
    EXTENSIONS_MAX = 16, /* RFC 8200 4.1 orders seven; twice and more is no packet of a stack */
    EXTENSION_LEAST = 8,
    ADDRESS = 16,
};

/* RFC 8200 4.5: thirteen bits of offset, two reserved, and the M flag. */
enum { FRAGMENT_OFFSET = 0xfff8, FRAGMENT_MORE = 1, FRAGMENT_OFFSET_OR_MORE = 0xfff9 };

/* Options of hop-by-hop and destination headers. */
enum {
    PAD1 = 0,
    OPTION_JUMBO = 0xc2,        /* RFC 2675 2 */
    OPTION_HOME_ADDRESS = 0xc9, /* RFC 6275 6.3 */
};

/* Routing types; 1 and 3, and what IANA adds, hide the final destination from this code. */
enum {
    ROUTING_SOURCE = 0,  /* RFC 2460 4.4: addresses in order, the last is the end */
    ROUTING_MOBILE = 2,  /* RFC 6275 6.4: one address */
    ROUTING_SEGMENT = 4, /* RFC 8754 2: addresses in reverse, the first is the end */
};

/* Takes a header of (length octet + more) * unit octets off the packet. */
static enum dissect_result header_take(struct packet *packet, uint32_t unit, uint32_t more,
                                       struct view *ret_header)
{
    if (packet->length < EXTENSION_LEAST)
        return DISSECT_IP_MALFORMED;
    if (!view_holds(packet->rest, 2))
        return DISSECT_IP_TRUNCATED;
    uint32_t octets = (view_u8(packet->rest, 1) + more) * unit;
    if (octets > packet->length)
        return DISSECT_IP_MALFORMED;
    if (!view_holds(packet->rest, octets))
        return DISSECT_IP_TRUNCATED;

    *ret_header = view_first(packet->rest, octets);
    packet->protocol = view_u8(packet->rest, 0);
    packet_skip(packet, octets);
    return DISSECT_SEGMENT;
}

/* The data of the first option of a kind in an options header; empty without one. */
static struct view option_find(struct view header, uint8_t kind)
{
    struct view options = view_after(header, 2);
    while (options.octets > 0) {
        uint8_t length = view_u8(options, 1);
        if (view_u8(options, 0) == PAD1) {
            options = view_after(options, 1);
            continue;
        }
        struct view data = view_after(options, 2);
        if (view_u8(options, 0) == kind)
            return view_first(data, length);
        options = view_after(data, length);
    }
    return options;
}

static enum dissect_result options_read(struct packet *packet)
{
    struct view header;
    enum dissect_result result = header_take(packet, 8, 1, &header);
    if (result != DISSECT_SEGMENT)
        return result;

    struct view home = option_find(header, OPTION_HOME_ADDRESS);
    if (home.octets == ADDRESS)
        view_copy(home, 0, packet->segment->source, ADDRESS);
    return DISSECT_SEGMENT;
}

static enum dissect_result routing_read(struct packet *packet)
{
    struct view header;
    enum dissect_result result = header_take(packet, 8, 1, &header);
    if (result != DISSECT_SEGMENT)
        return result;

    uint8_t type = view_u8(header, 2);
    uint8_t segments_left = view_u8(header, 3);
    if (segments_left == 0)
        return DISSECT_SEGMENT;
    if (type != ROUTING_SOURCE && type != ROUTING_MOBILE && type != ROUTING_SEGMENT) {
        packet->route_unknown = true;
        return DISSECT_SEGMENT;
    }
    if (header.octets < EXTENSION_LEAST + ADDRESS)
        return DISSECT_IP_MALFORMED;
    size_t end = type == ROUTING_SEGMENT ? EXTENSION_LEAST : header.octets - ADDRESS;
    view_copy(header, end, packet->segment->destination, ADDRESS);
    return DISSECT_SEGMENT;
}

/* RFC 6946: an atomic fragment, offset 0 and no more to come, is the whole packet. */
static enum dissect_result fragment_read(struct packet *packet)
{
    struct view header = packet->rest;
    if (packet->length < EXTENSION_LEAST)
        return DISSECT_IP_MALFORMED;
    if (!view_holds(header, EXTENSION_LEAST))
        return DISSECT_IP_TRUNCATED;
    uint16_t field = view_u16(header, 2);
    packet->protocol = view_u8(header, 0);
    packet_skip(packet, EXTENSION_LEAST);
    if ((field & FRAGMENT_OFFSET_OR_MORE) == 0)
        return DISSECT_SEGMENT;
    return ip_fragment(packet, view_u32(header, 4), field & FRAGMENT_OFFSET,
                       (field & FRAGMENT_MORE) != 0);
}

static enum dissect_result esp_read(struct packet *packet)
{
    (void)packet; /* what follows can only be told with the keys */
    return DISSECT_ENCRYPTED;
}

static enum dissect_result ah_read(struct packet *packet)
{
    struct view header;
    return header_take(packet, 4, 2, &header);
}

static enum dissect_result plain_read(struct packet *packet)
{
    struct view header;
    return header_take(packet, 8, 1, &header);
}

/* Takes one header off the packet, or leaves *ret_more false where none stands there. */
static enum dissect_result extension_read(struct packet *packet, bool *ret_more)
{
    *ret_more = true;
    switch (packet->protocol) {
#define EXTENSION(protocol, reader)                                                                \
    case protocol:                                                                                 \
        return reader(packet);
#include "ip_extension.def"
#undef EXTENSION
    default:
        *ret_more = false;
        return DISSECT_SEGMENT;
    }
}

enum dissect_result ip_extensions_read(struct packet *packet)
{
    for (int headers = 0; headers <= EXTENSIONS_MAX; headers++) {
        bool more;
        enum dissect_result result = extension_read(packet, &more);
        if (result != DISSECT_SEGMENT || !more)
            return result;
    }
    return DISSECT_IP_EXTENSION_LOOP;
}

bool ip_is_extension(uint8_t protocol)
{
    switch (protocol) {
#define EXTENSION(protocol, reader) case protocol:
#include "ip_extension.def"
#undef EXTENSION
        return protocol != PROTOCOL_ESP;
    default:
        return false;
    }
}

uint32_t ip_extension_jumbo(struct view rest)
{
    uint32_t octets = (view_u8(rest, 1) + 1u) * 8u;
    struct view length = option_find(view_first(rest, octets), OPTION_JUMBO);
    return length.octets == 4 ? view_u32(length, 0) : 0;
}
