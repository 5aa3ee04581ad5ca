/*
 * sighted: a segment that a tap shows, in the first tap's terms, and what it shows of its
 * connection.
 */
#ifndef LASTACK_PATH_SIGHTED_H
#define LASTACK_PATH_SIGHTED_H

#include "pair.h"

/* The segment as one that only its tap has shown yet; end: who sent it, as the joint counts. */
struct lone lone_seen(const struct pair *pair, int tap, const struct segment *segment,
                      uint32_t joint_index, int end);

/* Notes what its tap has shown of the connection by now. */
void lone_note_view(struct pair *pair, struct joint *joint, const struct lone *lone);

#endif
