/*
 * link_ring: link types of fixed headers with LLC behind them, of which one has a part that varies.
 *
 *      token ring   | access 1 | control 1 | destination 6 | source 6 | (route) | LLC
 *                                                             the top bit of the source: a route
 *                                                             whose length is in its first octet
 */
#include "link.h"

enum dissect_result link_token_ring(struct packet *packet)
{
    enum { RING_HEADER = 14, RING_SOURCE = 8, ROUTED = 0x80, ROUTE_LENGTH = 0x1f };
    struct view header = packet->rest;
    if (!view_holds(header, RING_HEADER + 1))
        return DISSECT_LINK_TRUNCATED;
    uint32_t route = 0;
    if ((view_u8(header, RING_SOURCE) & ROUTED) != 0)
        route = view_u8(header, RING_HEADER) & ROUTE_LENGTH;
    if (!view_holds(header, RING_HEADER + route))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, RING_HEADER + route);
    return link_llc(packet);
}
