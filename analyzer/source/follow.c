/* follow: see follow.h. */
#include "follow.h"

#include <sys/stat.h>

#include "clock.h"

static const nanotime look_interval = INT64_C(250) * NANO_PER_MILLI;

enum status follow_begin(struct follow *follow, const struct source_options *options, char *message)
{
    *follow = (struct follow){
        .on = options->follow,
        .directories = options->directories,
        .directory_count = options->directory_count,
    };
    /* The captures given are known; those found in directories are among them. */
    for (size_t i = 0; follow->on && follow->directory_count > 0 && i < options->file_count; i++)
        if (file_set_expand(&follow->known, &options->files[i], 1, true, message) != STATUS_OK)
            return STATUS_NO_MEMORY;
    return STATUS_OK;
}

size_t follow_look(struct follow *follow, size_t *ret_first)
{
    char ignored[MESSAGE_SIZE];
    nanotime now = clock_now(CLOCK_MONOTONIC);
    *ret_first = follow->known.count;
    if (follow->directory_count == 0 || time_is_before(now, follow->next_look))
        return 0;
    follow->next_look = time_after(now, look_interval);
    for (size_t i = 0; i < follow->directory_count; i++)
        file_set_add_directory(&follow->known, follow->directories[i], true, ignored);
    file_set_forget_notes(&follow->known); /* what is no capture yet may be one next time */
    size_t found = follow->known.count - *ret_first;
    follow->superseded = follow->superseded || found > 0;
    return found;
}

void follow_mark(struct follow *follow, const char *name)
{
    struct stat named;
    if (stat(name, &named) != 0)
        return;
    follow->device = named.st_dev;
    follow->inode = named.st_ino;
}

bool follow_is_replaced(const struct follow *follow, const char *name, uint64_t octets_read)
{
    struct stat named;
    if (stat(name, &named) != 0)
        return false;
    return named.st_dev != follow->device || named.st_ino != follow->inode ||
           (uint64_t)named.st_size < octets_read;
}

void follow_clear(struct follow *follow)
{
    file_set_clear(&follow->known);
}
