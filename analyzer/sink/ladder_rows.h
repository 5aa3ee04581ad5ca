/*
 * ladder_rows: a ladder as an array of rows, top to bottom: what every painter of ladders paints.
 *
 * Everything is decided here: what is folded, where an incarnation begins, which state is presumed
 * and which one turned out wrong.  A painter only knows its medium.
 */
#ifndef LASTACK_SINK_LADDER_ROWS_H
#define LASTACK_SINK_LADDER_ROWS_H

#include "ladder_book.h"

enum ladder_row_kind {
    LADDER_LIFE,    /* an incarnation begins: words */
    LADDER_SEGMENT, /* an arrow: from, flags, words, both states */
    LADDER_FOLD,    /* segments left out: words */
    LADDER_TIMER,   /* a deadline moved a side (from): words, both states */
    LADDER_REMARK,  /* what was made of the segment above: words */
    LADDER_SAID,    /* an event about the segment above: level, words */
    LADDER_END      /* what is left when the capture ends: words */
};

struct ladder_state {
    enum tcp_state state;
    bool presumed; /* nothing proves it */
    bool revoked;  /* a later packet showed that it never was */
};

struct ladder_row {
    enum ladder_row_kind kind;
    nanotime t;      /* since the ladder's first segment; NANOTIME_UNKNOWN: none */
    uint64_t packet; /* 0: none */
    int from;
    bool marked;         /* an event names the packet */
    bool taps;           /* between two taps: */
    uint64_t at[2];      /* its numbers there; [LEFT], [RIGHT]; 0: not seen there */
    enum path_fate fate; /* LOST: the arrow dies on the way; INJECTED: it begins there */
    bool held;
    bool stateless; /* the tap that states are deduced from did not see it */
    enum level level;
    struct ladder_state after[2]; /* LADDER_SEGMENT and LADDER_TIMER; [LEFT], [RIGHT] */
    char words[320];
};

/* Its segment was lost between the taps; or it was made there, or copied. */
bool ladder_row_dies(const struct ladder_row *row);
bool ladder_row_is_born_late(const struct ladder_row *row);

struct ladder_rows {
    struct ladder_row *rows; /* owned */
    size_t count, room;
    uint32_t newest;    /* index of the latest incarnation that a row is of */
    enum status status; /* NO_MEMORY: rows are missing */
};

struct ladder_rows ladder_rows_make(const struct ladder *ladder);
void ladder_rows_clear(struct ladder_rows *rows);

/* "10.0.0.1:40000", or "[2001:db8::1]:443"; out holds LADDER_END_NAME octets. */
enum { LADDER_END_NAME = 64 };
void ladder_name_end(const struct ladder *ladder, int side, char *out);

#endif
