/* html_problem: a problem as an element of the HTML page that opens to all that is known of it. */
#ifndef LASTACK_SINK_HTML_PROBLEM_H
#define LASTACK_SINK_HTML_PROBLEM_H

#include "markup.h"
#include "problems.h"
#include "sinks.h"

/* What an event says: explanation, remedy, evidence, display filter. */
void html_add_example(struct markup *markup, const struct event_record *event,
                      const struct sink_options *options);

/* The problem's element up to where its example goes; html_end_problem ends it. */
void html_begin_problem(struct markup *markup, const struct problem *problem, bool nano);
void html_end_problem(struct markup *markup);

/* "10.0.0.1 to 10.0.0.2 port 443" */
void html_add_where(struct markup *markup, const struct problem *problem);

#endif
