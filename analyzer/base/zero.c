/* zero: see zero.h. */
#include "zero.h"

#include <string.h>

void zero(void *record, size_t octets)
{
    memset(record, 0, octets);
}
