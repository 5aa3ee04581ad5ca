/*
 * input_report: what is said of the inputs once they are read: in every report, and on stderr.
 */
#ifndef LASTACK_INPUT_REPORT_H
#define LASTACK_INPUT_REPORT_H

#include "analyzer.h"
#include "exit_status.h"
#include "source/source.h"

/* Ends the analysis; every output gets its summary, with all inputs in it.  NO_MEMORY. */
enum status input_report_finish(struct source *source, struct analyzer *analyzer);

/*
 * Says which inputs are damaged, and when verbose what was read of each and where they leave time
 * out between them, or share it.  DAMAGED when one is, else DONE.
 */
enum exit_status input_report_say(const struct source *source, bool verbose);

#endif
