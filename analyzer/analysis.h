/*
 * analysis: one run of the program: a source, an analyzer and its outputs, from opening them to
 * closing them.
 */
#ifndef LASTACK_ANALYSIS_H
#define LASTACK_ANALYSIS_H

#include "exit_status.h"
#include "options.h"

/*
 * Does what options ask for (its action is ACTION_ANALYSE); messages go to stderr.  With --segments
 * problems the inputs are read twice, the first time to find the connections that have problems.
 */
enum exit_status analysis_run(const struct options *options);

#endif
