/*
 * fanout: several packet sockets on one interface share its packets, each connection's to one of
 * them: PACKET_FANOUT by the kernel's hash, which is the same in both directions (packet(7),
 * __skb_get_hash_symmetric).
 *
 * Until a socket has joined, every packet comes to it, too: who opens several leaves out what was
 * captured before all had joined.
 */
#ifndef LASTACK_SOURCE_FANOUT_H
#define LASTACK_SOURCE_FANOUT_H

#include <stdbool.h>
#include <stdint.h>

/* Makes a group of one captured-on socket; false: the kernel has no such groups for it. */
bool fanout_begin(int fd, uint16_t *ret_group);

/* Adds a socket that captures on the same interface; false: it cannot be added. */
bool fanout_join(int fd, uint16_t group);

#endif
