/* transcript: see transcript.h. */
#include "transcript.h"

#include "../tcp/copies.h"
#include "../tcp/course.h"
#include "key.h"

/* What all segments of a side have in common; all else is zero. */
static void begin_side(const struct transcript_head *head, const struct flow_key *key, int side,
                       struct segment *segment)
{
    const int end = side ^ head->client_end;
    memset(segment, 0, sizeof(*segment));
    memcpy(segment->source, key->address[end], sizeof(segment->source));
    memcpy(segment->destination, key->address[1 - end], sizeof(segment->destination));
    segment->source_port = key->port[end];
    segment->destination_port = key->port[1 - end];
    segment->sequence = head->iss[side];
    segment->mss = head->mss[side];
    segment->window_scale = head->window_scale[side];
    segment->vlan[0] = head->vlan;
}

void transcript_begin(struct transcript_reader *reader, const struct transcript_head *head,
                      const struct transcript_entry *entry, const struct flow_key *key)
{
    reader->head = head;
    reader->entry = entry;
    reader->left = transcript_count(head);
    reader->ip_version = key->ip_version;
    begin_side(head, key, 0, &reader->segment[0]);
    begin_side(head, key, 1, &reader->segment[1]);
}

static uint16_t options_of(const struct transcript_head *head, const struct transcript_entry *entry,
                           int side)
{
    if ((entry->flags & TCP_SYN) != 0)
        return head->options[side];
    return entry->stamped ? OPTION_TIMESTAMPS : 0;
}

const struct segment *transcript_read(struct transcript_reader *reader, int *ret_from)
{
    const struct transcript_head *head = reader->head;
    const struct transcript_entry *entry = reader->entry;
    if (reader->left == 0)
        return NULL;
    const int side = transcript_side(entry);
    struct segment *segment = &reader->segment[side];
    segment->sequence += transcript_occupies(segment->flags, segment->payload); /* of the last */
    const seq sequence = segment->sequence;
    memcpy(&segment->sequence, entry, TRANSCRIPT_COPIED);
    segment->sequence = sequence;
    segment->time = transcript_time(head, entry);
    segment->packet = head->first_packet + entry->packets;
    segment->options = options_of(head, entry, side);
    segment->ip_length = entry->payload + entry->headers;
    segment->ip_version = reader->ip_version;
    segment->around.seen_on = entry->origin >> 1;
    segment->sacks = 0;
    segment->vlans = head->vlans;
    reader->entry++;
    reader->left--;
    *ret_from = side;
    return segment;
}

void transcript_measure(struct transcript *transcript, const struct flow_key *key,
                        const seq snd_nxt[2], struct progress *ret_progress)
{
    const struct transcript_head *head = &transcript->head;
    const uint32_t count = transcript_count(head);
    struct transcript_reader reader;
    const struct segment *segment;
    int from;
    *ret_progress = (struct progress){
        .course = COURSE_OPEN,
        .count = count & 31,
        .client_end = head->client_end & 1,
        .last_t = head->started,
        .iss = {head->iss[0], head->iss[1]},
        .snd_nxt = {snd_nxt[0], snd_nxt[1]},
    };
    memset(transcript->print, 0, sizeof(transcript->print));
    transcript_begin(&reader, head, transcript->entry, key);
    for (uint32_t i = 0; (segment = transcript_read(&reader, &from)) != NULL; i++) {
        if (from == 1 && i >= TRANSCRIPT_OPTIONS) /* the server's first word */
            ret_progress->course = COURSE_PROVEN;
        ret_progress->window[from] = segment->window;
        ret_progress->rcv_nxt[from] = segment->acknowledgment;
        ret_progress->last_t = time_later_of(ret_progress->last_t, segment->time);
        if (i + TRANSCRIPT_COPIES >= count)
            transcript->print[i % TRANSCRIPT_COPIES] = copies_print(segment);
    }
}
