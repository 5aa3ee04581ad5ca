/*
 * tunnel: from an IP header that does not announce TCP to the IP packet within, where there is one.
 */
#include "tunnel.h"

#include "ip.h"
#include "link.h"

enum {
    TUNNELS_MAX = 8, /* an overlay in an overlay in a mobile network nests four */
    UDP_HEADER = 8,
    UDP_DESTINATION = 2,
};

/* Reads on behind a UDP header, by its destination port (RFC 768). */
static enum dissect_result port_read(struct packet *packet)
{
    struct view header = packet->rest;
    packet_skip(packet, UDP_HEADER);
    switch (view_u16(header, UDP_DESTINATION)) {
#define TUNNEL(protocol, reader)
#define PORT(port, reader)                                                                         \
    case port:                                                                                     \
        return reader(packet);
#include "tunnel.def"
#undef PORT
#undef TUNNEL
    default:
        return DISSECT_NOT_TCP;
    }
}

static enum dissect_result protocol_read(struct packet *packet)
{
    switch (packet->protocol) {
#define PORT(port, reader)
#define TUNNEL(protocol, reader)                                                                   \
    case protocol:                                                                                 \
        return reader(packet);
#include "tunnel.def"
#undef TUNNEL
#undef PORT
    case PROTOCOL_UDP:
        return port_read(packet);
    default:
        return DISSECT_NOT_TCP;
    }
}

/* What the outer IP header said of the connection is not said of the inner one. */
static void outer_forget(struct packet *packet)
{
    memset(packet->segment->source, 0, sizeof packet->segment->source);
    memset(packet->segment->destination, 0, sizeof packet->segment->destination);
    packet->route_unknown = false;
}

enum dissect_result tunnel_enter(struct packet *packet)
{
    if (packet->tunnels++ >= TUNNELS_MAX)
        return DISSECT_NOT_TCP;
    enum dissect_result result = protocol_read(packet);
    if (result != DISSECT_SEGMENT)
        return result;
    outer_forget(packet);
    return ip_read(packet);
}
