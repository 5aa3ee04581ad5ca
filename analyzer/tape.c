/* tape: see tape.h. */
#include "tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/carry_rows.h"
#include "flow/incarnation_state.h"

#include "tape_state.def"

enum { FIRST_HEADS = 1024, FIRST_ROOM = 256, LARGEST_ITEM = 1024 };

/* The segments of a tuple. */
struct reel {
    struct reel *next; /* of the same head */
    struct flow_key key;
    uint64_t hash;
    uint64_t first_packet;
    nanotime first_t; /* the earliest stamp */
    uint32_t first_part, items;
    size_t length, room;
    uint8_t *octets; /* owned */
    bool bound;      /* what was before the piece may matter to it */
};

struct tape {
    struct reel **head; /* by hash; owned */
    uint32_t mask, count;
    nanotime begin, settles;
};

struct tape *tape_new(nanotime settles)
{
    struct tape *tape = calloc(1, sizeof(*tape));
    if (tape == NULL)
        return NULL;
    tape->head = calloc(FIRST_HEADS, sizeof(*tape->head));
    tape->mask = FIRST_HEADS - 1;
    tape->settles = settles;
    if (tape->head != NULL)
        return tape;
    free(tape);
    return NULL;
}

void tape_begin(struct tape *tape, nanotime begin)
{
    tape->begin = begin;
}

/* The upper half of the hash: the lower one chose the engine. */
static struct reel **head_of(const struct tape *tape, uint64_t hash)
{
    return &tape->head[(uint32_t)(hash >> 32) & tape->mask];
}

static void grow(struct tape *tape)
{
    uint32_t mask = tape->mask * 2 + 1;
    struct reel **heads = calloc((size_t)mask + 1, sizeof(*heads));
    if (heads == NULL)
        return; /* then the lists grow longer */
    for (uint32_t i = 0; i <= tape->mask; i++) {
        while (tape->head[i] != NULL) {
            struct reel *reel = tape->head[i];
            tape->head[i] = reel->next;
            struct reel **head = &heads[(uint32_t)(reel->hash >> 32) & mask];
            reel->next = *head;
            *head = reel;
        }
    }
    free(tape->head);
    tape->head = heads;
    tape->mask = mask;
}

static struct reel **find(const struct tape *tape, const struct flow_key *key, uint64_t hash)
{
    struct reel **link = head_of(tape, hash);
    while (*link != NULL && ((*link)->hash != hash || !flow_key_equal(&(*link)->key, key)))
        link = &(*link)->next;
    return link;
}

/* A connection that begins with this, so late that nothing before the piece matters to it. */
static bool is_fresh(const struct tape *tape, const struct engine_item *item)
{
    return item->kind == ITEM_SEGMENT && item->context == 0 &&
           (item->segment.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
           time_since(item->segment.time, tape->begin) >= tape->settles;
}

static bool make_room(struct reel *reel, size_t more)
{
    size_t room = reel->room == 0 ? FIRST_ROOM : reel->room;
    while (room < reel->length + more)
        room *= 2;
    if (room == reel->room)
        return true;
    uint8_t *octets = realloc(reel->octets, room);
    if (octets == NULL)
        return false;
    reel->octets = octets;
    reel->room = room;
    return true;
}

static struct reel *make(struct tape *tape, const struct engine_item *item)
{
    struct reel *reel = calloc(1, sizeof(*reel));
    if (reel == NULL)
        return NULL;
    reel->key = item->key;
    reel->hash = item->hash;
    reel->first_packet = item->segment.packet;
    reel->first_part = item->part;
    reel->first_t = item->segment.time;
    reel->bound = !is_fresh(tape, item);
    uint8_t octets[LARGEST_ITEM];
    size_t count = carry_pack(flow_key_fields, &reel->key, octets, sizeof(octets));
    if (!make_room(reel, count)) {
        free(reel);
        return NULL;
    }
    memcpy(reel->octets, octets, count);
    reel->length = count;
    if (++tape->count > tape->mask)
        grow(tape);
    struct reel **head = head_of(tape, item->hash);
    reel->next = *head;
    *head = reel;
    return reel;
}

/* Of an error's quote, or of a segment, what has a meaning; zero, where another item left what was
 * in the same place before. */
static struct segment meaning_of(const struct engine_item *item)
{
    struct segment bare = item->segment;
    if (item->kind == ITEM_ICMP)
        return (struct segment){
            .time = bare.time, .packet = bare.packet, .sequence = bare.sequence};
    if (bare.around.tunnels == 0)
        bare.around = (struct encapsulation){.seen_on = bare.around.seen_on};
    for (int i = bare.around.tunnels; i < SEGMENT_TUNNELS; i++) {
        bare.around.id[i] = 0;
        bare.around.kind[i] = 0;
    }
    for (int i = bare.sacks; i < SEGMENT_SACKS; i++)
        bare.sack[i] = (struct sack_block){0};
    return bare;
}

enum status tape_take(struct tape *tape, const struct engine_item *item)
{
    uint8_t octets[LARGEST_ITEM];
    struct engine_item bare = *item;
    bare.segment = meaning_of(item);
    struct reel *reel = *find(tape, &item->key, item->hash);
    if (reel == NULL)
        reel = make(tape, item);
    if (item->kind != ITEM_ICMP)
        memset(&bare.icmp, 0, sizeof(bare.icmp));
    size_t count = carry_pack(engine_item_fields, &bare, octets, sizeof(octets));
    if (reel == NULL || count == 0 || !make_room(reel, count))
        return STATUS_NO_MEMORY;
    memcpy(reel->octets + reel->length, octets, count);
    reel->length += count;
    reel->items++;
    /* Stamps may go back: a connection that began then must not be taken for an earlier one. */
    reel->first_t = time_earlier_of(reel->first_t, item->segment.time);
    return STATUS_OK;
}

static void free_reel(struct reel *reel)
{
    free(reel->octets);
    free(reel);
}

void tape_settle(struct tape *tape, const struct flow_key *key, uint64_t hash)
{
    struct reel **link = find(tape, key, hash), *reel = *link;
    if (reel == NULL || reel->bound)
        return;
    *link = reel->next;
    tape->count--;
    free_reel(reel);
}

static int compare_reels(const void *a, const void *b)
{
    const struct reel *x = *(struct reel *const *)a, *y = *(struct reel *const *)b;
    if (x->first_packet != y->first_packet)
        return x->first_packet < y->first_packet ? -1 : 1;
    if (x->first_part != y->first_part)
        return x->first_part < y->first_part ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* The reels of all tapes, in order; NULL when memory ran out. */
static struct reel **gather(struct tape *const *tapes, uint32_t count, uint32_t *ret_count)
{
    uint32_t all = 0, at = 0;
    for (uint32_t i = 0; i < count; i++)
        all += tapes[i]->count;
    struct reel **reels = calloc((size_t)all + 1, sizeof(struct reel *));
    if (reels == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k <= tapes[i]->mask; k++) {
            for (struct reel *reel = tapes[i]->head[k]; reel != NULL; reel = reel->next)
                reels[at++] = reel;
        }
    }
    qsort(reels, at, sizeof(struct reel *), compare_reels);
    *ret_count = at;
    return reels;
}

static struct tape_record record_of(const struct reel *reel)
{
    struct tape_record record = {
        .t = reel->first_t,
        .first_packet = reel->first_packet,
        .items = reel->items,
        .octets = reel->octets,
        .count = reel->length,
    };
    record.who.ip_version = reel->key.ip_version;
    for (int end = 0; end < 2; end++) {
        memcpy(record.who.end[end].address, reel->key.address[end], 16);
        record.who.end[end].port = reel->key.port[end];
    }
    return record;
}

enum status tapes_write(struct tape *const *tapes, uint32_t count, struct sink *sink)
{
    uint32_t reels = 0;
    enum status status = STATUS_OK;
    if (sink == NULL || sink->ops->tape == NULL)
        return STATUS_OK;
    struct reel **sorted = gather(tapes, count, &reels);
    if (sorted == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < reels && status == STATUS_OK; i++) {
        struct tape_record record = record_of(sorted[i]);
        status = sink->ops->tape(sink, &record);
    }
    free(sorted);
    return status;
}

size_t tape_read_key(const uint8_t *octets, size_t count, struct flow_key *key)
{
    memset(key, 0, sizeof(*key));
    return carry_unpack(flow_key_fields, key, octets, count);
}

size_t tape_read(const struct flow_key *key, const uint8_t *octets, size_t count,
                 struct engine_item *item)
{
    memset(item, 0, sizeof(*item));
    size_t taken = carry_unpack(engine_item_fields, item, octets, count);
    struct segment *segment = &item->segment;
    int end = item->end;
    memcpy(segment->source, key->address[end], 16);
    memcpy(segment->destination, key->address[1 - end], 16);
    segment->source_port = key->port[end];
    segment->destination_port = key->port[1 - end];
    segment->ip_version = key->ip_version;
    return taken;
}

void tape_free(struct tape *tape)
{
    for (uint32_t i = 0; tape != NULL && i <= tape->mask; i++) {
        while (tape->head[i] != NULL) {
            struct reel *reel = tape->head[i];
            tape->head[i] = reel->next;
            free_reel(reel);
        }
    }
    if (tape != NULL)
        free(tape->head);
    free(tape);
}
