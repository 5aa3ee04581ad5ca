/*
 * icmp: errors that hosts and routers report about a TCP segment, which they quote.
 */
#ifndef LASTACK_DISSECT_ICMP_H
#define LASTACK_DISSECT_ICMP_H

#include "packet.h"

/*
 * With the packet at an ICMP or ICMPv6 header: DISSECT_ICMP_ERROR where it reports an error and
 * quotes the ports and the sequence number of a TCP segment; the segment has then the quoted
 * addresses, ports and sequence number, and packet->icmp, where it is given, the message itself.
 * DISSECT_NOT_TCP for all else.
 */
enum dissect_result icmp_read(struct packet *packet);

#endif
