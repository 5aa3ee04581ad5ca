/*
 * tcp: the TCP header, its options, its checksum, and a fingerprint of its payload.
 */
#ifndef LASTACK_DISSECT_TCP_H
#define LASTACK_DISSECT_TCP_H

#include "packet.h"

/*
 * Reads the TCP segment that the packet stands at, by RFC 9293 3.1.  The fixed twenty octets must
 * be captured (DISSECT_TCP_TRUNCATED); the header must fit the IP length (DISSECT_TCP_MALFORMED).
 */
enum dissect_result tcp_read(struct packet *packet);

/*
 * Reads the options into the segment.  `octets` is their length by the data offset, of which the
 * view holds what was captured.  What is wrong with them becomes OPTION_MALFORMED or OPTION_CUT,
 * never a failure.
 */
void tcp_options_read(struct view options, uint32_t octets, struct segment *segment);

/*
 * The verdict on a segment of `length` octets by the IP length, its addresses and checksum field
 * already in `segment`.  RFC 9293 3.1, RFC 8200 8.1.
 */
enum checksum_verdict checksum_judge(struct view tcp, uint32_t length,
                                     const struct segment *segment);

/* The same of a whole segment that stands right behind its two IPv4 addresses, all in one view. */
enum checksum_verdict checksum_judge_behind(struct view addresses, uint32_t length,
                                            const struct segment *segment);

/*
 * Whether the checksum in the message of `length` octets contradicts it: RFC 792, RFC 4443 2.3
 * (with the addresses in `segment`).  One that is cut, or whose field is 0, contradicts nothing.
 */
bool checksum_is_wrong(struct view message, uint32_t length, uint8_t protocol,
                       const struct segment *segment);

/*
 * A number that equal payloads share and different ones hardly ever do: of the first octets, at
 * most 128; *ret_octets says of how many.  0 only for an empty view.
 */
uint32_t payload_fingerprint(struct view payload, uint8_t *ret_octets);

#endif
