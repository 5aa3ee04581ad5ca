/* embryo: see embryo.h. */
#include "embryo.h"

#include <string.h>

bool embryo_fits(const struct segment *segment)
{
    uint8_t control = segment->flags & (uint8_t) ~(TCP_ECE | TCP_CWR);
    return control == TCP_SYN && segment->payload == 0 && segment->vlans <= 1 &&
           segment->around.tunnels == 0 && segment->acknowledgment == 0 && segment->sacks == 0 &&
           segment->ip_length <= UINT16_MAX;
}

void embryo_keep(struct tuple *tuple, const struct segment *segment, int end)
{
    tuple->embryonic = true;
    tuple->embryo = (struct embryo){
        .time = segment->time,
        .packet = segment->packet,
        .sequence = segment->sequence,
        .tsval = segment->tsval,
        .tsecr = segment->tsecr,
        .window = segment->window,
        .ip_id = segment->ip_id,
        .checksum = segment->checksum,
        .mss = segment->mss,
        .ip_length = (uint16_t)segment->ip_length,
        .options = segment->options,
        .vlan = segment->vlan[0],
        .flags = segment->flags,
        .window_scale = segment->window_scale,
        .ttl = segment->ttl,
        .seen_on = segment->around.seen_on,
        .checksum_verdict = (uint8_t)(segment->checksum_verdict & 3),
        .cut = segment->cut != 0,
        .vlans = segment->vlans != 0,
        .end = end != 0,
    };
}

void embryo_forget(struct tuple *tuple)
{
    tuple->embryonic = false;
    tuple->current = tuple->candidate = tuple->retiring = NULL;
    tuple->tombstones = NULL;
}

int embryo_hatch(struct tuple *tuple, struct segment *segment)
{
    const struct embryo *embryo = &tuple->embryo;
    const int end = embryo->end;
    memset(segment, 0, sizeof(*segment));
    segment->time = embryo->time;
    segment->packet = embryo->packet;
    memcpy(segment->source, tuple->key.address[end], 16);
    memcpy(segment->destination, tuple->key.address[1 - end], 16);
    segment->source_port = tuple->key.port[end];
    segment->destination_port = tuple->key.port[1 - end];
    segment->ip_version = tuple->key.ip_version;
    segment->ttl = embryo->ttl;
    segment->around.seen_on = embryo->seen_on;
    segment->ip_id = embryo->ip_id;
    segment->ip_length = embryo->ip_length;
    segment->sequence = embryo->sequence;
    segment->window = embryo->window;
    segment->checksum = embryo->checksum;
    segment->options = embryo->options;
    segment->mss = embryo->mss;
    segment->tsval = embryo->tsval;
    segment->tsecr = embryo->tsecr;
    segment->flags = embryo->flags;
    segment->window_scale = embryo->window_scale;
    segment->checksum_verdict = embryo->checksum_verdict;
    segment->cut = embryo->cut;
    segment->vlans = embryo->vlans;
    segment->vlan[0] = embryo->vlan;
    embryo_forget(tuple); /* from here on other things stand where it was */
    return end;
}
