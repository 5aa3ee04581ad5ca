/*
 * ip: IPv4 and IPv6.  A reader takes the IP header, with all options or extension headers, off the
 * packet; then packet->protocol says what follows, packet->length how much of it there is by the
 * IP length, and addresses, TTL and lengths stand in the segment.
 */
#ifndef LASTACK_DISSECT_IP_H
#define LASTACK_DISSECT_IP_H

#include "packet.h"

/*
 * Reads the IP header that packet->ip_version announces.  DISSECT_IP_TRUNCATED, _IP_MALFORMED,
 * _IP_EXTENSION_LOOP, _FRAGMENT and _ENCRYPTED say what they mean; DISSECT_NOT_IP only where the
 * layer below left the version open.
 */
enum dissect_result ip_read(struct packet *packet);

/* RFC 791 3.1.  A total length of zero is segmentation offload: the frame's length stands in. */
enum dissect_result ip4_read(struct packet *packet);

/* RFC 8200 3, with the jumbo payload of RFC 2675 and the same rule for a length of zero. */
enum dissect_result ip6_read(struct packet *packet);

/* Takes every extension header off the packet (RFC 8200 4; AH and ESP also follow IPv4). */
enum dissect_result ip_extensions_read(struct packet *packet);

/* Whether a header of that number may stand between IP and TCP and can be read over. */
bool ip_is_extension(uint8_t protocol);

/*
 * The jumbo payload length of a hop-by-hop header at the front of rest (RFC 2675 2), whatever it
 * is; 0 where there is no such option.
 */
uint32_t ip_extension_jumbo(struct view rest);

/*
 * The packet stands behind the header of a fragment: fills packet->fragment, where that is wanted.
 * Returns DISSECT_FRAGMENT.
 */
enum dissect_result ip_fragment(struct packet *packet, uint32_t id, uint32_t offset, bool more);

#endif
