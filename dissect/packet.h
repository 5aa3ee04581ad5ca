/*
 * packet: the frame being read, handed from layer to layer.
 *
 * Each layer reads its own header off the front of `rest` and says in `ip_version` or `protocol`
 * what follows.  A layer returns DISSECT_SEGMENT for "read on", or the reason why it is the last.
 *
 * Two lengths run side by side, and they must not be confused: rest.octets is what was captured,
 * `length` is what there was on the wire, by the frame and from the IP header on by the IP length.
 * Once IP is read rest.octets <= length: link padding is gone, and the difference is what the
 * snapshot length cut off.
 */
#ifndef LASTACK_DISSECT_PACKET_H
#define LASTACK_DISSECT_PACKET_H

#include "dissect.h"
#include "view.h"

/* Numbers of the IP protocol field that the code names; the others are rows of a .def file. */
enum ip_protocol {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ESP = 50,
    PROTOCOL_AH = 51,
    PROTOCOL_ICMP6 = 58,
};

enum { IP_EITHER = 0, IP_4 = 4, IP_6 = 6 };

struct packet {
    struct view rest;          /* captured octets that no layer has read yet */
    uint32_t length;           /* octets of the same on the wire; at least rest.octets */
    uint8_t ip_version;        /* what the layer below announces: IP_4, IP_6, or IP_EITHER */
    uint8_t protocol;          /* after an IP header: what follows it */
    uint8_t tunnels;           /* tunnels entered so far */
    uint8_t tunnel_kind;       /* of the tunnel being read, enum tunnel_kind */
    uint32_t tunnel_id;        /* its number, where its header has one */
    uint8_t layers;            /* headers below IP read so far, in all tunnels */
    bool further;              /* the frame has a packet behind the one that is read */
    uint32_t part;             /* which packet of the frame is wanted, from 0 */
    bool route_unknown;        /* a routing header hides the final destination */
    bool quoted;               /* it is the packet that an ICMP error is about, cut short */
    struct segment *segment;   /* filled on the way */
    struct fragment *fragment; /* NULL, or filled with the fragment where one ends the way */
    struct icmp_error *icmp;   /* NULL, or filled with the ICMP error that does */
};

/* Takes a header of so many octets off the front; the caller has checked that they are there. */
static inline void packet_skip(struct packet *packet, uint32_t octets)
{
    packet->rest = view_after(packet->rest, octets);
    packet->length = octets < packet->length ? packet->length - octets : 0;
}

/* From here on the packet has this length: what is captured beyond it is link padding. */
static inline void packet_limit(struct packet *packet, uint32_t length)
{
    packet->rest = view_first(packet->rest, length);
    packet->length = length;
}

/* The same by a length that a link header claims; one beyond the frame says nothing. */
static inline void packet_limit_to(struct packet *packet, uint32_t length)
{
    if (length < packet->length)
        packet_limit(packet, length);
}

#endif
