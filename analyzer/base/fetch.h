/*
 * fetch: a line of cache asked for before it is needed, by reading from it.
 *
 * A prefetch instruction is dropped by some processors, EPYC among them, when the page is not in
 * the TLB: just where memory is large and far away, so that the wait comes later, and alone.  A
 * load is not; those of a loop wait together.  The octet must be ours to read.
 */
#ifndef LASTACK_BASE_FETCH_H
#define LASTACK_BASE_FETCH_H

static inline void fetch_line(const void *octet)
{
    (void)*(const volatile char *)octet;
}

#endif
