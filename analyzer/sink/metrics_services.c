/* metrics_services: an open table, never more than half full, without deletion. */
#include "metrics_services.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"

enum { SLOTS = 2 * METRICS_SERVICES };

struct metrics_services {
    struct metrics_service *slot; /* SLOTS, owned */
    struct hash_key secret;
    uint32_t count;
    uint64_t left_out;
};

struct metrics_services *metrics_services_new(void)
{
    struct metrics_services *services = calloc(1, sizeof(*services));
    if (!services)
        return NULL;
    services->secret = hash_key_draw();
    services->slot = calloc(SLOTS, sizeof(*services->slot));
    if (services->slot)
        return services;
    free(services);
    return NULL;
}

static bool is_of(const struct metrics_service *service, const struct flow_identity *who)
{
    const struct endpoint_record *end = &who->end[SERVER];
    return service->ip_version == who->ip_version && service->port == end->port &&
           memcmp(service->address, end->address, sizeof(service->address)) == 0;
}

/* The service's slot, or the empty one where it would stand. */
static struct metrics_service *find(const struct metrics_services *services,
                                    const struct flow_identity *who)
{
    uint64_t words[3];
    memcpy(words, who->end[SERVER].address, 2 * sizeof(words[0]));
    words[2] = (uint64_t)who->end[SERVER].port << 8 | who->ip_version;
    uint64_t at = hash_words(services->secret, words, 3) % SLOTS;
    while (services->slot[at].ip_version != 0 && !is_of(&services->slot[at], who))
        at = (at + 1) % SLOTS;
    return &services->slot[at];
}

void metrics_services_take(struct metrics_services *services, const struct event_record *event)
{
    struct metrics_service *service = find(services, &event->who);
    if (service->ip_version == 0) {
        if (event->level == LEVEL_INFO)
            return;
        if (services->count == METRICS_SERVICES) {
            services->left_out++;
            return;
        }
        services->count++;
        service->ip_version = event->who.ip_version;
        service->port = event->who.end[SERVER].port;
        memcpy(service->address, event->who.end[SERVER].address, sizeof(service->address));
    }
    service->levels[event->level]++;
    service->events[event->id]++;
}

/* Errors first, then warnings, then notices; equal ones by address and port, to be the same again.
 */
static int compare_services(const void *a, const void *b)
{
    const struct metrics_service *x = *(const struct metrics_service *const *)a;
    const struct metrics_service *y = *(const struct metrics_service *const *)b;
    for (int level = LEVEL_ERROR; level > LEVEL_INFO; level--) {
        if (x->levels[level] != y->levels[level])
            return x->levels[level] > y->levels[level] ? -1 : 1;
    }
    int order = memcmp(x->address, y->address, sizeof(x->address));
    return order != 0 ? order : (int)x->port - (int)y->port;
}

uint32_t metrics_services_worst(const struct metrics_services *services, uint32_t top,
                                const struct metrics_service **ret_worst)
{
    const struct metrics_service **all = malloc((services->count + 1) * sizeof(*all));
    uint32_t count = 0;
    if (all == NULL)
        return 0;
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (services->slot[i].ip_version != 0)
            all[count++] = &services->slot[i];
    }
    if (count > 0)
        qsort(all, count, sizeof(*all), compare_services);
    uint32_t wanted = count < top ? count : top;
    for (uint32_t i = 0; i < wanted; i++)
        ret_worst[i] = all[i];
    free(all);
    return wanted;
}

uint64_t metrics_services_left_out(const struct metrics_services *services)
{
    return services->left_out;
}

void metrics_services_free(struct metrics_services *services)
{
    if (!services)
        return;
    free(services->slot);
    free(services);
}
