/* feed: a ring for each kind; the next message is the least number at the rings' places. */
#include "feed.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { KINDS = 8, HEAD_SIZE = 96 };

/* Message number n of its kind, from 0, is at n % room. */
struct ring {
    struct feed_message **slots; /* owned; NULL: empty */
    uint64_t count;              /* that came so far */
    unsigned room;
};

struct feed {
    uint32_t run; /* tells this feed's ids from those of a program that ran before */
    uint64_t numbered;
    size_t kinds;
    struct ring rings[KINDS];
};

struct feed *feed_new(const unsigned *kept, size_t kinds)
{
    struct feed *feed = kinds <= KINDS ? calloc(1, sizeof *feed) : NULL;
    if (feed == NULL)
        return NULL;
    feed->run = (uint32_t)hash_key_draw().k0;
    feed->kinds = kinds;
    for (size_t kind = 0; kind < kinds; kind++) {
        struct ring *ring = &feed->rings[kind];
        ring->room = kept[kind];
        ring->slots = calloc(ring->room, sizeof *ring->slots);
        if (ring->slots == NULL) {
            feed_free(feed);
            return NULL;
        }
    }
    return feed;
}

void feed_let_go(struct feed_message *message)
{
    if (message != NULL && --message->holders == 0)
        free(message);
}

static struct feed_message *spell(const struct feed *feed, const char *name, const char *data,
                                  size_t length)
{
    static const char end[] = "\n\n";
    char head[HEAD_SIZE];
    int before =
        snprintf(head, sizeof head, "id: %08" PRIx32 "-%" PRIu64 "\nevent: %s\ndata: ", feed->run,
                 feed->numbered + 1, name);
    size_t whole = (size_t)before + length + strlen(end);
    struct feed_message *message = malloc(sizeof *message + whole);
    if (message == NULL)
        return NULL;
    *message = (struct feed_message){.length = whole, .holders = 1};
    memcpy(message->text, head, (size_t)before);
    memcpy(message->text + before, data, length);
    memcpy(message->text + before + length, end, strlen(end));
    return message;
}

enum status feed_add(struct feed *feed, size_t kind, const char *name, const char *data,
                     size_t length)
{
    struct ring *ring = &feed->rings[kind];
    struct feed_message *message = spell(feed, name, data, length);
    if (message == NULL)
        return STATUS_NO_MEMORY;
    message->number = ++feed->numbered;
    struct feed_message **slot = &ring->slots[ring->count++ % ring->room];
    feed_let_go(*slot);
    *slot = message;
    return STATUS_OK;
}

/* The first of the ring behind that number; NULL: there is none. */
static struct feed_message *find_in_ring(const struct ring *ring, uint64_t number)
{
    uint64_t low = ring->count < ring->room ? 0 : ring->count - ring->room, high = ring->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (ring->slots[middle % ring->room]->number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ring->count ? ring->slots[low % ring->room] : NULL;
}

static struct feed_message *find_next(const struct feed *feed, uint64_t number)
{
    struct feed_message *next = NULL;
    for (size_t kind = 0; kind < feed->kinds; kind++) {
        struct feed_message *message = find_in_ring(&feed->rings[kind], number);
        if (message != NULL && (next == NULL || message->number < next->number))
            next = message;
    }
    return next;
}

struct feed_message *feed_take_next(struct feed *feed, uint64_t number)
{
    struct feed_message *next = find_next(feed, number);
    if (next != NULL)
        next->holders++;
    return next;
}

bool feed_has_next(const struct feed *feed, uint64_t number)
{
    return number < feed->numbered && find_next(feed, number) != NULL;
}

uint64_t feed_number_of(const struct feed *feed, const char *id)
{
    uint64_t number;
    uint32_t run;
    int used = 0;
    if (id == NULL || strlen(id) > 32 ||
        sscanf(id, "%8" SCNx32 "-%19" SCNu64 "%n", &run, &number, &used) != 2 || id[used] != '\0')
        return 0;
    return run == feed->run && number <= feed->numbered ? number : 0;
}

void feed_free(struct feed *feed)
{
    for (size_t kind = 0; feed != NULL && kind < feed->kinds; kind++) {
        struct ring *ring = &feed->rings[kind];
        for (unsigned slot = 0; ring->slots != NULL && slot < ring->room; slot++)
            feed_let_go(ring->slots[slot]);
        free(ring->slots);
    }
    free(feed);
}
