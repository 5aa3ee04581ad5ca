/* reference: what lastack says of its own catalogue, as text and as JSON. */
#ifndef LASTACK_REFERENCE_H
#define LASTACK_REFERENCE_H

#include <stdbool.h>
#include <stdio.h>

/* --list-events: an event a line, then with notes a caveat a line. */
void reference_list(FILE *stream, bool notes);

/* The same as one JSON object, with all that the catalogue says: {"events":[...],"notes":[...]}. */
void reference_list_json(FILE *stream, bool notes);

/* --explain: one event or note in full.  False, with nothing written, when there is none such. */
bool reference_explain(FILE *stream, const char *id);

/* --version: the version, and what was built in. */
void reference_version(FILE *stream);

/* The id that a mistaken one is nearest to; NULL when none is near. */
const char *reference_nearest(const char *id);

#endif
