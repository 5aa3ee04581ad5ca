/*
 * page_output: an output that is one page, written anew as things change: into a file, or for
 * whoever asks over HTTP.
 */
#ifndef LASTACK_PAGE_OUTPUT_H
#define LASTACK_PAGE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/time.h"
#include "options.h"

struct page_output;

/* Whether a kind of output is one of these. */
bool page_output_is(enum output_kind kind);

/*
 * Opens the file, or listens; patience is how long the analysis may give no sign of life.  Fails
 * with WRITE, USAGE or NO_MEMORY, and a message.
 */
enum status page_output_open(const struct output *output, nanotime patience,
                             struct page_output **ret_page, char *message);

/* What to write to, a page a write. */
FILE *page_output_stream(struct page_output *page);

/* Its directory, to be allowed what it needs; -1: none. */
int page_output_directory(const struct page_output *page);

/* Whether it answers connections, which must then be allowed. */
bool page_output_answers(const struct page_output *page);

/* Its file is given to the user who goes on with it, if it was made by opening it. */
void page_output_give(struct page_output *page, uid_t user, gid_t group);

/* With the rights that stay. */
void page_output_check_rights(struct page_output *page);

/* Begins to answer, where it does. */
enum status page_output_begin(struct page_output *page, char *message);

/* Whether a new page is wanted: somebody waits for it, or that in the file is old. */
bool page_output_is_due(struct page_output *page);

/* A page was written. */
void page_output_note_page(struct page_output *page);

/* At any time: the analysis lives; is_well: and all outputs can be written. */
void page_output_sign(struct page_output *page, bool is_well);

/* Whether its file could not be written the last time. */
bool page_output_is_failing(const struct page_output *page);

/* After the stream was closed. */
void page_output_free(struct page_output *page); /* accepts NULL */

#endif
