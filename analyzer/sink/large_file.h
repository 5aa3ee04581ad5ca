/*
 * large_file: the pages of a large file, written to the disk without a copy of them in memory.
 *
 * The kernel keeps what is written until it has to give the memory to somebody else.  For a file of
 * gigabytes that costs more than the text does: each page has to be found, and of a virtual machine
 * it is often one that the host must give first.  So whole pages of such a file go to the disk as
 * they are (O_DIRECT), through a descriptor of their own; what is no whole page is the caller's to
 * write.
 */
#ifndef LASTACK_SINK_LARGE_FILE_H
#define LASTACK_SINK_LARGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LARGE_FILE = 128 << 20, /* from this octet on; what is smaller is soon read again */
    LARGE_FILE_PAGE = 4096,
    LARGE_FILE_TEXTS = 8 /* that are written together at most */
};

/* One of texts that stand in a file one behind the other. */
struct large_text {
    const char *begin;
    size_t length;
};

struct large_file;

/* A second way into an ordinary file; NULL: there is none to be had, or the file is only appended
 * to, perhaps by others as well. */
struct large_file *large_file_open(int file);

/* Octets from a place of the file up to its next page. */
static inline size_t large_file_head(off_t at)
{
    return (size_t)(-at & (LARGE_FILE_PAGE - 1));
}

/* How far into a buffer a text is to begin, so that its pages are those of the file. */
static inline size_t large_file_begin(const char *buffer, off_t at)
{
    return ((size_t)at - (size_t)buffer) & (LARGE_FILE_PAGE - 1);
}

/*
 * Whether the next texts are better written this way than the ordinary one, through the system's
 * memory.  It costs hardly any time of a processor; but where whoever makes the texts is or was of
 * late waiting for them to be written (is_behind), the way is taken that was the quicker one: which
 * that is depends on the disk, and on whether memory is there or has to be found first.
 */
bool large_file_suits(struct large_file *large, bool is_behind);

/* A moment, in ns: how long writing takes is all that is asked of it. */
uint64_t large_file_moment(void);

/* So many octets went the ordinary way, from that moment on until now. */
void large_file_note_copied(struct large_file *large, size_t octets, uint64_t begun);

/*
 * Writes the whole pages of texts, the first of which goes to `at`, from the first page in it on.
 * Returns how many octets that were; fewer than there are where texts do not lie as pages do, or
 * the disk did not take them.
 */
size_t large_file_write(struct large_file *large, off_t at, const struct large_text *texts,
                        size_t count);

void large_file_close(struct large_file *large); /* accepts NULL */

#endif
