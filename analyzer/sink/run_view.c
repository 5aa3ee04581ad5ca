/* run_view: gathering. */
#include "run_view.h"

#include <stddef.h>

struct run_view run_view_make(const char *version, const struct run_summary *run,
                              struct dwell *dwell)
{
    struct run_view view = {
        .version = version,
        .run = run,
        .last = run->last,
        .inputs = run->inputs,
        .input_count = run->input_count,
        .hosts = "[]",
        .paths = "[]",
    };
    for (enum dwell_state state = 0; state < DWELL_STATES; state++)
        view.dwell[state] = dwell_summarise(dwell, state);
    return view;
}
