/* between: what became of all segments between each two taps, in words, for the text summary. */
#ifndef LASTACK_SINK_BETWEEN_H
#define LASTACK_SINK_BETWEEN_H

#include "../event/path_record.h"
#include "prose.h"
#include "sinks.h"

enum { BETWEEN_TAPS = RECORD_PASSAGES + 1 };

/* The segments of all connections that went one way between two taps. */
struct between_way {
    uint64_t fate[PATH_FATES];
    uint64_t missed_by[2];
    uint64_t delayed, reordered, changed, delays;
    nanotime delay_min, delay_max;
    double delay_sum;
};

/* One pair of taps; the first of the two is the first on the command line. */
struct between_pair {
    uint64_t connections, joined;
    struct path_record last;       /* of those whose clocks are known, the latest */
    struct between_way away, back; /* from the first tap to the second, and from there */
    uint64_t unknown;              /* segments whose way is not known */
};

struct between {
    struct between_pair pair[BETWEEN_TAPS][BETWEEN_TAPS]; /* by both taps, the lower one first */
};

void between_add(struct between *between, const struct path_record *path);

/* A section of its own; nothing without taps. */
void between_write(const struct between *between, const struct tap_names *taps,
                   struct prose *prose);

#endif
