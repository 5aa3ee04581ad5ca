/* selection: which records a sink was asked for. */
#ifndef LASTACK_SINK_SELECTION_H
#define LASTACK_SINK_SELECTION_H

#include "sinks.h"

/* Whether the event is of a selected id and of the level asked for, or usual_level where none was.
 */
bool selection_wants_event(const struct sink_options *options, enum level usual_level,
                           const struct event_record *event);

/* Whether the flow is wanted; usual stands for FLOWS_DEFAULT. */
bool selection_wants_flow(const struct sink_options *options, enum flows_wanted usual,
                          const struct flow_record *flow);

/* Whether the flow names a selected event, other than a graceful close. */
bool selection_is_problem(const struct sink_options *options, const struct flow_record *flow);

#endif
