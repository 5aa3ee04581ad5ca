/* schema: the JSON Schema (draft 2020-12) of everything that lastack writes, from the field tables.
 */
#ifndef LASTACK_SINK_SCHEMA_H
#define LASTACK_SINK_SCHEMA_H

#include <stdio.h>

#include "../base/status.h"

/*
 * Prints the schema of one record and of the report: a document is valid when it is one of them.
 * Fails with STATUS_NO_MEMORY, STATUS_WRITE or STATUS_CLOSED.
 */
enum status sink_schema_print(FILE *stream);

#endif
