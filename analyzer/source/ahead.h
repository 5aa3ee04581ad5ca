/*
 * ahead: an ordinary file, read in windows by whichever thread has nothing else to do.
 *
 * The thread that reads the file takes its windows in order.  One that another thread has read
 * comes with its packets found, and with what can be made of each while its octets are near; one
 * that nobody has begun it reads itself, so that it never waits for a thread that is busy.
 */
#ifndef LASTACK_SOURCE_AHEAD_H
#define LASTACK_SOURCE_AHEAD_H

#include "source.h"

enum { AHEAD_WINDOW = 256 * 1024 }; /* octets: they stay in a core's second cache */

struct ahead;

/* What whole records there are in some octets. */
struct ahead_walk {
    size_t count; /* packets that were noted */
    size_t noted; /* octets of their records */
    size_t whole; /* octets of all records that are whole, those of no packet noted included */
};

/* A file, or the rest of one, of which a window ends at each multiple of AHEAD_WINDOW. */
struct ahead_file {
    int fd;
    uint64_t from, to; /* octets of the file that there are */
    int link_type;
    const void *reader;
    /* Finds the records, the first of which begins there, and notes up to room packets; on any
     * thread. */
    struct ahead_walk (*walk)(const void *reader, const uint8_t *octets, size_t size, size_t room,
                              struct captured *ret_packets);
};

/* Octets that were read, behind the rest of the window before. */
struct ahead_window {
    uint8_t *octets;
    size_t size;
    size_t read;                    /* of them: without that rest */
    const struct captured *packets; /* from the first record on; their numbers have no meaning */
    struct ahead_walk walked;       /* count 0: nobody has noted any */
};

/* None is read ahead before ahead_allow().  NULL: memory ran out. */
struct ahead *ahead_new(void);

/* From now on other threads may call ahead_do(). */
void ahead_allow(struct ahead *ahead, const struct source_foresight *foresight);

/* Reads, or finds the packets of, a window; false: there is none to do it with.  Any thread. */
bool ahead_do(struct ahead *ahead);

/* Whether the file, which stays the caller's, is read in windows from now on; one at a time is. */
bool ahead_begin(struct ahead *ahead, const struct ahead_file *file);

/*
 * The next window, behind the rest of the one that was taken last, which has then no meaning any
 * more.  False: there is none, or the last one was short; that one stays.
 */
bool ahead_next(struct ahead *ahead, const uint8_t *rest, size_t size,
                struct ahead_window *ret_window);

/* No thread reads the file any more; what was taken last has no meaning. */
void ahead_end(struct ahead *ahead);

void ahead_free(struct ahead *ahead); /* accepts NULL */

#endif
