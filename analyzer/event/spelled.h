/*
 * spelled: a record's text, made ahead of time on the thread that made the record, for the one
 * output whose records it is in.
 */
#ifndef LASTACK_EVENT_SPELLED_H
#define LASTACK_EVENT_SPELLED_H

#include <stddef.h>

struct flow_record;
struct sink;

struct spelled {
    const struct sink *reader; /* for whom; others make nothing of it */
    const char *text;          /* NULL: none, the reader makes its own */
    size_t length;
};

struct speller;

struct speller_ops {
    /* The text is valid until the next call; none where the reader leaves the record out, or memory
     * ran out. */
    void (*flow)(struct speller *speller, const struct flow_record *flow,
                 struct spelled *ret_spelled);
    void (*free)(struct speller *speller); /* accepts NULL */
};

/* Of one sink, for one thread; ends before the sink does. */
struct speller {
    const struct speller_ops *ops;
};

#endif
