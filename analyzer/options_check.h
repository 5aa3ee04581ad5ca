/*
 * options_check: what the command line may not ask for together.  Each returns OK, or USAGE with
 * message filled (MESSAGE_SIZE octets).
 */
#ifndef LASTACK_OPTIONS_CHECK_H
#define LASTACK_OPTIONS_CHECK_H

#include "options.h"

/* For an analysis, its words and its job taken. */
enum status options_check(const struct options *options, char *message);

/* For a merge: what is merged was chosen by the runs over the pieces. */
enum status options_check_merge(const struct options *options, char *message);

#endif
