/* live: packets from network interfaces, in the order of their time stamps. */
#ifndef LASTACK_SOURCE_LIVE_H
#define LASTACK_SOURCE_LIVE_H

#include "source.h"

struct live;

/*
 * Opens options->interfaces with options' snaplen, buffer, promiscuity, filter and threads (one,
 * where the kernel does not share packets out); break_fd becomes readable when waiting should stop.
 * Fails with NOT_FOUND, DENIED, USAGE (the filter), UNREADABLE or NO_MEMORY and a message.
 */
enum status live_open(const struct source_options *options, int break_fd, struct live **ret_live,
                      char *message);

/*
 * The next packet, with input (the interface, from 0), without its numbers; IDLE after a moment
 * without one.  The first call starts the threads that capture.  END when live_stop was called and
 * what came before is given out, or when no interface is left.
 */
enum source_result live_next(struct live *live, struct captured_packet *ret_packet);

/* Ends capturing: what comes from now on is left out, what came is still given out. */
void live_stop(struct live *live);

/* How many threads capture on an interface. */
uint32_t live_threads(const struct live *live, size_t interface);

/* Why an interface gives no more packets; empty: it does. */
const char *live_problem(const struct live *live, size_t interface);

/* The sum over the interfaces. */
bool live_drops(struct live *live, uint64_t *ret_received, uint64_t *ret_dropped,
                uint64_t *ret_interface_dropped);
void live_free(struct live *live); /* accepts NULL */

#endif
