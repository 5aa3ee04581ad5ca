/*
 * renamed_files: the files that an output leaves behind, each with the time in its name.
 *
 *     records.ndjson.20261120T150000.000000Z      names that sort as they came
 */
#ifndef LASTACK_RENAMED_FILES_H
#define LASTACK_RENAMED_FILES_H

#include <stdint.h>

enum { RENAMED_FILES_NAME = 256 }; /* octets, NUL included */

/* The lasting name of a file that is exchanged now.  What is too long of name is left out. */
void renamed_files_name(const char *name, char ret_name[RENAMED_FILES_NAME]);

/* Removes the oldest of name's until there are no more than keep; 0: all stay. */
void renamed_files_remove(int directory, const char *name, uint64_t keep);

#endif
