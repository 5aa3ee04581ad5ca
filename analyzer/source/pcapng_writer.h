/*
 * pcapng_writer: packets with comments, as one section of a pcapng file.
 *
 * Link types may be mixed, and packets be of several places: each link type and place has an
 * interface block of its own, written before its first packet.
 * Times are in nanoseconds.  Source: draft-ietf-opsawg-pcapng, 4.1 to 4.3.
 */
#ifndef LASTACK_SOURCE_PCAPNG_WRITER_H
#define LASTACK_SOURCE_PCAPNG_WRITER_H

#include <stdio.h>

#include "source.h"

struct pcapng_writer;

/*
 * Writes the section header, which names the application.  The stream stays the caller's.  Returns
 * NO_MEMORY, or WRITE as all functions here do when the stream fails (errno says why).
 */
enum status pcapng_writer_new(FILE *stream, const char *application,
                              struct pcapng_writer **ret_writer);

/* Writes a packet with its comments (UTF-8; each is cut at 65,535 octets). */
enum status pcapng_writer_packet(struct pcapng_writer *writer, const struct captured_packet *packet,
                                 const char *const *comments, size_t comment_count);

void pcapng_writer_free(struct pcapng_writer *writer); /* accepts NULL */

#endif
