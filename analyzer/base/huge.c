/* huge: see huge.h. */
#include "huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    LINE = 64,            /* octets of a cache line */
    WORTH = HUGE_PAGE / 4 /* of which a large page is given to less */
};

#ifdef MADV_HUGEPAGE
/* A wish: without such pages there are ordinary ones. */
static void wish(void *memory, size_t octets)
{
    (void)madvise(memory, octets, MADV_HUGEPAGE);
}
#else
static void wish(void *memory, size_t octets)
{
    (void)memory;
    (void)octets;
}
#endif

void *huge_new(size_t octets)
{
    if (octets >= WORTH && octets < HUGE_PAGE)
        octets = HUGE_PAGE;
    const size_t large = octets & ~(size_t)(HUGE_PAGE - 1); /* what is beyond would be lost */
    void *memory;
    if (posix_memalign(&memory, large > 0 ? HUGE_PAGE : LINE, octets) != 0)
        return NULL;
    if (large > 0)
        wish(memory, large);
    return memory;
}

void *huge_within(void *room, size_t octets)
{
    char *place = (char *)room + (-(uintptr_t)room & (HUGE_PAGE - 1));
    wish(place, octets & ~(size_t)(HUGE_PAGE - 1));
    return place;
}
