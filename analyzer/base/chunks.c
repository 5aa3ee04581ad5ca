/* chunks: see chunks.h. */
#include "chunks.h"

#include <stdlib.h>
#include <string.h>

struct chunks_slab {
    _Alignas(CHUNKS_LINE) struct chunks_slab *older;
    struct chunks_slab *newer;
    size_t taken; /* chunks of it that were not given back */
};

/* What stands before a chunk's octets. */
struct chunk_head {
    struct chunks_slab *slab;
};

size_t chunks_room(size_t octets)
{
    return (octets + sizeof(struct chunk_head) + CHUNKS_STEP - 1) / CHUNKS_STEP * CHUNKS_STEP;
}

/* A slab without chunks, at the end of the list: the spare one, or a new one. */
static bool add_slab(struct chunks *chunks)
{
    struct chunks_slab *slab = chunks->spare;
    chunks->spare = NULL;
    if (slab == NULL) {
        slab = aligned_alloc(CHUNKS_LINE, CHUNKS_SLAB);
        chunks->octets += slab != NULL ? CHUNKS_SLAB : 0;
    }
    if (slab == NULL)
        return false;
    *slab = (struct chunks_slab){.older = chunks->newest};
    if (chunks->newest != NULL)
        chunks->newest->newer = slab;
    chunks->newest = slab;
    chunks->used = sizeof(*slab);
    return true;
}

void *chunks_take(struct chunks *chunks, size_t octets)
{
    size_t room = chunks_room(octets);
    if ((chunks->newest == NULL || chunks->used + room > CHUNKS_SLAB - CHUNKS_BEHIND) &&
        !add_slab(chunks))
        return NULL;
    struct chunk_head *head = (void *)((char *)chunks->newest + chunks->used);
    head->slab = chunks->newest;
    head->slab->taken++;
    chunks->used += room;
    return head + 1;
}

void chunks_shorten(struct chunks *chunks, const void *chunk, size_t octets)
{
    const struct chunk_head *head = (const struct chunk_head *)chunk - 1;
    chunks->used = (size_t)((const char *)head - (const char *)head->slab) + chunks_room(octets);
}

/* Takes a slab out of the list; one is kept, so that the next needs not be asked for. */
static void drop_slab(struct chunks *chunks, struct chunks_slab *slab)
{
    slab->newer->older = slab->older;
    if (slab->older != NULL)
        slab->older->newer = slab->newer;
    if (chunks->spare == NULL) {
        chunks->spare = slab;
        return;
    }
    chunks->octets -= CHUNKS_SLAB;
    free(slab);
}

void chunks_give(struct chunks *chunks, void *chunk)
{
    if (chunk == NULL)
        return;
    struct chunks_slab *slab = ((struct chunk_head *)chunk - 1)->slab;
    if (--slab->taken > 0)
        return;
    if (slab != chunks->newest)
        drop_slab(chunks, slab);
    else
        chunks->used = sizeof(*slab);
}

void chunks_clear(struct chunks *chunks)
{
    free(chunks->spare);
    while (chunks->newest != NULL) {
        struct chunks_slab *older = chunks->newest->older;
        free(chunks->newest);
        chunks->newest = older;
    }
    memset(chunks, 0, sizeof(*chunks));
}
