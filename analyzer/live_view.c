/* live_view: see live_view.h. */
#include "live_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "source/clock.h"

/* Keys are answered within this; what is new is shown within a second. */
static const nanotime key_interval = INT64_C(50) * NANO_PER_MILLI;
static const nanotime look_interval = INT64_C(1) * NANO_PER_SECOND;

enum status live_view_open(struct live_view *view, struct sink *sink, const struct options *options,
                           char *message)
{
    if (sink == NULL)
        return STATUS_OK;
    struct top_page *page = calloc(1, sizeof *page);
    if (page == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the terminal");
        return STATUS_NO_MEMORY;
    }
    enum status status = screen_open(&view->screen, message);
    if (status != STATUS_OK) {
        free(page);
        return status;
    }
    input_title(options, view->title);
    sink_top_name(sink, view->title);
    view->page = page;
    view->sink = sink;
    return STATUS_OK;
}

bool live_view_is_due(const struct live_view *view)
{
    return view->sink != NULL &&
           time_since(clock_now(CLOCK_MONOTONIC_COARSE), view->done) >= key_interval;
}

/* How things stand goes to the view alone, not to the other outputs. */
static void look(struct live_view *view)
{
    struct analyzer_inputs inputs = {.now = view->is_live ? clock_now(CLOCK_REALTIME) : 0};
    inputs.drops_known = source_drops(view->source, &inputs.drops_received, &inputs.drops_kernel,
                                      &inputs.drops_interface);
    analyzer_look(view->analyzer, &inputs, view->sink);
}

static void draw(struct live_view *view)
{
    screen_measure(view->screen, view->page);
    sink_top_page(view->sink, view->page);
    screen_draw(view->screen, view->page);
    view->drawn = view->done;
}

bool live_view_do(struct live_view *view)
{
    enum top_key key;
    bool pressed = false;
    view->done = clock_now(CLOCK_MONOTONIC);
    while ((key = screen_key(view->screen)) != TOP_NONE) {
        pressed = true;
        if (!sink_top_key(view->sink, key))
            return false;
    }
    bool is_time = time_since(view->done, view->looked) >= look_interval;
    if (is_time) {
        view->looked = view->done;
        look(view);
    }
    if (is_time || pressed)
        draw(view);
    return true;
}

void live_view_linger(struct live_view *view, struct interrupt *interrupt)
{
    const struct timespec moment = {.tv_nsec = key_interval};
    if (view->sink == NULL || interrupt_came(interrupt))
        return;
    sink_top_ended(view->sink);
    view->looked = INT64_MIN; /* now */
    while (live_view_do(view) && !interrupt_came(interrupt))
        nanosleep(&moment, NULL);
}

void live_view_abandon(const void *context)
{
    const struct live_view *view = context;
    if (view->screen != NULL)
        screen_abandon(view->screen);
}

void live_view_close(struct live_view *view)
{
    screen_close(view->screen);
    free(view->page);
    *view = (struct live_view){.sink = NULL};
}
