/* worst: see worst.h. */
#include "worst.h"

#include <string.h>

static bool is_worse(const struct worst_one *a, const struct worst_one *b)
{
    if (a->rank[0] != b->rank[0])
        return a->rank[0] > b->rank[0];
    if (a->rank[1] != b->rank[1])
        return a->rank[1] > b->rank[1];
    return a->ref.packet < b->ref.packet;
}

void worst_offer(struct worst *worst, const struct worst_one *one)
{
    if (worst->count == WORST_KEPT && !is_worse(one, &worst->one[WORST_KEPT - 1]))
        return; /* a connection only ever becomes worse */
    worst_forget(worst, one->flow_uid);
    uint32_t place = worst->count;
    while (place > 0 && is_worse(one, &worst->one[place - 1]))
        place--;
    uint32_t last = worst->count < WORST_KEPT ? worst->count++ : WORST_KEPT - 1;
    memmove(&worst->one[place + 1], &worst->one[place], (last - place) * sizeof(*one));
    worst->one[place] = *one;
}

const struct worst_one *worst_find(const struct worst *worst, uint64_t flow_uid)
{
    for (uint32_t i = 0; i < worst->count; i++) {
        if (worst->one[i].flow_uid == flow_uid)
            return &worst->one[i];
    }
    return NULL;
}

void worst_forget(struct worst *worst, uint64_t flow_uid)
{
    const struct worst_one *one = worst_find(worst, flow_uid);
    if (one == NULL)
        return;
    size_t place = (size_t)(one - worst->one);
    worst->count--;
    memmove(&worst->one[place], &worst->one[place + 1], (worst->count - place) * sizeof(*one));
}
