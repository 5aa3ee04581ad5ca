/*
 * spool: packets of a stream that cannot be read again, kept in a file without a name until it is
 * known which of them are wanted.
 */
#ifndef LASTACK_SOURCE_SPOOL_H
#define LASTACK_SOURCE_SPOOL_H

#include "source.h"

struct spool;

/*
 * Makes an empty spool of at most `most` octets in the folder TMPDIR, or /tmp.  Returns WRITE when
 * no file can be made there (errno says why), or NO_MEMORY.
 */
enum status spool_new(uint64_t most, struct spool **ret_spool);

/*
 * Keeps a packet under its number.  When the room is used up, or the disk is full, it and all that
 * follow are left out and counted: what is kept is the beginning.
 */
void spool_keep(struct spool *spool, const struct captured_packet *packet, uint64_t number);

/* Begins to read from the first packet on; again as often as needed.  WRITE: the disk failed. */
enum status spool_rewind(struct spool *spool);

/* The next packet, valid until the next call; false at the end. */
bool spool_next(struct spool *spool, struct captured_packet *ret_packet, uint64_t *ret_number);

/* Packets that found no room. */
uint64_t spool_left_out(const struct spool *spool);

void spool_free(struct spool *spool); /* accepts NULL */

#endif
