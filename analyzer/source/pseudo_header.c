/*
 * pseudo_header: see pseudo_header.h.
 *
 *     NFLOG   0  family  1  version  2  group    4  attributes: length (16 bits), type (16 bits),
 *             value, filled up to four octets; length and type in the capturing host's order
 */
#include "pseudo_header.h"

#include <pcap/pcap.h>

enum { NFLOG_HEAD = 4, ATTRIBUTE_HEAD = 4 };

static void swap_u16(uint8_t *octets)
{
    uint8_t first = octets[0];
    octets[0] = octets[1];
    octets[1] = first;
}

static uint16_t host_u16(const uint8_t *octets)
{
    bool host_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (uint16_t)(host_is_big ? octets[0] << 8 | octets[1] : octets[1] << 8 | octets[0]);
}

static void nflog_swap(uint8_t *octets, uint32_t captured)
{
    uint32_t at = NFLOG_HEAD;
    while (at <= captured && captured - at >= ATTRIBUTE_HEAD) {
        swap_u16(octets + at);
        swap_u16(octets + at + 2);
        uint32_t length = host_u16(octets + at);
        if (length < ATTRIBUTE_HEAD)
            return;
        at += (length + 3) & ~(uint32_t)3;
    }
}

void pseudo_header_to_host(int link_type, uint8_t *octets, uint32_t captured, bool big_endian)
{
    bool host_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (link_type == DLT_NFLOG && big_endian != host_is_big && captured >= NFLOG_HEAD &&
        octets[1] == 0)
        nflog_swap(octets, captured);
}
