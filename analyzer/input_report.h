/*
 * input_report: what is said of the inputs once they are read: in every report, and on stderr.
 */
#ifndef LASTACK_INPUT_REPORT_H
#define LASTACK_INPUT_REPORT_H

#include "analyzer.h"
#include "exit_status.h"
#include "source/source.h"

struct chain;

/* The inputs of all runs of a chain, this one last; plain values for the summary. */
struct input_report {
    struct input_summary *inputs; /* owned */
    uint32_t count;
    struct interface_summary *interfaces; /* of this run's inputs; owned */
    bool drops_known;
    uint64_t drops[3]; /* received, by the kernel, by the interface */
};

/* before: what the earlier runs read; it must outlive *ret_report.  NO_MEMORY is the only failure.
 */
enum status input_report_make(struct source *const *sources, size_t source_count,
                              const struct chain *before, struct input_report *ret_report);
void input_report_clear(struct input_report *report);

/*
 * Ends the analysis; every output gets its summary, with the inputs of all sources in it: one, or
 * one a tap.  What the capture lost is asked of the first.  NO_MEMORY.
 */
enum status input_report_finish(struct source *const *sources, size_t source_count,
                                const struct chain *before, struct analyzer *analyzer);

/*
 * Says which inputs are damaged, and when verbose what was read of each and where they leave time
 * out between them, or share it.  DAMAGED when one is, else DONE.
 */
enum exit_status input_report_say(const struct source *source, bool verbose);

#endif
