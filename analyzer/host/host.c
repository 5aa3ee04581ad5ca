/* host: see host.h. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "census_busiest.h"
#include "host_events.h"
#include "host_parts.h"
#include "worst_events.h"

/* Shown every delta of a pair with several connections, in this order. */
static void (*const pair_detectors[])(struct host_occasion *) = {
    host_port_exhaustion,
    host_time_wait_stock,
    host_churn,
};

/* Shown every service at the end. */
static void (*const service_detectors[])(struct host_occasion *) = {
    host_server_closes,
};

static void note(struct host *host, enum status status)
{
    if (status != STATUS_OK && host->status == STATUS_OK)
        host->status = status;
}

static enum status take_status(struct host *host)
{
    enum status status = host->status;
    host->status = STATUS_OK;
    return status;
}

static void write_event(struct host *host, const struct event_record *event)
{
    host->events_by_id[event->id]++;
    host->events_by_level[event->level]++;
    if (host->next != NULL && host->next->ops->event != NULL)
        note(host, host->next->ops->event(host->next, event));
}

/* event.id as RECORDS has it: the trigger's flow, sequence number and time. */
static void emit(void *context, struct event_record *event)
{
    struct host *host = context;
    uint64_t words[4] = {event->who.flow_uid, (uint64_t)event->id, event->evidence[0].seq_abs,
                         (uint64_t)event->t};
    event->decided = host->clock;
    event->event_uid = hash_identity(words, 4);
    event->event_uid += event->event_uid == 0;
    write_event(host, event);
}

/* What detectors are shown next: a moment, of no connection. */
static struct host_occasion *occasion_of(struct host *host)
{
    host->occasion.now = host->clock;
    host->occasion.delta = NULL;
    host->occasion.place = (struct census_place){NULL, NULL, NULL};
    return &host->occasion;
}

/* When a second since the epoch is over, as division has them: those before it are cut upwards. */
static nanotime end_of(int64_t second)
{
    return second < 0 ? second * NANO_PER_SECOND + 1
                      : time_after(second * NANO_PER_SECOND, NANO_PER_SECOND);
}

static void look_in(struct host *host, int64_t second)
{
    host->second_over = end_of(second);
    if (second == host->second)
        return;
    host->second = second;
    if (host->floods.watched == 0)
        return;
    floods_look(&host->floods, occasion_of(host), false);
}

/* Once a second of the capture clock. */
static inline void look_at_floods(struct host *host)
{
    if (host->clock >= host->second_over)
        look_in(host, host->clock / NANO_PER_SECOND);
}

/* Floods, the worst of what is held, and pairs of several connections. */
static void detect(struct host *host, struct host_occasion *occasion)
{
    const struct census_entry *pair = occasion->place.pair;
    size_t detectors = sizeof(pair_detectors) / sizeof(pair_detectors[0]);
    if (floods_concern(&host->floods, occasion))
        floods_take(&host->floods, occasion);
    if (worst_concerns(occasion))
        note(host, worst_note_delta(occasion));
    for (size_t i = 0; pair != NULL && pair->more != NULL && i < detectors; i++)
        pair_detectors[i](occasion);
}

static enum status take_delta(struct sink *sink, const struct delta *delta)
{
    struct host *host = (struct host *)sink;
    host->clock = time_later_of(host->clock, delta->t);
    look_at_floods(host);
    host->occasion.now = host->clock;
    host->occasion.delta = delta;
    host->latest = delta->flow_uid;
    census_take(host->census, delta, &host->occasion.place);
    if (host->census->starved)
        note(host, STATUS_NO_MEMORY);
    else
        detect(host, &host->occasion);
    return take_status(host);
}

/* The same where the next one wants deltas, too. */
static enum status take_and_pass_delta(struct sink *sink, const struct delta *delta)
{
    struct host *host = (struct host *)sink;
    note(host, take_delta(sink, delta));
    note(host, host->next->ops->delta(host->next, delta));
    return take_status(host);
}

static void foresee_deltas(struct sink *sink, struct delta *const *deltas, size_t count, int step)
{
    census_foresee(((struct host *)sink)->census, deltas, count, step);
}

/* A flow nearly always follows the delta of its end, which has just found the service. */
static struct census_entry *service_of(const struct host *host, const struct flow_record *flow)
{
    const struct endpoint_record *end = &flow->who.end[SERVER];
    if (host->latest == flow->who.flow_uid && host->occasion.place.service != NULL)
        return host->occasion.place.service;
    struct census_key key =
        census_key_of(HOST_SERVICE, flow->who.ip_version, NULL, end->address, end->port);
    return census_find(host->census, &key);
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct host *host = (struct host *)sink;
    if (told_is_closed(flow))
        note(host, census_flow(host->census, service_of(host, flow), flow));
    if (host->next == NULL || host->next->ops->flow == NULL)
        return take_status(host);
    note(host,
         host->next->ops->flow(host->next, completed_flow(&host->renamed, flow, &host->flow)));
    return take_status(host);
}

static struct census_entry *service_of_plain(const struct host *host,
                                             const struct closed_flow *flow)
{
    if (host->latest == flow->flow_uid && host->occasion.place.service != NULL)
        return host->occasion.place.service;
    struct census_key key =
        census_key_of(HOST_SERVICE, flow->ip_version, NULL, flow->address, flow->port);
    return census_find(host->census, &key);
}

/* The same of a flow that has no event which another could be. */
static enum status take_plain(struct sink *sink, const struct plain_flow *plain)
{
    struct host *host = (struct host *)sink;
    if (plain->is_closed)
        note(host,
             census_closed_flow(host->census, service_of_plain(host, &plain->flow), &plain->flow));
    if (host->next != NULL && host->next->ops->plain != NULL)
        note(host, host->next->ops->plain(host->next, plain));
    return take_status(host);
}

static bool is_plain_enough(const struct sink *next)
{
    return next == NULL || next->ops->flow == NULL || next->ops->plain != NULL;
}

static struct speller *pass_speller(struct sink *sink)
{
    struct sink *next = ((struct host *)sink)->next;
    return next->ops->speller(next);
}

static enum status pass_settle(struct sink *sink)
{
    struct sink *next = ((struct host *)sink)->next;
    return next->ops->settle(next);
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    struct host *host = (struct host *)sink;
    write_event(host, completed_event(host->census, &host->renamed, event, &host->event));
    if (host->census->starved)
        note(host, STATUS_NO_MEMORY);
    return take_status(host);
}

static enum status pass_transition(struct sink *sink, const struct transition_record *transition)
{
    struct sink *next = ((struct host *)sink)->next;
    return next->ops->transition(next, transition);
}

static enum status pass_segment(struct sink *sink, const struct segment_record *segment)
{
    struct sink *next = ((struct host *)sink)->next;
    return next->ops->segment(next, segment);
}

static enum status pass_path(struct sink *sink, const struct path_record *path)
{
    struct sink *next = ((struct host *)sink)->next;
    return next->ops->path(next, path);
}

enum status host_tell(struct host *host, const struct told *told)
{
    if (told->is_flow)
        return census_told_flow(host->census, &told->flow);
    return host->ops.delta(&host->sink, &told->delta);
}

enum status host_advance(struct host *host, nanotime now)
{
    host->clock = time_later_of(host->clock, now);
    look_at_floods(host);
    return take_status(host);
}

static void show_services(struct host *host, const struct census_busiest *busiest)
{
    struct host_occasion *occasion = occasion_of(host);
    for (uint32_t i = 0; i < busiest->count[HOST_SERVICE]; i++) {
        struct census_entry *service = busiest->entry[HOST_SERVICE][i];
        if (service->more == NULL)
            continue;
        occasion->place = (struct census_place){.service = service};
        for (size_t j = 0; j < sizeof(service_detectors) / sizeof(service_detectors[0]); j++)
            service_detectors[j](occasion);
    }
}

static void write_census(struct host *host, const struct census_busiest *busiest, struct sink *sink)
{
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        uint32_t count = busiest->count[scope], most = host->config->census_records;
        for (uint32_t i = 0; i < count && i < most; i++) {
            struct host_record record =
                census_record(host->census, busiest->entry[scope][i], host->clock);
            if (sink != NULL && sink->ops->host != NULL)
                note(host, sink->ops->host(sink, &record));
        }
    }
}

/* Entries for which there is no record. */
static uint64_t count_left_out(const struct host *host)
{
    uint64_t left_out = 0;
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        uint32_t count = host->census->queue[scope].count, most = host->config->census_records;
        left_out += count > most ? count - most : 0;
    }
    return left_out;
}

enum status host_show(struct host *host, struct sink *sink)
{
    const uint32_t records = host->config->census_records;
    const uint32_t most[HOST_SCOPES] = {records, records, records};
    struct census_busiest busiest;
    enum status status = census_find_busiest(host->census, most, &busiest);
    if (status != STATUS_OK)
        return status;
    write_census(host, &busiest, sink);
    census_busiest_clear(&busiest);
    return take_status(host);
}

enum status host_finish(struct host *host, nanotime now)
{
    const uint32_t records = host->config->census_records;
    const uint32_t most[HOST_SCOPES] = {
        [HOST_SOURCE] = records, [HOST_SERVICE] = UINT32_MAX, [HOST_PAIR] = records};
    struct census_busiest busiest;
    host->clock = time_later_of(host->clock, now);
    floods_look(&host->floods, occasion_of(host), true);
    note(host, census_find_busiest(host->census, most, &busiest));
    show_services(host, &busiest);
    write_census(host, &busiest, host->next);
    host->left_out += count_left_out(host);
    census_busiest_clear(&busiest);
    return take_status(host);
}

void host_count_events(const struct host *host, uint64_t *ret_by_id, uint64_t *ret_by_level)
{
    memcpy(ret_by_id, host->events_by_id, sizeof(host->events_by_id));
    memcpy(ret_by_level, host->events_by_level, sizeof(host->events_by_level));
}

struct stock_peaks host_peaks(const struct host *host)
{
    return census_peaks(host->census, host->clock);
}

void host_summarize(const struct host *host, struct run_summary *summary)
{
    host_count_events(host, summary->events_by_id, summary->events_by_level);
    summary->hosts_left_out = host->left_out + host->census->left_out;
}

struct sink *host_sink(struct host *host)
{
    return &host->sink;
}

uint64_t host_octets(const struct config *config)
{
    return census_octets(config);
}

enum status host_new(const struct config *config, struct sink *next, struct host **ret_host)
{
    struct host *host = calloc(1, sizeof(*host));
    struct census *census = census_new(config);
    if (host == NULL || census == NULL) {
        census_free(census);
        free(host);
        return STATUS_NO_MEMORY;
    }
    host->ops = (struct sink_ops){
        .flow = take_flow,
        .plain = is_plain_enough(next) ? take_plain : NULL,
        .speller = next != NULL && next->ops->speller != NULL ? pass_speller : NULL,
        .settle = next != NULL && next->ops->settle != NULL ? pass_settle : NULL,
        .event = take_event,
        .transition = next != NULL && next->ops->transition != NULL ? pass_transition : NULL,
        .segment = next != NULL && next->ops->segment != NULL ? pass_segment : NULL,
        .path = next != NULL && next->ops->path != NULL ? pass_path : NULL,
        .delta = next != NULL && next->ops->delta != NULL ? take_and_pass_delta : take_delta,
        .foresee = foresee_deltas,
    };
    host->sink.ops = &host->ops;
    host->config = config;
    host->next = next;
    host->census = census;
    host->clock = host->second_over = INT64_MIN + 1;
    host->occasion =
        (struct host_occasion){.config = config, .census = census, .emit = emit, .context = host};
    *ret_host = host;
    return STATUS_OK;
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    census_free(host->census);
    free(host);
}
