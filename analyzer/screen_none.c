/* screen_none: the program was built without ncurses. */
#include "screen.h"

#include <stddef.h>
#include <stdio.h>

enum status screen_open(struct screen **ret_screen, char *message)
{
    (void)ret_screen;
    snprintf(message, MESSAGE_SIZE,
             "top: this program was built without ncurses; install its development files "
             "(libncurses-dev) and build again, or write --ndjson --stats-interval 1");
    return STATUS_USAGE;
}

void screen_measure(const struct screen *screen, struct top_page *page)
{
    (void)screen;
    (void)page;
}

void screen_draw(struct screen *screen, const struct top_page *page)
{
    (void)screen;
    (void)page;
}

enum top_key screen_key(struct screen *screen)
{
    (void)screen;
    return TOP_QUIT;
}

void screen_abandon(const struct screen *screen)
{
    (void)screen;
}

void screen_close(struct screen *screen)
{
    (void)screen;
}
