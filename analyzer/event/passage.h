/*
 * passage: what became of one segment between two taps, as records have it.
 */
#ifndef LASTACK_EVENT_PASSAGE_H
#define LASTACK_EVENT_PASSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"
#include "catalogue.h"

/* What became of a segment between the tap nearer to its sender and the other. */
enum path_fate {
    FATE_ARRIVED,
    FATE_LOST,       /* it left the sender's tap and did not come to the receiver's */
    FATE_INJECTED,   /* it came to the receiver's tap and had not left the sender's */
    FATE_MISSED,     /* it passed both, and one of the captures lacks it */
    FATE_DUPLICATED, /* a further copy of one that arrived */
    FATE_UNKNOWN,    /* the other tap's capture does not cover it */
    PATH_FATES
};

/* Where a segment was seen, or was not: packet 0. */
struct passage_sight {
    int tap; /* by its order on the command line */
    uint64_t packet;
    nanotime t;  /* by that tap's clock */
    nanotime at; /* by the first tap's, as far as it is known */
};

struct passage {
    struct passage_sight left, came; /* at the sender's side and at the receiver's */
    enum path_fate fate;
    enum confidence confidence;
    nanotime delay, held; /* NANOTIME_UNKNOWN: null */
    bool reordered;
    uint8_t changed; /* bits, by the order of path_change_name */
};

enum { PATH_CHANGES = 8 };

const char *path_fate_name(enum path_fate fate);
const char *path_change_name(int change); /* from 0 */

#endif
