/* sources: see sources.h. */
#include "sources.h"

#include <string.h>

static int find(const struct sources *sources, const uint8_t *address, uint64_t hash)
{
    for (int i = 0; i < SOURCES; i++) {
        if (sources->hash[i] == hash && sources->syns[i] > 0 &&
            memcmp(sources->source[i].address, address, 16) == 0)
            return i;
    }
    return -1;
}

static int find_least(const struct sources *sources)
{
    int least = 0;
    for (int i = 1; i < SOURCES; i++)
        least = sources->syns[i] < sources->syns[least] ? i : least;
    return least;
}

void sources_count(struct sources *sources, const uint8_t *address, uint64_t hash,
                   const struct census_ref *ref)
{
    int place = find(sources, address, hash);
    if (place < 0) {
        place = find_least(sources);
        sources->hash[place] = hash;
        sources->taken_over[place] = sources->syns[place];
        memcpy(sources->source[place].address, address, sizeof(sources->source[place].address));
    }
    sources->syns[place]++;
    sources->source[place].latest = *ref;
}

uint32_t sources_least(const struct sources *sources, int index)
{
    return sources->syns[index] - sources->taken_over[index];
}

static bool is_before(const struct sources *sources, int a, int b)
{
    uint32_t of_a = sources_least(sources, a), of_b = sources_least(sources, b);
    if (of_a != of_b)
        return of_a > of_b;
    return memcmp(sources->source[a].address, sources->source[b].address, 16) < 0;
}

int sources_most(const struct sources *sources, uint32_t least, int *ret_index)
{
    int order[SOURCES], count = 0;
    for (int i = 0; i < SOURCES; i++) {
        if (sources->syns[i] == 0 || sources_least(sources, i) < least)
            continue;
        int place = count++;
        for (; place > 0 && is_before(sources, i, order[place - 1]); place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    count = count < WORST_TOLD ? count : WORST_TOLD;
    memcpy(ret_index, order, (size_t)count * sizeof(*order));
    return count;
}
