/* transcript: see transcript.h. */
#include "transcript.h"

#include <string.h>

#include "key.h"

enum transcript_bit {
    HAS_STAMPS = 0x1,
    HAS_CUT = 0x2,
    VERDICT_SHIFT = 2, /* enum checksum_verdict, above */
};

static uint32_t occupies(unsigned flags, uint32_t payload)
{
    return payload + ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0);
}

void transcript_add(struct transcript *transcript, struct progress *progress,
                    const struct segment *segment, int from, uint32_t print)
{
    const struct transcript_head *head = &transcript->head;
    const uint64_t since = (uint64_t)segment->time - (uint64_t)head->started;
    const uint32_t place = progress->count;
    transcript->print[place] = print;
    transcript->entry[place] = (struct transcript_entry){
        .since_low = (uint32_t)since,
        .since_high = (uint16_t)(since >> 32),
        .flags = segment->flags,
        .ttl = segment->ttl,
        .packets = (uint32_t)(segment->packet - head->first_packet),
        .acknowledgment = segment->acknowledgment,
        .tsval = segment->tsval,
        .tsecr = segment->tsecr,
        .payload_hash = segment->payload_hash,
        .payload = (uint16_t)segment->payload,
        .window = segment->window,
        .checksum = segment->checksum,
        .ip_id = segment->ip_id,
        .headers = (uint8_t)(segment->ip_length - segment->payload),
        .payload_hashed = segment->payload_hashed,
        .origin = (uint8_t)(segment->around.seen_on << 1 | from),
        .has = (uint8_t)(((segment->options & OPTION_TIMESTAMPS) != 0 ? HAS_STAMPS : 0) |
                         (segment->cut != 0 ? HAS_CUT : 0) |
                         segment->checksum_verdict << VERDICT_SHIFT),
    };
    progress->count = (place + 1) & 31;
    progress->last_t = time_later_of(progress->last_t, segment->time);
    progress->snd_nxt[from] =
        seq_add(segment->sequence, occupies(segment->flags, segment->payload));
    progress->rcv_nxt[from] = segment->acknowledgment; /* never before the one before it */
    progress->window[from] = segment->window;
}

void transcript_sum(struct transcript *transcript, uint32_t count)
{
    struct transcript_head *head = &transcript->head;
    for (uint32_t i = head->count; i < count; i++) {
        const struct transcript_entry *entry = &transcript->entry[i];
        const int side = transcript_side(entry);
        head->packets[side]++;
        head->ip_bytes[side] += (uint32_t)entry->payload + entry->headers;
    }
    head->count = (uint8_t)count;
}

struct transcript_reader transcript_reader_of(const struct transcript_head *head,
                                              const struct transcript_entry *entry)
{
    return (struct transcript_reader){
        .head = head, .entry = entry, .left = head->count, .next = {head->iss[0], head->iss[1]}};
}

/* The ends, as their side has them; all else is zero. */
static void begin(const struct flow_key *key, int end, struct segment *segment)
{
    memset(segment, 0, sizeof(*segment));
    memcpy(segment->source, key->address[end], sizeof(segment->source));
    memcpy(segment->destination, key->address[1 - end], sizeof(segment->destination));
    segment->source_port = key->port[end];
    segment->destination_port = key->port[1 - end];
    segment->ip_version = key->ip_version;
}

static void read_options(const struct transcript_head *head, const struct transcript_entry *entry,
                         int side, struct segment *segment)
{
    if ((entry->flags & TCP_SYN) == 0) {
        segment->options = (entry->has & HAS_STAMPS) != 0 ? OPTION_TIMESTAMPS : 0;
        return;
    }
    segment->options = head->options[side];
    segment->mss = head->mss[side];
    segment->window_scale = head->window_scale[side];
}

bool transcript_read(struct transcript_reader *reader, const struct flow_key *key,
                     struct segment *ret_segment, int *ret_from)
{
    const struct transcript_head *head = reader->head;
    const struct transcript_entry *entry = reader->entry;
    if (reader->left == 0)
        return false;
    const int side = transcript_side(entry);
    begin(key, side ^ head->client_end, ret_segment);
    ret_segment->time = transcript_time(head, entry);
    ret_segment->packet = head->first_packet + entry->packets;
    ret_segment->sequence = reader->next[side];
    ret_segment->acknowledgment = entry->acknowledgment;
    ret_segment->payload = entry->payload;
    ret_segment->payload_hash = entry->payload_hash;
    ret_segment->payload_hashed = entry->payload_hashed;
    ret_segment->tsval = entry->tsval;
    ret_segment->tsecr = entry->tsecr;
    ret_segment->window = entry->window;
    ret_segment->checksum = entry->checksum;
    ret_segment->flags = entry->flags;
    ret_segment->ip_id = entry->ip_id;
    ret_segment->ip_length = (uint32_t)entry->payload + entry->headers;
    ret_segment->ttl = entry->ttl;
    ret_segment->around.seen_on = entry->origin >> 1;
    ret_segment->cut = (entry->has & HAS_CUT) != 0;
    ret_segment->checksum_verdict = (uint8_t)(entry->has >> VERDICT_SHIFT);
    read_options(head, entry, side, ret_segment);
    reader->next[side] = seq_add(reader->next[side], occupies(entry->flags, entry->payload));
    reader->entry++;
    reader->left--;
    *ret_from = side;
    return true;
}
