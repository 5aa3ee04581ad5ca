/* source_parts: what the files of source (source.h) share; for them alone. */
#ifndef LASTACK_SOURCE_SOURCE_PARTS_H
#define LASTACK_SOURCE_SOURCE_PARTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "follow.h"
#include "merge.h"
#include "source.h"

struct ahead;
struct filter;
struct live;

struct source {
    struct merge merge; /* the inputs, and where reading is */
    struct live *live;  /* then there is one input, for its counts */
    struct filter *filter;
    struct ahead *ahead; /* owned */
    struct follow follow;
    uint64_t count; /* 0: all */
    uint64_t packets;
    uint64_t lost; /* since the packet given last */
    uint64_t read; /* records, those that the filter takes away included */
    uint64_t bytes_total;
    int break_fd;
    atomic_bool is_broken;
};

#endif
