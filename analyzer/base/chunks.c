/* chunks: see chunks.h. */
#include "chunks.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB = 1 << 18 }; /* octets that are taken at once, the slab's own line included */

struct chunks_slab {
    _Alignas(CHUNKS_LINE) struct chunks_slab *older;
};

static size_t lines_of(size_t octets)
{
    return (octets + CHUNKS_LINE - 1) / CHUNKS_LINE;
}

static void *take_new(struct chunks *chunks, size_t lines)
{
    if (lines * CHUNKS_LINE >
        chunks->left) { /* what is left of the old one, less than that, is lost */
        struct chunks_slab *slab = aligned_alloc(CHUNKS_LINE, SLAB);
        if (slab == NULL)
            return NULL;
        slab->older = chunks->slabs;
        chunks->slabs = slab;
        chunks->left = SLAB - sizeof(*slab);
    }
    chunks->left -= lines * CHUNKS_LINE;
    return (char *)(chunks->slabs + 1) + chunks->left;
}

void *chunks_take(struct chunks *chunks, size_t octets)
{
    size_t lines = lines_of(octets);
    void *chunk = chunks->freed[lines - 1];
    if (chunk == NULL)
        return take_new(chunks, lines);
    memcpy(&chunks->freed[lines - 1], chunk, sizeof(void *));
    return chunk;
}

void chunks_give(struct chunks *chunks, void *chunk, size_t octets)
{
    if (chunk == NULL)
        return;
    void **first = &chunks->freed[lines_of(octets) - 1];
    memcpy(chunk, first, sizeof(void *));
    *first = chunk;
}

void chunks_clear(struct chunks *chunks)
{
    while (chunks->slabs != NULL) {
        struct chunks_slab *older = chunks->slabs->older;
        free(chunks->slabs);
        chunks->slabs = older;
    }
    memset(chunks, 0, sizeof(*chunks));
}
