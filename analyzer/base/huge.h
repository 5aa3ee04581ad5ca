/*
 * huge: much memory that is read here and there, or in turn: in large pages, where the system has
 * them to give.
 *
 * Where each page lies is looked up in memory, too, once there are more pages than the processor
 * remembers (1,500 of 4 KiB are 6 MiB).  With a million connections that was a twelfth of the time.
 */
#ifndef LASTACK_BASE_HUGE_H
#define LASTACK_BASE_HUGE_H

#include <stddef.h>

enum { HUGE_PAGE = 1 << 21 };

/* Memory for so many octets, not cleared, for free(); NULL when memory ran out.  It begins at a
 * line of the cache, from HUGE_PAGE octets on at a large page. */
void *huge_new(size_t octets);

/* The same within memory of HUGE_PAGE octets more, which nothing was written to yet, and stays the
 * caller's: where they begin. */
void *huge_within(void *room, size_t octets);

#endif
