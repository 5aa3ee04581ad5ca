/* page: style and script of the HTML page, made at build from the files beside it. */
#ifndef LASTACK_SINK_PAGE_PAGE_H
#define LASTACK_SINK_PAGE_PAGE_H

extern const char page_style[];
extern const char page_script[];
extern const char page_live[];    /* the script of the live page */
extern const char page_licence[]; /* uPlot's; empty: built without it */

#endif
