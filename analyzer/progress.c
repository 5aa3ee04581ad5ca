/* progress: see progress.h. */
#include "progress.h"

#include <stdio.h>

#include "source/clock.h"

enum {
    BAR_WIDTH = 20,
    CALLS_PER_LOOK = 256, /* the clock costs more than a packet: look at it this seldom */
};

static const nanotime redraw_interval = NANO_PER_SECOND / 5;

struct progress progress_begin(bool wanted)
{
    nanotime now = wanted ? clock_now(CLOCK_MONOTONIC) : 0;
    return (struct progress){.wanted = wanted, .began = now, .redrawn = now};
}

bool progress_is_due(struct progress *progress)
{
    if (!progress->wanted || ++progress->skipped < CALLS_PER_LOOK)
        return false;
    progress->skipped = 0;
    return time_since(clock_now(CLOCK_MONOTONIC), progress->redrawn) >= redraw_interval;
}

void progress_draw(struct progress *progress, struct progress_state state)
{
    char text[PROGRESS_LINE];
    progress->redrawn = clock_now(CLOCK_MONOTONIC);
    progress->shown = true;
    state.elapsed = time_since(progress->redrawn, progress->began);
    progress_format(&state, text);
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

void progress_format(const struct progress_state *state, char *text)
{
    double seconds = (double)state->elapsed / NANO_PER_SECOND;
    double rate = seconds > 0 ? (double)state->bytes_read / seconds : 0;
    unsigned long long packets = state->packets;
    if (state->bytes_total == 0) {
        snprintf(text, PROGRESS_LINE, "%llu packets, %.0f MB/s", packets, rate / 1e6);
        return;
    }
    double share = (double)state->bytes_read / (double)state->bytes_total;
    if (share > 1) /* a file that grows while it is read */
        share = 1;
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : ' ';
    bar[BAR_WIDTH] = '\0';
    double left = share > 0 ? seconds / share - seconds : 0;
    snprintf(text, PROGRESS_LINE, "%3d %% [%s] %llu packets, %.0f MB/s, %.0f s left",
             (int)(share * 100), bar, packets, rate / 1e6, left);
}
