/*
 * tunnel: from an IP header that does not announce TCP to the IP packet within, where there is one.
 */
#include "tunnel.h"

#include "icmp.h"
#include "ip.h"
#include "link.h"

enum {
    TUNNELS_MAX = 8, /* an overlay in an overlay in a mobile network nests four */
    UDP_HEADER = 8,
    UDP_SOURCE = 0,
    UDP_DESTINATION = 2,
    UDP_LENGTH = 4,
    IP4_LEAST = 20,
    IP6_HEADER = 40,
};

bool tunnel_holds_ip(struct view rest, uint32_t length, uint8_t version)
{
    uint8_t found = view_u8(rest, 0) >> 4;
    if (version != IP_EITHER && version != found)
        return false;
    if (found == IP_4) {
        uint32_t header = (view_u8(rest, 0) & 0x0f) * 4u, total = view_u16(rest, 2);
        return view_holds(rest, IP4_LEAST) && header >= IP4_LEAST && total >= header &&
               total <= length;
    }
    return found == IP_6 && view_holds(rest, IP6_HEADER) &&
           view_u16(rest, 4) + (uint32_t)IP6_HEADER <= length;
}

/* Takes the UDP header off (RFC 768); its length may end the packet before IP does. */
static struct view udp_take(struct packet *packet)
{
    struct view header = packet->rest;
    uint32_t length = view_u16(header, UDP_LENGTH);
    if (length >= UDP_HEADER && length < packet->length)
        packet_limit(packet, length);
    packet_skip(packet, UDP_HEADER);
    return header;
}

/* What a reader found nothing of is shown to the next. */
static enum dissect_result shape_read(struct packet *packet)
{
    enum dissect_result result;
#define KIND(id, name)
#define TUNNEL(protocol, kind, reader)
#define PORT(port, kind, reader)
#define SHAPE(kind, reader)                                                                        \
    packet->tunnel_kind = (kind);                                                                  \
    result = reader(packet);                                                                       \
    if (result != DISSECT_NOT_TCP)                                                                 \
        return result;
#include "tunnel.def"
#undef SHAPE
#undef PORT
#undef TUNNEL
#undef KIND
    return DISSECT_NOT_TCP;
}

static enum dissect_result port_read(struct packet *packet, uint16_t port)
{
    switch (port) {
#define KIND(id, name)
#define TUNNEL(protocol, kind, reader)
#define PORT(port, kind, reader)                                                                   \
    case port:                                                                                     \
        packet->tunnel_kind = (kind);                                                              \
        return reader(packet);
#define SHAPE(kind, reader)
#include "tunnel.def"
#undef SHAPE
#undef PORT
#undef TUNNEL
#undef KIND
    default:
        return DISSECT_NOT_TCP;
    }
}

/* By the destination's port, by the source's, by its shape. */
static enum dissect_result udp_read(struct packet *packet)
{
    struct view header = udp_take(packet);
    enum dissect_result result = port_read(packet, view_u16(header, UDP_DESTINATION));
    if (result == DISSECT_NOT_TCP)
        result = port_read(packet, view_u16(header, UDP_SOURCE));
    return result == DISSECT_NOT_TCP ? shape_read(packet) : result;
}

static enum dissect_result protocol_read(struct packet *packet)
{
    switch (packet->protocol) {
#define KIND(id, name)
#define SHAPE(kind, reader)
#define PORT(port, kind, reader)
#define TUNNEL(protocol, kind, reader)                                                             \
    case protocol:                                                                                 \
        packet->tunnel_kind = (kind);                                                              \
        return reader(packet);
#include "tunnel.def"
#undef TUNNEL
#undef PORT
#undef SHAPE
#undef KIND
    case PROTOCOL_UDP:
        return udp_read(packet);
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMP6:
        return icmp_read(packet);
    default:
        return DISSECT_NOT_TCP;
    }
}

bool tunnel_is_known(uint8_t protocol)
{
    switch (protocol) {
#define KIND(id, name)
#define SHAPE(kind, reader)
#define PORT(port, kind, reader)
#define TUNNEL(protocol, kind, reader) case protocol:
#include "tunnel.def"
#undef TUNNEL
#undef PORT
#undef SHAPE
#undef KIND
    case PROTOCOL_UDP:
        return true;
    default:
        return false;
    }
}

/* What the outer IP header said of the connection is not said of the inner one. */
static void outer_forget(struct packet *packet)
{
    memset(packet->segment->source, 0, sizeof packet->segment->source);
    memset(packet->segment->destination, 0, sizeof packet->segment->destination);
    packet->route_unknown = false;
}

/* One more tunnel of the packet's path; the first names the outermost ends. */
static void path_note(struct segment *segment, const struct packet *packet)
{
    struct encapsulation *around = &segment->around;
    if (around->tunnels == 0) {
        around->ip_version = segment->ip_version;
        memcpy(around->source, segment->source, sizeof around->source);
        memcpy(around->destination, segment->destination, sizeof around->destination);
    }
    if (around->tunnels == SEGMENT_TUNNELS)
        return;
    around->kind[around->tunnels] = packet->tunnel_kind;
    around->id[around->tunnels++] = packet->tunnel_id;
}

enum dissect_result tunnel_enter(struct packet *packet)
{
    if (packet->tunnels++ >= TUNNELS_MAX)
        return DISSECT_TUNNEL_LOOP;
    packet->tunnel_id = 0;
    enum dissect_result result = protocol_read(packet);
    if (result != DISSECT_SEGMENT)
        return result;
    path_note(packet->segment, packet);
    outer_forget(packet);
    return ip_read(packet);
}

const char *dissect_tunnel_name(enum tunnel_kind kind)
{
    static const char *const names[] = {
#define KIND(id, name) name,
#define TUNNEL(protocol, kind, reader)
#define PORT(port, kind, reader)
#define SHAPE(kind, reader)
#include "tunnel.def"
#undef SHAPE
#undef PORT
#undef TUNNEL
#undef KIND
    };
    return names[kind];
}
