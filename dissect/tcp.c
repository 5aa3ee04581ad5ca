/*
 * tcp: the TCP header, RFC 9293 3.1.
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-------------------------------+-------------------------------+
 *    0 |          Source Port          |       Destination Port        |
 *    4 |                        Sequence Number                        |
 *    8 |                    Acknowledgment Number                      |
 *   12 | DOffset| Rsrvd |C E U A P R S F|            Window            |
 *   16 |           Checksum            |         Urgent Pointer        |
 *   20 |                           [Options]                           |
 *      +---------------------------------------------------------------+
 */
#include "tcp.h"

enum { TCP_HEADER = 20 };

static void header_note(struct segment *segment, struct view header)
{
    segment->source_port = view_u16(header, 0);
    segment->destination_port = view_u16(header, 2);
    segment->sequence = view_u32(header, 4);
    segment->acknowledgment = view_u32(header, 8);
    segment->flags = view_u8(header, 13);
    segment->window = view_u16(header, 14);
    segment->checksum = view_u16(header, 16);
}

enum dissect_result tcp_read(struct packet *packet)
{
    struct view tcp = packet->rest;
    struct segment *segment = packet->segment;
    uint32_t length = packet->length;
    if (length < TCP_HEADER)
        return DISSECT_TCP_MALFORMED;
    if (!view_holds(tcp, TCP_HEADER))
        return DISSECT_TCP_TRUNCATED;
    uint32_t header = (view_u8(tcp, 12) >> 4) * 4u;
    if (header < TCP_HEADER || header > length)
        return DISSECT_TCP_MALFORMED;

    header_note(segment, tcp);
    if (header > TCP_HEADER) {
        struct view options = view_after(view_first(tcp, header), TCP_HEADER);
        tcp_options_read(options, header - TCP_HEADER, segment);
    }
    packet_skip(packet, header);
    segment->payload = packet->length;
    segment->payload_hash = payload_fingerprint(packet->rest, &segment->payload_hashed);
    segment->cut = tcp.octets < length;
    segment->checksum_verdict =
        packet->route_unknown ? CHECKSUM_UNVERIFIED : checksum_judge(tcp, length, segment);
    return DISSECT_SEGMENT;
}
