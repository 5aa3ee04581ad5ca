/*
 * fragments: see fragments.h.
 *
 * Packets stand in a table of chains, by a keyed hash of what their fragments share, and in a list
 * by age.  A packet's octets are written to their place at once, behind room for an IP header; its
 * pieces are kept in order to find holes and overlaps.
 */
#include "fragments.h"

#include <stdlib.h>
#include <string.h>

#include "fragments_table.h"

enum {
    HEADER = FRAGMENTS_HEADER,
    IP4_HEADER = 20,
    LARGEST = 65535,     /* octets of an IP packet, of an IPv6 packet's payload */
    LINK_TYPE_RAW = 101, /* as in files, pcap-linktype(7) */
    FIRST_ROOM = 2048,
    TYPICAL_HOPS = 64,
    PROTOCOL_TCP = 6,
};

uint64_t fragments_most_octets(const struct config *config)
{
    enum { SHARE = 32 };
    uint64_t share = config->max_memory / SHARE;
    return share < config->fragment_octets ? share : config->fragment_octets;
}

struct fragments *fragments_new(const struct config *config)
{
    struct fragments *fragments = calloc(1, sizeof(*fragments));
    if (fragments == NULL)
        return NULL;
    fragments->key = hash_key_draw();
    fragments->wait = config->fragment_wait;
    fragments->copy_window = config->copy_window;
    fragments->most_octets = fragments_most_octets(config);
    fragments->most_packets = config->fragment_packets;
    return fragments;
}

static uint64_t octets_of(const struct whole *whole)
{
    return sizeof(*whole) + (whole->data == NULL ? 0 : HEADER + whole->room);
}

static void unlink_whole(struct fragments *fragments, struct whole *whole)
{
    struct whole **link = &fragments->chain[whole->chain];
    while (*link != whole)
        link = &(*link)->next;
    *link = whole->next;
    if (whole->older != NULL)
        whole->older->younger = whole->younger;
    else
        fragments->oldest = whole->younger;
    if (whole->younger != NULL)
        whole->younger->older = whole->older;
    else
        fragments->youngest = whole->older;
    fragments->packets--;
    fragments->octets -= octets_of(whole);
}

static void give_up(struct fragments *fragments, struct whole *whole)
{
    unlink_whole(fragments, whole);
    free(whole->data);
    whole->data = NULL;
    if (!whole->ports_known) {
        free(whole);
        return;
    }
    whole->next = fragments->lost;
    fragments->lost = whole;
}

/* The time of waiting is over for some; and where room is short, for the oldest. */
static void expire(struct fragments *fragments, nanotime now)
{
    while (fragments->oldest != NULL) {
        struct whole *oldest = fragments->oldest;
        bool late = time_since(now, oldest->began) > fragments->wait;
        bool short_of_room = fragments->packets > fragments->most_packets ||
                             fragments->octets > fragments->most_octets;
        if (!late && !short_of_room)
            return;
        give_up(fragments, oldest);
    }
}

static struct identity identity_of(const struct fragment *fragment)
{
    struct identity identity;
    memset(&identity, 0, sizeof(identity));
    memcpy(identity.source, fragment->source, sizeof(identity.source));
    memcpy(identity.destination, fragment->destination, sizeof(identity.destination));
    identity.id = fragment->id;
    identity.ip_version = fragment->ip_version;
    if (fragment->ip_version == 4)
        identity.protocol = fragment->protocol;
    return identity;
}

static uint32_t chain_of(const struct fragments *fragments, const struct identity *identity)
{
    uint64_t words[sizeof(*identity) / sizeof(uint64_t)];
    memcpy(words, identity, sizeof(words));
    return (uint32_t)hash_words(fragments->key, words, sizeof(words) / sizeof(words[0])) &
           (FRAGMENTS_CHAINS - 1);
}

static struct whole *find(const struct fragments *fragments, const struct identity *identity,
                          uint32_t chain)
{
    struct whole *whole = fragments->chain[chain];
    while (whole != NULL && memcmp(&whole->identity, identity, sizeof(*identity)) != 0)
        whole = whole->next;
    return whole;
}

void fragments_append(struct fragments *fragments, struct whole *whole)
{
    whole->chain = chain_of(fragments, &whole->identity);
    whole->next = fragments->chain[whole->chain];
    fragments->chain[whole->chain] = whole;
    whole->older = fragments->youngest;
    if (fragments->youngest != NULL)
        fragments->youngest->younger = whole;
    else
        fragments->oldest = whole;
    fragments->youngest = whole;
    fragments->packets++;
    fragments->octets += octets_of(whole);
}

static struct whole *begin(struct fragments *fragments, const struct identity *identity,
                           nanotime time)
{
    struct whole *whole = calloc(1, sizeof(*whole));
    if (whole == NULL)
        return NULL;
    whole->identity = *identity;
    whole->began = time;
    whole->ttl = TYPICAL_HOPS;
    fragments_append(fragments, whole);
    return whole;
}

static bool make_room(struct fragments *fragments, struct whole *whole, uint32_t end)
{
    if (end <= whole->room)
        return true;
    uint32_t room = whole->room == 0 ? FIRST_ROOM : whole->room;
    while (room < end)
        room *= 2;
    uint8_t *data = realloc(whole->data, HEADER + (size_t)room);
    if (data == NULL)
        return false;
    fragments->octets -= octets_of(whole);
    whole->data = data;
    whole->room = room;
    fragments->octets += octets_of(whole);
    return true;
}

/* Whether the piece can be one of any packet: within the largest, and in 8-octet places. */
static bool is_possible(const struct fragment *fragment)
{
    uint32_t header = fragment->ip_version == 4 ? IP4_HEADER : 0;
    if (fragment->length == 0 || fragment->length > LARGEST) /* a jumbogram's may wrap the sum */
        return false;
    if (fragment->offset + fragment->length > LARGEST - header)
        return false;
    return !fragment->more || fragment->length % 8 == 0;
}

/* Whether it can be one of this packet: one end, nothing beyond it, not in crumbs. */
static bool belongs(const struct whole *whole, const struct fragment *fragment)
{
    uint32_t end = fragment->offset + fragment->length;
    if (whole->end != 0 && (fragment->more ? end >= whole->end : end != whole->end))
        return false;
    uint32_t reached = whole->pieces == 0 ? 0 : whole->piece[whole->pieces - 1].end;
    return whole->pieces < FRAGMENTS_PIECES && (fragment->more || end >= reached);
}

/* Where the piece goes among those in order. */
static uint32_t place_of(const struct whole *whole, uint32_t offset)
{
    uint32_t place = whole->pieces;
    while (place > 0 && whole->piece[place - 1].offset > offset)
        place--;
    return place;
}

static bool is_copy(const struct whole *whole, const struct fragment *fragment, uint32_t place)
{
    if (place == 0)
        return false;
    const struct piece *piece = &whole->piece[place - 1];
    uint32_t both = fragment->captured < piece->captured ? fragment->captured : piece->captured;
    return piece->offset == fragment->offset && piece->end == fragment->offset + fragment->length &&
           memcmp(whole->data + HEADER + piece->offset, fragment->data, both) == 0;
}

static bool overlaps(const struct whole *whole, const struct fragment *fragment, uint32_t place)
{
    return (place > 0 && whole->piece[place - 1].end > fragment->offset) ||
           (place < whole->pieces &&
            whole->piece[place].offset < fragment->offset + fragment->length);
}

/* Counts the packet's pieces, and the one that does not go with them, as what they are. */
static void spoil(struct fragments *fragments, struct whole *whole, uint64_t *count)
{
    fragments->counts.incomplete -= whole->pieces;
    *count += whole->pieces + 1;
    fragments->octets -= octets_of(whole);
    free(whole->data);
    whole->data = NULL;
    whole->room = 0;
    whole->pieces = 0;
    whole->spoiled = true;
    fragments->octets += octets_of(whole);
}

static void ports_read(struct whole *whole, const struct fragment *fragment)
{
    const uint8_t *at = fragment->data;
    whole->ports_known = fragment->protocol == PROTOCOL_TCP && fragment->captured >= 4;
    for (int i = 0; i < 2 && whole->ports_known; i++)
        whole->port[i] = (uint16_t)(at[2 * i] << 8 | at[2 * i + 1]);
}

static void insert(struct whole *whole, const struct fragment *fragment, uint32_t place)
{
    memmove(&whole->piece[place + 1], &whole->piece[place],
            (whole->pieces - place) * sizeof(whole->piece[0]));
    uint32_t end = fragment->offset + fragment->length;
    whole->piece[place] = (struct piece){fragment->offset, end, fragment->captured};
    whole->pieces++;
    memcpy(whole->data + HEADER + fragment->offset, fragment->data, fragment->captured);
    if (!fragment->more)
        whole->end = end;
    if (fragment->offset == 0) {
        whole->ttl = fragment->ttl;
        whole->protocol = fragment->protocol;
        ports_read(whole, fragment);
    }
}

/* No two overlap, so they are whole when their lengths sum up. */
static bool is_whole(const struct whole *whole)
{
    uint32_t sum = 0;
    if (whole->end == 0)
        return false;
    for (uint32_t i = 0; i < whole->pieces; i++)
        sum += whole->piece[i].end - whole->piece[i].offset;
    return sum == whole->end;
}

/* Octets from the first on that were captured without a hole. */
static uint32_t captured_octets(const struct whole *whole)
{
    for (uint32_t i = 0; i < whole->pieces; i++) {
        const struct piece *piece = &whole->piece[i];
        if (piece->captured < piece->end - piece->offset)
            return piece->offset + piece->captured;
    }
    return whole->end;
}

static void put16(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

/* Writes the IP header that the packet had before it was fragmented; returns its length. */
static uint32_t put_header(const struct whole *whole, uint8_t *payload)
{
    const struct identity *identity = &whole->identity;
    bool is4 = identity->ip_version == 4;
    uint32_t octets = is4 ? IP4_HEADER : HEADER, address = is4 ? 4 : 16;
    uint8_t *header = payload - octets;
    memset(header, 0, octets);
    header[0] = is4 ? 0x45 : 0x60;
    put16(header + (is4 ? 2 : 4), whole->end + (is4 ? IP4_HEADER : 0));
    if (is4)
        put16(header + 4, identity->id);
    header[is4 ? 8 : 7] = whole->ttl;
    header[is4 ? 9 : 6] = whole->protocol;
    memcpy(header + octets - 2 * address, identity->source, address);
    memcpy(header + octets - address, identity->destination, address);
    return octets;
}

/* Hands the packet out; the memory of the one before it is given back. */
static void complete(struct fragments *fragments, struct whole *whole, nanotime time,
                     struct frame *ret_frame)
{
    uint32_t header = put_header(whole, whole->data + HEADER);
    fragments->counts.incomplete -= whole->pieces - 1;
    fragments->counts.joined += whole->pieces - 1;
    *ret_frame = (struct frame){
        .data = whole->data + HEADER - header,
        .captured = header + captured_octets(whole),
        .length = header + whole->end,
        .link_type = LINK_TYPE_RAW,
    };
    fragments->past[fragments->past_next++ % FRAGMENTS_PAST] = (struct past){whole->identity, time};
    free(fragments->done);
    fragments->done = whole->data;
    unlink_whole(fragments, whole);
    free(whole);
}

/* Whether a packet of that name just became whole: the capture delivers it twice. */
static bool is_of_past(const struct fragments *fragments, const struct identity *identity,
                       nanotime time)
{
    for (int i = 0; i < FRAGMENTS_PAST; i++) {
        const struct past *past = &fragments->past[i];
        if (memcmp(&past->identity, identity, sizeof(*identity)) == 0 &&
            time_since(time, past->time) <= fragments->copy_window)
            return true;
    }
    return false;
}

bool fragments_take(struct fragments *fragments, const struct fragment *fragment, nanotime time,
                    struct frame *ret_frame)
{
    struct identity identity = identity_of(fragment);
    uint32_t chain = chain_of(fragments, &identity);
    expire(fragments, time);
    struct whole *whole = find(fragments, &identity, chain);
    if (whole != NULL && whole->spoiled) {
        fragments->counts.overlapping++;
        return false;
    }
    if (!is_possible(fragment)) {
        fragments->counts.malformed++;
        return false;
    }
    if (whole == NULL && is_of_past(fragments, &identity, time)) {
        fragments->counts.copies++;
        return false;
    }
    if (whole == NULL)
        whole = begin(fragments, &identity, time);
    if (whole == NULL || !make_room(fragments, whole, fragment->offset + fragment->length)) {
        fragments->starved = true;
        fragments->counts.incomplete++;
        return false;
    }
    uint32_t place = place_of(whole, fragment->offset);
    if (is_copy(whole, fragment, place)) {
        fragments->counts.copies++;
        return false;
    }
    if (overlaps(whole, fragment, place)) {
        spoil(fragments, whole, &fragments->counts.overlapping);
        return false;
    }
    if (!belongs(whole, fragment)) {
        spoil(fragments, whole, &fragments->counts.malformed);
        return false;
    }
    insert(whole, fragment, place);
    if (is_whole(whole)) {
        complete(fragments, whole, time, ret_frame);
        return true;
    }
    fragments->counts.incomplete++;
    return false;
}

bool fragments_starved(struct fragments *fragments)
{
    bool starved = fragments->starved;
    fragments->starved = false;
    return starved;
}

bool fragments_lost(struct fragments *fragments, struct segment *ret_segment)
{
    struct whole *whole = fragments->lost;
    if (whole == NULL)
        return false;
    memset(ret_segment, 0, sizeof(*ret_segment));
    memcpy(ret_segment->source, whole->identity.source, sizeof(ret_segment->source));
    memcpy(ret_segment->destination, whole->identity.destination, sizeof(ret_segment->destination));
    ret_segment->ip_version = whole->identity.ip_version;
    ret_segment->source_port = whole->port[0];
    ret_segment->destination_port = whole->port[1];
    fragments->lost = whole->next;
    free(whole);
    return true;
}

void fragments_finish(struct fragments *fragments)
{
    while (fragments->oldest != NULL)
        give_up(fragments, fragments->oldest);
}

struct fragment_counts fragments_counts(const struct fragments *fragments)
{
    return fragments->counts;
}

void fragments_free(struct fragments *fragments)
{
    if (fragments == NULL)
        return;
    struct segment segment;
    fragments_finish(fragments);
    while (fragments_lost(fragments, &segment))
        continue;
    free(fragments->done);
    free(fragments);
}
