/*
 * trails: a chained table over a fixed array; a queue from the latest speaker to the longest
 * silent.  Slot 0 is none.
 */
#include "trails.h"

#include <stdlib.h>
#include <string.h>

#include "ends.h"

enum { BUCKETS = 2 * TRAILS_MOST, FIRST_ROOM = 8, MOST = TRAIL_FIRST + TRAIL_LATEST };

struct trails {
    struct hash_key key;
    struct trail slot[TRAILS_MOST + 1];
    uint32_t bucket[BUCKETS];
    uint32_t count, newest, oldest;
    uint64_t numbers;
};

struct trails *trails_new(void)
{
    struct trails *trails = calloc(1, sizeof *trails);
    if (trails != NULL)
        trails->key = hash_key_draw();
    return trails;
}

static uint32_t bucket_of(const struct trails *trails, const struct flow_identity *who)
{
    return (uint32_t)ends_hash(trails->key, who) % BUCKETS;
}

static uint32_t find_slot(const struct trails *trails, const struct flow_identity *who)
{
    uint32_t index = trails->bucket[bucket_of(trails, who)];
    while (index != 0 && !ends_match(&trails->slot[index].who, who))
        index = trails->slot[index].next;
    return index;
}

static void leave_queue(struct trails *trails, uint32_t index)
{
    const struct trail *trail = &trails->slot[index];
    *(trail->newer != 0 ? &trails->slot[trail->newer].older : &trails->newest) = trail->older;
    *(trail->older != 0 ? &trails->slot[trail->older].newer : &trails->oldest) = trail->newer;
}

static void lead_queue(struct trails *trails, uint32_t index)
{
    struct trail *trail = &trails->slot[index];
    trail->newer = 0;
    trail->older = trails->newest;
    *(trail->older != 0 ? &trails->slot[trail->older].newer : &trails->oldest) = index;
    trails->newest = index;
}

static void leave_bucket(struct trails *trails, uint32_t index)
{
    uint32_t *link = &trails->bucket[trails->slot[index].bucket];
    while (*link != index)
        link = &trails->slot[*link].next;
    *link = trails->slot[index].next;
}

/* A free slot, or that of the ends that were silent longest; what it holds is forgotten. */
static uint32_t take_slot(struct trails *trails)
{
    if (trails->count < TRAILS_MOST)
        return ++trails->count;
    uint32_t index = trails->oldest;
    leave_queue(trails, index);
    leave_bucket(trails, index);
    return index;
}

static struct trail *begin_trail(struct trails *trails, const struct flow_identity *who)
{
    uint32_t index = take_slot(trails);
    struct trail *trail = &trails->slot[index];
    *trail = (struct trail){
        .who = *who,
        .number = ++trails->numbers,
        .bucket = bucket_of(trails, who),
        .segments = trail->segments,
        .room = trail->room,
    };
    trail->next = trails->bucket[trail->bucket];
    trails->bucket[trail->bucket] = index;
    lead_queue(trails, index);
    return trail;
}

/* The place of the next segment: behind the first ones they go round. */
static struct trail_segment *next_place(struct trail *trail)
{
    if (trail->kept == MOST)
        return &trail->segments[TRAIL_FIRST + trail->newer_than_first++ % TRAIL_LATEST];
    if (trail->kept == trail->room) {
        uint32_t room = trail->room == 0 ? FIRST_ROOM : trail->room * 2;
        struct trail_segment *larger = realloc(trail->segments, room * sizeof *larger);
        if (larger == NULL)
            return NULL;
        trail->segments = larger;
        trail->room = room;
    }
    trail->newer_than_first += trail->kept >= TRAIL_FIRST;
    return &trail->segments[trail->kept++];
}

static void fill_place(struct trail_segment *place, const struct trail *trail,
                       const struct segment_record *segment)
{
    *place = (struct trail_segment){
        .t = segment->t,
        .packet = segment->packet,
        .flow_uid = segment->who.flow_uid,
        .window = segment->window,
        .incarnation = segment->who.incarnation,
        .seq = segment->seq,
        .ack = segment->ack,
        .seq_abs = segment->seq_abs,
        .ack_abs = segment->ack_abs,
        .payload = segment->payload,
        .flags = segment->flags,
        .from = (uint8_t)segment->from,
        .verdict = (uint8_t)segment->verdict,
        .turned = !ends_is_same(&segment->who.end[CLIENT], &trail->who.end[CLIENT]),
        .seq_known = segment->relative_known,
        .ack_known = segment->ack_relative_known,
        .after = {(uint8_t)segment->after[0], (uint8_t)segment->after[1]},
        .basis = {(uint8_t)segment->after_basis[0], (uint8_t)segment->after_basis[1]},
    };
}

/* The trail goes on with another incarnation, which the other end may have opened. */
static void turn_over(struct trail *trail, const struct flow_identity *who)
{
    bool turned = !ends_is_same(&who->end[CLIENT], &trail->who.end[CLIENT]);
    for (uint32_t i = 0; turned && i < trail->kept; i++)
        trail->segments[i].turned = !trail->segments[i].turned;
    trail->who = *who;
    trail->over = false;
}

enum status trails_segment(struct trails *trails, const struct segment_record *segment)
{
    uint32_t index = find_slot(trails, &segment->who);
    struct trail *trail = index != 0 ? &trails->slot[index] : begin_trail(trails, &segment->who);
    bool is_later = segment->who.incarnation > trail->who.incarnation;
    if (is_later)
        turn_over(trail, &segment->who);
    struct trail_segment *place = next_place(trail);
    if (place == NULL)
        return STATUS_NO_MEMORY;
    fill_place(place, trail, segment);
    trail->packets++;
    trail->last = segment->t;
    for (int side = 0; side < 2 && segment->who.flow_uid == trail->who.flow_uid; side++) {
        trail->state[side] = segment->after[side];
        trail->presumed[side] = segment->after_basis[side] == BASIS_PRESUMED;
    }
    index = (uint32_t)(trail - trails->slot);
    leave_queue(trails, index);
    lead_queue(trails, index);
    return STATUS_OK;
}

void trails_transition(struct trails *trails, const struct transition_record *transition)
{
    struct trail *trail = &trails->slot[find_slot(trails, &transition->who)];
    if (trail->who.flow_uid != transition->who.flow_uid || transition->entry.revoked)
        return;
    trail->state[transition->side] = transition->entry.state;
    trail->presumed[transition->side] = transition->entry.basis == BASIS_PRESUMED;
}

void trails_event(struct trails *trails, const struct event_record *event)
{
    uint32_t index = find_slot(trails, &event->who);
    if (index != 0 && event->level > trails->slot[index].worst)
        trails->slot[index].worst = event->level;
}

void trails_flow(struct trails *trails, const struct flow_record *flow)
{
    struct trail *trail = &trails->slot[find_slot(trails, &flow->who)];
    if (trail->who.flow_uid == flow->who.flow_uid && flow->final)
        trail->over = true;
}

const struct trail *trails_find(const struct trails *trails, const struct flow_identity *who)
{
    uint32_t index = find_slot(trails, who);
    return index == 0 ? NULL : &trails->slot[index];
}

static int compare_numbers(const void *a, const void *b)
{
    const struct trail *x = *(const struct trail *const *)a;
    const struct trail *y = *(const struct trail *const *)b;
    return x->number > y->number ? -1 : 1;
}

uint32_t trails_list(const struct trails *trails, const struct trail **ret_list)
{
    for (uint32_t i = 0; i < trails->count; i++)
        ret_list[i] = &trails->slot[i + 1];
    qsort(ret_list, trails->count, sizeof *ret_list, compare_numbers);
    return trails->count;
}

uint64_t trail_left_out(const struct trail *trail)
{
    return trail->newer_than_first > TRAIL_LATEST ? trail->newer_than_first - TRAIL_LATEST : 0;
}

bool trail_record(const struct trail *trail, uint32_t index, struct segment_record *ret_segment)
{
    if (index >= trail->kept)
        return false;
    if (index >= TRAIL_FIRST && trail_left_out(trail) > 0)
        index = TRAIL_FIRST +
                (uint32_t)((index - TRAIL_FIRST + trail->newer_than_first) % TRAIL_LATEST);
    const struct trail_segment *kept = &trail->segments[index];
    *ret_segment = (struct segment_record){
        .who = trail->who,
        .packet = kept->packet,
        .t = kept->t,
        .from = kept->from,
        .flags = kept->flags,
        .relative_known = kept->seq_known,
        .ack_relative_known = kept->ack_known,
        .seq = kept->seq,
        .ack = kept->ack,
        .seq_abs = kept->seq_abs,
        .ack_abs = kept->ack_abs,
        .payload = kept->payload,
        .window = kept->window,
        .after = {(enum tcp_state)kept->after[0], (enum tcp_state)kept->after[1]},
        .after_basis = {(enum basis)kept->basis[0], (enum basis)kept->basis[1]},
        .verdict = (enum segment_verdict)kept->verdict,
    };
    ret_segment->who.flow_uid = kept->flow_uid;
    ret_segment->who.incarnation = kept->incarnation;
    if (kept->turned) {
        ret_segment->who.end[0] = trail->who.end[1];
        ret_segment->who.end[1] = trail->who.end[0];
    }
    return true;
}

void trails_free(struct trails *trails)
{
    if (trails == NULL)
        return;
    for (uint32_t i = 1; i <= trails->count; i++)
        free(trails->slot[i].segments);
    free(trails);
}
