/*
 * rights-try: gives up rights as a live capture does, then tries what should not go any more.
 *
 *     rights-try DIRECTORY [no-landlock | screen | answers]
 *
 * Prints a line for each attempt: its name, and "went" or the error.  With no-landlock the filter
 * is loaded as on a kernel that has no Landlock; with screen as for who draws on a terminal,
 * with answers as for who answers connections.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../../analyzer/privileges.h"
#include "../../analyzer/sandbox.h"

static void tell(const char *name, bool went)
{
    printf("%s %s\n", name, went ? "went" : strerror(errno));
    fflush(stdout);
}

static void *do_nothing(void *context)
{
    return context;
}

static void try_processes(void)
{
    char name[] = "true";
    char *const arguments[] = {name, NULL};
    char *const environment[] = {NULL};
    pthread_t thread;
    tell("execve", execve("/bin/true", arguments, environment) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child > 0)
        waitpid(child, NULL, 0); /* its SIGCHLD would stop a process that is traced */
    tell("fork", child > 0);
    tell("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, environment, 0) == 0);
    tell("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    tell("kill", kill(getppid(), 0) == 0);
    tell("setuid", setuid(0) == 0);
    tell("exec-memory",
         mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    tell("thread",
         pthread_create(&thread, NULL, do_nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static void try_sockets(void)
{
    static const struct {
        const char *name;
        int family, type;
    } sockets[] = {
        {"socket-inet", AF_INET, SOCK_STREAM},
        {"socket-unix", AF_UNIX, SOCK_DGRAM},
        {"socket-packet", AF_PACKET, SOCK_RAW},
        {"socket-netlink", AF_NETLINK, SOCK_RAW},
    };
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
        tell(sockets[i].name, socket(sockets[i].family, sockets[i].type, 0) >= 0);
}

/* On a socket that listens since before; that nobody comes is no refusal. */
static void try_answers(int listener)
{
    tell("accept", accept(listener, NULL, NULL) >= 0 || errno == EAGAIN);
    tell("bind", bind(listener, NULL, 0) == 0);
    tell("connect", connect(listener, NULL, 0) == 0);
    tell("sendmsg", sendmsg(listener, NULL, 0) >= 0);
}

/* Frames, through a socket that was opened to capture. */
static void try_sending(int capturing)
{
    static char frame[60];
    struct iovec part = {.iov_base = frame, .iov_len = sizeof frame};
    tell("frame-write", write(capturing, frame, sizeof frame) > 0);
    tell("frame-writev", writev(capturing, &part, 1) > 0);
    tell("frame-send", send(capturing, frame, sizeof frame, 0) > 0);
    tell("frame-high-bits", syscall(SYS_write, (long)((uint64_t)1 << 32 | (uint64_t)capturing),
                                    frame, sizeof frame) > 0);
    tell("frame-dup", dup(capturing) >= 0);
    tell("frame-fcntl", fcntl(capturing, F_DUPFD, 0) >= 0);
    tell("signal-owner", fcntl(capturing, F_SETOWN, getppid()) == 0);
}

/* What captures on lo, and does not receive. */
static int open_capture(void)
{
    struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("lo")};
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    return bind(fd, (const struct sockaddr *)(const void *)&where, sizeof where) == 0 ? fd : -1;
}

static void try_files(int directory)
{
    tell("read-passwd", open("/etc/passwd", O_RDONLY) >= 0);
    tell("write-tmp", open("/tmp/lastack-rights-try", O_WRONLY | O_CREAT, 0600) >= 0);
    tell("above", openat(directory, "../lastack-rights-try", O_WRONLY | O_CREAT, 0600) >= 0);
    tell("make", openat(directory, "made", O_RDWR | O_CREAT | O_APPEND, 0600) >= 0);
    tell("rename", renameat(directory, "made", directory, "renamed") == 0);
    tell("list", openat(directory, ".", O_RDONLY | O_DIRECTORY) >= 0);
    tell("remove", unlinkat(directory, "renamed", 0) == 0);
    tell("read-sys", open("/sys/class/net/lo/statistics/rx_packets", O_RDONLY) >= 0);
}

/* The modes of a terminal that was open before. */
static void try_terminal(int terminal, const struct termios *modes)
{
    tell("terminal-modes", tcsetattr(terminal, TCSADRAIN, modes) == 0);
    tell("terminal-input", ioctl(terminal, TIOCSTI, "x") == 0);
}

int main(int argc, char **argv)
{
    struct termios modes;
    char message[MESSAGE_SIZE] = "";
    struct privileges privileges = {.user = NULL};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (argc < 2 || tcgetattr(terminal, &modes) != 0)
        return 2;
    const char *how = argc > 2 ? argv[2] : "";
    privileges.has_screen = strcmp(how, "screen") == 0;
    privileges.directories[0] = open(argv[1], O_PATH | O_DIRECTORY);
    privileges.directory_count = 1;
    privileges.answers = strcmp(how, "answers") == 0;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int capturing = open_capture();
    if (listen(listener, 1) != 0 || capturing < 0)
        return 2;
    if (strcmp(how, "no-landlock") == 0) {
        tell("filter", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                           sandbox_filter_calls((struct sandbox_needs){0}));
    } else {
        bool done = privileges_find_user(&privileges, message) == STATUS_OK &&
                    privileges_give_up(&privileges, message) == STATUS_OK;
        printf("give-up %s\n", done ? "went" : message);
    }
    try_processes();
    try_sockets();
    try_answers(listener);
    try_sending(capturing);
    try_files(privileges.directories[0]);
    try_terminal(terminal, &modes);
    _exit(0); /* not exit: looking for leaks takes the rights that were given up */
}
