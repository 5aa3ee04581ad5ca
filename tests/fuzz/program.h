/*
 * program: the program lastack as a target runs it, in the same process: files in memory, and what
 * must hold of every end, whatever was read.
 */
#ifndef LASTACK_TESTS_PROGRAM_H
#define LASTACK_TESTS_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "run.h"

enum { PROGRAM_WORDS = 16, PROGRAM_NAME = 48 };

/* Octets of their own; the text of a file has one more behind them, which is zero. */
struct octets {
    uint8_t *at; /* owned */
    size_t count;
};

void octets_clear(struct octets *octets);

/* A file in memory, and the name under which this process opens it. */
struct memory_file {
    int descriptor;
    char name[PROGRAM_NAME];
};

struct memory_file memory_file_new(const void *octets, size_t count);
struct octets memory_file_read(const struct memory_file *file);
void memory_file_free(struct memory_file *file);

/* A capture, in the form that keeps nanoseconds, of packets from..until. */
struct memory_file memory_file_of_packets(const struct packets *packets, size_t from, size_t until);

/* A pipe that holds what one run writes. */
struct memory_pipe {
    int reading, writing;
    char name[PROGRAM_NAME];
};

struct memory_pipe memory_pipe_new(void);
struct octets memory_pipe_take(struct memory_pipe *pipe); /* and frees it */

/*
 * Runs `lastack WORDS...`, the last of which is NULL, and returns its exit status.  Claimed: the
 * status is one of the manual, and standard error has printable lines that say who speaks, one at
 * least where nothing was written.
 */
int program_run(const char *const *words);

/* Every line of the text is a whole one, and valid by the schema. */
void program_claim_lines(const struct octets *text);

#endif
