/*
 * fragments: IP packets put together again from their fragments (RFC 791 3.2, RFC 8200 4.5).
 *
 * Bounded in packets, octets and capture time; the oldest packet gives way.  Fragments that overlap
 * make a packet that no two hosts need see alike, so nothing of it is believed (RFC 5722).
 */
#ifndef LASTACK_INTAKE_FRAGMENTS_H
#define LASTACK_INTAKE_FRAGMENTS_H

#include "../../dissect/dissect.h"
#include "../base/time.h"
#include "../config.h"

struct fragments;

/* What became of the fragments so far.  Each is counted in one of these at any time. */
struct fragment_counts {
    uint64_t joined;     /* part of a whole packet, but for the one that completed it */
    uint64_t incomplete; /* others are missing: still, or for good */
    uint64_t overlapping, malformed, copies;
};

/* Octets that are held at most: fragment_octets, or a small part of max_memory. */
uint64_t fragments_most_octets(const struct config *config);

/* Makes an empty buffer; NULL when memory ran out.  The key of its hash table is random. */
struct fragments *fragments_new(const struct config *config);

/*
 * Takes a fragment at its capture time (ns).  Returns true when it completes a packet: then
 * *ret_frame is that packet, as raw IP, in memory that is valid until the next call; the VLAN tags
 * are the fragment's.
 */
bool fragments_take(struct fragments *fragments, const struct fragment *fragment, nanotime time,
                    struct frame *ret_frame);

/*
 * From a fragment, in *whole, to what it completes: DISSECT_FRAGMENT while others are missing, else
 * what the whole packet is, which *whole is then.  That may be a fragment again, in a tunnel; how
 * often is bounded, as is the nesting of tunnels.
 */
enum dissect_result fragments_join(struct fragments *fragments, nanotime time, struct frame *whole,
                                   struct segment *segment);

/* Whether memory ran out for a fragment since the last call; it is counted as incomplete. */
bool fragments_starved(struct fragments *fragments);

/*
 * A TCP packet that was given up, its first fragment taken: true, and *ret_segment has its
 * addresses and ports, and nothing else.  False when there is none since the last call.
 */
bool fragments_lost(struct fragments *fragments, struct segment *ret_segment);

/* Gives up all packets of which fragments are missing: none comes any more. */
void fragments_finish(struct fragments *fragments);

struct fragment_counts fragments_counts(const struct fragments *fragments);

void fragments_free(struct fragments *fragments); /* accepts NULL */

#endif
