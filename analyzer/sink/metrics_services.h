/*
 * metrics_services: events by service, for the services that have the worst ones.
 *
 * A service is kept from its first event on that is more than information.  At most
 * METRICS_SERVICES are; what then comes to another is counted as left out.
 */
#ifndef LASTACK_SINK_METRICS_SERVICES_H
#define LASTACK_SINK_METRICS_SERVICES_H

#include "../event/record.h"

enum { METRICS_SERVICES = 4096 };

struct metrics_service {
    uint8_t address[16]; /* network order, IPv4 in the first four octets */
    uint16_t port;
    uint8_t ip_version; /* 0: no service stands here */
    uint64_t levels[LEVEL_ERROR + 1];
    uint32_t events[EVENT_IDS];
};

struct metrics_services;

struct metrics_services *metrics_services_new(void); /* NULL when out of memory */

void metrics_services_take(struct metrics_services *services, const struct event_record *event);

/* The `top` worst, worst first, into ret_worst; returns how many there are. */
uint32_t metrics_services_worst(const struct metrics_services *services, uint32_t top,
                                const struct metrics_service **ret_worst);

/* Events for whose service there was no room. */
uint64_t metrics_services_left_out(const struct metrics_services *services);

void metrics_services_free(struct metrics_services *services); /* accepts NULL */

#endif
