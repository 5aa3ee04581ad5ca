/*
 * sandbox: see sandbox.h.  Landlock is spoken by system calls, so that a program built for an older
 * kernel uses what a newer one has.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

/* --- Landlock (Documentation/userspace-api/landlock.rst) --- */

/* clang-format off */
enum {
    LANDLOCK_CREATE = 444, LANDLOCK_ADD = 445, LANDLOCK_RESTRICT = 446, /* on every architecture */
    GET_VERSION     = 1,
    PATH_BENEATH    = 1,
    NET_ALL         = 0x3, /* bind and connect of TCP */
    SCOPE_ALL       = 0x3, /* abstract sockets and signals to outside */
};

enum file_right {
    MAY_WRITE    = 1 << 1,
    MAY_READ     = 1 << 2,
    MAY_LIST     = 1 << 3,
    MAY_REMOVE   = 1 << 5,
    MAY_MAKE     = 1 << 8, /* regular files */
    MAY_TRUNCATE = 1 << 14,
};

/* The rights on files that each version handles: all bits below. */
static const uint64_t rights_of_version[] = {
    0,
    (UINT64_C(1) << 13) - 1, /* 1 */
    (UINT64_C(1) << 14) - 1, /* 2: refer */
    (UINT64_C(1) << 15) - 1, /* 3: truncate */
    (UINT64_C(1) << 15) - 1, /* 4: and TCP */
    (UINT64_C(1) << 16) - 1, /* 5: ioctl of devices */
    (UINT64_C(1) << 16) - 1, /* 6: and scopes */
};
/* clang-format on */

enum { NEWEST = sizeof rights_of_version / sizeof rights_of_version[0] - 1, NET = 4, SCOPES = 6 };

struct ruleset {
    uint64_t files, net, scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

static bool allow_below(int ruleset, int directory, uint64_t rights)
{
    struct path_rule rule = {.allowed = rights, .directory = directory};
    return syscall(LANDLOCK_ADD, ruleset, PATH_BENEATH, &rule, 0) == 0;
}

static bool allow_all(int ruleset, const int *directories, size_t count, uint64_t known)
{
    const uint64_t ours =
        (MAY_WRITE | MAY_READ | MAY_LIST | MAY_REMOVE | MAY_MAKE | MAY_TRUNCATE) & known;
    for (size_t i = 0; i < count; i++) {
        if (!allow_below(ruleset, directories[i], ours))
            return false;
    }
    int sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool done = sys < 0 || allow_below(ruleset, sys, MAY_READ | MAY_LIST);
    if (sys >= 0)
        close(sys);
    return done;
}

int sandbox_confine_files(const int *directories, size_t count)
{
    long version = syscall(LANDLOCK_CREATE, NULL, 0, GET_VERSION);
    if (version < 1)
        return 0;
    if (version > NEWEST)
        version = NEWEST;
    const struct ruleset wanted = {
        .files = rights_of_version[version],
        .net = version >= NET ? NET_ALL : 0,
        .scopes = version >= SCOPES ? SCOPE_ALL : 0,
    };
    size_t size = version >= SCOPES ? sizeof wanted : version >= NET ? 16 : 8;
    int ruleset = (int)syscall(LANDLOCK_CREATE, &wanted, size, 0);
    if (ruleset < 0)
        return 0;
    bool done = allow_all(ruleset, directories, count, wanted.files) &&
                syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0;
    close(ruleset);
    return done ? (int)version : 0;
}

/* --- seccomp --- */

#ifdef HAVE_LIBSECCOMP

/* clang-format off */
static const int needed[] = {
    /* records, rings and wake-ups */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(close), SCMP_SYS(dup),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(eventfd2),
    SCMP_SYS(getsockopt), /* libpcap's counters */
    /* files: which, Landlock says */
    SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(fstatfs), SCMP_SYS(ftruncate), SCMP_SYS(getdents64),
    SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(unlinkat),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    /* threads, waiting, signals */
    SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(set_tid_address),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigtimedwait_time64), SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* what this process is */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(uname),
};

/* Needed where connections are answered. */
static const int answering[] = {
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(shutdown), SCMP_SYS(getsockname),
};

/* Needed in a form only: the argument, and how it must compare. */
static const struct {
    int call;
    struct scmp_arg_cmp argument;
} limited[] = {
    {SCMP_SYS(mmap),     {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},                /* no new code */
    {SCMP_SYS(mmap2),    {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {SCMP_SYS(mprotect), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {SCMP_SYS(clone),    {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}},  /* threads, no processes */
    {SCMP_SYS(ioctl),    {1, SCMP_CMP_EQ, TIOCGWINSZ, 0}},
    {SCMP_SYS(ioctl),    {1, SCMP_CMP_EQ, 0x5401, 0}},                          /* TCGETS: isatty */
    {SCMP_SYS(ioctl),    {1, SCMP_CMP_EQ, 0x8913, 0}},                          /* SIOCGIFFLAGS: whether an interface that went down is up again */
    {SCMP_SYS(fcntl),    {1, SCMP_CMP_EQ, F_GETFD, 0}},                         /* no F_SETOWN: it sends others a signal */
    {SCMP_SYS(fcntl),    {1, SCMP_CMP_EQ, F_SETFD, 0}},
    {SCMP_SYS(fcntl),    {1, SCMP_CMP_EQ, F_GETFL, 0}},
    {SCMP_SYS(fcntl),    {1, SCMP_CMP_EQ, F_SETFL, 0}},
    {SCMP_SYS(fcntl64),  {1, SCMP_CMP_EQ, F_GETFD, 0}},
    {SCMP_SYS(fcntl64),  {1, SCMP_CMP_EQ, F_SETFD, 0}},
    {SCMP_SYS(fcntl64),  {1, SCMP_CMP_EQ, F_GETFL, 0}},
    {SCMP_SYS(fcntl64),  {1, SCMP_CMP_EQ, F_SETFL, 0}},
    {SCMP_SYS(sendto),   {4, SCMP_CMP_EQ, 0, 0}},                               /* to where it is connected */
    {SCMP_SYS(prlimit64), {2, SCMP_CMP_EQ, 0, 0}},                              /* ask, not set */
};

/* What could put a frame on the wire through a socket that captures, or give it another number. */
static const int sending[] = {SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendto), SCMP_SYS(dup)};

/* The same for who draws on a terminal: TCSETS, TCSETSW, TCSETSF. */
static const struct scmp_arg_cmp terminal_modes[] = {
    {1, SCMP_CMP_EQ, 0x5402, 0}, {1, SCMP_CMP_EQ, 0x5403, 0}, {1, SCMP_CMP_EQ, 0x5404, 0},
};
/* clang-format on */

static bool add_terminal_rules(scmp_filter_ctx filter)
{
    bool done = true;
    for (size_t i = 0; i < sizeof terminal_modes / sizeof terminal_modes[0]; i++)
        done = done && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                              &terminal_modes[i]) == 0;
    return done;
}

/* To answer over sockets that listen: none can be made, bound or connected. */
static bool allow_answers(scmp_filter_ctx filter)
{
    bool done = true;
    for (size_t i = 0; i < sizeof answering / sizeof answering[0]; i++)
        done = done && seccomp_rule_add(filter, SCMP_ACT_ALLOW, answering[i], 0) == 0;
    const struct scmp_arg_cmp of_tcp = {1, SCMP_CMP_EQ, IPPROTO_TCP, 0};
    return done &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 1, &of_tcp) == 0;
}

static bool add_rules(scmp_filter_ctx filter, bool files_confined)
{
    bool done = true;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        done = done && seccomp_rule_add(filter, SCMP_ACT_ALLOW, needed[i], 0) == 0;
    for (size_t i = 0; i < sizeof limited / sizeof limited[0]; i++)
        done = done && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, limited[i].call, 1,
                                              &limited[i].argument) == 0;
    /* signals to this process alone */
    const struct scmp_arg_cmp itself = {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0};
    done =
        done && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself) == 0;
    /* its flags lie in memory, where no filter sees them: libc then uses clone */
    done = done && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
    if (files_confined)
        return done && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 0) == 0 &&
               seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 0) == 0;
    const struct scmp_arg_cmp a_directory = {0, SCMP_CMP_LE, INT32_MAX, 0};
    return done &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &a_directory) == 0;
}

enum {
    DESCRIPTORS = 65536,   /* sockets that capture are opened early, so they have low numbers */
    SOCKETS_A_FILTER = 256 /* a filter has 4096 instructions at most */
};

static bool is_capturing(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_PACKET;
}

/* The kernel takes the lower half of the argument for the descriptor. */
static bool refuse_sending(scmp_filter_ctx filter, int fd)
{
    const struct scmp_arg_cmp on_it = {0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)fd};
    bool done = true;
    for (size_t i = 0; i < sizeof sending / sizeof sending[0]; i++)
        done = done &&
               seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), sending[i], 1, &on_it) == 0;
    return done;
}

/* Refuses it for some of the sockets, from *fd on up to end. */
static bool receive_with_some(int *fd, int end)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return false;
    bool done = true;
    size_t sockets = 0;
    for (; *fd < end && sockets < SOCKETS_A_FILTER && done; ++*fd) {
        if (!is_capturing(*fd))
            continue;
        done = refuse_sending(filter, *fd);
        sockets++;
    }
    done = done && (sockets == 0 || seccomp_load(filter) == 0);
    seccomp_release(filter);
    return done;
}

/*
 * A packet socket sends what is written to it, as a frame with any addresses, and needs no right
 * for that once it is open.  This is a filter before the other one, because libseccomp has no rule
 * for all numbers but some; of two filters the stricter answer counts.
 */
static bool only_receive(void)
{
    int fd = 0, end = getdtablesize() < DESCRIPTORS ? getdtablesize() : DESCRIPTORS;
    bool done = true;
    while (fd < end && done)
        done = receive_with_some(&fd, end);
    return done;
}

bool sandbox_filter_calls(struct sandbox_needs needs)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL || !only_receive()) {
        seccomp_release(filter);
        return false;
    }
    bool done = add_rules(filter, needs.any_file) && (!needs.answers || allow_answers(filter)) &&
                (!needs.screen || add_terminal_rules(filter)) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return done;
}

bool sandbox_has_filter(void)
{
    return true;
}

#else

bool sandbox_filter_calls(struct sandbox_needs needs)
{
    (void)needs;
    return false;
}

bool sandbox_has_filter(void)
{
    return false;
}

#endif
