/*
 * transcript_pack: a transcript in a fifth of its room, for as long as a connection waits for the
 * end of 2MSL: of each segment what the ones before it do not foretell, less the octets that are
 * then zero (base/octets.h).
 */
#ifndef LASTACK_FLOW_TRANSCRIPT_PACK_H
#define LASTACK_FLOW_TRANSCRIPT_PACK_H

#include "../base/octets.h"
#include "transcript.h"

enum {
    TRANSCRIPT_HEAD_WORDS = 4,
    TRANSCRIPT_ENTRY_WORDS = 6, /* at most */
    TRANSCRIPT_WORDS = TRANSCRIPT_HEAD_WORDS + TRANSCRIPT_MOST * TRANSCRIPT_ENTRY_WORDS,
    TRANSCRIPT_PACKED_MOST = 2 * sizeof(uint16_t) + OCTETS_MOST(TRANSCRIPT_WORDS),
};

/*
 * Writes its segments, as many as the head tells, and of the head what is kept nowhere else and
 * does not follow from them; returns octets.  vectors: octets_have_vectors().
 */
size_t transcript_pack(bool vectors, const struct transcript *transcript,
                       uint8_t packed[TRANSCRIPT_PACKED_MOST]);

/*
 * Its inverse.  Of the head `first_packet`, `started` and `index` are the caller's, and stay as
 * they are; snd_nxt: what follows the last octet of each side, from which its first number is told.
 */
void transcript_unpack(bool vectors, const uint8_t *packed, const seq snd_nxt[2],
                       struct transcript_head *head,
                       struct transcript_entry ret_entry[TRANSCRIPT_MOST]);

#endif
