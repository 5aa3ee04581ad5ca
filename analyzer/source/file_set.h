/*
 * file_set: the names given, made into names of captures: patterns that the shell left alone and
 * directories are replaced by what they hold.
 */
#ifndef LASTACK_SOURCE_FILE_SET_H
#define LASTACK_SOURCE_FILE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/status.h"

struct file_set {
    char **names; /* owned, each, too */
    size_t count, room;
    char **notes; /* owned: a line each about what a directory holds, for who wants to know */
    size_t note_count, note_room;
};

/*
 * Expands the names; may_be_empty: a directory without captures is no failure.  Fails with
 * UNREADABLE or NO_MEMORY and a message.  The caller clears *set in either case.
 */
enum status file_set_expand(struct file_set *set, const char *const *names, size_t count,
                            bool may_be_empty, char *message);

/* Adds the captures of the directory that the set does not have yet; as above. */
enum status file_set_add_directory(struct file_set *set, const char *directory, bool may_be_empty,
                                   char *message);

bool file_is_directory(const char *name);
bool file_is_ordinary(const char *name);

void file_set_forget_notes(struct file_set *set);

void file_set_clear(struct file_set *set);

#endif
