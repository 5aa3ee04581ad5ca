/* analyzer: see analyzer.h: how it begins, what is asked of it while it runs, and how it ends. */
#include "analyzer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer_parts.h"

enum { MOST_HELPFUL = 5, LEAST_EACH = 96 << 20 /* octets of the limit for each thread */ };

/* As many as help: one a core, the caller's among them, which reads and writes, too; fewer where
 * little memory may be taken. */
static uint32_t thread_count(const struct analyzer_options *options)
{
    if (options->tap_count > 1)
        return 1;
    if (options->config.threads != 0)
        return options->config.threads;
    const uint64_t enough = options->config.max_memory / LEAST_EACH;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = cores < 1 ? 1 : cores < MOST_HELPFUL ? (uint32_t)cores : MOST_HELPFUL;
    return enough >= threads ? threads : enough > 1 ? (uint32_t)enough : 1;
}

/* Octets that threads take beside what they hold: what is read ahead, their epochs; and of each
 * engine the memory that it began, of every kind, and nobody is in yet. */
static uint64_t beside_engines(const struct config *config, uint32_t threads)
{
    enum { MIB = 1 << 20, AHEAD = 4 * MIB, BEGUN = 9 * MIB / 2 };
    uint64_t several = AHEAD + shards_octets(config->max_memory, threads);
    return threads * (uint64_t)BEGUN + (threads > 1 ? several : 0);
}

uint64_t analyzer_room(const struct analyzer_options *options, bool *ret_holds)
{
    enum { LEAST_SHARE = 6 };
    const struct config *config = &options->config;
    uint32_t threads = thread_count(options);
    uint32_t taps = options->tap_count > 1 ? options->tap_count : 1;
    uint64_t taken = options->reserved + host_octets(config) +
                     taps * fragments_most_octets(config) + beside_engines(config, threads) +
                     path_room_fixed(config, taps, options->segments);
    uint64_t least = config->max_memory / LEAST_SHARE;
    *ret_holds = taken + least <= config->max_memory;
    return *ret_holds ? config->max_memory - taken : least;
}

enum status analyzer_new(const struct analyzer_options *options, struct analyzer **ret_analyzer)
{
    struct analyzer *analyzer = aligned_alloc(ENGINE_LINE, sizeof(*analyzer));
    if (analyzer == NULL)
        return STATUS_NO_MEMORY;
    memset(analyzer, 0, sizeof(*analyzer));
    analyzer->sink = options->sink;
    analyzer->clock = INT64_MIN + 1;
    enum status status = engine_init(&analyzer->engine, &options->config, NULL);
    if (status == STATUS_OK)
        status = host_new(&analyzer->engine.config, options->sink, &analyzer->host);
    if (status != STATUS_OK) {
        analyzer_free(analyzer);
        return status;
    }
    bool holds;
    analyzer->engine.sink = host_sink(analyzer->host);
    analyzer->engine.room = analyzer_room(options, &holds);
    if (options->tap_count > 1) {
        struct path_room room =
            path_room_share(&analyzer->engine.config, options->tap_count, analyzer->engine.room);
        analyzer->engine.room = room.engine;
        analyzer->engine.beside = room.each;
        status = path_new(&analyzer->engine.config, options->taps, options->tap_count, &room,
                          host_sink(analyzer->host), &analyzer->path);
        if (status != STATUS_OK) {
            analyzer_free(analyzer);
            return status;
        }
        analyzer->engine.sink = path_sink(analyzer->path);
    }
    struct shards_options shards = {
        .config = &options->config,
        .threads = thread_count(options),
        .room = analyzer->engine.room,
        .sink = host_sink(analyzer->host),
        .segments = options->segments,
        .transitions = options->transitions,
        .sink_anywhere = options->sink_anywhere,
        .losses = &analyzer->losses,
    };
    if (shards.threads > 1)
        status = shards_new(&shards, &analyzer->shards);
    if (status != STATUS_OK) {
        analyzer_free(analyzer);
        return status;
    }
    if (options->piece)
        status = analyzer_make_tapes(analyzer);
    if (status != STATUS_OK) {
        analyzer_free(analyzer);
        return status;
    }
    analyzer->engine.losses = &analyzer->losses;
    analyzer->engine.trace_segments = options->segments;
    analyzer->engine.trace_transitions = options->transitions;
    analyzer->first = analyzer->last = NANOTIME_UNKNOWN;
    *ret_analyzer = analyzer;
    return STATUS_OK;
}

bool analyzer_set_aside(struct analyzer *analyzer, bool (*work)(void *context), void *context)
{
    if (analyzer->shards != NULL)
        shards_set_aside(analyzer->shards, (struct shards_aside){work, context});
    return analyzer->shards != NULL;
}

void analyzer_offer_aside(struct analyzer *analyzer)
{
    shards_offer_aside(analyzer->shards);
}

static void note_status(struct analyzer *analyzer, enum status status)
{
    if (status != STATUS_OK && analyzer->engine.status == STATUS_OK)
        analyzer->engine.status = status;
}

void analyzer_process_batch(struct analyzer *analyzer)
{
    engine_batch(&analyzer->engine, analyzer->batch, analyzer->turn, analyzer->batched, true);
    analyzer->batched = 0;
    if (analyzer->path != NULL)
        note_status(analyzer, path_tell(analyzer->path, analyzer->engine.clock));
}

/* The failure since it was last asked for. */
enum status analyzer_take_status(struct analyzer *analyzer)
{
    enum status status = analyzer->engine.status;
    analyzer->engine.status = STATUS_OK;
    return status;
}

enum status analyzer_settle(struct analyzer *analyzer)
{
    if (analyzer->shards != NULL)
        return shards_settle(analyzer->shards);
    analyzer_process_batch(analyzer);
    return analyzer_take_status(analyzer);
}

enum status analyzer_tick(struct analyzer *analyzer, nanotime now)
{
    enum status status;
    if (analyzer->shards != NULL) {
        status = shards_advance(analyzer->shards, now);
    } else {
        analyzer_process_batch(analyzer);
        analyzer->engine.losses_known = analyzer->losses.count;
        engine_advance(&analyzer->engine, now);
        status = analyzer_take_status(analyzer);
    }
    enum status hosts = host_advance(analyzer->host, now);
    return status == STATUS_OK ? hosts : status;
}

void analyzer_note_drops(struct analyzer *analyzer, uint64_t lost, nanotime from, nanotime until)
{
    analyzer_note_loss(analyzer, lost, from, until);
}

nanotime analyzer_clock(const struct analyzer *analyzer)
{
    if (analyzer->shards != NULL)
        return shards_clock(analyzer->shards);
    return time_later_of(analyzer->clock, analyzer->engine.clock);
}

enum status analyzer_snapshot(struct analyzer *analyzer)
{
    enum status status = analyzer_tick(analyzer, analyzer_clock(analyzer));
    if (status == STATUS_NO_MEMORY)
        return status;
    if (analyzer->shards != NULL)
        return shards_snapshot(analyzer->shards);
    engine_snapshot_begin(&analyzer->engine);
    engine_snapshot_until(&analyzer->engine, UINT64_MAX);
    return analyzer_take_status(analyzer);
}

static enum status write_stats(struct analyzer *analyzer, const struct analyzer_inputs *inputs,
                               struct sink *sink)
{
    struct engine_stock stock = {0};
    struct engine_counts counts;
    enum status status = analyzer_tick(analyzer, analyzer_clock(analyzer));
    if (status == STATUS_NO_MEMORY)
        return status;
    counts = analyzer->engine.counts;
    if (analyzer->shards != NULL)
        shards_count(analyzer->shards, &stock, &counts);
    else
        engine_count_stock(&analyzer->engine, &stock);
    struct stats_record stats = {
        .t = inputs->now != 0 ? inputs->now : analyzer_clock(analyzer),
        .drops_known = inputs->drops_known,
        .drops_received = inputs->drops_received,
        .drops_kernel = inputs->drops_kernel,
        .drops_interface = inputs->drops_interface,
        .peaks = host_peaks(analyzer->host),
        .lag = inputs->lag_known ? inputs->lag : NANOTIME_UNKNOWN,
    };
    analyzer_fill_stats(analyzer, &stock, &counts, &stats);
    return sink->ops->stats(sink, &stats);
}

enum status analyzer_stats(struct analyzer *analyzer, const struct analyzer_inputs *inputs)
{
    struct sink *sink = analyzer->sink;
    if (sink == NULL || sink->ops->stats == NULL)
        return STATUS_OK;
    return write_stats(analyzer, inputs, sink);
}

enum status analyzer_look(struct analyzer *analyzer, const struct analyzer_inputs *inputs,
                          struct sink *sink)
{
    enum status status = write_stats(analyzer, inputs, sink);
    enum status hosts = host_show(analyzer->host, sink);
    return status == STATUS_OK ? hosts : status;
}

/* Ends every flow; the counts of all engines together. */
static enum status end_flows(struct analyzer *analyzer)
{
    nanotime last = time_later_of(analyzer->last, analyzer->clock);
    if (analyzer->shards != NULL)
        return shards_finish(analyzer->shards, last, &analyzer->counts);
    analyzer_process_batch(analyzer);
    analyzer->engine.losses_known = analyzer->losses.count;
    engine_advance(&analyzer->engine, last);
    engine_finish_begin(&analyzer->engine);
    engine_finish_until(&analyzer->engine, UINT64_MAX);
    analyzer->counts = analyzer->engine.counts;
    return analyzer_take_status(analyzer);
}

/* Before the flows end: what became of every segment between the taps. */
static enum status end_paths(struct analyzer *analyzer)
{
    if (analyzer->path == NULL)
        return STATUS_OK;
    analyzer_process_batch(analyzer);
    return path_finish(analyzer->path, analyzer->engine.clock);
}

/* What is missing of a packet does not come any more. */
static enum status end_fragments(struct analyzer *analyzer)
{
    if (analyzer->fragments == NULL)
        return STATUS_OK;
    fragments_finish(analyzer->fragments);
    return analyzer_take_lost(analyzer, analyzer->last);
}

/* What fragments came to is known at the end only. */
static void count_fragments(struct analyzer *analyzer)
{
    if (analyzer->fragments == NULL)
        return;
    struct fragment_counts counts = fragments_counts(analyzer->fragments);
    analyzer->results[DISSECT_FRAGMENT] = counts.joined;
    analyzer->results[DISSECT_FRAGMENT_INCOMPLETE] += counts.incomplete;
    analyzer->results[DISSECT_FRAGMENT_OVERLAP] = counts.overlapping;
    analyzer->results[DISSECT_FRAGMENT_MALFORMED] = counts.malformed;
    analyzer->results[DISSECT_FRAGMENT_COPY] = counts.copies;
}

enum status analyzer_finish(struct analyzer *analyzer, const struct analyzer_inputs *inputs)
{
    uint64_t drops = inputs->drops_known ? inputs->drops_kernel : 0;
    if (drops > analyzer->lost && analyzer->last != NANOTIME_UNKNOWN)
        analyzer_note_loss(analyzer, drops - analyzer->lost, analyzer->last,
                           analyzer->last); /* the rest, told at the end */
    enum status lost = end_fragments(analyzer);
    enum status status = end_paths(analyzer);
    status = status == STATUS_OK ? lost : status;
    lost = end_flows(analyzer);
    status = status == STATUS_OK ? lost : status;
    lost = analyzer->path == NULL ? STATUS_OK : path_close(analyzer->path);
    status = status == STATUS_OK ? lost : status;
    lost = host_finish(analyzer->host, analyzer->last);
    status = status == STATUS_OK ? lost : status;
    count_fragments(analyzer);
    lost = analyzer_write_tapes(analyzer);
    status = status == STATUS_OK ? lost : status;
    struct run_summary *summary = malloc(sizeof(*summary));
    if (summary == NULL)
        return STATUS_NO_MEMORY;
    analyzer_summarize(analyzer, inputs, summary);
    struct sink *sink = analyzer->sink;
    if (sink != NULL && sink->ops->finish != NULL) {
        enum status finished = sink->ops->finish(sink, summary);
        status = finished != STATUS_OK ? finished : status;
    }
    free(summary);
    return status;
}

void analyzer_free(struct analyzer *analyzer)
{
    if (analyzer == NULL)
        return;
    fragments_free(analyzer->fragments);
    shards_free(analyzer->shards);
    for (int i = 0; i < PATH_TAPS; i++)
        fragments_free(analyzer->far_fragments[i]);
    engine_clear(&analyzer->engine);
    path_free(analyzer->path);
    host_free(analyzer->host);
    free(analyzer);
}
