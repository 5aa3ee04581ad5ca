/*
 * link: the layers below IP.  Each reader takes its header off the packet and leaves it at an IP
 * header, with packet->ip_version saying which, or returns why it cannot: DISSECT_LINK_TRUNCATED
 * where the capture ends inside the header, DISSECT_NOT_IP where something else follows.
 */
#ifndef LASTACK_DISSECT_LINK_H
#define LASTACK_DISSECT_LINK_H

#include "packet.h"

/* Reads the link layer that a DLT_ value names; DISSECT_UNKNOWN_LINK_TYPE without a row. */
enum dissect_result link_read(struct packet *packet, int link_type);

/* Reads on behind an Ethertype; DISSECT_NOT_IP without a row in ethertype.def. */
enum dissect_result ethertype_read(struct packet *packet, uint16_t type);

/* Ethernet II (IEEE 802.3 3.2.6: a type from 1536 on).  A length there means LLC: not IP. */
enum dissect_result link_ethernet(struct packet *packet);

/* A VLAN tag, from behind its Ethertype: IEEE 802.1Q 9.6.  Tags may follow one another. */
enum dissect_result link_vlan(struct packet *packet);

/* Linux "any" captures, version 1: pcap-linktype(7), LINKTYPE_LINUX_SLL. */
enum dissect_result link_cooked(struct packet *packet);

/* The same, version 2: LINKTYPE_LINUX_SLL2. */
enum dissect_result link_cooked2(struct packet *packet);

/* BSD loopback, the address family in either byte order: LINKTYPE_NULL and LINKTYPE_LOOP. */
enum dissect_result link_null(struct packet *packet);

/* No link header: the version of the IP header decides. */
enum dissect_result link_raw(struct packet *packet);

/* No link header, and the version is known. */
enum dissect_result link_ip4(struct packet *packet);
enum dissect_result link_ip6(struct packet *packet);

#endif
