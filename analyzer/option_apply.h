/* option_apply: what each option does to struct options. */
#ifndef LASTACK_OPTION_APPLY_H
#define LASTACK_OPTION_APPLY_H

#include "options.h"

/*
 * Applies one option; argument is NULL when it has none.  On failure returns USAGE with message
 * filled, or NO_MEMORY.
 */
enum status option_apply(struct options *options, enum option_id id, const char *argument,
                         char *message);

/* Takes ownership of filter, also on failure: USAGE when there is one already, NO_MEMORY for NULL.
 */
enum status option_set_filter(struct options *options, char *filter, char *message);

/* Fills message and returns USAGE, so that a check ends with "return option_refuse(...)". */
enum status option_refuse(char *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
