/*
 * memory_plan: what --max-memory is shared out to beside connections: the program itself, and what
 * its outputs hold until the end.  Where the limit is small, outputs hold less.
 */
#ifndef LASTACK_MEMORY_PLAN_H
#define LASTACK_MEMORY_PLAN_H

#include "options.h"

/* Of max_memory.  The numbers are for struct sink_options and the sink of concerned connections. */
struct memory_plan {
    uint64_t reserved;  /* octets, in all */
    uint32_t flows;     /* that the report holds */
    uint32_t ladders;   /* that a page, or a drawing of ladders, holds */
    bool aside;         /* another thread writes records to their file */
    uint32_t concerned; /* connections with problems that are remembered for a second reading */
};

struct memory_plan memory_plan_make(const struct options *options);

/* Says so when the limit is below what lastack needs for itself and cannot hold. */
void memory_plan_check(const struct options *options);

#endif
