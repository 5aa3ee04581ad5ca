/*
 * interrupt: SIGINT and SIGTERM.  The first ends reading, so that the report is written; the second
 * ends the program at once, with 128 and the signal's number; the same twice within a quarter of a
 * second is one.  Live, SIGHUP and SIGUSR1 are noted.
 *
 * A thread waits for the signals, so that no handler and no static variable is needed.
 */
#ifndef LASTACK_INTERRUPT_H
#define LASTACK_INTERRUPT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"
#include "source/source.h"

/* What waits for signals; with a screen SIGHUP, its end, ends reading as SIGTERM does. */
enum interrupt_kind { INTERRUPT_SAVED, INTERRUPT_LIVE, INTERRUPT_SCREEN };

struct interrupt {
    enum interrupt_kind kind;
    pthread_t thread;
    sigset_t signals;
    atomic_bool came;                   /* the first signal */
    atomic_bool over;                   /* set by interrupt_end */
    atomic_bool hang_up;                /* SIGHUP came: outputs are to be opened again */
    atomic_bool snapshot;               /* SIGUSR1 came: what is open is to be written */
    struct source *source;              /* not owned; told once to end */
    void (*leave)(const void *context); /* called before the program ends at once; NULL: nothing */
    const void *context;
};

/*
 * While a live capture is opened: SIGHUP and SIGUSR1, which would end it, are left for
 * interrupt_begin (but those that the caller has us ignore).
 */
void interrupt_put_off(void);

/*
 * Starts waiting, live for SIGHUP and SIGUSR1, too; *interrupt must stay in place until
 * interrupt_end, with leave and its context set before.  NO_MEMORY: no thread.
 */
enum status interrupt_begin(struct interrupt *interrupt, struct source *source,
                            enum interrupt_kind kind);

/* Whether reading was ended by a signal. */
bool interrupt_came(struct interrupt *interrupt);

/* Stops waiting; the signals have their usual effect again. */
void interrupt_end(struct interrupt *interrupt);

#endif
