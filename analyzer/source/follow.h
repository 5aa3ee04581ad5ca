/* follow: what comes after the latest file: its successor by the same name, or in a directory. */
#ifndef LASTACK_SOURCE_FOLLOW_H
#define LASTACK_SOURCE_FOLLOW_H

#include <sys/types.h>

#include "file_set.h"
#include "source.h"

struct follow {
    bool on;
    bool superseded;                /* a later file is there: the one being followed gets no more */
    const char *const *directories; /* not owned */
    size_t directory_count;
    struct file_set known; /* all captures in them, once found */
    nanotime next_look;    /* on the monotonic clock */
    dev_t device;          /* of the file being followed */
    ino_t inode;
};

/* Fails with NO_MEMORY only, in the message. */
enum status follow_begin(struct follow *follow, const struct source_options *options,
                         char *message);

/*
 * Looks, at most four times a second, for captures that have appeared in the directories; the
 * first of their names in follow->known.names is at *ret_first.  Returns how many.
 */
size_t follow_look(struct follow *follow, size_t *ret_first);

/* Remembers which file the name means. */
void follow_mark(struct follow *follow, const char *name);

/* Whether the name means another file now, or the marked one with fewer octets than were read. */
bool follow_is_replaced(const struct follow *follow, const char *name, uint64_t octets_read);

void follow_clear(struct follow *follow);

#endif
