/*
 * metrics_page: see metrics_counts.h.
 *
 * A family is a row of the table below: its name, what it is, and how its samples are written.
 * Counters are named without _total in the row: OpenMetrics names the family so, and the older form
 * as its samples.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "line.h"
#include "metrics_counts.h"
#include "sinks.h"

enum family_type { COUNTER, GAUGE, HISTOGRAM };

struct page;

struct family {
    const char *name; /* without lastack_ and _total */
    enum family_type type;
    const char *unit; /* the name's end; NULL: none */
    void (*write)(struct page *page, const struct family *family);
    size_t member; /* for write_number: a uint64_t of struct stats_record */
    const char *help;
};

struct page {
    const struct metrics_counts *counts;
    enum metrics_form form;
    FILE *stream;
};

/* clang-format off */
static const char *const type_names[] = {
    [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram",
};

static const enum tcp_state dwell_states[DWELL_STATES] = {
    [DWELL_FIN_WAIT_2] = STATE_FIN_WAIT_2, [DWELL_CLOSE_WAIT] = STATE_CLOSE_WAIT,
    [DWELL_LAST_ACK]   = STATE_LAST_ACK,   [DWELL_TIME_WAIT]  = STATE_TIME_WAIT,
};
/* clang-format on */

static const char *const side_names[] = {[CLIENT] = "client", [SERVER] = "server"};

/* A sample without labels begins so; one with labels goes on with them. */
static void put_name(const struct page *page, const struct family *family)
{
    fprintf(page->stream, "lastack_%s%s", family->name, family->type == COUNTER ? "_total" : "");
}

static void put_plain(const struct page *page, const struct family *family, uint64_t value)
{
    put_name(page, family);
    fprintf(page->stream, " %" PRIu64 "\n", value);
}

static void put_one(const struct page *page, const struct family *family, const char *label,
                    const char *word, uint64_t value)
{
    put_name(page, family);
    fprintf(page->stream, "{%s=\"%s\"} %" PRIu64 "\n", label, word, value);
}

/* Two labels with their words, which are ours and need no escape. */
struct two_labels {
    const char *first, *first_word, *second, *second_word;
};

static void put_two(const struct page *page, const struct family *family, struct two_labels labels,
                    uint64_t value)
{
    put_name(page, family);
    fprintf(page->stream, "{%s=\"%s\",%s=\"%s\"} %" PRIu64 "\n", labels.first, labels.first_word,
            labels.second, labels.second_word, value);
}

/* Seconds with all nine digits, as a sum of ns has them. */
static void put_seconds(const struct page *page, uint64_t ns)
{
    const uint64_t second = NANO_PER_SECOND;
    fprintf(page->stream, "%" PRIu64 ".%09" PRIu64 "\n", ns / second, ns % second);
}

/* --- samples, one function a family or a kind of them --- */

static void write_number(struct page *page, const struct family *family)
{
    const char *stats = (const char *)&page->counts->stats;
    put_plain(page, family, *(const uint64_t *)(stats + family->member));
}

static void write_build(struct page *page, const struct family *family)
{
    put_two(page, family,
            (struct two_labels){"version", page->counts->version, "schema", SINK_SCHEMA_VERSION},
            1);
}

static void write_received(struct page *page, const struct family *family)
{
    if (page->counts->stats.drops_known)
        put_plain(page, family, page->counts->stats.drops_received);
}

static void write_drops(struct page *page, const struct family *family)
{
    if (!page->counts->stats.drops_known)
        return;
    put_one(page, family, "by", "kernel", page->counts->stats.drops_kernel);
    put_one(page, family, "by", "interface", page->counts->stats.drops_interface);
}

static void put_states(struct page *page, const struct family *family,
                       const uint64_t states[2][TCP_STATES])
{
    for (int side = CLIENT; side <= SERVER; side++) {
        for (enum tcp_state state = 0; state < TCP_STATES; state++)
            put_two(page, family,
                    (struct two_labels){"side", side_names[side], "state", tcp_state_name(state)},
                    states[side][state]);
    }
}

static void write_open(struct page *page, const struct family *family)
{
    put_states(page, family, page->counts->stats.states);
}

static void write_left(struct page *page, const struct family *family)
{
    put_states(page, family, page->counts->left);
}

static void write_closes(struct page *page, const struct family *family)
{
    for (enum close_kind kind = 0; kind < CLOSE_KINDS; kind++) {
        for (enum initiator initiator = 0; initiator <= INITIATOR_BOTH; initiator++) {
            const char *who = initiator_name(initiator);
            struct two_labels labels = {"kind", close_kind_name(kind), "initiator",
                                        who != NULL ? who : "none"};
            put_two(page, family, labels, page->counts->closes[kind][initiator]);
        }
    }
}

/* Every event at its usual level, also while there was none: a rate needs the 0 before the 1. */
static void write_events(struct page *page, const struct family *family)
{
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        for (enum level level = LEVEL_INFO; level <= LEVEL_ERROR; level++) {
            uint64_t count = page->counts->events[id][level];
            if (count > 0 || level == event_row(id)->level)
                put_two(page, family,
                        (struct two_labels){"id", event_row(id)->id, "level", level_name(level)},
                        count);
        }
    }
}

static void write_blamed(struct page *page, const struct family *family)
{
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        for (enum blame blame = 0; blame <= BLAME_CAPTURE; blame++) {
            uint64_t count = page->counts->blamed[id][blame];
            if (count > 0)
                put_two(page, family,
                        (struct two_labels){"id", event_row(id)->id, "blame", blame_name(blame)},
                        count);
        }
    }
}

static void write_dwell(struct page *page, const struct family *family)
{
    for (enum dwell_state index = 0; index < DWELL_STATES; index++) {
        const struct metrics_stays *stays = &page->counts->stays[index];
        const char *state = tcp_state_name(dwell_states[index]);
        uint64_t count = 0;
        for (int i = 0; i < METRICS_BOUNDS; i++) {
            count += stays->bucket[i];
            fprintf(page->stream, "lastack_%s_bucket{state=\"%s\",le=\"%s\"} %" PRIu64 "\n",
                    family->name, state, metrics_bounds[i].seconds, count);
        }
        fprintf(page->stream, "lastack_%s_sum{state=\"%s\"} ", family->name, state);
        put_seconds(page, stays->sum);
        fprintf(page->stream, "lastack_%s_count{state=\"%s\"} %" PRIu64 "\n", family->name, state,
                count);
    }
}

static void write_peaks(struct page *page, const struct family *family)
{
    const struct stock_peaks *peaks = &page->counts->stats.peaks;
    for (int side = CLIENT; side <= SERVER; side++) {
        put_two(page, family, (struct two_labels){"side", side_names[side], "state", "TIME_WAIT"},
                peaks->time_wait[side]);
        put_two(page, family, (struct two_labels){"side", side_names[side], "state", "CLOSE_WAIT"},
                peaks->close_wait[side]);
    }
}

static void write_lag(struct page *page, const struct family *family)
{
    if (page->counts->stats.lag == NANOTIME_UNKNOWN)
        return;
    put_name(page, family);
    fputc(' ', page->stream);
    put_seconds(page, (uint64_t)page->counts->stats.lag);
}

static void put_service(struct page *page, const struct family *family,
                        const struct metrics_service *service)
{
    struct line name = {.length = 0};
    line_add(&name, service->ip_version == 6 ? "[" : "");
    line_add_address(&name, service->ip_version, service->address);
    line_add(&name, service->ip_version == 6 ? "]:%u" : ":%u", service->port);
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        if (service->events[id] > 0)
            put_two(page, family,
                    (struct two_labels){"service", name.text, "id", event_row(id)->id},
                    service->events[id]);
    }
}

static void write_services(struct page *page, const struct family *family)
{
    const struct metrics_counts *counts = page->counts;
    const struct metrics_service **worst = malloc((counts->top + 1) * sizeof(*worst));
    uint32_t count = worst ? metrics_services_worst(counts->services, counts->top, worst) : 0;
    for (uint32_t i = 0; i < count; i++)
        put_service(page, family, worst[i]);
    free(worst);
}

static void write_left_out(struct page *page, const struct family *family)
{
    put_plain(page, family, metrics_services_left_out(page->counts->services));
}

/* --- the page --- */

/* clang-format off */
static const struct family families[] = {
    {"build_info",              GAUGE,     NULL,      write_build,    0,                                                 "1, with the version of lastack and of what it writes"},
    {"packets",                 COUNTER,   NULL,      write_number,   offsetof(struct stats_record, packets),            "packets read"},
    {"packet_bytes",            COUNTER,   "bytes",   write_number,   offsetof(struct stats_record, bytes),              "octets of these packets on the wire"},
    {"segments",                COUNTER,   NULL,      write_number,   offsetof(struct stats_record, segments),           "TCP segments analysed, copies left out"},
    {"copies",                  COUNTER,   NULL,      write_number,   offsetof(struct stats_record, copies),             "packets that were captured twice"},
    {"capture_received",        COUNTER,   NULL,      write_received, 0,                                                 "packets that reached the filter of the capture"},
    {"capture_drops",           COUNTER,   NULL,      write_drops,    0,                                                 "packets that the capture lost, by the kernel (want of room) or the interface"},
    {"lag_seconds",             GAUGE,     "seconds", write_lag,      0,                                                 "how far the analysis is behind the capture"},
    {"flows_open",              GAUGE,     NULL,      write_number,   offsetof(struct stats_record, open),               "connections held now, closed ones that wait for 2MSL included"},
    {"flows",                   GAUGE,     NULL,      write_open,     0,                                                 "these, by the state of each side"},
    {"closes",                  COUNTER,   NULL,      write_closes,   0,                                                 "connections that ended, by how, and by who closed first"},
    {"states_left",                  COUNTER,   NULL,      write_left,     0,                                                 "the same, by the state that each side was left in"},
    {"close_dwell_seconds",     HISTOGRAM, "seconds", write_dwell,    0,                                                 "how long sides stayed in a state of the close"},
    {"events",                  COUNTER,   NULL,      write_events,   0,                                                 "events raised, by id and level"},
    {"events_blamed",           COUNTER,   NULL,      write_blamed,   0,                                                 "events raised, by id and by whose doing it probably was"},
    {"stock_most",              GAUGE,     NULL,      write_peaks,    0,                                                 "the most sides in a state that one client, or one service, holds now"},
    {"ports_used",              GAUGE,     NULL,      write_number,   offsetof(struct stats_record, peaks.ports),        "source ports in use by the client that has the least left towards one service"},
    {"ports_usable",            GAUGE,     NULL,      write_number,   offsetof(struct stats_record, peaks.ports_usable), "how many that client has"},
    {"memory_bytes",            GAUGE,     "bytes",   write_number,   offsetof(struct stats_record, memory),             "memory for connections"},
    {"memory_limit_bytes",      GAUGE,     "bytes",   write_number,   offsetof(struct stats_record, memory_limit),       "the limit of it"},
    {"evictions",               COUNTER,   NULL,      write_number,   offsetof(struct stats_record, evictions),          "connections given up early, for want of memory"},
    {"tombstones_evicted",      COUNTER,   NULL,      write_number,   offsetof(struct stats_record, tombstones_evicted), "closed connections forgotten early"},
    {"events_dropped",          COUNTER,   NULL,      write_number,   offsetof(struct stats_record, events_dropped),     "events not written, for want of room"},
    {"history_dropped",         COUNTER,   NULL,      write_number,   offsetof(struct stats_record, history_dropped),    "states beyond the limit of a side's history"},
};

/* Only where the worst services were asked for: these names are addresses. */
static const struct family service_families[] = {
    {"service_events",          COUNTER,   NULL,      write_services, 0,                                                 "events of the services that have the worst ones, by service and id"},
    {"service_events_left_out", COUNTER,   NULL,      write_left_out, 0,                                                 "events for whose service there was no room"},
};
/* clang-format on */

static void write_family(struct page *page, const struct family *family)
{
    bool open = page->form == METRICS_OPEN;
    const char *suffix = !open && family->type == COUNTER ? "_total" : "";
    fprintf(page->stream, "# HELP lastack_%s%s %s\n", family->name, suffix, family->help);
    fprintf(page->stream, "# TYPE lastack_%s%s %s\n", family->name, suffix,
            type_names[family->type]);
    if (open && family->unit != NULL)
        fprintf(page->stream, "# UNIT lastack_%s %s\n", family->name, family->unit);
    family->write(page, family);
}

void metrics_page_write(const struct metrics_counts *counts, enum metrics_form form, FILE *stream)
{
    struct page page = {.counts = counts, .form = form, .stream = stream};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        write_family(&page, &families[i]);
    size_t more = counts->services ? sizeof(service_families) / sizeof(service_families[0]) : 0;
    for (size_t i = 0; i < more; i++)
        write_family(&page, &service_families[i]);
    fputs("# EOF\n", stream);
}
