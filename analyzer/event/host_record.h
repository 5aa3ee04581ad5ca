/*
 * host_record: the census of a source, of a service, or of a source's use of a service.
 */
#ifndef LASTACK_EVENT_HOST_RECORD_H
#define LASTACK_EVENT_HOST_RECORD_H

#include "dwell.h"

enum {
    HOST_POINTS = 60, /* of a series at most */
};

/* Whose census it is. */
enum host_scope {
    HOST_SOURCE,  /* one that opens connections: all of them */
    HOST_SERVICE, /* a destination's port: all connections to it */
    HOST_PAIR,    /* those of one source to one service */
    HOST_SCOPES
};

/* How many there are, and were at most. */
struct stock {
    uint64_t now, most;
    nanotime most_at; /* when there were most first; NANOTIME_UNKNOWN: there was none */
};

/* What a stretch of time brought: sums of what began, and the most that was held at once. */
struct host_point {
    nanotime t; /* its beginning */
    uint32_t opened, closed;
    uint32_t time_wait[2], close_wait[2]; /* by side_index */
    uint32_t ports;                       /* HOST_SOURCE and HOST_PAIR: of the source, in use */
};

struct host_record {
    enum host_scope scope;
    uint8_t ip_version;
    uint8_t source[16], destination[16]; /* network order; as far as the scope has them */
    uint16_t port;
    nanotime first, last; /* of what was counted, on the capture clock */
    uint64_t opened, answered, established, closed;
    uint64_t by_close[CLOSE_KINDS], by_initiator[INITIATOR_BOTH + 1]; /* flows that ended */
    uint64_t opened_per_second_most, closed_per_second_most;
    struct stock time_wait[2], close_wait[2]; /* by side_index */
    struct stock ports;                       /* of the source, in use or in TIME_WAIT */
    uint64_t ports_low, ports_high;           /* seen within the last 2MSL; 0: none */
    uint64_t reuses;                          /* ports taken again within 2MSL of their last use */
    nanotime reuse_least;                     /* NANOTIME_UNKNOWN: none */
    nanotime runs_out; /* until no port is left at this rate; NANOTIME_UNKNOWN: never */
    bool dwell_known;
    struct dwell_summary dwell[DWELL_STATES];
    nanotime step; /* of the series */
    const struct host_point *points;
    uint32_t point_count;
};

/* The largest stocks that any one host or service holds now. */
struct stock_peaks {
    uint64_t time_wait[2], close_wait[2]; /* [CLIENT] of one source, [SERVER] of one service */
    uint64_t ports, ports_usable; /* of the source that has the least left towards one service */
};

const char *host_scope_name(enum host_scope scope);

#endif
