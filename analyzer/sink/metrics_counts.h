/*
 * metrics_counts: what the metrics add up of records, and how it is written as a page.
 *
 * Bounded whatever comes: every label is a word of a closed list, but for the services of
 * metrics_services, which are none unless they were asked for.
 */
#ifndef LASTACK_SINK_METRICS_COUNTS_H
#define LASTACK_SINK_METRICS_COUNTS_H

#include <stdio.h>

#include "../event/sink.h"
#include "metrics_services.h"

enum { METRICS_BOUNDS = 13 };

/* Upper bounds of the buckets, in seconds as they are written and in ns; the last is +Inf. */
struct metrics_bound {
    const char *seconds;
    nanotime bound;
};
extern const struct metrics_bound metrics_bounds[METRICS_BOUNDS];

/* How long sides stayed in a state. */
struct metrics_stays {
    uint64_t bucket[METRICS_BOUNDS]; /* each alone: not added up */
    uint64_t sum;                    /* ns */
};

struct metrics_counts {
    const char *version;
    struct stats_record stats; /* the latest */
    uint64_t closes[CLOSE_KINDS][INITIATOR_BOTH + 1];
    uint64_t left[2][TCP_STATES];
    uint64_t events[EVENT_IDS][LEVEL_ERROR + 1];
    uint64_t blamed[EVENT_IDS][BLAME_CAPTURE + 1];
    struct metrics_stays stays[DWELL_STATES];
    struct metrics_services *services; /* NULL: none were asked for */
    uint32_t top;                      /* services that are written */
};

/*
 * Two spellings of the same: the OpenMetrics text format 1.0, and the older one of Prometheus
 * (0.0.4), which the textfile collector and promtool read.
 */
enum metrics_form { METRICS_TEXT, METRICS_OPEN };

/* Writes the whole page. */
void metrics_page_write(const struct metrics_counts *counts, enum metrics_form form, FILE *stream);

#endif
