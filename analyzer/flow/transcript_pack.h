/*
 * transcript_pack: the segments of a transcript in a third of their room, for as long as a
 * connection waits for the end of 2MSL: of each what the ones before it do not foretell.
 */
#ifndef LASTACK_FLOW_TRANSCRIPT_PACK_H
#define LASTACK_FLOW_TRANSCRIPT_PACK_H

#include "transcript.h"

/* Octets; behind what stays, a word more may be written. */
enum { TRANSCRIPT_PACKED_MOST = TRANSCRIPT_MOST * 64 + 16 };

/* Writes as many segments as the head tells; returns octets. */
size_t transcript_pack(const struct transcript_head *head, const struct transcript_entry *entry,
                       uint8_t packed[TRANSCRIPT_PACKED_MOST]);

/* Its inverse. */
void transcript_unpack(const struct transcript_head *head, const uint8_t *packed,
                       struct transcript_entry ret_entry[TRANSCRIPT_MOST]);

#endif
