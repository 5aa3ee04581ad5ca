/*
 * icmp: error messages, RFC 792 and RFC 4443 2.1.
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +---------------+---------------+-------------------------------+
 *    0 |     Type      |     Code      |           Checksum            |
 *    4 |        unused, gateway, pointer, or MTU, by the type          |
 *    8 |  the packet that it is about, from its IP header on ...       |
 *      +---------------------------------------------------------------+
 *
 * RFC 792 quotes the IP header and eight octets behind it, which end with TCP's sequence number;
 * RFC 1812 4.3.2.3 and RFC 4443 quote as much as fits.  The quote is a packet cut short, and may
 * itself be one in a tunnel, or the first fragment of one.  What RFC 4884 appends stands behind
 * the quoted packet's length, or is zeros behind the eight octets, and is not looked at.
 */
#include "icmp.h"

#include "ip.h"
#include "tcp.h"
#include "tunnel.h"

enum { ICMP_HEADER = 8, ICMP_MTU_4 = 6, ICMP_MTU_6 = 4, TCP_QUOTED = 8 };

/* A message that quotes a packet. */
struct error_row {
    uint8_t protocol;
    uint8_t type;
    int8_t mtu_code; /* with this code it names an MTU; -1: never */
};

static const struct error_row errors[] = {
    {PROTOCOL_ICMP, 3, 4},   /* destination unreachable; code 4 is RFC 1191 4 */
    {PROTOCOL_ICMP, 4, -1},  /* source quench, obsolete since RFC 6633 */
    {PROTOCOL_ICMP, 5, -1},  /* redirect: RFC 1122 3.2.2 counts it among the errors */
    {PROTOCOL_ICMP, 11, -1}, /* time exceeded */
    {PROTOCOL_ICMP, 12, -1}, /* parameter problem */
    {PROTOCOL_ICMP6, 1, -1}, /* destination unreachable, RFC 4443 3.1 */
    {PROTOCOL_ICMP6, 2, 0},  /* packet too big */
    {PROTOCOL_ICMP6, 3, -1}, /* time exceeded */
    {PROTOCOL_ICMP6, 4, -1}, /* parameter problem */
};

static const struct error_row *row_find(uint8_t protocol, uint8_t type)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].protocol == protocol && errors[i].type == type)
            return &errors[i];
    }
    return NULL;
}

static void error_note(const struct packet *packet, const struct error_row *row)
{
    struct view header = packet->rest;
    struct icmp_error *icmp = packet->icmp;
    if (icmp == NULL)
        return;
    *icmp = (struct icmp_error){
        .ip_version = row->protocol == PROTOCOL_ICMP ? IP_4 : IP_6,
        .type = row->type,
        .code = view_u8(header, 1),
    };
    memcpy(icmp->from, packet->segment->source, sizeof icmp->from);
    if (row->mtu_code == icmp->code)
        icmp->mtu = row->protocol == PROTOCOL_ICMP ? view_u16(header, ICMP_MTU_4)
                                                   : view_u32(header, ICMP_MTU_6);
}

/* Reads the quote as a packet of its own, down to TCP. */
static enum dissect_result quote_read(struct packet *packet, uint8_t version)
{
    packet_skip(packet, ICMP_HEADER);
    memset(packet->segment->source, 0, sizeof packet->segment->source);
    memset(packet->segment->destination, 0, sizeof packet->segment->destination);
    packet->ip_version = version;
    packet->quoted = true;
    enum dissect_result result = ip_read(packet);
    while (result == DISSECT_SEGMENT && packet->protocol != PROTOCOL_TCP)
        result = tunnel_enter(packet);
    return result;
}

enum dissect_result icmp_read(struct packet *packet)
{
    if (packet->quoted) /* RFC 1122 3.2.2: no error is sent about an error */
        return DISSECT_NOT_TCP;
    const struct error_row *row = row_find(packet->protocol, view_u8(packet->rest, 0));
    if (row == NULL || !view_holds(packet->rest, ICMP_HEADER))
        return DISSECT_NOT_TCP;

    if (checksum_is_wrong(packet->rest, packet->length, packet->protocol, packet->segment))
        return DISSECT_ICMP_DAMAGED;
    error_note(packet, row);
    if (quote_read(packet, row->protocol == PROTOCOL_ICMP ? IP_4 : IP_6) != DISSECT_SEGMENT)
        return DISSECT_NOT_TCP;
    if (!view_holds(packet->rest, TCP_QUOTED))
        return DISSECT_NOT_TCP;
    packet->segment->source_port = view_u16(packet->rest, 0);
    packet->segment->destination_port = view_u16(packet->rest, 2);
    packet->segment->sequence = view_u32(packet->rest, 4);
    return DISSECT_ICMP_ERROR;
}
