/*
 * tunnel: packets that carry packets.  tunnel.def has one row per encapsulation.
 *
 * Behind UDP nothing names what follows but a port, which anybody may use.  So every reader there
 * looks at its header and at what it would carry, and answers DISSECT_NOT_TCP with the packet left
 * where it was unless both make sense: a packet too few is better than a connection invented. Where
 * the header does and the capture ends before the rest can be seen, it is DISSECT_TUNNEL_TRUNCATED.
 */
#ifndef LASTACK_DISSECT_TUNNEL_H
#define LASTACK_DISSECT_TUNNEL_H

#include "packet.h"

/*
 * With the packet behind an IP header that announces something else than TCP: takes one
 * encapsulation off and reads the IP header within.  DISSECT_NOT_TCP where there is none,
 * DISSECT_TUNNEL_LOOP for one more than any network nests, DISSECT_ENCRYPTED where it can only be
 * read with keys.
 */
enum dissect_result tunnel_enter(struct packet *packet);

/* Whether tunnel.def has something for that IP protocol. */
bool tunnel_is_known(uint8_t protocol);

/* Whether the packet had so many octets, and the capture does not hold them. */
static inline bool tunnel_is_cut(const struct packet *packet, uint32_t octets)
{
    return packet->length >= octets && !view_holds(packet->rest, octets);
}

/*
 * Whether an IP packet stands at the front of a view that has `length` octets on the wire: a whole
 * header whose own length is no longer than that.  version 0 takes either.
 */
bool tunnel_holds_ip(struct view rest, uint32_t length, uint8_t version);

/* Behind IP: tunnel_gre.c, tunnel_l2tp.c. */
enum dissect_result tunnel_gre(struct packet *packet);
enum dissect_result tunnel_etherip(struct packet *packet);
enum dissect_result tunnel_l2tp3(struct packet *packet);

/* Behind UDP: tunnel_overlay.c. */
enum dissect_result tunnel_vxlan(struct packet *packet);
enum dissect_result tunnel_geneve(struct packet *packet);
enum dissect_result tunnel_lisp(struct packet *packet);
enum dissect_result tunnel_mpls(struct packet *packet);

/* tunnel_gtp.c */
enum dissect_result tunnel_gtp(struct packet *packet);

/* tunnel_transition.c */
enum dissect_result tunnel_teredo(struct packet *packet);
enum dissect_result tunnel_ayiya(struct packet *packet);

/* tunnel_l2tp.c */
enum dissect_result tunnel_l2tp(struct packet *packet);

/* tunnel_secret.c: named, and left. */
enum dissect_result tunnel_esp(struct packet *packet);
enum dissect_result tunnel_wireguard(struct packet *packet);

#endif
