/*
 * path_record: what became of a connection's segments between two taps.
 */
#ifndef LASTACK_EVENT_PATH_RECORD_H
#define LASTACK_EVENT_PATH_RECORD_H

#include "record.h"

/* Which of the two taps a segment passes first. */
enum path_direction_known { TOWARDS_UNKNOWN, TOWARDS_SECOND, TOWARDS_FIRST };

/* The tap of two, 0 or 1, that what goes that way passes first; `otherwise` where nobody knows. */
static inline int path_upstream(enum path_direction_known direction, int otherwise)
{
    return direction == TOWARDS_UNKNOWN ? otherwise : direction == TOWARDS_SECOND ? 0 : 1;
}

/* How the two views of a connection were found to be one. */
enum path_join {
    JOINED_NOT,
    JOINED_BY_TUPLE,   /* the same addresses and ports, and sequence numbers */
    JOINED_BY_NUMBERS, /* others: ISN, timestamps and options of the SYN agree */
    JOINED_BY_PAYLOAD, /* sequence numbers shifted by a constant: what they carry agrees */
    PATH_JOINS
};

/* Segments of one side. */
struct path_direction {
    uint64_t fate[PATH_FATES];
    uint64_t missed_by[2]; /* of FATE_MISSED: by which of the two captures */
    uint64_t delayed, reordered, changed;
    uint64_t delays; /* that were measured; 0: the next four are null */
    nanotime delay_min, delay_mean, delay_p95, delay_max;
};

/* The taps that one side's segments pass, in that order. */
struct path_way {
    uint32_t count; /* 0: not known */
    uint8_t tap[RECORD_PASSAGES + 1];
    bool by_hops; /* delays do not tell it everywhere; hop limits do */
};

struct path_record {
    struct flow_identity who; /* as the first tap knows it */
    nanotime start, end;
    struct path_way way[2]; /* by side_index of the sender */
    int tap[2];             /* which taps, by their order on the command line */
    int near_client;        /* of them, the one nearer to the client; -1: null */
    enum path_join joined;
    bool clock_known; /* false: offset, error and drift are null */
    nanotime clock_at, offset, offset_error;
    int64_t drift_ppb, drift_error_ppb;
    uint64_t clock_samples;
    struct path_direction direction[2]; /* by sender: side_index */
    struct endpoint_record far_end[2];  /* addresses and ports at the second tap, by side_index */
    int64_t shift[2]; /* second tap's sequence numbers less the first's, by side_index */
};

const char *path_join_name(enum path_join join); /* NULL for JOINED_NOT */

#endif
