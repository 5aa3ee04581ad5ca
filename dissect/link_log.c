/*
 * link_log: packets that a firewall or a capturing system wrapped in a description of its own.
 *
 *      NFLOG    | family 1 | version 1 | group 2 |  then | length 2 | type 2 | value | ...
 *      PFLOG    | length 1 | family 1 | ... padded to 4 |
 *      PKTAP    | length 4 | type 4 | DLT 4 | ... |
 *      ENC      | family 4 | SPI 4 | flags 4 |
 *      all by pcap-linktype(7)
 *
 * Numbers stand in the order of the machine that captured, which the file need not share: the
 * order in which the first of them makes sense is taken.
 */
#include "link.h"

static uint16_t swap16(uint16_t number)
{
    return (uint16_t)(number >> 8 | number << 8);
}

static enum dissect_result family_read(struct packet *packet, uint32_t family)
{
    switch (family) {
    case 2: /* AF_INET of all */
        return link_ip4(packet);
    case 10: /* AF_INET6 of Linux */
    case 24: /* of NetBSD, OpenBSD */
    case 28: /* of FreeBSD */
    case 30: /* of macOS */
        return link_ip6(packet);
    default:
        return DISSECT_NOT_IP;
    }
}

enum dissect_result link_nflog(struct packet *packet)
{
    enum { NFLOG_HEADER = 4, VALUE_HEADER = 4, PAYLOAD = 9 };
    struct view header = packet->rest;
    if (!view_holds(header, NFLOG_HEADER))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, NFLOG_HEADER);
    while (view_holds(packet->rest, VALUE_HEADER)) {
        uint16_t length = view_u16(packet->rest, 0), type = view_u16(packet->rest, 2);
        if ((type & 0xff00) != 0) {
            length = swap16(length);
            type = swap16(type);
        }
        if (length < VALUE_HEADER)
            return DISSECT_LINK_TRUNCATED;
        if (type == PAYLOAD) {
            packet_limit_to(packet, length);
            packet_skip(packet, VALUE_HEADER);
            return family_read(packet, view_u8(header, 0));
        }
        packet_skip(packet, (length + 3u) & ~3u);
    }
    return DISSECT_LINK_TRUNCATED;
}

enum dissect_result link_pflog(struct packet *packet)
{
    struct view header = packet->rest;
    uint32_t octets = (view_u8(header, 0) + 3u) & ~3u;
    if (!view_holds(header, 2) || !view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    if (octets == 0)
        return DISSECT_NOT_IP;
    packet_skip(packet, octets);
    return family_read(packet, view_u8(header, 1));
}

static uint32_t swap32(uint32_t number)
{
    return (uint32_t)swap16((uint16_t)number) << 16 | swap16((uint16_t)(number >> 16));
}

/* A small number, in whichever order makes it one. */
static uint32_t small_u32(struct view view, size_t offset)
{
    uint32_t number = view_u32(view, offset);
    return number > 0xffff ? swap32(number) : number;
}

enum dissect_result link_pktap(struct packet *packet)
{
    enum { LEAST = 12 };
    struct view header = packet->rest;
    uint32_t octets = small_u32(header, 0);
    if (!view_holds(header, LEAST) || !view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    if (octets < LEAST)
        return DISSECT_NOT_IP;
    packet_skip(packet, octets);
    return link_read(packet, (int)small_u32(header, 8));
}

enum dissect_result link_enc(struct packet *packet)
{
    enum { ENC_HEADER = 12 };
    struct view header = packet->rest;
    if (!view_holds(header, ENC_HEADER))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, ENC_HEADER);
    return family_read(packet, small_u32(header, 0));
}
