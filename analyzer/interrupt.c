/* interrupt: see interrupt.h. */
#include "interrupt.h"

#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* Has no effect on a program that does not wait for it, so it can carry our own wake-up. */
enum { WAKE_UP = SIGURG };

/* The next SIGINT or SIGTERM; 0 when there is nothing more to wait for. */
static int next_signal(struct interrupt *interrupt)
{
    int signal_number = 0;
    do {
        if (sigwait(&interrupt->signals, &signal_number) != 0 || atomic_load(&interrupt->over))
            return 0;
    } while (signal_number == WAKE_UP);
    return signal_number;
}

static void *wait_for_signals(void *argument)
{
    struct interrupt *interrupt = argument;
    if (next_signal(interrupt) == 0)
        return NULL;
    atomic_store(&interrupt->came, true);
    source_break(interrupt->source);
    int second = next_signal(interrupt);
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

enum status interrupt_begin(struct interrupt *interrupt, struct source *source)
{
    interrupt->source = source;
    atomic_init(&interrupt->came, false);
    atomic_init(&interrupt->over, false);
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, WAKE_UP);
    add_unless_ignored(&interrupt->signals, SIGINT);
    add_unless_ignored(&interrupt->signals, SIGTERM);
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
