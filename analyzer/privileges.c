/* privileges: see privileges.h. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_LIBCAP_NG
#include <cap-ng.h>
#else
#include <linux/capability.h>
#endif

#include "messages.h"
#include "sandbox.h"

/* Accounts that nobody logs in with; the first that there is serves. */
static const char *const accounts[] = {"lastack", "tcpdump", "nobody"};

static enum status take_account(struct privileges *privileges, const struct passwd *account,
                                const char *name)
{
    privileges->changes_user = true;
    privileges->name = name;
    privileges->uid = account->pw_uid;
    privileges->gid = account->pw_gid;
    return STATUS_OK;
}

static enum status find_named(struct privileges *privileges, char *message)
{
    const struct passwd *account = getpwnam(privileges->user);
    if (account == NULL) {
        snprintf(message, MESSAGE_SIZE,
                 "-Z %.64s: there is no such user; see which there are: getent passwd",
                 privileges->user);
        return STATUS_USAGE;
    }
    if (geteuid() != 0 && account->pw_uid != geteuid()) {
        snprintf(message, MESSAGE_SIZE,
                 "-Z %.64s: only root can become another user; leave -Z out, or begin with sudo",
                 privileges->user);
        return STATUS_USAGE;
    }
    return geteuid() == 0 ? take_account(privileges, account, privileges->user) : STATUS_OK;
}

enum status privileges_find_user(struct privileges *privileges, char *message)
{
    if (privileges->user != NULL)
        return find_named(privileges, message);
    for (size_t i = 0; geteuid() == 0 && i < sizeof accounts / sizeof accounts[0]; i++) {
        const struct passwd *account = getpwnam(accounts[i]);
        if (account != NULL && account->pw_uid != 0)
            return take_account(privileges, account, accounts[i]);
    }
    if (geteuid() != 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE,
             "no unprivileged account to run as; name one with -Z USER, or -Z root to stay root");
    return STATUS_USAGE;
}

#ifdef HAVE_LIBCAP_NG

/* Needs CAP_SETPCAP, which root has and a setcap file has not: without it the set stays. */
static bool empty_bounding_set(void)
{
    capng_get_caps_process();
    if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
        return true;
    capng_clear(CAPNG_SELECT_BOUNDS);
    return capng_apply(CAPNG_SELECT_BOUNDS) == 0;
}

static bool empty_other_sets(void)
{
    capng_clear(CAPNG_SELECT_ALL);
    return capng_apply(CAPNG_SELECT_CAPS) == 0;
}

#else

/* It gives nothing by itself: without exec, and with no_new_privs, no program draws on it. */
static bool empty_bounding_set(void)
{
    return true;
}

static bool empty_other_sets(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) == 0;
}

#endif

static bool change_user(const struct privileges *privileges)
{
    const char *name = privileges->name;
    gid_t gid = privileges->gid;
    uid_t uid = privileges->uid;
    return initgroups(name, gid) == 0 && setresgid(gid, gid, gid) == 0 &&
           setresuid(uid, uid, uid) == 0;
}

/*
 * The bounding set goes while there is the right to empty it, the ids while there is the right to
 * change them.  With the user id the kernel empties the other sets.
 */
static enum status become(const struct privileges *privileges, char *message)
{
    bool bounded = empty_bounding_set();
    if (privileges->changes_user && !change_user(privileges)) {
        snprintf(message, MESSAGE_SIZE,
                 "cannot become the user %.64s: %s; name another with -Z USER, or -Z root to give "
                 "up the capabilities alone",
                 privileges->name, strerror(errno));
        return STATUS_DENIED;
    }
    if (bounded && empty_other_sets())
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "cannot give up the capabilities: %s", strerror(errno));
    return STATUS_DENIED;
}

static void say(const struct privileges *privileges, int landlock, bool filtered)
{
    char files[32] = "not confined by the kernel";
    if (landlock > 0)
        snprintf(files, sizeof files, "Landlock %d", landlock);
    message_print("rights: user %s, no capabilities, files: %s, system calls: %s",
                  privileges->changes_user ? privileges->name : "unchanged", files,
                  filtered ? "filtered" : "not filtered");
}

enum status privileges_become(const struct privileges *privileges, char *message)
{
    enum status status = become(privileges, message);
    if (status != STATUS_OK)
        return status;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "cannot give up new privileges: %s", strerror(errno));
    return STATUS_DENIED;
}

enum status privileges_give_up(const struct privileges *privileges, char *message)
{
    enum status status = privileges_become(privileges, message);
    if (status != STATUS_OK)
        return status;
    int landlock = sandbox_confine_files(privileges->directories, privileges->directory_count);
    bool filtered = sandbox_filter_calls((struct sandbox_needs){
        .any_file = landlock > 0,
        .screen = privileges->has_screen,
        .answers = privileges->answers,
    });
    if (sandbox_has_filter() && !filtered)
        message_print("the kernel takes no seccomp filter: system calls are not filtered");
    if (privileges->verbose)
        say(privileges, landlock, filtered);
    return STATUS_OK;
}
