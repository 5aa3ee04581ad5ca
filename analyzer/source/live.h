/* live: packets from a network interface, by libpcap. */
#ifndef LASTACK_SOURCE_LIVE_H
#define LASTACK_SOURCE_LIVE_H

#include "source.h"

struct live;

/*
 * Opens options->interface with options' snaplen, buffer, promiscuity and filter; break_fd becomes
 * readable when waiting should stop.  Fails with NOT_FOUND, DENIED, USAGE (the filter), UNREADABLE
 * or NO_MEMORY and a message.
 */
enum status live_open(const struct source_options *options, int break_fd, struct live **ret_live,
                      char *message);

/*
 * The next packet, without input and input_packet; IDLE after a moment without one.  END when the
 * interface failed or went away: the problem (of READER_PROBLEM_SIZE octets) says so.
 */
enum source_result live_next(struct live *live, struct captured_packet *ret_packet, char *problem);

bool live_drops(struct live *live, uint64_t *ret_received, uint64_t *ret_dropped,
                uint64_t *ret_interface_dropped);
void live_free(struct live *live); /* accepts NULL */

#endif
