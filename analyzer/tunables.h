/*
 * tunables: the rows of config.def by name, to be listed and set.
 *
 * A value is a whole number in the row's own unit, or one with a unit of the same kind: durations
 * take ns, us, ms, s, m, h and d; octets take K, M, G and T for powers of 1024.
 */
#ifndef LASTACK_TUNABLES_H
#define LASTACK_TUNABLES_H

#include <stdio.h>

#include "base/status.h"
#include "config.h"

/*
 * Sets one number.  Returns USAGE and fills message (MESSAGE_SIZE octets) with one line that names
 * the thing, the value, the limit, and what to type, when there is no such row, the word is no
 * value, or it is out of range.  `source` says where it was asked for, e.g. "--set".
 */
enum status tunables_set(struct config *config, const char *source, const char *name,
                         const char *word, char *message);

/* --list-config: a row a line, or as one JSON object; with the values of config. */
void tunables_list(FILE *stream, const struct config *config);
void tunables_list_json(FILE *stream, const struct config *config);

#endif
