/* chunks: see chunks.h. */
#include "chunks.h"

#include <stdlib.h>
#include <string.h>

#include "huge.h"

/* The first few slabs are small ones; then each is a large page. */
enum { FEW = 16 };

struct chunks_slab {
    _Alignas(CHUNKS_LINE) struct chunks_slab *older;
    struct chunks_slab *newer;
    size_t taken; /* chunks of it that were not given back */
    size_t size;  /* octets of it, with these */
};

/* Where the first chunk of a slab begins: behind the slab's own line, and so that its octets are
 * aligned. */
enum { FIRST_PLACE = sizeof(struct chunks_slab) + CHUNKS_STEP - CHUNKS_BEFORE };

/* What stands before a chunk's octets. */
struct chunk_head {
    uint32_t place; /* in its slab: octets from its beginning */
};

_Static_assert(sizeof(struct chunk_head) == CHUNKS_BEFORE, "as many octets");

size_t chunks_room(size_t octets)
{
    return (octets + sizeof(struct chunk_head) + CHUNKS_STEP - 1) / CHUNKS_STEP * CHUNKS_STEP;
}

size_t chunks_at_once(const struct chunks *chunks)
{
    return chunks->octets < (uint64_t)FEW * CHUNKS_SLAB ? CHUNKS_SLAB : HUGE_PAGE;
}

/* A new slab; NULL: no memory. */
static struct chunks_slab *new_slab(struct chunks *chunks)
{
    const size_t size = chunks_at_once(chunks);
    struct chunks_slab *slab = huge_new(size);
    if (slab == NULL)
        return NULL;
    slab->size = size;
    chunks->octets += size;
    return slab;
}

/* A slab without chunks, at the end of the list: the spare one, or a new one. */
static bool add_slab(struct chunks *chunks)
{
    struct chunks_slab *slab = chunks->spare != NULL ? chunks->spare : new_slab(chunks);
    chunks->spare = NULL;
    if (slab == NULL)
        return false;
    *slab = (struct chunks_slab){.older = chunks->newest, .size = slab->size};
    if (chunks->newest != NULL)
        chunks->newest->newer = slab;
    chunks->newest = slab;
    chunks->used = FIRST_PLACE;
    return true;
}

/* Whether the newest slab has no room for that much more. */
static bool is_full(const struct chunks *chunks, size_t room)
{
    const struct chunks_slab *newest = chunks->newest;
    return newest == NULL || chunks->used + room > newest->size - CHUNKS_BEHIND;
}

void *chunks_take(struct chunks *chunks, size_t octets)
{
    size_t room = chunks_room(octets);
    if (is_full(chunks, room) && !add_slab(chunks))
        return NULL;
    struct chunk_head *head = (void *)((char *)chunks->newest + chunks->used);
    head->place = (uint32_t)chunks->used;
    chunks->newest->taken++;
    chunks->used += room;
    return head + 1;
}

void chunks_shorten(struct chunks *chunks, const void *chunk, size_t octets)
{
    const struct chunk_head *head = (const struct chunk_head *)chunk - 1;
    chunks->used = head->place + chunks_room(octets);
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
    chunks->octets -= slab->size;
    free(slab);
}

void chunks_give(struct chunks *chunks, void *chunk)
{
    if (chunk == NULL)
        return;
    struct chunk_head *head = (struct chunk_head *)chunk - 1;
    struct chunks_slab *slab = (void *)((char *)head - head->place);
    if (--slab->taken > 0)
        return;
    if (slab != chunks->newest)
        drop_slab(chunks, slab);
    else
        chunks->used = FIRST_PLACE;
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
