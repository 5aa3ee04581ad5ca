/*
 * file_place: where an output file stands: its name, below a directory that is opened first.
 *
 * What is done by that directory goes on to work when rights are given up, as far as the new user
 * may write there.
 */
#ifndef LASTACK_FILE_PLACE_H
#define LASTACK_FILE_PLACE_H

#include "base/status.h"

struct file_place {
    const char *path; /* as it was given; not owned */
    const char *name; /* within the directory; of path */
    int directory;    /* -1: none is open */
};

/* Opens the directory of path, which must outlive the place.  Fails with WRITE or NO_MEMORY, and a
 * message (MESSAGE_SIZE octets); then there is nothing to be closed. */
enum status file_place_open(struct file_place *place, const char *path, char *message);

void file_place_close(struct file_place *place);

#endif
