/* top_drawing: a page of the live view being filled: its lines, and how numbers and ends read. */
#ifndef LASTACK_SINK_TOP_DRAWING_H
#define LASTACK_SINK_TOP_DRAWING_H

#include "../base/text.h"
#include "line.h"
#include "top_book.h"

enum { TOP_COUNT_SIZE = 24 };

/* A page being filled. */
struct top_drawing {
    struct top_book *book;
    struct top_page *page;
    int row;  /* the next one */
    int last; /* the first one that is not for the view */
};

extern const enum top_style top_level_styles[]; /* by level; 0: none */

/* The next line of the page, empty; NULL: the view's rows are full. */
struct top_line *top_next_line(struct top_drawing *drawing, enum top_style style);

/* A line of its own, fit for a terminal and cut at the page's edge; NULL as above. */
struct top_line *top_put(struct top_drawing *drawing, enum top_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* At most seven characters: 1234567, 12345K, 12345M. */
const char *top_spell_count(char text[TOP_COUNT_SIZE], uint64_t count);

/* A second: one digit behind the point where there is room; nothing for none. */
const char *top_spell_rate(char text[TOP_COUNT_SIZE], double rate);

/* CLIENT > SERVER, with their ports. */
void top_spell_ends(struct line *line, const struct flow_identity *who);

/* The time of day in UTC, to the second; moment is one of the capture clock. */
void top_spell_clock(char text[TEXT_CLOCK + 1], nanotime moment);

#endif
