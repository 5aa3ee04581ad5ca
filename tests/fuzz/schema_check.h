/* schema_check: whether a line of NDJSON is valid by the schema that lastack prints. */
#ifndef LASTACK_TESTS_SCHEMA_CHECK_H
#define LASTACK_TESTS_SCHEMA_CHECK_H

#include <stddef.h>

struct schema;

/* Reads the schema; ends the program without memory, or when the schema uses a keyword that this
 * check does not know.  Owned by the caller. */
struct schema *schema_new(void);

/* Ends the program with a claim when the line is not one record, valid by the schema. */
void schema_claim_line(const struct schema *schema, const char *line, size_t length);

void schema_free(struct schema *schema);

#endif
