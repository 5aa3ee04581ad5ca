/* selection: the filters of --level, --event and --flows. */
#include "selection.h"

static bool is_selected(const struct sink_options *options, enum event_id id)
{
    return !options->events || options->events[id];
}

bool selection_wants_event(const struct sink_options *options, enum level usual_level,
                           const struct event_record *event)
{
    enum level least = options->minimum_level ? options->minimum_level : usual_level;
    return event->level >= least && is_selected(options, event->id);
}

bool selection_is_problem(const struct sink_options *options, const struct flow_record *flow)
{
    for (uint32_t event = 0; event < flow->event_count; event++) {
        bool problem = flow->events[event] != EVENT_close_graceful;
        if (problem && is_selected(options, flow->events[event]))
            return true;
    }
    return false;
}

bool selection_wants_flow(const struct sink_options *options, enum flows_wanted usual,
                          const struct flow_record *flow)
{
    switch (options->flows == FLOWS_DEFAULT ? usual : options->flows) {
    case FLOWS_DEFAULT:
    case FLOWS_ALL:
        return true;
    case FLOWS_PROBLEMS:
        return selection_is_problem(options, flow);
    case FLOWS_NONE:
        return false;
    }
    return false;
}
