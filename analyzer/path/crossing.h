/*
 * crossing: what became of one segment between two taps: plain value.
 *
 * Of a pair of taps, 0 is the first one (whose packets the states are deduced from), 1 the other.
 * Moments and numbers are those of the tap; what is compared is put into the first tap's terms.
 */
#ifndef LASTACK_PATH_CROSSING_H
#define LASTACK_PATH_CROSSING_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/seq.h"
#include "../base/time.h"
#include "../event/path_record.h"
#include "../flow/key.h"

/* The segment as one tap saw it. */
struct sighting {
    uint64_t packet; /* number in that tap's capture; 0: it did not see it */
    nanotime t;      /* by that tap's clock */
    seq sequence, acknowledgment;
    uint32_t payload;
    uint32_t ip_bytes;
    uint8_t flags;
    uint8_t ttl;
    uint32_t steps; /* how often the clocks had been set, as far as was known */
};

/* A packet of a tap, and when it passed there. */
struct moment {
    uint64_t packet;
    nanotime t;
};

/* What differs between the two sightings; bits. */
enum crossing_change {
    CHANGED_ACKNOWLEDGMENT = 0x01,
    CHANGED_WINDOW = 0x02,
    CHANGED_MSS = 0x04,
    CHANGED_WINDOW_SCALE = 0x08,
    CHANGED_OPTIONS = 0x10,
    CHANGED_PAYLOAD = 0x20,
    CHANGED_FLAGS = 0x40,
    CHANGED_TIMESTAMPS = 0x80,
};

struct crossing {
    enum path_fate fate;
    enum confidence confidence;
    enum path_direction_known direction; /* which way the segment travels */
    struct sighting at[2];
    struct sighting copy; /* a further sighting of it at tap `copied_at` */
    uint8_t copied_at;
    struct moment original[2]; /* duplicated: what it is a copy of, at both; packet 0: not kept */
    nanotime late;             /* by how much it came after that */
    uint8_t end;               /* of the tuple, as the first tap knows it: who sent it */
    uint8_t changed;
    uint8_t pair;        /* set when it is told: by which pair it was decided */
    bool passed_on;      /* duplicated: the other tap has shown the copy as well */
    bool marked;         /* arrived: identification or timestamp tell it from other sendings */
    bool ambiguous;      /* lost: or another one that looks the same */
    bool piece;          /* of a segment that was taken apart: the rest has a crossing of its own */
    bool reordered;      /* it arrived behind a segment that had left after it */
    bool shown;          /* lost: what its receiver did since shows it */
    bool ttl_differs;    /* injected: its TTL is unlike the sender's other segments at that tap */
    bool went_on;        /* injected: its alleged sender goes on */
    bool at_edge;        /* the other tap's capture does not reach so far */
    bool unjoined;       /* the other tap shows nothing of the connection */
    nanotime delay;      /* from tap to tap, when arrived; NANOTIME_UNKNOWN */
    nanotime held;       /* of that, beyond the least delay */
    struct flow_key key; /* as the first tap sees the connection */
    uint32_t joint;      /* number of the connection within the pair */
    uint16_t window;     /* as in the segment, unscaled */
    bool stamped;        /* these hold: */
    uint32_t tsval, tsecr;
    uint32_t shift[2]; /* by end: second tap's sequence numbers less the first's */
};

#endif
