/*
 * fetch: a line of cache asked for before it is needed.
 *
 * Asking waits for nothing.  Some processors, EPYC among them, drop it when the page is not in the
 * TLB: what is large and far away lies in large pages (huge.h), of which there are few.
 */
#ifndef LASTACK_BASE_FETCH_H
#define LASTACK_BASE_FETCH_H

/* Asks for one of many lines that are needed some hundred instructions later: as far as the second
 * cache.  The first waits for ten to sixteen lines at once and no more, and whoever asks for one
 * beyond waits himself; the second for three times as many, and what stands there is near. */
static inline __attribute__((always_inline)) void fetch_ahead(const void *octet)
{
    __builtin_prefetch(octet, 0, 2);
}

/* Asks for a slot of an index in which one slot after the other is tried: it may take the line
 * behind its own as well.  By prefetches, as an index lies in large pages, or in few: a load holds
 * up what comes behind it. */
static inline __attribute__((always_inline)) void fetch_slots(const void *slot)
{
    enum { LINE = 64 };
    __builtin_prefetch(slot);
    __builtin_prefetch((const char *)slot + LINE);
}

/* Asks for a line that is soon to be written, as its only owner: another core may have it, or it is
 * far away, and stores leave in order, those behind it after it.  The compiler makes a prefetch for
 * reading of it where it does not know the processor; who has no such instruction passes it over.
 */
static inline __attribute__((always_inline)) void fetch_to_write(const void *octet)
{
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)octet));
#else
    __builtin_prefetch(octet, 1);
#endif
}

#endif
