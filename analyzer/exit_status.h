/* exit_status: what the program's exit status says. */
#ifndef LASTACK_EXIT_STATUS_H
#define LASTACK_EXIT_STATUS_H

#include "base/status.h"

/* Where several apply, the highest is the one. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_MATCHED = 1, /* --fail-on */
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 3, /* no report */
    EXIT_DAMAGED = 4,    /* a report that says where the input stopped */
    EXIT_UNWRITTEN = 5   /* an output is not complete */
};

enum exit_status exit_status_of(enum status status);

enum exit_status exit_worse_of(enum exit_status a, enum exit_status b);

/* Says on stderr why something could not be done; message is not needed for NO_MEMORY. */
enum exit_status exit_refuse(enum status status, const char *message);

#endif
