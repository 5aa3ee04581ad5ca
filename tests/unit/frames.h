/*
 * frames: packets put together by the octet, for the tests of dissect.
 *
 * Layers are put one behind the other, as they stand on the wire; lengths that a layer holds are
 * filled in by ip4_close() and ip6_close() once the rest is there.  frame_read() gives dissect()
 * memory of exactly the captured size, so that a sanitizer sees a read of one octet too many.
 */
#ifndef LASTACK_TESTS_FRAMES_H
#define LASTACK_TESTS_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../dissect/dissect.h"

enum { ETHERNET = 1, RAW = 12 };

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The ends of every connection here; 10.0.0.1:1001 to 10.0.0.2:1002, or 2001:db8::1 to ::2. */
#define IP4_ADDRESSES "0a000001 0a000002"
#define IP6_SOURCE    "20010db8000000000000000000000001"
#define IP6_TARGET    "20010db8000000000000000000000002"
#define TCP_PORTS     "03e9 03ea"
#define TCP_NUMBERS   "11223344 55667788"
/* A whole header without options: ACK, window 0x0100, no checksum. */
#define TCP_PLAIN TCP_PORTS TCP_NUMBERS "5010 0100 0000 0000"

struct bytes {
    uint8_t data[2048];
    uint32_t length;
};

static inline uint8_t hex_digit(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* Appends octets written as hexadecimal digits; spaces separate as the reader likes. */
static inline void bytes_put(struct bytes *bytes, const char *hex)
{
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_true(bytes->length < sizeof bytes->data);
        bytes->data[bytes->length++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
        hex += 2;
    }
}

static inline struct bytes bytes_of(const char *hex)
{
    struct bytes bytes = {.length = 0};
    bytes_put(&bytes, hex);
    return bytes;
}

/* Appends a payload of so many octets, no two neighbours alike. */
static inline void bytes_fill(struct bytes *bytes, uint32_t octets)
{
    assert_true(bytes->length + octets <= sizeof bytes->data);
    for (uint32_t i = 0; i < octets; i++)
        bytes->data[bytes->length++] = (uint8_t)(i * 7 + 3);
}

static inline void bytes_set16(struct bytes *bytes, uint32_t offset, uint32_t value)
{
    assert_true(offset + 2 <= bytes->length);
    bytes->data[offset] = (uint8_t)(value >> 8);
    bytes->data[offset + 1] = (uint8_t)value;
}

/* Appends an IPv4 header without options; its length is closed by ip4_close(). */
static inline void ip4_put(struct bytes *bytes, const char *protocol)
{
    bytes_put(bytes, "4500 0000 abcd 4000 40");
    bytes_put(bytes, protocol);
    bytes_put(bytes, "0000" IP4_ADDRESSES);
}

/* Sets the total length of an IPv4 header at an offset: all that follows belongs to it. */
static inline void ip4_close(struct bytes *bytes, uint32_t offset)
{
    bytes_set16(bytes, offset + 2, bytes->length - offset);
}

static inline void ip6_put(struct bytes *bytes, const char *next_header)
{
    bytes_put(bytes, "60000000 0000");
    bytes_put(bytes, next_header);
    bytes_put(bytes, "40" IP6_SOURCE IP6_TARGET);
}

static inline void ip6_close(struct bytes *bytes, uint32_t offset)
{
    bytes_set16(bytes, offset + 4, bytes->length - offset - 40);
}

/* A raw IPv4 packet: a TCP header as written, then a payload. */
static inline struct bytes packet4(const char *tcp, uint32_t payload)
{
    struct bytes bytes = {.length = 0};
    ip4_put(&bytes, "06");
    bytes_put(&bytes, tcp);
    bytes_fill(&bytes, payload);
    ip4_close(&bytes, 0);
    return bytes;
}

static inline struct bytes packet6(const char *tcp, uint32_t payload)
{
    struct bytes bytes = {.length = 0};
    ip6_put(&bytes, "06");
    bytes_put(&bytes, tcp);
    bytes_fill(&bytes, payload);
    ip6_close(&bytes, 0);
    return bytes;
}

/* dissect() over the first `captured` octets, in memory of that size, wire length as given. */
static inline enum dissect_result frame_read(const struct bytes *bytes, uint32_t captured,
                                             uint32_t length, int link_type,
                                             struct segment *ret_segment)
{
    uint8_t *exact = malloc(captured > 0 ? captured : 1);
    assert_non_null(exact);
    memcpy(exact, bytes->data, captured);
    struct frame frame = {captured > 0 ? exact : exact + 1, captured, length, link_type, 0};
    enum dissect_result result = dissect(&frame, ret_segment);
    free(exact);
    return result;
}

/* The whole frame, captured whole. */
static inline enum dissect_result whole_read(const struct bytes *bytes, int link_type,
                                             struct segment *ret_segment)
{
    memset(ret_segment, 0xa5, sizeof *ret_segment);
    return frame_read(bytes, bytes->length, bytes->length, link_type, ret_segment);
}

/* Asserts a result by name, so that a failure prints words. */
static inline void assert_result(enum dissect_result result, enum dissect_result expected)
{
    assert_string_equal(dissect_result_name(result), dissect_result_name(expected));
}

/* Asserts that a segment is the one that TCP_PLAIN, or another header with its ports, makes. */
static inline void assert_plain(const struct segment *segment, uint8_t version, uint32_t payload)
{
    assert_int_equal(segment->ip_version, version);
    assert_int_equal(segment->source_port, 1001);
    assert_int_equal(segment->destination_port, 1002);
    assert_int_equal(segment->sequence, 0x11223344);
    assert_int_equal(segment->acknowledgment, 0x55667788);
    assert_int_equal(segment->payload, payload);
}

/* Asserts an address, written as hexadecimal digits; an IPv4 one has zeros behind it. */
static inline void assert_address(const uint8_t address[16], const char *hex)
{
    struct bytes expected = bytes_of(hex);
    memset(expected.data + expected.length, 0, sizeof expected.data - expected.length);
    assert_memory_equal(address, expected.data, 16);
}

#endif
