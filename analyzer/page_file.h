/*
 * page_file: an output file that is one page, put anew in the place of the old one.
 *
 * A reader sees the old page or the new one, never a part: the new one is written beside it and
 * renamed.  Where the user who goes on may not do that, the file is written over, which is said at
 * the start.  A page that cannot be written is said once; the next one is tried again.
 */
#ifndef LASTACK_PAGE_FILE_H
#define LASTACK_PAGE_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/status.h"

struct page_file;

/* Makes the file, empty, if it is not there.  Fails with WRITE or NO_MEMORY, and a message. */
enum status page_file_open(const char *path, struct page_file **ret_file, char *message);

/* What to write to, a page a write; closing it fails when the last page could not be written. */
FILE *page_file_stream(struct page_file *file);

/* Its directory, to be allowed what the file needs. */
int page_file_directory(const struct page_file *file);

/* Gives the file to a user, who will go on with it, if it was made by page_file_open. */
void page_file_give(struct page_file *file, uid_t user, gid_t group);

/* With the rights that stay: how the file will be written. */
void page_file_check_rights(struct page_file *file);

/* Whether the last page could not be written. */
bool page_file_is_failing(const struct page_file *file);

/* After the stream was closed. */
void page_file_free(struct page_file *file); /* accepts NULL */

#endif
