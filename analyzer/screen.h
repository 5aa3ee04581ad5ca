/*
 * screen: the terminal that the live view is drawn on.  The only part that knows ncurses; without
 * it (screen_none.c) there is none.
 */
#ifndef LASTACK_SCREEN_H
#define LASTACK_SCREEN_H

#include "base/status.h"
#include "sink/top.h"

struct screen;

/*
 * Finds out about the terminal on standard output; the terminal stays as it is until the first
 * screen_draw.  Keys come from standard input, or from the terminal when packets come from there.
 * USAGE, with a message: there is none, or it cannot be drawn on.  Call it before rights go, and
 * before there are threads.
 */
enum status screen_open(struct screen **ret_screen, char *message);

/* The page's size and what can be drawn on it. */
void screen_measure(const struct screen *screen, struct top_page *page);

void screen_draw(struct screen *screen, const struct top_page *page);

/* The next key that was pressed; TOP_NONE: none was.  A terminal that went away quits. */
enum top_key screen_key(struct screen *screen);

/* For who ends the program at once, from any thread: the terminal as it was. */
void screen_abandon(const struct screen *screen);

/* The terminal is as it was; accepts NULL. */
void screen_close(struct screen *screen);

#endif
