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

/* Reads on behind an Ethertype, or an 802.3 length; DISSECT_NOT_IP without a row in ethertype.def.
 */
enum dissect_result ethertype_read(struct packet *packet, uint16_t type);

/* Whether an Ethertype has a row in ethertype.def. */
bool ethertype_is_known(uint16_t type);

/* Ethernet (IEEE 802.3 3.2.6: a type from 1536 on, below it a length, and LLC follows). */
enum dissect_result link_ethernet(struct packet *packet);

/* A VLAN tag, from behind its Ethertype: IEEE 802.1Q 9.6.  Tags may follow one another. */
enum dissect_result link_vlan(struct packet *packet);

/* IEEE 802.2, with SNAP or without: link_llc.c. */
enum dissect_result link_llc(struct packet *packet);

/* From behind their Ethertypes: link_tags.c, link_mpls.c, link_ppp.c. */
enum dissect_result link_backbone(struct packet *packet);
enum dissect_result link_vntag(struct packet *packet);
enum dissect_result link_fabricpath(struct packet *packet);
enum dissect_result link_trill(struct packet *packet);
enum dissect_result link_edsa(struct packet *packet);
enum dissect_result link_macsec(struct packet *packet); /* DISSECT_ENCRYPTED where it is */
enum dissect_result link_mpls(struct packet *packet);
enum dissect_result link_pppoe(struct packet *packet); /* a session's packet, RFC 2516 4 */

/* PPP and its relatives: link_ppp.c. */
enum dissect_result link_ppp(struct packet *packet);
enum dissect_result link_ppp_serial(struct packet *packet);
enum dissect_result link_ppp_directed(struct packet *packet);
enum dissect_result link_ppp_pppd(struct packet *packet);
enum dissect_result link_hdlc(struct packet *packet);
enum dissect_result link_relay(struct packet *packet);

/*
 * IEEE 802.11, alone and behind what capturers put before it: link_80211.c.  Of an aggregate
 * (A-MSDU) the packet that packet->part asks for; packet->further says whether another follows.
 */
enum dissect_result link_80211(struct packet *packet);
enum dissect_result link_radiotap(struct packet *packet);
enum dissect_result link_ppi(struct packet *packet);
enum dissect_result link_avs(struct packet *packet);
enum dissect_result link_prism(struct packet *packet);

/* What firewalls and capturing systems wrap packets in: link_log.c. */
enum dissect_result link_nflog(struct packet *packet);
enum dissect_result link_pflog(struct packet *packet);
enum dissect_result link_pktap(struct packet *packet);
enum dissect_result link_enc(struct packet *packet);

enum dissect_result link_token_ring(struct packet *packet); /* link_ring.c */

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
