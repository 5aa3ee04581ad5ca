/* file_set: see file_set.h.  A directory is not descended into; hidden files are left alone. */
#include "file_set.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "escape.h"
#include "savefile.h"

enum { FIRST_ROOM = 16 };

static enum status refuse_memory(char *message)
{
    snprintf(message, MESSAGE_SIZE, "out of memory while listing the captures");
    return STATUS_NO_MEMORY;
}

/* Puts a copy of the text at the list's end. */
static bool list_add(char ***list, size_t *count, size_t *room, const char *text)
{
    if (*count == *room) {
        size_t larger = *room == 0 ? FIRST_ROOM : *room * 2;
        char **grown = realloc(*list, larger * sizeof *grown);
        if (grown == NULL)
            return false;
        *list = grown;
        *room = larger;
    }
    (*list)[*count] = strdup(text);
    return (*list)[*count] != NULL && ++*count > 0;
}

static bool set_add(struct file_set *set, const char *name)
{
    return list_add(&set->names, &set->count, &set->room, name);
}

static bool set_note(struct file_set *set, const char *note)
{
    return list_add(&set->notes, &set->note_count, &set->note_room, note);
}

static bool set_has(const struct file_set *set, const char *name)
{
    for (size_t i = set->count; i > 0; i--)
        if (strcmp(set->names[i - 1], name) == 0)
            return true;
    return false;
}

bool file_is_directory(const char *name)
{
    struct stat stat_of;
    return strcmp(name, "-") != 0 && stat(name, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
}

bool file_is_ordinary(const char *name)
{
    struct stat stat_of;
    return strcmp(name, "-") != 0 && stat(name, &stat_of) == 0 && S_ISREG(stat_of.st_mode);
}

static bool is_candidate(const struct file_set *set, const char *path)
{
    struct stat stat_of;
    return stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode) && !set_has(set, path);
}

/* Adds the file if it is a capture, else says why not. */
static bool add_if_capture(struct file_set *set, const char *path)
{
    char message[MESSAGE_SIZE] = "";
    char note[MESSAGE_SIZE + 32];
    struct savefile *savefile = NULL;
    if (savefile_open(path, -1, &savefile, message) == STATUS_OK) {
        savefile_free(savefile);
        return set_add(set, path);
    }
    snprintf(note, sizeof note, "left out: %s", message);
    return set_note(set, note);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool add_entries(struct file_set *set, const char *directory, struct dirent **entries,
                        int count)
{
    size_t length = strlen(directory);
    const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s%s%s", directory, slash, entries[i]->d_name) < 0)
            return false;
        bool added = !is_candidate(set, path) || add_if_capture(set, path);
        free(path);
        if (!added)
            return false;
    }
    return true;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

static bool note_directory(struct file_set *set, const char *shown, size_t before)
{
    char note[ESCAPE_NAME_SIZE + 64];
    snprintf(note, sizeof note, "%s: %zu captures in this directory", shown, set->count - before);
    return set_note(set, note);
}

enum status file_set_add_directory(struct file_set *set, const char *directory, bool may_be_empty,
                                   char *message)
{
    struct dirent **entries = NULL;
    char shown[ESCAPE_NAME_SIZE];
    size_t before = set->count;
    escape_name(directory, shown, sizeof shown);
    int count = scandir(directory, &entries, visible, alphasort);
    if (count < 0) {
        snprintf(message, MESSAGE_SIZE, "%s: this directory cannot be read; type: ls -ld DIRECTORY",
                 shown);
        return STATUS_UNREADABLE;
    }
    bool added = add_entries(set, directory, entries, count);
    free_entries(entries, count);
    if (!added)
        return refuse_memory(message);
    if (set->count == before && !may_be_empty) {
        snprintf(message, MESSAGE_SIZE,
                 "%s: a directory without a capture in it (%d files of other kinds); name the "
                 "captures: lastack FILE...",
                 shown, count);
        return STATUS_UNREADABLE;
    }
    if (!may_be_empty && !note_directory(set, shown, before))
        return refuse_memory(message);
    return STATUS_OK;
}

static bool looks_like_pattern(const char *name)
{
    struct stat stat_of;
    return strcmp(name, "-") != 0 && strpbrk(name, "*?[") != NULL && lstat(name, &stat_of) != 0;
}

/* The files that the pattern means; itself where there are none, so that opening it says so. */
static enum status add_pattern(struct file_set *set, const char *pattern, char *message)
{
    glob_t found = {0};
    int result = glob(pattern, 0, NULL, &found);
    bool added = true;
    for (size_t i = 0; result == 0 && i < found.gl_pathc && added; i++)
        added = file_is_directory(found.gl_pathv[i]) || set_add(set, found.gl_pathv[i]);
    if (result != 0)
        added = result != GLOB_NOSPACE && set_add(set, pattern);
    globfree(&found);
    return added ? STATUS_OK : refuse_memory(message);
}

enum status file_set_expand(struct file_set *set, const char *const *names, size_t count,
                            bool may_be_empty, char *message)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = STATUS_OK;
        if (looks_like_pattern(names[i]))
            status = add_pattern(set, names[i], message);
        else if (file_is_directory(names[i]))
            status = file_set_add_directory(set, names[i], may_be_empty, message);
        else if (!set_add(set, names[i]))
            status = refuse_memory(message);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void file_set_forget_notes(struct file_set *set)
{
    for (size_t i = 0; i < set->note_count; i++)
        free(set->notes[i]);
    set->note_count = 0;
}

void file_set_clear(struct file_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->names[i]);
    file_set_forget_notes(set);
    free(set->names);
    free(set->notes);
    *set = (struct file_set){0};
}
