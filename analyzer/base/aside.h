/* aside: a thread that does one thing beside the others; signals are for those. */
#ifndef LASTACK_BASE_ASIDE_H
#define LASTACK_BASE_ASIDE_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* false: it is not to be had.  Whoever starts it joins it. */
static inline bool aside_start(pthread_t *thread, void *(*work)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, work, context) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

#endif
