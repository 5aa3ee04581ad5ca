/*
 * markup: a piece of an HTML page under construction.
 *
 * Text that is not lastack's own goes through markup_add_text, which lets nothing of it be markup.
 */
#ifndef LASTACK_SINK_MARKUP_H
#define LASTACK_SINK_MARKUP_H

#include <stdbool.h>

#include <json-c/printbuf.h>

#include "../base/status.h"
#include "output.h"

struct markup {
    struct printbuf *buffer; /* owned; NULL: out of memory */
    bool failed;             /* out of memory; the rest is left out */
};

struct markup markup_make(void);

/* Markup of our own, at most 2047 octets at once; arguments must not come from outside. */
void markup_add(struct markup *markup, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Any text at all, fit for an element and for an attribute in quotes.  What is malformed, controls
 * or turns the direction of writing becomes '?'.
 */
void markup_add_text(struct markup *markup, const char *text);

/* Writes what there is and empties it. */
enum status markup_write(struct markup *markup, struct output *output);

/*
 * Writes JSON as the content of a data block.  It has '<' in strings only; spelled as an escape,
 * nothing in it can end the element.
 */
enum status markup_write_data(struct output *output, const char *json, size_t length);

void markup_clear(struct markup *markup);

#endif
