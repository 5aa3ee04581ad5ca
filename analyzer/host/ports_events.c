/*
 * ports_events: source ports that run out (RFC 9293 3.4.3; net.ipv4.ip_local_port_range), and the
 * connections that use them up.
 */
#include <stdio.h>

#include "host_events.h"
#include "worst_events.h"

/* What most of these cases want. */
static void advise_client(struct event_record *event, const struct census_entry *pair)
{
    struct host_text source = host_source(pair), service = host_service(pair);
    report_remedy(event,
                  "On %s: keep connections open and use them again (keep-alive, a pool), let %s "
                  "close first, a wider net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse=1 with "
                  "time stamps on both ends; or more addresses for the service.",
                  source.text, service.text);
}

static void add_stocks(struct event_record *event, const struct census_entry *pair, uint32_t usable,
                       nanotime runs_out)
{
    report_number(event, "time_wait", (int64_t)pair->time_wait[CLIENT].now);
    report_number(event, "ports_in_use", (int64_t)pair->held.now);
    report_number(event, "usable_ports", usable);
    report_number(event, "connections", (int64_t)pair->opened);
    report_number(event, "runs_out_ns", runs_out);
}

/* --- TIME_WAIT --- */

static enum level time_wait_level(const struct config *config, uint64_t percent)
{
    if (percent >= config->time_wait_error)
        return LEVEL_ERROR;
    if (percent >= config->time_wait_warning)
        return LEVEL_WARNING;
    return percent >= config->time_wait_info ? LEVEL_INFO : 0;
}

static void tell_time_wait(struct host_occasion *occasion, enum level level, uint32_t usable)
{
    const struct census_entry *pair = occasion->place.pair;
    uint32_t rate = rate_sum(&pair->more->opened_rate, occasion->now, 10);
    nanotime runs_out = census_runs_out(occasion->census, pair, occasion->now);
    struct event_record event;
    host_begin(&event, EVENT_tw_accumulation, occasion->delta, CONFIDENCE_PROBABLE, BLAME_CLIENT);
    event.level = level;
    host_trigger(&event, occasion->delta, "one more in TIME_WAIT");
    host_add_refs(&event, pair, "the first connection counted", "one of the latest connections");
    add_stocks(&event, pair, usable, runs_out);
    report_number(&event, "percent",
                  (int64_t)(pair->time_wait[CLIENT].now * UINT64_C(100) / usable));
    report_number(&event, "opened_in_10_s", rate);
    report_explain(&event,
                   "%s opens connections to %s (%u in the last 10 s) and closes them first: %llu "
                   "of its %u usable ports are in TIME_WAIT",
                   host_source(pair).text, host_service(pair).text, rate,
                   (unsigned long long)pair->time_wait[CLIENT].now, usable);
    if (runs_out == NANOTIME_UNKNOWN)
        report_explain(&event, ". At this rate as many come back as are taken.");
    else
        report_explain(&event, "; at this rate none is left in %s.",
                       report_duration(runs_out).text);
    worst_tell_ports(&event, pair);
    advise_client(&event, pair);
    occasion->emit(occasion->context, &event);
}

void host_time_wait_stock(struct host_occasion *occasion)
{
    struct census_entry *pair = occasion->place.pair;
    struct episode *episode = &pair->more->episode[EPISODE_TIME_WAIT];
    const struct delta *delta = occasion->delta;
    if (delta->before[CLIENT] == delta->after[CLIENT])
        return;
    uint32_t usable = census_usable_ports(occasion->census, pair, occasion->now);
    uint64_t percent = pair->time_wait[CLIENT].now * UINT64_C(100) / usable;
    if (percent < occasion->config->time_wait_info / 2)
        episode->level = 0;
    enum level level = time_wait_level(occasion->config, percent);
    if (delta->after[CLIENT] != HOLDING_TIME_WAIT || level <= (enum level)episode->level)
        return;
    episode->level = (uint8_t)level;
    tell_time_wait(occasion, level, usable);
}

/* --- the range of ports --- */

static void tell_exhaustion(struct host_occasion *occasion, struct port_range range, bool reused)
{
    const struct census_entry *pair = occasion->place.pair;
    const struct delta *delta = occasion->delta;
    struct event_record event;
    host_begin(&event, EVENT_port_exhaustion_suspected, delta, CONFIDENCE_PROBABLE, BLAME_CLIENT);
    host_trigger(&event, delta,
                 reused ? "this port is taken again although its last use is younger than 2MSL"
                        : "the walk through the ports came round");
    host_add_refs(&event, pair, "the first connection counted", "one of the latest connections");
    add_stocks(&event, pair, range.span, census_runs_out(occasion->census, pair, occasion->now));
    report_number(&event, "port_low", range.low);
    report_number(&event, "port_high", range.high);
    report_number(&event, "percent", (int64_t)(pair->held.now * UINT64_C(100) / range.span));
    report_number(&event, "reuses", (int64_t)pair->more->reuses);
    report_number(&event, "reuse_ns", delta->reuse);
    report_number(&event, "opened_in_10_s", rate_sum(&pair->more->opened_rate, occasion->now, 10));
    report_explain(&event,
                   "%s walks through the ports %u to %u towards %s and has %llu of these %u in "
                   "use, %llu of them in TIME_WAIT; ",
                   host_source(pair).text, range.low, range.high, host_service(pair).text,
                   (unsigned long long)pair->held.now, range.span,
                   (unsigned long long)pair->time_wait[CLIENT].now);
    if (reused)
        report_explain(&event,
                       "port %u is taken again %s after its last packet: ", delta->end[CLIENT].port,
                       report_duration(delta->reuse).text);
    else
        report_explain(&event, "with port %u the walk came round: ", delta->end[CLIENT].port);
    report_explain(&event, "it is, or nearly is, out of ports. connect() then fails with "
                           "EADDRNOTAVAIL, which no packet shows.");
    worst_tell_ports(&event, pair);
    advise_client(&event, pair);
    occasion->emit(occasion->context, &event);
}

/* With a connection's first packet; of a SYN that is not kept alone the delta of its opening, which
 * tells of no state yet, comes before this one. */
static bool takes_port(const struct delta *delta)
{
    unsigned before = delta->before[CLIENT], after = delta->after[CLIENT];
    bool opened = (delta->what & DELTA_OPENED) != 0 && after != HOLDING_NOTHING;
    return before == HOLDING_NOTHING && (opened || after == HOLDING_OPENING);
}

void host_port_exhaustion(struct host_occasion *occasion)
{
    const struct config *config = occasion->config;
    struct census_entry *pair = occasion->place.pair;
    struct episode *episode = &pair->more->episode[EPISODE_PORTS];
    const struct delta *delta = occasion->delta;
    nanotime two_msl = census_two_msl(occasion->census);
    if (!takes_port(delta) || pair->held.now < config->ports_least)
        return;
    struct port_range range = ports_range(&pair->more->ports, occasion->now, two_msl);
    uint64_t percent = pair->held.now * UINT64_C(100) / (range.span > 0 ? range.span : 1);
    if (range.span < config->ports_least || percent < config->ports_share) {
        episode->open = episode->open && percent >= config->ports_share / 2;
        return;
    }
    bool reused = delta->reuse != NANOTIME_UNKNOWN && delta->reuse < two_msl;
    bool wrapped = ports_wrapped(&pair->more->ports, occasion->now, two_msl);
    if (episode->open || (!reused && !wrapped))
        return;
    episode->open = true;
    tell_exhaustion(occasion, range, reused);
}

/* --- many short connections --- */

enum { TIME_WAIT_OCTETS = 256 }; /* of kernel memory each: struct inet_timewait_sock in its slab */

static void tell_churn(struct host_occasion *occasion, uint32_t closed)
{
    enum { TIME_WAIT_BUCKETS = 65536 }; /* net.ipv4.tcp_max_tw_buckets with 1 GiB and more */
    const struct census_entry *pair = occasion->place.pair;
    uint32_t seconds = occasion->config->churn_seconds;
    uint64_t client = pair->time_wait[CLIENT].now, server = pair->time_wait[SERVER].now;
    uint64_t all = occasion->place.service->time_wait[SERVER].now;
    struct event_record event;
    host_begin(&event, EVENT_connection_churn, occasion->delta, CONFIDENCE_CERTAIN, BLAME_CLIENT);
    host_trigger(&event, occasion->delta, "one more connection closed");
    host_add_refs(&event, pair, "the first connection counted", "one of the latest connections");
    report_number(&event, "closed", closed);
    report_number(&event, "window_ns", (int64_t)seconds * NANO_PER_SECOND);
    report_number(&event, "closed_per_second", closed / seconds);
    report_number(&event, "connections", pair->opened);
    report_number(&event, "client_time_wait", (int64_t)client);
    report_number(&event, "server_time_wait", (int64_t)server);
    report_number(&event, "server_time_wait_all_clients", (int64_t)all);
    report_number(&event, "client_time_wait_octets", (int64_t)(client * TIME_WAIT_OCTETS));
    report_number(&event, "server_time_wait_octets", (int64_t)(server * TIME_WAIT_OCTETS));
    report_number(&event, "server_bucket_percent", (int64_t)(all * 100 / TIME_WAIT_BUCKETS));
    report_explain(&event,
                   "%s opens and closes connections to %s at %u a second (%u in %u s); %llu are in "
                   "TIME_WAIT on the client and %llu on the server, some %d octets of kernel "
                   "memory each. The server holds %llu of all clients, of 65,536 that Linux keeps "
                   "(net.ipv4.tcp_max_tw_buckets).",
                   host_source(pair).text, host_service(pair).text, closed / seconds, closed,
                   seconds, (unsigned long long)client, (unsigned long long)server,
                   TIME_WAIT_OCTETS, (unsigned long long)all);
    worst_tell_ports(&event, pair);
    report_remedy(&event,
                  "On %s: use connections again (keep-alive, a pool). If that is no client of "
                  "yours, limit its rate before it reaches %s. Let the end close first that can "
                  "bear the TIME_WAITs.",
                  host_source(pair).text, host_service(pair).text);
    occasion->emit(occasion->context, &event);
}

void host_churn(struct host_occasion *occasion)
{
    const struct config *config = occasion->config;
    struct census_entry *pair = occasion->place.pair;
    struct episode *episode = &pair->more->episode[EPISODE_CHURN];
    uint64_t threshold = (uint64_t)config->churn_rate * config->churn_seconds;
    if (!pair->more->closed_rate.begun)
        return;
    uint32_t closed = rate_sum(&pair->more->closed_rate, occasion->now, (int)config->churn_seconds);
    if (closed < threshold / 2)
        episode->open = false;
    if (closed < threshold || episode->open)
        return;
    episode->open = true;
    tell_churn(occasion, closed);
}

/* --- servers that close first --- */

void host_server_closes(struct host_occasion *occasion)
{
    const struct census_entry *service = occasion->place.service;
    const struct config *config = occasion->config;
    uint64_t server = service->by_initiator[INITIATOR_SERVER];
    uint64_t all =
        server + service->by_initiator[INITIATOR_CLIENT] + service->by_initiator[INITIATOR_BOTH];
    bool usual =
        all >= config->server_close_least && server * 100 >= all * config->server_close_share;
    if (!usual || service->time_wait[SERVER].most == 0 || service->more->time_wait_delta == NULL)
        return;
    const struct level_of *held = &service->time_wait[SERVER];
    struct event_record event;
    host_begin(&event, EVENT_server_side_tw, service->more->time_wait_delta, CONFIDENCE_PROBABLE,
               BLAME_SERVER);
    host_trigger(&event, service->more->time_wait_delta,
                 "left the server in TIME_WAIT, as most do");
    host_add_refs(&event, service, "the first connection counted", "one of the latest connections");
    report_number(&event, "server_first", (int64_t)server);
    report_number(&event, "closed", (int64_t)all);
    report_number(&event, "time_wait", (int64_t)held->now);
    report_number(&event, "time_wait_most", (int64_t)held->most);
    report_explain(&event,
                   "%s closes first in %llu of %llu connections, so the TIME_WAITs are its own: "
                   "%llu now, %llu at most. They cost it little memory and no ports; usually this "
                   "is right.",
                   host_service(service).text, (unsigned long long)server, (unsigned long long)all,
                   (unsigned long long)held->now, (unsigned long long)held->most);
    report_remedy(&event,
                  "None, unless %s itself connects to others from that port; then let the clients "
                  "close first.",
                  host_service(service).text);
    occasion->emit(occasion->context, &event);
}
