/* savefile: one saved capture, opened by name, recognised by content, read packet by packet. */
#ifndef LASTACK_SOURCE_SAVEFILE_H
#define LASTACK_SOURCE_SAVEFILE_H

#include "reader.h"
#include "source.h"

struct savefile;

struct savefile_options {
    int break_fd;           /* readable when waiting should stop */
    bool follow;            /* wait for more at the end of an ordinary file */
    const bool *superseded; /* with follow: true once no more will come */
    struct ahead *ahead;    /* what reads an ordinary file ahead; NULL: nothing */
    bool *ended;            /* set once all of the file has been read; NULL: nobody asks */
};

/*
 * Opens name ("-": standard input) and reads its header.  break_fd becomes readable when waiting
 * for a pipe should stop.  Fails with NOT_FOUND, DENIED, UNREADABLE, USAGE (standard input is a
 * terminal) or NO_MEMORY and a message.
 */
enum status savefile_open(const char *name, int break_fd, struct savefile **ret_savefile,
                          char *message);
enum status savefile_open_with(const char *name, const struct savefile_options *options,
                               struct savefile **ret_savefile, char *message);

/* Whether name is no file yet, or an ordinary one whose header is not whole. */
bool savefile_must_await(const char *name, int break_fd);

const char *savefile_format(const struct savefile *savefile); /* "pcap", "pcapng", ...; static */
const char *savefile_compression(const struct savefile *savefile); /* NULL: none; static */
int savefile_link_type(const struct savefile *savefile);
bool savefile_can_reopen(const struct savefile *savefile);     /* no: standard input, pipes */
uint64_t savefile_size(const struct savefile *savefile);       /* octets as stored; 0: unknown */
uint64_t savefile_bytes_read(const struct savefile *savefile); /* of them */

/* The next packet, without input and input_packet; see reader.h. */
enum reader_result savefile_next(struct savefile *savefile, struct captured_packet *ret_packet,
                                 char *problem);

/* Packets after it that are in memory: how many; see reader.h. */
size_t savefile_more(struct savefile *savefile, struct run_wanted wanted,
                     struct packet_run *ret_run);

bool savefile_is_broken(const struct savefile *savefile); /* source_break was called */

/* What was counted beside packets so far; the caller frees ret_counts->interfaces. */
void savefile_counts(const struct savefile *savefile, struct source_counts *ret_counts);

void savefile_free(struct savefile *savefile); /* accepts NULL */

#endif
