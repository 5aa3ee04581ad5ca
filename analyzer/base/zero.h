/*
 * zero: records of a kilobyte or so, zeroed by the C library, in the widest stores that there are.
 * Where the compiler knows the size of memset() it stores eight octets a time instead.
 */
#ifndef LASTACK_BASE_ZERO_H
#define LASTACK_BASE_ZERO_H

#include <stddef.h>

void zero(void *record, size_t octets);

#endif
