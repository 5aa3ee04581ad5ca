/*
 * plain: the frame that nearly every frame is, read in one go.
 *
 * Ethernet, IPv4 without options, not a fragment; TCP, of whose options time stamps alone, as every
 * stack lays them out (RFC 7323, appendix A), are the usual ones.  What it reads, link, ip and tcp
 * would read the same (a test compares them), at several times the cost.
 */
#ifndef LASTACK_DISSECT_PLAIN_H
#define LASTACK_DISSECT_PLAIN_H

#include "dissect.h"

/* Whether the frame is such a one; then all of *ret_segment that dissect() sets is set. */
bool plain_read(const struct frame *frame, struct segment *ret_segment);

#endif
