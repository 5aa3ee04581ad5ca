/* wire: see wire.h. */
#include "wire.h"

#include <string.h>

enum {
    ETHERNET_HEADER = 14,
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    TCP_HEADER = 20,
    ICMP_HEADER = 8,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_ICMP6 = 58,
    QUOTED = 28, /* octets of TCP in an error: enough for the numbers */
};

static void put16(uint8_t *octets, uint32_t value)
{
    octets[0] = (uint8_t)(value >> 8);
    octets[1] = (uint8_t)value;
}

void wire_put32(uint8_t *octets, uint32_t value)
{
    put16(octets, value >> 16);
    put16(octets + 2, value);
}

/* The sum of RFC 1071, to be carried on. */
static uint32_t add_octets(uint32_t sum, const uint8_t *octets, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        sum += (i & 1) != 0 ? octets[i] : (uint32_t)octets[i] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_address(const struct wire_segment *segment, bool source, uint8_t *octets)
{
    uint8_t end = (segment->side == 0) == source ? 1 : 2, net = end == 1 ? segment->net : 0;
    if (!segment->ip6) {
        const uint8_t address[4] = {10, net, segment->tuple, end};
        memcpy(octets, address, sizeof address);
        return;
    }
    const uint8_t address[16] = {0x20, 1, 0xd, 0xb8, [13] = net, [14] = segment->tuple, [15] = end};
    memcpy(octets, address, sizeof address);
}

/* The IP header for so many octets of payload; returns its length. */
static uint32_t put_ip(const struct wire_segment *segment, uint8_t protocol, uint32_t length,
                       bool turned, uint8_t *octets)
{
    struct wire_segment seen = *segment;
    seen.side = turned ? !segment->side : segment->side;
    if (segment->ip6) {
        wire_put32(octets, 6u << 28);
        put16(octets + 4, length);
        octets[6] = protocol;
        octets[7] = segment->ttl;
        put_address(&seen, true, octets + 8);
        put_address(&seen, false, octets + 24);
        return IP6_HEADER;
    }
    memset(octets, 0, IP4_HEADER);
    octets[0] = 0x45;
    put16(octets + 2, IP4_HEADER + length);
    put16(octets + 4, segment->ip_id);
    put16(octets + 6, 0x4000);
    octets[8] = segment->ttl;
    octets[9] = protocol;
    put_address(&seen, true, octets + 12);
    put_address(&seen, false, octets + 16);
    put16(octets + 10, fold(add_octets(0, octets, IP4_HEADER)));
    return IP4_HEADER;
}

/* The sum over addresses, protocol and length; the header is the one before. */
static uint32_t pseudo_sum(const struct wire_segment *segment, const uint8_t *ip, uint8_t protocol,
                           uint32_t length)
{
    uint32_t sum = segment->ip6 ? add_octets(0, ip + 8, 32) : add_octets(0, ip + 12, 8);
    return sum + protocol + length;
}

/* The TCP segment; returns its length. */
static uint32_t put_tcp(const struct wire_segment *segment, const uint8_t *ip, uint8_t *octets)
{
    uint32_t options = (segment->options_length + 3u) & ~3u;
    uint32_t length = TCP_HEADER + options + segment->payload;
    uint16_t client = (uint16_t)(40000 + segment->tuple + 100 * segment->port), server = 443;
    put16(octets, segment->side == 0 ? client : server);
    put16(octets + 2, segment->side == 0 ? server : client);
    wire_put32(octets + 4, segment->sequence);
    wire_put32(octets + 8, segment->acknowledgment);
    octets[12] = (uint8_t)((TCP_HEADER + options) / 4 << 4);
    octets[13] = segment->flags;
    put16(octets + 14, segment->window);
    wire_put32(octets + 16, 0);
    memset(octets + TCP_HEADER, 0, options);
    memcpy(octets + TCP_HEADER, segment->options, segment->options_length);
    for (uint32_t i = 0; i < segment->payload; i++) /* by place, so repetitions are the same */
        octets[TCP_HEADER + options + i] = (uint8_t)((segment->place + i) * 7);
    uint16_t sum = fold(add_octets(pseudo_sum(segment, ip, PROTOCOL_TCP, length), octets, length));
    put16(octets + 16, segment->bad_checksum ? sum ^ 0x5555u : sum);
    return length;
}

/* A port that is unreachable, by the side that the segment was sent to. */
static uint32_t put_error(const struct wire_segment *segment, uint8_t *octets)
{
    uint8_t whole[WIRE_LARGEST];
    uint32_t header = segment->ip6 ? IP6_HEADER : IP4_HEADER;
    uint32_t quoted = header + QUOTED;
    uint8_t protocol = segment->ip6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP;
    uint32_t options = (segment->options_length + 3u) & ~3u;
    memset(whole, 0, sizeof whole);
    put_ip(segment, PROTOCOL_TCP, TCP_HEADER + options + segment->payload, false, whole);
    put_tcp(segment, whole, whole + header);
    put_ip(segment, protocol, ICMP_HEADER + quoted, true, octets);
    uint8_t *icmp = octets + header;
    memset(icmp, 0, ICMP_HEADER);
    icmp[0] = segment->ip6 ? 1 : 3;
    icmp[1] = segment->ip6 ? 4 : 3;
    memcpy(icmp + ICMP_HEADER, whole, quoted);
    uint32_t sum = segment->ip6 ? pseudo_sum(segment, octets, protocol, ICMP_HEADER + quoted) : 0;
    put16(icmp + 2, fold(add_octets(sum, icmp, ICMP_HEADER + quoted)));
    return header + ICMP_HEADER + quoted;
}

uint32_t wire_write(const struct wire_segment *segment, uint8_t *octets)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    uint32_t options = (segment->options_length + 3u) & ~3u;
    memcpy(octets, macs, sizeof macs);
    put16(octets + 12, segment->ip6 ? 0x86dd : 0x0800);
    uint8_t *ip = octets + ETHERNET_HEADER;
    if (segment->quoted)
        return ETHERNET_HEADER + put_error(segment, ip);
    uint32_t header =
        put_ip(segment, PROTOCOL_TCP, TCP_HEADER + options + segment->payload, false, ip);
    return ETHERNET_HEADER + header + put_tcp(segment, ip, ip + header);
}
