/*
 * community_id: the name that many tools give a 5-tuple (Community ID Flow Hashing v1, seed 0).
 *
 * It is the same for both directions and for every incarnation of a tuple.
 */
#ifndef LASTACK_BASE_COMMUNITY_ID_H
#define LASTACK_BASE_COMMUNITY_ID_H

#include <stdint.h>

enum {
    COMMUNITY_ID_SIZE = 31, /* "1:", 28 characters of base64, NUL */
    COMMUNITY_ID_TCP = 6,   /* IP protocol number */
};

struct community_end {
    const uint8_t *address; /* network order; 4 octets for IPv4, 16 for IPv6 */
    uint16_t port;          /* host order */
};

/* Writes the NUL-terminated id of the TCP tuple (a, b) to ret_text.  ip_version is 4 or 6. */
void community_id_tcp(uint8_t ip_version, struct community_end a, struct community_end b,
                      char ret_text[COMMUNITY_ID_SIZE]);

#endif
