/*
 * outputs: the sinks that were asked for, as one sink.
 *
 * What arrives is handed to every sink that still works.  One that fails is left out from then on
 * and remembered; the calls return a failure when none is left.  Finish also answers --fail-on, for
 * which the summary has the counts.
 */
#ifndef LASTACK_OUTPUTS_H
#define LASTACK_OUTPUTS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "event/sink.h"
#include "options.h"
#include "sink/chosen.h"
#include "sink/sinks.h"

struct outputs;

/*
 * Opens the files and makes the sinks of options.  Without any in options: the text summary when
 * standard output is a terminal, the JSON report when it is not.  With several inputs, packets are
 * named by their place in inputs, too; with taps (else NULL) by their tap.  All must outlive
 * *ret_outputs.
 *
 * Returns WRITE when a file cannot be made and USAGE when one is an input, with message filled
 * (MESSAGE_SIZE octets), or NO_MEMORY.
 */
enum status outputs_open(const struct options *options, const struct input_spans *inputs,
                         const struct tap_names *taps, struct outputs **ret_outputs, char *message);

/*
 * Makes a sink for a first run over the packets, which remembers the connections whose segments
 * --segments problems asks for; outputs own it, and write the segments of these alone.
 * NO_MEMORY is the only failure.
 */
enum status outputs_add_first_run(struct outputs *outputs, struct sink **ret_sink);

/*
 * With -w: which packets are to be written, and where; NULL without -w, or when that failed before.
 * The caller says with outputs_packets_written what came of it.
 */
struct chosen *outputs_chosen(struct outputs *outputs, FILE **ret_stream);
void outputs_packets_written(struct outputs *outputs, enum status status);

/* The sink of the live view; NULL: none was asked for.  Owned by outputs. */
struct sink *outputs_view(const struct outputs *outputs);
/* The same for the sink of the page that browsers look at; it goes on after outputs_close. */
struct sink *outputs_board(const struct outputs *outputs);

/*
 * Carries what the outputs gather until the end (struct chain): written, in the place of finish;
 * read, before the first record.  USAGE, with a message to be put behind the state's name, when it
 * was written with other options for what is gathered.
 */
enum status outputs_carry(struct outputs *outputs, struct carry *carry, char *message);

/* Whether only the calls of its sink reach the outputs until outputs_close(), but for
 * outputs_alive(): none has a page, a view or a broker to serve. */
bool outputs_stand_alone(const struct outputs *outputs);

/* The sink that stands for all; owned by outputs, its free operation does nothing. */
struct sink *outputs_sink(struct outputs *outputs);

/* Live: the directories of the files, in at most `room` descriptors; returns how many there are. */
size_t outputs_directories(const struct outputs *outputs, int *ret_directories, size_t room);

/* Live: files that were made now are given to the user who goes on with them. */
void outputs_give(struct outputs *outputs, uid_t user, gid_t group);

/* Live, with the rights that stay: says which files cannot be renamed or begun anew. */
void outputs_check_rights(const struct outputs *outputs);

/* Whether one of them answers connections, which must then be allowed. */
bool outputs_answer(const struct outputs *outputs);

/* Begins to answer; after rights are given up, as it makes threads. */
enum status outputs_begin(struct outputs *outputs, char *message);

/* Whether a page is wanted, for which a stats record is needed; says that the analysis lives. */
bool outputs_want_page(struct outputs *outputs);

/* The stats records that follow are for pages alone, or for all. */
void outputs_choose_stats(struct outputs *outputs, bool for_all);

/* Whether there are pages at all. */
bool outputs_have_pages(const struct outputs *outputs);

/* Live: tries again what could not be written, and renames files that are old enough. */
void outputs_tick(struct outputs *outputs);

/* Live: goes on in the files that have the outputs' names now.  Flush the sink before. */
void outputs_reopen(struct outputs *outputs);

/* False when every output has failed, so that going on is of no use. */
bool outputs_alive(const struct outputs *outputs);

/* After finish: whether an event that --fail-on names was found. */
bool outputs_matched(const struct outputs *outputs);

/*
 * Closes the files and says on stderr which could not be written, a line each, and whether segments
 * are missing for want of room.  Returns WRITE when a file could not be written; a reader that went
 * away (EPIPE) is none.
 */
enum status outputs_close(struct outputs *outputs);

void outputs_free(struct outputs *outputs); /* accepts NULL */

#endif
