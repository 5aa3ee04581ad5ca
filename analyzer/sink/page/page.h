/* page: style and script of the HTML page, made at build from page.css and page.js. */
#ifndef LASTACK_SINK_PAGE_PAGE_H
#define LASTACK_SINK_PAGE_PAGE_H

extern const char page_style[];
extern const char page_script[];

#endif
