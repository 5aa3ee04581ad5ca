/* incarnation: see incarnation.h. */
#include "incarnation.h"

#include <stdlib.h>
#include <string.h>

struct packet_ref last_segment_ref(const struct last_segment *last, int from)
{
    return (struct packet_ref){
        .packet = last_segment_packet(last),
        .t = last->t,
        .sequence = last->sequence,
        .acknowledgment = last->acknowledgment,
        .payload = last->payload,
        .flags = last_segment_flags(last),
        .from = (uint8_t)from,
    };
}

void tombstone_list_free(struct tombstone *list)
{
    while (list != NULL) {
        struct tombstone *next = list->next;
        free(list);
        list = next;
    }
}

struct tombstone_side incarnation_keep_side(const struct incarnation *incarnation, int side)
{
    const struct side *x = &incarnation->connection.side[side];
    return (struct tombstone_side){
        .iss = x->iss,
        .snd_nxt = x->snd_nxt,
        .rcv_nxt = x->rcv_nxt,
        .tsval_first = x->tsval_first,
        .tsval_last = x->tsval_last,
        .window = x->window,
        .flags = x->flags,
        .state = x->state,
        .basis = x->basis,
        .ttl = x->ttl,
        .window_scale = x->window_scale,
        .mss = x->mss,
    };
}

struct tombstone *incarnation_bury(const struct incarnation *incarnation, nanotime closed_at)
{
    struct tombstone *tombstone = calloc(1, sizeof(*tombstone));
    if (tombstone == NULL)
        return NULL;
    tombstone->uid = incarnation->uid;
    tombstone->incarnation = incarnation->number;
    tombstone->client_end = incarnation->client_end;
    tombstone->midstream = incarnation->connection.midstream;
    tombstone->gapped = incarnation->connection.capture_gaps > 0;
    tombstone->synchronized = (incarnation->flags & INCARNATION_SYNCHRONIZED) != 0;
    tombstone->closed_at = closed_at;
    tombstone->last_t = incarnation->connection.last_t;
    for (int side = 0; side < SIDES; side++)
        tombstone->end[incarnation_end(incarnation, side)] =
            incarnation_keep_side(incarnation, side);
    memcpy(tombstone->last, incarnation->last, sizeof(tombstone->last));
    return tombstone;
}

const struct doubts doubts_none;

struct doubts *incarnation_begin_doubts(struct incarnation *incarnation)
{
    if (incarnation->doubts == NULL)
        incarnation->doubts = calloc(1, sizeof(*incarnation->doubts));
    return incarnation->doubts;
}

void incarnation_end_doubts(struct incarnation *incarnation)
{
    const struct doubts *doubts = incarnation_doubts(incarnation);
    if (doubts->hazard.open || doubts->final_ack.losses > 0)
        return;
    free(incarnation->doubts);
    incarnation->doubts = NULL;
}

bool incarnation_in_other_tunnel(const struct incarnation *incarnation,
                                 const struct segment *segment)
{
    const struct encapsulation *first = incarnation->around, *around = &segment->around;
    if (first == NULL || around->tunnels == 0)
        return (first == NULL) != (around->tunnels == 0);
    if (first->tunnels != around->tunnels)
        return true;
    for (int i = 0; i < around->tunnels; i++) {
        if (first->kind[i] != around->kind[i])
            return true;
    }
    return false;
}

bool incarnation_keep_tunnels(struct incarnation *incarnation, const struct segment *segment,
                              int end)
{
    if (segment->around.tunnels == 0)
        return true;
    incarnation->around = malloc(sizeof(*incarnation->around));
    if (incarnation->around == NULL)
        return false;
    *incarnation->around = segment->around;
    if (incarnation_side(incarnation, end) == 0)
        return true;
    memcpy(incarnation->around->source, segment->around.destination, 16);
    memcpy(incarnation->around->destination, segment->around.source, 16);
    return true;
}
