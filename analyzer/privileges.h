/*
 * privileges: what a live capture gives up once everything is open (doc/security.md).
 *
 * In this order: the user id and the groups, every capability, the way to new ones (no_new_privs),
 * files outside the outputs' directories (Landlock), every system call that is not needed
 * (seccomp). It must be done before there are threads: a new thread has what its maker has, another
 * one has not.
 */
#ifndef LASTACK_PRIVILEGES_H
#define LASTACK_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

enum { PRIVILEGES_DIRECTORIES = 16 };

struct privileges {
    const char *user; /* of -Z; NULL: an unprivileged account when this one is root */
    bool verbose;     /* say what was given up */
    bool has_screen;  /* the terminal's modes are set, and put back at the end */
    int directories[PRIVILEGES_DIRECTORIES]; /* descriptors of those that files are made in */
    size_t directory_count;
    bool answers; /* connections to a socket that listens already are taken */
    /* found by privileges_find_user: */
    bool changes_user;
    const char *name; /* static, or user */
    uid_t uid;
    gid_t gid;
};

/*
 * Finds the account to become.  USAGE, with a message, when there is none of that name, or when
 * only root may become it.
 */
enum status privileges_find_user(struct privileges *privileges, char *message);

/*
 * The user, the capabilities and the way to new ones alone, for a process that goes on to speak
 * with others.  DENIED, with a message.
 */
enum status privileges_become(const struct privileges *privileges, char *message);

/*
 * Gives it all up, for good.  DENIED, with a message, when that cannot be done: the caller does not
 * go on.  What the kernel or the build does not have (Landlock, seccomp) is left out.
 */
enum status privileges_give_up(const struct privileges *privileges, char *message);

#endif
