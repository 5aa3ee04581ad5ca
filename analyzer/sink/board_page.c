/* board_page: the live page before anything is in it; a script that no browser has to ask for. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "html_parts.h"

/* The places that page/live.js fills, in the order in which they are read. */
static const char places[] =
    "<p id=\"live\" class=\"faint\" role=\"status\">Not connected yet.</p>\n"
    "<noscript><p>The live page needs scripts; lastack --html=FILE writes one that can be read "
    "without.</p></noscript>\n"
    "<section id=\"summary\" aria-label=\"in a sentence\"></section>\n"
    "<section id=\"now\" aria-label=\"connections now\"></section>\n"
    "<section id=\"problems\" aria-label=\"problems\"></section>\n"
    "<section id=\"events\" aria-label=\"newest events\"></section>\n"
    "<section id=\"endings\" aria-label=\"how they ended\"></section>\n"
    "<section id=\"hosts\"></section>\n"
    "<h2 id=\"connections\">Connections that ended</h2>\n"
    "<section id=\"flows\"></section>\n";

/* The shape of the report document, for what is drawn before one came. */
static const char no_report[] = "{\"live\":true,\"flows\":[],\"hosts\":[],\"problems\":[],"
                                "\"summary\":{\"left_out\":{\"flows\":0},\"dwell_times\":{}}}";

static const char no_segments[] = "{\"verdicts\":[],\"connections\":[],\"left_out\":0}";

enum status sink_board_page(const char *title, char **ret_text, size_t *ret_length)
{
    const struct html_head head = {
        .title = title,
        .heading = "How TCP connections end",
        .has_problems = true,
        .is_live = true,
    };
    struct markup markup = markup_make();
    html_add_head(&markup, &head);
    markup_add(&markup, "%s", places);
    html_add_report(&markup);
    markup_add(&markup, "%s", no_report);
    html_add_segments(&markup);
    markup_add(&markup, "%s", no_segments);
    html_add_end(&markup, true);
    char *text = markup.failed ? NULL : malloc((size_t)printbuf_length(markup.buffer));
    if (text != NULL) {
        *ret_length = (size_t)printbuf_length(markup.buffer);
        memcpy(text, markup.buffer->buf, *ret_length);
        *ret_text = text;
    }
    markup_clear(&markup);
    return text != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
