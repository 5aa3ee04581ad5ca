/*
 * history: the states of both sides of a connection, in the order in which they became known.
 *
 * An entry is 24 octets; a connection holds the first HISTORY_INLINE in place, more are allocated.
 * Past HISTORY_MAX entries of one side further ones are counted, not kept (RECORDS, flow).
 */
#ifndef LASTACK_TCP_HISTORY_H
#define LASTACK_TCP_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"
#include "names.h"

enum { HISTORY_INLINE = 11, HISTORY_MAX = 64 };

struct history_entry {
    nanotime t;         /* of the segment that moved the side, or the deadline */
    uint64_t state : 4; /* enum tcp_state */
    uint64_t fact : 4;  /* enum fact */
    uint64_t basis : 2; /* enum basis */
    uint64_t side : 1;
    uint64_t revoked : 1;
    uint64_t before : 4;  /* enum tcp_state the side left */
    uint64_t packet : 48; /* of that segment; 0 for a timer */
    uint64_t by : 48;     /* proof, or with revoked the packet that revoked it; 0 none */
    uint64_t crossed : 1; /* with revoked: the segments crossed, nothing was lost */
};

struct history {
    uint16_t count;         /* entries kept */
    uint16_t capacity : 15; /* of `more`, in entries */
    uint16_t starved : 1;   /* memory ran out: some of the dropped would have had their place */
    uint32_t dropped[2];
    struct history_entry first[HISTORY_INLINE];
    struct history_entry *more; /* entries from HISTORY_INLINE on; owned, NULL until needed */
};

/* Appends an entry where those in place are taken; as history_push(). */
int history_push_more(struct history *history, const struct history_entry *entry);

/* Appends an entry; returns its index, or -1 when it was counted as dropped. */
static inline int history_push(struct history *history, const struct history_entry *entry)
{
    if (history->count >= HISTORY_INLINE)
        return history_push_more(history, entry);
    history->first[history->count] = *entry;
    return history->count++;
}

static inline struct history_entry *history_at(struct history *history, int index)
{
    return index < HISTORY_INLINE ? &history->first[index] : &history->more[index - HISTORY_INLINE];
}

static inline const struct history_entry *history_peek(const struct history *history, int index)
{
    return index < HISTORY_INLINE ? &history->first[index] : &history->more[index - HISTORY_INLINE];
}

/* Index of the newest entry of a side that is not revoked, at or before `index`; -1: none. */
static inline int history_newest(const struct history *history, int side, int index)
{
    for (int i = index; i >= 0; i--) {
        const struct history_entry *entry = history_peek(history, i);
        if (entry->side == (unsigned)side && !entry->revoked)
            return i;
    }
    return -1;
}

/* Entries kept of a side. */
int history_count(const struct history *history, int side);

/* Leaves a history without entries. */
void history_clear(struct history *history);

#endif
