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

/* What comes before the body's content. */
struct html_head {
    const char *title;   /* beside lastack's name, from outside; NULL: none */
    const char *heading; /* of the page */
    bool has_problems;   /* there is a part of that name */
    bool is_live;        /* the script asks the place that the page came from for more */
};

/* Security policy, title, style, and links to the parts. */
void html_add_head(struct markup *markup, const struct html_head *head);

/* What is wrong, in one sentence, and what was read. */
void html_add_summary(struct markup *markup, const struct run_view *view, bool nano);

void html_add_endings(struct markup *markup, const struct html_counts *counts);
void html_add_dwell(struct markup *markup, const struct run_view *view);

/* What is not shown, or was not kept: never in silence. */
void html_add_left_out(struct markup *markup, const struct run_view *view,
                       const struct html_counts *counts);

/* The frames that the script fills, around the data: the report, the segments, and the script. */
void html_add_flows(struct markup *markup);
void html_add_report(struct markup *markup); /* the last of html_add_flows */
void html_add_segments(struct markup *markup);
void html_add_end(struct markup *markup, bool is_live);

#endif
