/* run_view: what the summary record and the report say once, at the end, gathered in one place. */
#ifndef LASTACK_SINK_RUN_VIEW_H
#define LASTACK_SINK_RUN_VIEW_H

#include "../event/sink.h"
#include "../event/dwell.h"
#include "problems.h"

struct run_view {
    const char *version;
    const struct run_summary *run;
    nanotime last; /* of the run, for the record's time */
    const struct input_summary *inputs;
    uint32_t input_count;
    struct dwell_summary dwell[DWELL_STATES];
    const struct problem *problems;
    uint32_t problem_count;
    uint64_t flows_left_out, events_left_out;
    const char *hosts; /* serialised list of host records */
    const char *paths; /* the same of path records */
    uint64_t paths_left_out;
};

/* Problems and what was left out start empty.  What view points to must outlive it. */
struct run_view run_view_make(const char *version, const struct run_summary *run,
                              struct dwell *dwell);

#endif
