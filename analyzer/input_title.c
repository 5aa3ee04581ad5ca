/* input_title: see input_title.h. */
#include "input_title.h"

#include <stdio.h>

void input_title(const struct options *options, char ret_title[INPUT_TITLE])
{
    bool is_live = options->interface_count > 0;
    size_t count = is_live ? options->interface_count : options->file_count;
    const char *first = is_live ? options->interfaces[0] : options->files[0];
    if (count > 1)
        snprintf(ret_title, INPUT_TITLE, "%.200s and %zu more", first, count - 1);
    else
        snprintf(ret_title, INPUT_TITLE, "%.200s", first);
}
