/* fragments_join: from a fragment to the segment of the whole packet; see fragments.h. */
#include <string.h>

#include "fragments.h"

/* What a fragment came in stands around what the packet that it was part of came in. */
static void put_around(struct segment *segment, const struct fragment *fragment)
{
    uint16_t inner[SEGMENT_VLANS];
    uint8_t inner_count = segment->vlans;
    memcpy(inner, segment->vlan, sizeof(inner));
    memcpy(segment->vlan, fragment->vlan, sizeof(segment->vlan));
    segment->vlans = fragment->vlans;
    for (int i = 0; i < inner_count && segment->vlans < SEGMENT_VLANS; i++)
        segment->vlan[segment->vlans++] = inner[i];
    if (fragment->around.tunnels == 0)
        return;
    struct encapsulation within = segment->around;
    segment->around = fragment->around;
    for (int i = 0; i < within.tunnels && segment->around.tunnels < SEGMENT_TUNNELS; i++) {
        segment->around.kind[segment->around.tunnels] = within.kind[i];
        segment->around.id[segment->around.tunnels++] = within.id[i];
    }
}

enum dissect_result fragments_join(struct fragments *fragments, nanotime time, struct frame *whole,
                                   struct segment *segment)
{
    enum { NESTED = 4 };
    struct fragment fragment;
    for (int level = 0; level < NESTED; level++) {
        if (!dissect_fragment(whole, &fragment))
            return DISSECT_NOT_TCP;
        if (!dissect_may_hold_tcp(fragment.protocol))
            return DISSECT_NOT_TCP;
        if (!fragments_take(fragments, &fragment, time, whole))
            return DISSECT_FRAGMENT;
        enum dissect_result result = dissect(whole, segment);
        if (result == DISSECT_SEGMENT)
            put_around(segment, &fragment);
        if (result != DISSECT_FRAGMENT)
            return result;
    }
    return DISSECT_TUNNEL_LOOP;
}
