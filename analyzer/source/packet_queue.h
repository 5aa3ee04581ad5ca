/*
 * packet_queue: packets on their way from the thread that captures to the one that analyses.
 *
 * One thread puts, one other takes; nobody waits here.  Packets stand in a ring of octets as long
 * as the taker has not dropped them.
 */
#ifndef LASTACK_SOURCE_PACKET_QUEUE_H
#define LASTACK_SOURCE_PACKET_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"
#include "../base/time.h"

/* A packet in the queue; its octets follow it. */
struct queued_packet {
    nanotime time;
    uint32_t captured; /* octets that follow */
    uint32_t length;   /* octets on the wire */
    uint32_t room;     /* in the ring, this included; a multiple of its size */
    uint32_t unused[3];
    uint8_t data[];
};

struct packet_queue {
    uint8_t *octets;    /* owned */
    size_t size;        /* of the ring */
    atomic_size_t head; /* octets put so far; the putter's */
    atomic_size_t tail; /* octets dropped so far; the taker's */
};

/* One of `share` queues that have room together; NO_MEMORY is the only failure. */
enum status packet_queue_init(struct packet_queue *queue, uint32_t share);

/* Puts a packet; false when there is no room now. */
bool packet_queue_put(struct packet_queue *queue, const struct queued_packet *packet,
                      const uint8_t *data);

/* The first packet, or NULL; it stays until it is dropped. */
const struct queued_packet *packet_queue_first(const struct packet_queue *queue);

/* Drops the first packet, which must be there. */
void packet_queue_drop(struct packet_queue *queue);

void packet_queue_clear(struct packet_queue *queue);

#endif
