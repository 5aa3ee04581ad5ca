/*
 * zeek_stream: one direction's octets as Zeek's reassembler sees them, as far as the letter 'g'
 * needs it: what came in order, what lies above a hole, and what was acknowledged but never came.
 */
#ifndef LASTACK_TCP_ZEEK_STREAM_H
#define LASTACK_TCP_ZEEK_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "zeek.h"

/* Takes payload that `end` sent: `octets` of it, above 0, from `relative` to end->start on. */
void zeek_stream_data(struct zeek_end *end, uint32_t relative, uint32_t octets);

/*
 * Takes an acknowledgment of what `end` sent, `relative` to end->start.  Returns how many holes in
 * the stream it covers: octets that were received, but not seen.  partial: the beginning of the
 * connection was missed, so octet 1 may be a guess.
 */
uint32_t zeek_stream_acknowledged(struct zeek_end *end, uint32_t relative, bool partial);

#endif
