/*
 * service: what a service manager is told, by systemd's protocol sd_notify(3): a datagram of
 * NAME=VALUE lines to the socket that NOTIFY_SOCKET names.  Without that variable nothing is done.
 */
#ifndef LASTACK_SERVICE_H
#define LASTACK_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct service {
    int fd;             /* -1: nobody is to be told */
    nanotime watchdog;  /* how often a sign of life is due; 0: never */
    nanotime last_sign; /* on the monotonic clock */
};

/* Connects, which must be done before rights are given up. */
struct service service_begin(void);

/* Says that packets are captured from now on. */
void service_ready(struct service *service);

/* A sign of life, when one is due; with what status shows (at most a line). */
void service_sign(struct service *service, nanotime now, uint64_t packets);

/* Says that the report is being written, and closes. */
void service_end(struct service *service);

#endif
