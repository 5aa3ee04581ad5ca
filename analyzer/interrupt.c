/* interrupt: see interrupt.h. */
#include "interrupt.h"

#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "source/clock.h"

/* Has no effect on a program that does not wait for it, so it can carry our own wake-up. */
enum { WAKE_UP = SIGURG };

/* The same again sooner is one and the same: timeout(1) signals the program, and then its group. */
enum { TOGETHER_MS = 250 };

/* Notes what does not end the program. */
static bool is_request(struct interrupt *interrupt, int signal_number)
{
    if (signal_number == SIGHUP && interrupt->kind == INTERRUPT_LIVE)
        atomic_store(&interrupt->hang_up, true);
    if (signal_number == SIGUSR1)
        atomic_store(&interrupt->snapshot, true);
    return signal_number == WAKE_UP || signal_number == SIGUSR1 ||
           (signal_number == SIGHUP && interrupt->kind == INTERRUPT_LIVE);
}

/* The next SIGINT or SIGTERM; 0 when there is nothing more to wait for. */
static int next_signal(struct interrupt *interrupt)
{
    int signal_number = 0;
    do {
        if (sigwait(&interrupt->signals, &signal_number) != 0 || atomic_load(&interrupt->over))
            return 0;
    } while (is_request(interrupt, signal_number));
    return signal_number;
}

static int64_t milliseconds(void)
{
    return clock_now(CLOCK_MONOTONIC) / NANO_PER_MILLI;
}

/* The next SIGINT or SIGTERM that is not the first come twice; 0 as in next_signal(). */
static int second_signal(struct interrupt *interrupt, int first)
{
    int64_t until = milliseconds() + TOGETHER_MS;
    int second;
    do {
        second = next_signal(interrupt);
    } while (second == first && milliseconds() < until);
    return second;
}

static void *wait_for_signals(void *argument)
{
    struct interrupt *interrupt = argument;
    int first = next_signal(interrupt);
    if (first == 0)
        return NULL;
    atomic_store(&interrupt->came, true);
    source_break(interrupt->source);
    int second = second_signal(interrupt, first);
    if (second != 0 && interrupt->leave != NULL)
        interrupt->leave(interrupt->context);
    if (second != 0)
        _exit(128 + second);
    return NULL;
}

/* A signal that the caller has us ignore (nohup, a job in the background) stays ignored. */
static void add_unless_ignored(sigset_t *signals, int signal_number)
{
    struct sigaction current;
    if (sigaction(signal_number, NULL, &current) == 0 && current.sa_handler != SIG_IGN)
        sigaddset(signals, signal_number);
}

void interrupt_put_off(void)
{
    sigset_t requests;
    sigemptyset(&requests);
    add_unless_ignored(&requests, SIGHUP);
    add_unless_ignored(&requests, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &requests, NULL);
}

enum status interrupt_begin(struct interrupt *interrupt, struct source *source,
                            enum interrupt_kind kind)
{
    interrupt->kind = kind;
    interrupt->source = source;
    atomic_init(&interrupt->came, false);
    atomic_init(&interrupt->over, false);
    atomic_init(&interrupt->hang_up, false);
    atomic_init(&interrupt->snapshot, false);
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, WAKE_UP);
    add_unless_ignored(&interrupt->signals, SIGINT);
    add_unless_ignored(&interrupt->signals, SIGTERM);
    if (kind != INTERRUPT_SAVED) {
        add_unless_ignored(&interrupt->signals, SIGHUP);
        add_unless_ignored(&interrupt->signals, SIGUSR1);
    }
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    if (pthread_create(&interrupt->thread, NULL, wait_for_signals, interrupt) == 0)
        return STATUS_OK;
    pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
    return STATUS_NO_MEMORY;
}

bool interrupt_came(struct interrupt *interrupt)
{
    return atomic_load(&interrupt->came);
}

void interrupt_end(struct interrupt *interrupt)
{
    /* Not pthread_cancel: unwinding a stack from outside is what sanitizers cannot follow. */
    atomic_store(&interrupt->over, true);
    pthread_kill(interrupt->thread, WAKE_UP);
    pthread_join(interrupt->thread, NULL);
    /* One that came as everything ended, and that the thread had not taken yet, ends nothing. */
    const struct timespec now = {0};
    while (sigtimedwait(&interrupt->signals, NULL, &now) > 0)
        continue;
    pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
}
