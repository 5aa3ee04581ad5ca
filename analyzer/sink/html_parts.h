/* html_parts: the parts of the HTML page that say what the whole capture holds. */
#ifndef LASTACK_SINK_HTML_PARTS_H
#define LASTACK_SINK_HTML_PARTS_H

#include "markup.h"
#include "run_view.h"

enum { ENDING_FIRST = 4 }; /* enum initiator */

/* What is counted for the page alone. */
struct html_counts {
    uint64_t ended[CLOSE_KINDS][ENDING_FIRST]; /* connections, by who closed first */
    uint32_t problems_shown, ladders_shown;
    uint64_t problems_without_ladder, segments_without_room, hosts_left_out;
};

/* Everything before the body's content: security policy, title, style. */
void html_add_head(struct markup *markup, const struct run_view *view);

/* What is wrong, in one sentence, and what was read. */
void html_add_summary(struct markup *markup, const struct run_view *view, bool nano);

void html_add_endings(struct markup *markup, const struct html_counts *counts);
void html_add_dwell(struct markup *markup, const struct run_view *view);

/* What is not shown, or was not kept: never in silence. */
void html_add_left_out(struct markup *markup, const struct run_view *view,
                       const struct html_counts *counts);

/* The frames that the script fills, around the data: the report, the segments, and the script. */
void html_add_flows(struct markup *markup);
void html_add_segments(struct markup *markup);
void html_add_end(struct markup *markup);

#endif
