/*
 * tunnel_transition: IPv6 for hosts that have only IPv4, behind UDP.
 *
 *      Teredo   | 0x0001, identifier's length 1, value's length 1, both, nonce 8, confirmation 1 |
 *               | 0x0000, port 2, address 4 |     both may be absent; then IPv6    RFC 4380 5.1
 *      AYIYA    | identity's length, type 1 | signature's length, hash 1 | method, operation 1 |
 *               | next header 1 | epoch 4 | identity | signature | IPv6    draft-massar-v6ops-ayiya
 */
#include "tunnel.h"

#include "link.h"

enum {
    TEREDO_AUTHENTICATION = 0x0001,
    TEREDO_ORIGIN = 0x0000,
    TEREDO_ORIGIN_OCTETS = 8,
    TEREDO_AUTHENTICATION_OCTETS = 13, /* beside identifier and authentication value */
    IP6_HEADER = 40,
    NO_NEXT_HEADER = 59,
    AYIYA_HEADER = 8,
    PROTOCOL_IP6 = 41,
};

static uint32_t teredo_offset(struct view rest)
{
    uint32_t at = 0;
    if (view_u16(rest, at) == TEREDO_AUTHENTICATION)
        at += TEREDO_AUTHENTICATION_OCTETS + view_u8(rest, 2) + view_u8(rest, 3);
    if (view_u16(rest, at) == TEREDO_ORIGIN)
        at += TEREDO_ORIGIN_OCTETS;
    return at;
}

/* An IPv6 packet that fills the datagram: anything else is somebody else's. */
enum dissect_result tunnel_teredo(struct packet *packet)
{
    uint32_t at = teredo_offset(packet->rest);
    struct view inner = view_after(packet->rest, at);
    if (packet->length < at + IP6_HEADER || !tunnel_holds_ip(inner, packet->length - at, IP_6))
        return DISSECT_NOT_TCP;
    if (view_u16(inner, 4) + (uint32_t)IP6_HEADER != packet->length - at ||
        view_u8(inner, 6) == NO_NEXT_HEADER)
        return DISSECT_NOT_TCP;
    packet_skip(packet, at);
    return link_ip6(packet);
}

enum dissect_result tunnel_ayiya(struct packet *packet)
{
    struct view header = packet->rest;
    uint32_t identity = 1u << (view_u8(header, 0) >> 4);
    uint32_t signature = (view_u8(header, 1) >> 4) * 4u;
    uint32_t octets = AYIYA_HEADER + identity + signature;
    if (!view_holds(header, octets) || view_u8(header, 3) != PROTOCOL_IP6 ||
        packet->length <= octets ||
        !tunnel_holds_ip(view_after(header, octets), packet->length - octets, IP_6))
        return DISSECT_NOT_TCP;
    packet_skip(packet, octets);
    return link_ip6(packet);
}
