/*
 * metrics: counts records, and writes them as one page at every stats record and at the end.
 *
 * Each page leaves in one write to the stream, so that what lies below it can put the new page in
 * the place of the old one.
 */
#include <stdlib.h>

#include "metrics_counts.h"
#include "output.h"
#include "sinks.h"

struct metrics {
    struct sink sink;
    FILE *stream;
    bool open_form; /* the OpenMetrics page, an octet 0, then the other */
    struct metrics_counts counts;
};

/* clang-format off */
const struct metrics_bound metrics_bounds[METRICS_BOUNDS] = {
    {"0.001", NANO_PER_MILLI},           {"0.01", INT64_C(10) * NANO_PER_MILLI},
    {"0.1", INT64_C(100) * NANO_PER_MILLI},     {"1.0",  NANO_PER_SECOND},
    {"5.0", INT64_C(5) * NANO_PER_SECOND},      {"10.0", INT64_C(10) * NANO_PER_SECOND}, /* close_wait_slow */
    {"30.0", INT64_C(30) * NANO_PER_SECOND},     {"60.0", INT64_C(60) * NANO_PER_SECOND}, /* TIME_WAIT, fin_timeout */
    {"120.0", INT64_C(120) * NANO_PER_SECOND},    {"300.0", INT64_C(300) * NANO_PER_SECOND},
    {"900.0", INT64_C(900) * NANO_PER_SECOND},    {"3600.0", INT64_C(3600) * NANO_PER_SECOND},
    {"+Inf",  INT64_MAX},
};
/* clang-format on */

static void take_stay(struct metrics_counts *counts, const struct stay *stay)
{
    if (stay->length == NANOTIME_UNKNOWN)
        return;
    int bucket = 0;
    while (stay->length > metrics_bounds[bucket].bound)
        bucket++;
    counts->stays[stay->state].bucket[bucket]++;
    counts->stays[stay->state].sum += (uint64_t)stay->length;
}

/* Connections that go on are counted when they end. */
static enum status metrics_flow(struct sink *sink, const struct flow_record *flow)
{
    struct metrics_counts *counts = &((struct metrics *)sink)->counts;
    if (!flow->final)
        return STATUS_OK;
    counts->closes[flow->close_kind][flow->initiator]++;
    counts->left[CLIENT][flow->side[CLIENT].state]++;
    counts->left[SERVER][flow->side[SERVER].state]++;
    struct stay stay[DWELL_STAYS];
    uint32_t stays = dwell_stays(flow, stay);
    for (uint32_t i = 0; i < stays; i++)
        take_stay(counts, &stay[i]);
    return STATUS_OK;
}

static enum status metrics_event(struct sink *sink, const struct event_record *event)
{
    struct metrics_counts *counts = &((struct metrics *)sink)->counts;
    counts->events[event->id][event->level]++;
    counts->blamed[event->id][event->blame]++;
    if (counts->services)
        metrics_services_take(counts->services, event);
    return STATUS_OK;
}

static enum status write_page(struct metrics *metrics)
{
    char *text = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&text, &length);
    if (!page)
        return STATUS_NO_MEMORY;
    if (metrics->open_form) {
        metrics_page_write(&metrics->counts, METRICS_OPEN, page);
        fputc('\0', page);
    }
    metrics_page_write(&metrics->counts, METRICS_TEXT, page);
    bool whole = ferror(page) == 0;
    if (fclose(page) != 0 || !whole) {
        free(text);
        return STATUS_NO_MEMORY;
    }
    enum status status = output_print(metrics->stream, text, length);
    free(text);
    return status;
}

static enum status metrics_stats(struct sink *sink, const struct stats_record *stats)
{
    struct metrics *metrics = (struct metrics *)sink;
    metrics->counts.stats = *stats;
    return write_page(metrics);
}

/* What is held stays as it was before everything was ended, which a record of stats told. */
static enum status metrics_finish(struct sink *sink, const struct run_summary *summary)
{
    struct metrics *metrics = (struct metrics *)sink;
    struct stats_record *stats = &metrics->counts.stats;
    stats->packets = summary->packets;
    stats->bytes = summary->bytes;
    stats->segments = summary->segments;
    stats->copies = summary->copies;
    stats->drops_known = summary->drops_known;
    stats->drops_received = summary->drops_received;
    stats->drops_kernel = summary->drops_kernel;
    stats->drops_interface = summary->drops_interface;
    stats->evictions = summary->evictions;
    stats->tombstones_evicted = summary->tombstones_evicted;
    stats->events_dropped = summary->events_dropped;
    stats->history_dropped = summary->history_dropped;
    return write_page(metrics);
}

static void metrics_free(struct sink *sink)
{
    struct metrics *metrics = (struct metrics *)sink;
    if (!metrics)
        return;
    metrics_services_free(metrics->counts.services);
    free(metrics);
}

enum status sink_metrics_new(const struct sink_options *options, FILE *stream,
                             struct sink **ret_sink)
{
    static const struct sink_ops operations = {
        .flow = metrics_flow,
        .event = metrics_event,
        .stats = metrics_stats,
        .finish = metrics_finish,
        .free = metrics_free,
    };
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (!metrics)
        return STATUS_NO_MEMORY;
    metrics->sink.ops = &operations;
    metrics->stream = stream;
    metrics->open_form = options->open_metrics;
    metrics->counts.version = options->version;
    metrics->counts.stats.lag = NANOTIME_UNKNOWN;
    metrics->counts.top = options->metrics_top;
    if (options->metrics_top > 0)
        metrics->counts.services = metrics_services_new();
    if (options->metrics_top > 0 && !metrics->counts.services) {
        free(metrics);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &metrics->sink;
    return STATUS_OK;
}
