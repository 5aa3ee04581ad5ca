/* wire: a TCP segment, or an ICMP error that quotes one, as the octets of an Ethernet frame. */
#ifndef LASTACK_TESTS_WIRE_H
#define LASTACK_TESTS_WIRE_H

#include <stdbool.h>
#include <stdint.h>

enum { WIRE_LARGEST = 9000, WIRE_OPTIONS = 40 };

struct wire_segment {
    bool ip6;
    uint8_t tuple; /* chooses addresses and the client's port */
    uint8_t port;  /* another one between the same addresses */
    uint8_t net;   /* of the client: another host that asks the same server */
    uint8_t side;  /* 0: from the client */
    uint8_t flags, ttl;
    uint8_t options_length; /* made a multiple of 4 with zeros */
    uint8_t options[WIRE_OPTIONS];
    uint16_t window, ip_id;
    uint32_t sequence, acknowledgment, payload;
    uint32_t place; /* of the payload in its stream, which decides its octets */
    bool bad_checksum;
    bool cut;    /* the caller's: less is captured */
    bool quoted; /* not the segment, but an ICMP error about it, from its receiver's side */
};

/* Writes the frame, WIRE_LARGEST octets at most; returns its length. */
uint32_t wire_write(const struct wire_segment *segment, uint8_t *octets);

void wire_put32(uint8_t *octets, uint32_t value);

#endif
