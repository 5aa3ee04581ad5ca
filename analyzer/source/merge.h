/* merge: packets of several saved files, by their times, with few of the files open at once. */
#ifndef LASTACK_SOURCE_MERGE_H
#define LASTACK_SOURCE_MERGE_H

#include "follow.h"
#include "savefile.h"
#include "source.h"

enum { MERGE_MOST = 64 }; /* files open at once */

/* One input, in reading order. */
struct input {
    struct source_input seen;  /* what callers may look at */
    uint32_t standpoint;       /* from 1, other than those of files open with it; 0: none yet */
    uint64_t numbers;          /* of its records: packets, and what is numbered with them */
    nanotime first_time;       /* INT64_MIN: no packets */
    uint64_t size;             /* octets as stored; 0: unknown */
    size_t place;              /* as given, from 0 */
    struct savefile *savefile; /* NULL: not open now */
    bool read_once;
    bool has_head; /* the next packet is read: */
    struct captured_packet head;
};

/*
 * Files before next are open or read to their end; those that are open stand in open[], in reading
 * order.  Invariant: no file from next on begins before the packet given out last, unless
 * open_limit files overlap.
 */
struct merge {
    struct input *inputs;
    size_t count;
    size_t next;
    uint32_t open[MERGE_MOST];
    uint32_t open_count;
    uint32_t open_limit;
    uint64_t bytes_before; /* of the files that are closed again */
    bool in_sequence;      /* one after the other, since some can be read only once */
    int break_fd;
    struct ahead *ahead;   /* not owned */
    struct follow *follow; /* not owned; the last file is followed when it is on */
};

/* How many files may be open, by this process's limit of descriptors. */
uint32_t merge_open_limit(void);

/*
 * The next packet, with input and input_packet; READER_IDLE or READER_END.  A file that cannot be
 * opened any more or is damaged says so in its input, and the others go on.
 */
enum reader_result merge_next(struct merge *merge, struct captured_packet *ret_packet);

/*
 * Packets that follow the one given out last and are in memory, when one file is open and the next
 * one does not begin before them: how many, up to room.  Fills of the run all but its count, of
 * its first what is no part of struct captured; numbers go on from `before`.  The data of that one
 * stays valid.
 */
size_t merge_next_run(struct merge *merge, uint64_t before, size_t room,
                      struct packet_run *ret_run);

/* Adds a file, to be read after all others.  NO_MEMORY is the only failure. */
enum status merge_append(struct merge *merge, const char *name);

/* Closes what is open; what was read of it is known all the same. */
void merge_stop(struct merge *merge);

/* Octets read so far, as stored. */
uint64_t merge_bytes_read(const struct merge *merge);

/* Closes the input's file, with what its reader counted kept; nothing if it is not open. */
void input_close(struct input *input);

void input_free(struct input *input); /* the same, and what was kept */

#endif
