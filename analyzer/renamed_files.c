/* renamed_files: see renamed_files.h. */
#include "renamed_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "messages.h"

enum { STAMP = sizeof ".20261120T150000.000000Z", MOST_OF_NAME = RENAMED_FILES_NAME - STAMP };

/* d stands for a digit. */
static const char form[STAMP] = ".ddddddddTdddddd.ddddddZ";

static void stamp(char text[STAMP])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(text, STAMP, ".%Y%m%dT%H%M%S", &utc);
    snprintf(text + used, STAMP - used, ".%06ldZ", now.tv_nsec / NANO_PER_MICRO % 1000000);
}

void renamed_files_name(const char *name, char ret_name[RENAMED_FILES_NAME])
{
    char mark[STAMP];
    stamp(mark);
    snprintf(ret_name, RENAMED_FILES_NAME, "%.*s%s", MOST_OF_NAME, name, mark);
}

/* The stamp in a name that renamed_files_name made of another; NULL: it did not. */
static const char *stamp_of(const char *renamed, const char *name)
{
    size_t length = strnlen(name, MOST_OF_NAME);
    if (strncmp(renamed, name, length) != 0 || strlen(renamed + length) != STAMP - 1)
        return NULL;
    for (size_t i = 0; form[i] != '\0'; i++) {
        char at = renamed[length + i];
        bool fits = form[i] == 'd' ? at >= '0' && at <= '9' : at == form[i];
        if (!fits)
            return NULL;
    }
    return renamed + length;
}

/*
 * Whether the file of stamp a is older than that of b.  What bears a time to come was written
 * before the clock was set back, and so before all that does not.
 */
static bool is_older(const char *a, const char *b, const char *now)
{
    bool a_to_come = strcmp(a, now) > 0, b_to_come = strcmp(b, now) > 0;
    return a_to_come != b_to_come ? a_to_come : strcmp(a, b) < 0;
}

/* Counts the renamed files; *ret_oldest is the first of them. */
static uint64_t count_renamed(int directory, const char *name, char ret_oldest[RENAMED_FILES_NAME])
{
    uint64_t count = 0;
    char now[STAMP];
    stamp(now);
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (list == NULL && fd >= 0)
        close(fd);
    for (const struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
        const char *mark = stamp_of(entry->d_name, name);
        if (mark == NULL)
            continue;
        if (count++ == 0 || is_older(mark, stamp_of(ret_oldest, name), now))
            snprintf(ret_oldest, RENAMED_FILES_NAME, "%s", entry->d_name);
    }
    if (list != NULL)
        closedir(list);
    return count;
}

void renamed_files_remove(int directory, const char *name, uint64_t keep)
{
    char oldest[RENAMED_FILES_NAME];
    while (keep > 0 && count_renamed(directory, name, oldest) > keep) {
        if (unlinkat(directory, oldest, 0) == 0)
            continue;
        message_print("%s: cannot be removed: %s", oldest, strerror(errno));
        return;
    }
}
