/*
 * port: one interface, or a share of its connections (fanout.h), captured on a thread of its own
 * that blocks in libpcap.
 *
 * libpcap's own timeout does not end a read on a silent interface (Linux's ring, version 3), and
 * polling that ring without blocking loses what is in its last block.  So the thread blocks, and
 * nothing else hangs on it: packets go through a queue, a bell tells the taker.
 */
#ifndef LASTACK_SOURCE_PORT_H
#define LASTACK_SOURCE_PORT_H

#include <pcap/pcap.h>
#include <pthread.h>

#include "packet_queue.h"
#include "reader.h"
#include "source.h"

/* Rung when there is something to take; one for all ports of a capture. */
struct bell {
    int fd;               /* an eventfd */
    atomic_bool is_heard; /* the taker sleeps, or is about to */
};

/* libpcap's counters, carried on where they wrap at 32 bits. */
struct port_counts {
    uint64_t received, dropped, interface_dropped;
};

struct port {
    size_t interface; /* of those captured on, from 0 */
    bool is_first;    /* of those of its interface */
    pcap_t *pcap;
    int fd;               /* of pcap */
    nanotime timeout;     /* how long the kernel holds a block that is not full */
    nanotime begins;      /* packets from before are left out */
    nanotime none_before; /* no packet from before is to come; the taker's */
    int link_type;
    nanotime fraction_nanos; /* what one unit of the time's fraction is worth */
    struct packet_queue queue;
    struct bell *bell; /* not owned */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t waking; /* held by who breaks off a read, or ends the breaking off */
    bool blocks;            /* a read waits for packets, and can be broken off; guarded by waking */
    atomic_bool stopping;   /* take what the ring holds, then end */
    atomic_bool abandoned;  /* nobody takes any more */
    atomic_bool ended;      /* the thread puts nothing more; the problem is written */
    char problem[READER_PROBLEM_SIZE];
    atomic_ulong left_out; /* packets, because of begins */
    struct pcap_stat last_stat;
    struct port_counts counts;
};

enum { PORT_TIMEOUT_MS = 100 }; /* the longest timeout */

/*
 * Opens one of `share` ports of one of options' interfaces, with options' snaplen, its share of the
 * buffer, promiscuity and filter; it captures from then on, into the kernel's ring.  *port is
 * zeroed before, and cleared by the caller in any case.
 * Fails with NOT_FOUND, DENIED, USAGE (the filter), UNREADABLE or NO_MEMORY and a message.
 */
enum status port_open(struct port *port, const struct source_options *options, size_t interface,
                      uint32_t share, char *message);

/* Starts the thread; *port stays in place from then on.  NO_MEMORY: none can be had. */
enum status port_start(struct port *port, struct bell *bell);

/* Asks the thread to take what is there and to end; it may be asked again. */
void port_stop(struct port *port);

/* Whether all that the kernel has handed over is in the queue, and taken from it. */
bool port_is_drained(const struct port *port);

/* False when libpcap cannot tell.  What an interface drops counts at its first port. */
bool port_counts(struct port *port, struct port_counts *ret_counts);

/* Ends the thread, if it runs, whatever is still queued. */
void port_clear(struct port *port);

#endif
