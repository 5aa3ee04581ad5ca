/*
 * packet_queue: a ring whose positions only grow; a position's place is its remainder.  Packets
 * never wrap: where one does not fit before the end, a gap stands there.
 *
 *     | ... | packet | packet | gap |      room and gap are multiples of the header's size, so that
 *     0                             size   a header always fits before the end
 */
#include "packet_queue.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST = 8 * 1024 * 1024,  /* what waits longer waits in the kernel */
    LEAST = 1 * 1024 * 1024, /* some times the longest packet */
    UNIT = sizeof(struct queued_packet),
    GAP = UINT16_MAX /* in unused[0] */
};

_Static_assert(LEAST % UNIT == 0, "a header fits before the end");

enum status packet_queue_init(struct packet_queue *queue, uint32_t share)
{
    atomic_init(&queue->head, 0);
    atomic_init(&queue->tail, 0);
    queue->size = share > MOST / LEAST ? LEAST : MOST / share / LEAST * LEAST;
    queue->octets = malloc(queue->size);
    return queue->octets == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static struct queued_packet *place_of(const struct packet_queue *queue, size_t position)
{
    return (struct queued_packet *)(void *)(queue->octets + position % queue->size);
}

bool packet_queue_put(struct packet_queue *queue, const struct queued_packet *packet,
                      const uint8_t *data)
{
    size_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
    size_t room = (UNIT + (size_t)packet->captured + UNIT - 1) / UNIT * UNIT;
    size_t before_end = queue->size - head % queue->size;
    size_t gap = room > before_end ? before_end : 0;
    if (head + gap + room - tail > queue->size)
        return false;
    if (gap > 0) {
        struct queued_packet *filler = place_of(queue, head);
        filler->room = (uint32_t)gap;
        filler->unused[0] = GAP;
    }
    struct queued_packet *place = place_of(queue, head + gap);
    *place = *packet;
    place->room = (uint32_t)room;
    place->unused[0] = 0;
    memcpy(place->data, data, packet->captured);
    atomic_store_explicit(&queue->head, head + gap + room, memory_order_release);
    return true;
}

/* Where the first packet stands: behind the gap, if one comes first. */
static size_t first_position(const struct packet_queue *queue, size_t tail)
{
    const struct queued_packet *first = place_of(queue, tail);
    return first->unused[0] == GAP ? tail + first->room : tail;
}

const struct queued_packet *packet_queue_first(const struct packet_queue *queue)
{
    size_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    if (atomic_load_explicit(&queue->head, memory_order_acquire) == tail)
        return NULL;
    return place_of(queue, first_position(queue, tail));
}

void packet_queue_drop(struct packet_queue *queue)
{
    size_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    size_t position = first_position(queue, tail);
    size_t next = position + place_of(queue, position)->room;
    atomic_store_explicit(&queue->tail, next, memory_order_release);
}

void packet_queue_clear(struct packet_queue *queue)
{
    free(queue->octets);
    queue->octets = NULL;
}
