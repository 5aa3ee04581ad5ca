/*
 * live_file: an output file that is written for weeks.
 *
 * What is written is always made of whole records, so the file can be exchanged between two writes:
 * after a signal (reopened by its name), or when it is large or old enough (renamed, and a new one
 * begun).  What cannot be written is kept, up to a limit, and tried again; that is said once when
 * it begins and once when it is over.
 *
 * Names are looked up below the file's directory only, which is opened first: it stays usable when
 * rights are given up, as far as the new user may write there.
 */
#ifndef LASTACK_LIVE_FILE_H
#define LASTACK_LIVE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/status.h"
#include "base/time.h"

struct live_file;

struct live_file_options {
    const char *path;     /* not owned, outlives the file */
    bool append;          /* go on behind what is there, on a line of its own */
    uint64_t rotate_size; /* octets after which it is renamed; 0: never */
    nanotime rotate_time; /* age after which it is; 0: never */
    uint64_t rotate_keep; /* how many renamed files stay; 0: all */
};

/* Opens the file, or makes it.  Fails with WRITE or NO_MEMORY, and a message. */
enum status live_file_open(const struct live_file_options *options, struct live_file **ret_file,
                           char *message);

/* What to write to; closing it ends the file, and fails when something is left unwritten. */
FILE *live_file_stream(struct live_file *file);

/* Its directory, to be allowed what the file needs. */
int live_file_directory(const struct live_file *file);

/* Gives the file to a user, who will go on with it, if it was made by live_file_open. */
void live_file_give(struct live_file *file, uid_t user, gid_t group);

/* Says so when renaming is asked for, and this user may not do it in the directory. */
void live_file_check_rights(const struct live_file *file);

/* Goes on in the file that has the name now. */
void live_file_reopen(struct live_file *file);

/* Tries again what could not be written, and renames a file that is old enough. */
void live_file_tick(struct live_file *file);

/* Whether something waits that could not be written. */
bool live_file_is_failing(const struct live_file *file);

/* After the stream was closed. */
void live_file_free(struct live_file *file); /* accepts NULL */

#endif
