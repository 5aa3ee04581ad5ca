/*
 * zeek_numbers: the sequence numbers of one end as Zeek keeps them.
 *
 * They are not those of RFC 9293: an end whose SYN was missed is given one just below the first
 * octet that it sent or that the other end acknowledged, and a number more than 2^31 above the
 * start of a stream that has not wrapped yet counts as one before the start.
 */
#ifndef LASTACK_TCP_ZEEK_NUMBERS_H
#define LASTACK_TCP_ZEEK_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../dissect/dissect.h"
#include "../base/seq.h"
#include "zeek.h"

/* Octets of sequence space that a segment takes; the payload of an RST takes none. */
uint32_t zeek_numbers_length(const struct segment *segment);

/* Sets, or corrects, where the stream of `end` starts, by a segment it sent (init_endpoint). */
void zeek_numbers_start(struct zeek_end *end, const struct segment *segment);

/* Sets where the stream of a silent end starts, by an acknowledgment of it (init_peer). */
void zeek_numbers_start_silent(struct zeek_end *end, seq acknowledgment);

/* Whether a sequence number of `end`, or an acknowledgment of it, lies before its start. */
bool zeek_numbers_underflow(const struct zeek_end *end, seq sequence);
bool zeek_numbers_ack_underflows(const struct zeek_end *end, seq acknowledgment);

/* Takes an acknowledgment of what `end` sent (update_ack_seq). */
void zeek_numbers_acknowledge(struct zeek_end *end, seq acknowledgment);

/*
 * Takes the numbers of a segment that `end` sent (update_last_seq).  Returns whether it is a
 * retransmission to Zeek: payload, and no new number.
 */
bool zeek_numbers_advance(struct zeek_end *end, const struct segment *segment);

#endif
