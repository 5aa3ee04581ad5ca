/* chosen: see chosen.h. */
#include "chosen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selection.h"

enum { MOST_REMARKS = 1000000, FIRST_REMARKS = 64, FIRST_WORDS = 1024 };

/* One packet that one event names. */
struct remark {
    uint64_t packet;
    uint32_t order; /* in which the events came */
    enum event_id id;
    enum evidence_role role;
    char says[160];
};

struct chosen {
    struct sink events, segments;
    struct sink *concerned; /* owned */
    struct sink_options options;
    struct remark *remark; /* owned; sorted by packet from the second look on */
    uint32_t remarks, room;
    uint64_t left_out;
    uint64_t *packets; /* owned: a bit for each, from packet 0 on */
    uint64_t words;
    bool any, sorted;
};

/* Both sinks are members: which one it is tells where the whole begins. */
static struct chosen *of_events(struct sink *sink)
{
    return (struct chosen *)((char *)sink - offsetof(struct chosen, events));
}

static struct chosen *of_segments(struct sink *sink)
{
    return (struct chosen *)((char *)sink - offsetof(struct chosen, segments));
}

static bool make_room(struct chosen *chosen)
{
    if (chosen->remarks < chosen->room)
        return true;
    uint32_t room = chosen->room == 0 ? FIRST_REMARKS : 2 * chosen->room;
    struct remark *remark = realloc(chosen->remark, room * sizeof(*remark));
    if (remark == NULL)
        return false;
    chosen->remark = remark;
    chosen->room = room;
    return true;
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    struct chosen *chosen = of_events(sink);
    if (!selection_wants_event(&chosen->options, LEVEL_NOTICE, event))
        return STATUS_OK;
    chosen->any = true;
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (chosen->remarks == MOST_REMARKS) {
            chosen->left_out++;
            continue;
        }
        if (!make_room(chosen))
            return STATUS_NO_MEMORY;
        struct remark *remark = &chosen->remark[chosen->remarks];
        remark->packet = event->evidence[i].packet;
        remark->order = chosen->remarks++;
        remark->id = event->id;
        remark->role = event->evidence[i].role;
        memcpy(remark->says, event->evidence[i].says, sizeof(remark->says));
    }
    return chosen->concerned->ops->event(chosen->concerned, event);
}

static bool cover(struct chosen *chosen, uint64_t packet)
{
    uint64_t words = chosen->words == 0 ? FIRST_WORDS : chosen->words;
    while (words <= packet / 64)
        words *= 2;
    if (words == chosen->words)
        return true;
    uint64_t *packets = realloc(chosen->packets, words * sizeof(*packets));
    if (packets == NULL)
        return false;
    memset(packets + chosen->words, 0, (words - chosen->words) * sizeof(*packets));
    chosen->packets = packets;
    chosen->words = words;
    return true;
}

static enum status take_segment(struct sink *sink, const struct segment_record *segment)
{
    struct chosen *chosen = of_segments(sink);
    if (!sink_concerned_has(chosen->concerned, segment->who.flow_uid))
        return STATUS_OK;
    if (!cover(chosen, segment->packet))
        return STATUS_NO_MEMORY;
    chosen->packets[segment->packet / 64] |= UINT64_C(1) << segment->packet % 64;
    return STATUS_OK;
}

static int by_packet(const void *left, const void *right)
{
    const struct remark *a = left, *b = right;
    if (a->packet != b->packet)
        return a->packet < b->packet ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static enum status take_end(struct sink *sink, const struct run_summary *summary)
{
    struct chosen *chosen = of_events(sink);
    (void)summary;
    if (chosen->remarks > 0)
        qsort(chosen->remark, chosen->remarks, sizeof(*chosen->remark), by_packet);
    chosen->sorted = true;
    return STATUS_OK;
}

static void free_nothing(struct sink *sink)
{
    (void)sink; /* chosen_free does it */
}

static const struct sink_ops events_ops = {
    .event = take_event, .finish = take_end, .free = free_nothing};
static const struct sink_ops segments_ops = {.segment = take_segment, .free = free_nothing};

enum status chosen_new(const struct sink_options *options, struct chosen **ret_chosen)
{
    struct chosen *chosen = calloc(1, sizeof(*chosen));
    if (chosen == NULL)
        return STATUS_NO_MEMORY;
    chosen->events.ops = &events_ops;
    chosen->segments.ops = &segments_ops;
    chosen->options = *options;
    if (options->minimum_level == 0)
        chosen->options.minimum_level = LEVEL_NOTICE;
    if (sink_concerned_new(&chosen->options, &chosen->concerned) != STATUS_OK) {
        chosen_free(chosen);
        return STATUS_NO_MEMORY;
    }
    *ret_chosen = chosen;
    return STATUS_OK;
}

struct sink *chosen_events(struct chosen *chosen)
{
    return &chosen->events;
}

struct sink *chosen_segments(struct chosen *chosen)
{
    return &chosen->segments;
}

bool chosen_any(const struct chosen *chosen)
{
    return chosen->any;
}

/* Index of the first remark on the packet, or of what would follow it. */
static uint32_t first_remark(const struct chosen *chosen, uint64_t packet)
{
    uint32_t low = 0, high = chosen->sorted ? chosen->remarks : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (chosen->remark[middle].packet < packet)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool chosen_has(const struct chosen *chosen, uint64_t packet)
{
    if (packet / 64 < chosen->words && (chosen->packets[packet / 64] >> packet % 64 & 1) != 0)
        return true;
    uint32_t index = first_remark(chosen, packet);
    return chosen->sorted && index < chosen->remarks && chosen->remark[index].packet == packet;
}

void chosen_remarks(const struct chosen *chosen, uint64_t packet,
                    struct chosen_remarks *ret_remarks)
{
    ret_remarks->count = 0;
    if (!chosen->sorted)
        return;
    for (uint32_t i = first_remark(chosen, packet); i < chosen->remarks; i++) {
        const struct remark *remark = &chosen->remark[i];
        if (remark->packet != packet || ret_remarks->count == CHOSEN_REMARKS)
            return;
        snprintf(ret_remarks->text[ret_remarks->count++], CHOSEN_REMARK, "%s (%s): %s",
                 event_row(remark->id)->id, evidence_role_name(remark->role), remark->says);
    }
}

uint64_t chosen_left_out(const struct chosen *chosen)
{
    return chosen->left_out + sink_concerned_left_out(chosen->concerned);
}

void chosen_free(struct chosen *chosen)
{
    if (chosen == NULL)
        return;
    if (chosen->concerned != NULL)
        chosen->concerned->ops->free(chosen->concerned);
    free(chosen->remark);
    free(chosen->packets);
    free(chosen);
}
