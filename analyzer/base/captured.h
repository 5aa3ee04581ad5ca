/* captured: what of captured packets is another thing with each of them; plain value. */
#ifndef LASTACK_BASE_CAPTURED_H
#define LASTACK_BASE_CAPTURED_H

#include <stdint.h>

#include "time.h"

struct captured {
    const uint8_t *data; /* owned by the source, valid until it is asked for more */
    uint32_t captured;   /* octets at data */
    uint32_t length;     /* octets on the wire */
    nanotime time;       /* capture time, ns since the epoch */
    uint64_t number;     /* in all inputs, in the order of reading, from 1 */
    const void *foreseen; /* what was made of it where it was read ahead; NULL: nothing.  As data */
};

#endif
