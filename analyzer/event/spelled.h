/*
 * spelled: a record's text, made ahead of time on the thread that made the record, for the one
 * output whose records it is in.
 */
#ifndef LASTACK_EVENT_SPELLED_H
#define LASTACK_EVENT_SPELLED_H

#include <stdbool.h>
#include <stddef.h>

struct flow_record;
struct sink;

struct spelled {
    const struct sink *reader; /* for whom; others make nothing of it */
    const char *text;          /* NULL: none, the reader makes its own */
    size_t length;
    bool is_line; /* its end is there, too, and counted */
};

/* Where a text may go: octets that are the speller's during a call, used or not. */
struct spelled_room {
    char *begin;
    size_t size;
};

enum {
    SPELLED_ROOM = 32 << 10 /* usually suffices: more than the text, as it is asked for ahead */
};

struct speller;

struct speller_ops {
    /* The text stands in the room where that suffices, else it is valid until the next call; none
     * where the reader leaves the record out.  false: memory ran out. */
    bool (*flow)(struct speller *speller, const struct flow_record *flow, struct spelled_room room,
                 struct spelled *ret_spelled);
    void (*free)(struct speller *speller); /* accepts NULL */
};

/* Of one sink, for one thread; ends before the sink does. */
struct speller {
    const struct speller_ops *ops;
};

#endif
