/*
 * tunnel: IP packets that carry IP packets.  tunnel.def has one row per encapsulation.
 */
#ifndef LASTACK_DISSECT_TUNNEL_H
#define LASTACK_DISSECT_TUNNEL_H

#include "packet.h"

/*
 * With the packet behind an IP header that announces something else than TCP: takes one
 * encapsulation off and reads the IP header within.  DISSECT_NOT_TCP where there is none, or one
 * more than any network nests.
 */
enum dissect_result tunnel_enter(struct packet *packet);

#endif
