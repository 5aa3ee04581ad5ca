/*
 * emptying: what an ordinary file held is given back before it is written anew.
 *
 * Of gigabytes that takes as long as a good part of the analysis (ext4: 0.8 s for 4 GB), in which
 * whoever opens the file to empty it does nothing but wait for the disk.  So a large file is opened
 * as it is and emptied on a thread of its own; its first octets wait for that, which nearly always
 * is over when they come.  One that is empty is left alone: what was cut to nothing, ext4 writes to
 * the disk before it is closed (auto_da_alloc).
 */
#ifndef LASTACK_SINK_EMPTYING_H
#define LASTACK_SINK_EMPTYING_H

#include "../base/status.h"

struct emptying;

/*
 * Empties a file, or begins to: then there is something in *ret_emptying to wait for.  What is no
 * ordinary file stays as it is.  WRITE, with errno: it cannot be emptied.
 */
enum status emptying_begin(int file, struct emptying **ret_emptying);

/* Waits until the file is empty, and frees what was begun; accepts NULL.  WRITE as above. */
enum status emptying_end(struct emptying *emptying);

#endif
