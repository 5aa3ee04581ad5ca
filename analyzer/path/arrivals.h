/*
 * arrivals: segments that passed both taps and can be mistaken for no other, so that a copy which
 * the path kept is known as one, however many others came since (pair.h).
 *
 * So many of the latest as there is room for; they say nothing any more when a datagram's lifetime
 * is over (RFC 6864 4.1).
 */
#ifndef LASTACK_PATH_ARRIVALS_H
#define LASTACK_PATH_ARRIVALS_H

#include "pair.h"

enum { ARRIVALS_MOST = 1 << 17, ARRIVALS_LEAST = 1 << 10 };

/* Octets for so many. */
uint64_t arrivals_octets(uint32_t kept);

/* One that arrived, as match.c remembers it.  False when memory ran out. */
bool arrivals_add(struct arrivals *arrivals, uint32_t joint, int end, const struct recent *recent);

/* What the segment is a copy of; NULL: nothing that is remembered. */
const struct recent *arrivals_find(const struct arrivals *arrivals, const struct lone *lone);

/* Names in a crossing that is DUPLICATED what the segment is a copy of, as far as that is
 * remembered: here, or as its end's latest reset. */
void arrivals_name(const struct pair *pair, const struct lone *lone, struct crossing *crossing);

void arrivals_clear(struct arrivals *arrivals);

#endif
