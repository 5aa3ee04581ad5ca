/*
 * progress: how far reading has come, on a terminal.
 *
 * One line on standard error, rewritten at most five times a second, wiped at the end.
 */
#ifndef LASTACK_PROGRESS_H
#define LASTACK_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum { PROGRESS_LINE = 128 }; /* octets of a line, NUL included */

struct progress {
    bool wanted;      /* standard error is a terminal */
    bool shown;       /* a line stands there */
    nanotime began;   /* on the monotonic clock */
    nanotime redrawn; /* when the line was last written */
    uint32_t skipped; /* calls since the clock was last read */
};

/* What a line is made of. */
struct progress_state {
    uint64_t bytes_read;
    uint64_t bytes_total; /* 0: unknown */
    uint64_t packets;
    nanotime elapsed;
};

struct progress progress_begin(bool wanted);

/* True when it is time to draw; cheap enough to be asked for every packet. */
bool progress_is_due(struct progress *progress);

/* Rewrites the line; state->elapsed is filled in here. */
void progress_draw(struct progress *progress, struct progress_state state);

/* Wipes the line, so that what follows starts at the left margin. */
void progress_end(struct progress *progress);

/*
 * Writes a line into text (PROGRESS_LINE octets), e.g.
 * " 42 % [########            ] 1200000 packets, 210 MB/s, 12 s left".
 */
void progress_format(const struct progress_state *state, char *text);

#endif
