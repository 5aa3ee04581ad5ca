/*
 * live_view: `lastack top`: joins the sink that knows what is to be seen (sink/top.h) to the
 * terminal (screen.h), between packets, on the thread that reads.
 */
#ifndef LASTACK_LIVE_VIEW_H
#define LASTACK_LIVE_VIEW_H

#include <stdbool.h>

#include "analyzer.h"
#include "input_title.h"
#include "interrupt.h"
#include "options.h"
#include "screen.h"
#include "source/source.h"

struct live_view {
    char title[INPUT_TITLE];   /* from outside */
    struct sink *sink;         /* of sink_top_new, not owned; NULL: there is no view */
    struct screen *screen;     /* owned */
    struct top_page *page;     /* owned */
    struct analyzer *analyzer; /* none of these is owned */
    struct source *source;
    bool is_live;    /* the clock of its records is the host's */
    nanotime done;   /* on the monotonic clock: when keys were read last, */
    nanotime looked; /* when the analyzer was asked last, */
    nanotime drawn;  /* and when the page was drawn last */
};

/*
 * Opens the terminal for sink, titled by what options name; without a sink there is no view.  See
 * screen_open for failures, and for when: there must be rights to read the terminal's description.
 */
enum status live_view_open(struct live_view *view, struct sink *sink, const struct options *options,
                           char *message);

/* Whether it is time; cheap enough to be asked at every packet. */
bool live_view_is_due(const struct live_view *view);

/* Reads keys and draws; false: it is to end. */
bool live_view_do(struct live_view *view);

/* All has been read: shows it until a key, or a signal, ends that. */
void live_view_linger(struct live_view *view, struct interrupt *interrupt);

/* For who ends the program at once: puts the terminal back; context is the view. */
void live_view_abandon(const void *context);

/* The terminal is as it was; nothing happens when there is no view. */
void live_view_close(struct live_view *view);

#endif
