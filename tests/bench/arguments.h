/* arguments: the command line of generate. */
#ifndef LASTACK_BENCH_ARGUMENTS_H
#define LASTACK_BENCH_ARGUMENTS_H

#include <stdbool.h>

#include "workload.h"

struct arguments {
    const struct workload *workload;
    struct amounts amounts; /* the workload's, with what the command line changes */
    const char *file;       /* NULL: standard output */
};

/* False when the line is wrong or asks for help only; what is to be said has been said. */
bool arguments_read(int argc, char **argv, struct arguments *ret_arguments);

#endif
