/* octets: integers of either byte order, where a reader has checked that they are there. */
#ifndef LASTACK_SOURCE_OCTETS_H
#define LASTACK_SOURCE_OCTETS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t read_u32(const uint8_t *octets, bool big_endian)
{
    uint32_t value;
    memcpy(&value, octets, sizeof value);
    bool host_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return big_endian == host_is_big ? value : __builtin_bswap32(value);
}

static inline uint16_t read_u16(const uint8_t *octets, bool big_endian)
{
    return (uint16_t)(big_endian ? octets[0] << 8 | octets[1] : octets[1] << 8 | octets[0]);
}

static inline uint64_t read_u64(const uint8_t *octets, bool big_endian)
{
    uint64_t first = read_u32(octets, big_endian);
    uint64_t second = read_u32(octets + 4, big_endian);
    return big_endian ? first << 32 | second : second << 32 | first;
}

#endif
