/* tree: printing of a json-c tree, for documents that are small and made once. */
#ifndef LASTACK_SINK_TREE_H
#define LASTACK_SINK_TREE_H

#include <json-c/json_object.h>
#include <stdio.h>

#include "../base/status.h"

/* Indented, and ended by a line end.  STATUS_NO_MEMORY, STATUS_WRITE or STATUS_CLOSED. */
enum status tree_print(FILE *stream, struct json_object *root);

#endif
