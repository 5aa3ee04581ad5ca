/*
 * top: the live view, without its terminal: a sink that gathers what records tell, answers keys,
 * and gives a page of lines to be shown.  It deduces nothing.
 *
 * Besides what every sink gets it is to be handed, about once a second, a stats record and the host
 * records of that moment (analyzer_look).
 */
#ifndef LASTACK_SINK_TOP_H
#define LASTACK_SINK_TOP_H

#include "sinks.h"

enum top_key {
    TOP_NONE,
    TOP_QUIT,
    TOP_UP,
    TOP_DOWN,
    TOP_PAGE_UP,
    TOP_PAGE_DOWN,
    TOP_FIRST,
    TOP_LAST,
    TOP_OPEN, /* what is selected */
    TOP_BACK,
    TOP_NEXT_VIEW,
    TOP_OVERVIEW,
    TOP_CONNECTIONS,
    TOP_HOSTS,
    TOP_EVENTS,
    TOP_REDRAW /* the terminal's size changed, or its contents were disturbed */
};

enum top_style { TOP_PLAIN, TOP_HEADING, TOP_FAINT, TOP_NOTICE, TOP_WARNING, TOP_ERROR };

enum { TOP_LINE_SIZE = 1024, TOP_MOST_COLUMNS = 240, TOP_MOST_ROWS = 200 };

/* Printable characters, and of escape sequences those alone that ladder_text colours with. */
struct top_line {
    char text[TOP_LINE_SIZE];
    enum top_style style;
    bool selected;
};

struct top_page {
    int rows, columns;                   /* given; at most as above */
    bool utf8;                           /* given: lines may be drawn beyond ASCII */
    struct top_line line[TOP_MOST_ROWS]; /* the first `rows` are filled */
};

/* title: what is looked at, such as the interface; from outside.  Both are not owned. */
enum status sink_top_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink);
void sink_top_name(struct sink *sink, const char *title);

/* Nothing more comes: the view says so. */
void sink_top_ended(struct sink *sink);

/* Does what a key asks for; false: it asks to quit. */
bool sink_top_key(struct sink *sink, enum top_key key);

/* Fills the page; how far keys scroll goes by its size. */
void sink_top_page(struct sink *sink, struct top_page *page);

#endif
