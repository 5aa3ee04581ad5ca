/*
 * problem_packets: -w: the packets of the connections that had problems, as pcapng, with a comment
 * on each packet that an event names as evidence.
 */
#ifndef LASTACK_PROBLEM_PACKETS_H
#define LASTACK_PROBLEM_PACKETS_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "sink/chosen.h"
#include "source/source.h"

/* The packets of the first look, to be had again: from the files, or from a spool. */
struct packet_feed {
    void *context;
    enum status (*rewind)(void *context); /* back to the first packet */
    bool (*next)(void *context, struct captured_packet *ret_packet, uint64_t *ret_number);
};

/*
 * After the first look (chosen_events) has ended: looks twice more, first for the packets of the
 * connections, then to write them to stream.  A file without packets is written when there are
 * none.  Returns what rewind failed with, NO_MEMORY, or WRITE (errno says why); *ret_written counts
 * packets.
 */
enum status problem_packets_write(struct chosen *chosen, const struct packet_feed *feed,
                                  const struct config *config, FILE *stream, uint64_t *ret_written);

#endif
