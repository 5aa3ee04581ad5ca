/* ladder_svg: a ladder as one SVG document, light or dark as its reader's screen is. */
#ifndef LASTACK_SINK_LADDER_SVG_H
#define LASTACK_SINK_LADDER_SVG_H

#include "ladder_rows.h"
#include "output.h"

/* Writes the document; for NULL one that says that no connection was found. */
enum status ladder_svg_write(struct output *output, const struct ladder *ladder, bool nano);

/*
 * The same as an element of class "ladder" in an HTML page, whose own style it takes (page.css),
 * and cut where it is long, which it says.
 */
enum status ladder_svg_write_inside(struct output *output, const struct ladder *ladder, bool nano);

#endif
