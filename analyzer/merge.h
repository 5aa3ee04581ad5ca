/* merge: the results of pieces of a capture that were analysed apart, as those of the whole. */
#ifndef LASTACK_MERGE_H
#define LASTACK_MERGE_H

#include "exit_status.h"
#include "options.h"

/* Reads the files that options name, in the order of the capture, and writes one NDJSON. */
enum exit_status merge_run(const struct options *options);

#endif
