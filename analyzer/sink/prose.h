/*
 * prose: text for people: lines wrapped at a width, with a hanging indent, and nothing in them that
 * a terminal would obey but the colours that were asked for.
 */
#ifndef LASTACK_SINK_PROSE_H
#define LASTACK_SINK_PROSE_H

#include <stdbool.h>
#include <stddef.h>

enum prose_style { STYLE_PLAIN, STYLE_HEADING, STYLE_FAINT, STYLE_WARNING, STYLE_ERROR };

/* Zeroed but for columns and colour: empty. */
struct prose {
    char *text; /* owned; NULL while empty */
    size_t length, room;
    int columns;
    bool colour;
    bool failed; /* out of memory; the rest is left out */
};

/*
 * One paragraph: label, then text wrapped at the width, its further lines indented to where it
 * began.  label is padded to indent columns; style is the label's.
 */
void prose_paragraph(struct prose *prose, enum prose_style style, const char *label, int indent,
                     const char *text);

/* A line that stands alone. */
void prose_heading(struct prose *prose, const char *text);

void prose_blank_line(struct prose *prose);

/* Lines that another prose made, as they are. */
void prose_append(struct prose *prose, const char *lines);

void prose_clear(struct prose *prose);

#endif
