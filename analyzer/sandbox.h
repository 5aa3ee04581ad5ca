/* sandbox: what the kernel is asked to refuse this process from now on. */
#ifndef LASTACK_SANDBOX_H
#define LASTACK_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/*
 * Landlock: files can be opened below the directories only, and read below /sys (libpcap's third
 * counter is there); no TCP.  Needs no_new_privs.  Returns the version in force; 0: the kernel has
 * none.
 */
int sandbox_confine_files(const int *directories, size_t count);

/* What the filter is to let pass beside what every live capture needs. */
struct sandbox_needs {
    bool any_file; /* Landlock says which files may be opened */
    bool screen;   /* the modes of a terminal may be set */
    bool answers;  /* connections to a socket that listens already are taken, and answered */
};

/*
 * seccomp: a list of the system calls that are needed; the others fail with EPERM.  Where Landlock
 * is not in force, files are opened by names below open directories alone.  Returns whether it is
 * in force.
 */
bool sandbox_filter_calls(struct sandbox_needs needs);

/* Whether the filter was built in. */
bool sandbox_has_filter(void);

#endif
