/* huge: see huge.h. */
#include "huge.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64 /* octets of a cache line */ };

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
    const size_t at = octets < HUGE_PAGE ? LINE : HUGE_PAGE;
    const size_t whole = (octets + at - 1) & ~(at - 1);
    void *memory = aligned_alloc(at, whole);
    if (memory != NULL && at == HUGE_PAGE)
        wish(memory, whole);
    return memory;
}
