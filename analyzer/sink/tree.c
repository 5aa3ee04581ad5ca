/* tree: json-c escapes '/' unless told not to. */
#include "tree.h"

#include "output.h"

enum status tree_print(FILE *stream, struct json_object *root)
{
    int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
    size_t length;
    const char *text = json_object_to_json_string_length(root, flags, &length);
    if (!text)
        return STATUS_NO_MEMORY;
    enum status status = output_print(stream, text, length);
    return status == STATUS_OK ? output_print(stream, "\n", 1) : status;
}
