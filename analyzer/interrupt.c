/* interrupt: see interrupt.h. */
#include "interrupt.h"

#include <stddef.h>
#include <unistd.h>

static void *wait_for_signals(void *argument)
{
    struct interrupt *interrupt = argument;
    int signal_number;
    if (sigwait(&interrupt->signals, &signal_number) != 0)
        return NULL;
    source_break(interrupt->source);
    if (sigwait(&interrupt->signals, &signal_number) == 0)
        _exit(128 + signal_number);
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
    sigemptyset(&interrupt->signals);
    add_unless_ignored(&interrupt->signals, SIGINT);
    add_unless_ignored(&interrupt->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    if (pthread_create(&interrupt->thread, NULL, wait_for_signals, interrupt) == 0)
        return STATUS_OK;
    pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
    return STATUS_NO_MEMORY;
}

void interrupt_end(struct interrupt *interrupt)
{
    pthread_cancel(interrupt->thread); /* sigwait is a cancellation point */
    pthread_join(interrupt->thread, NULL);
    pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
}
