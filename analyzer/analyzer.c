/* analyzer: see analyzer.h.  analyzer_packet() is the data flow, read as a table of contents. */
#include "analyzer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer_parts.h"

enum { MOST_HELPFUL = 4 };

/* As many as help: one that reads and writes, and beside it one a core that analyses. */
static uint32_t thread_count(const struct config *config)
{
    if (config->threads != 0)
        return config->threads;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 1 : cores < MOST_HELPFUL ? (uint32_t)cores + 1 : MOST_HELPFUL + 1;
}

/* How many threads analyse beside the caller's. */
static uint32_t worker_count(const struct analyzer_options *options)
{
    return options->tap_count > 1 ? 0 : thread_count(&options->config) - 1;
}

uint64_t analyzer_room(const struct analyzer_options *options, bool *ret_holds)
{
    enum { LEAST_SHARE = 4 };
    const struct config *config = &options->config;
    uint64_t taken = options->reserved + host_octets(config) + fragments_most_octets(config) +
                     (uint64_t)worker_count(options) * SHARDS_WORKER;
    uint64_t least = config->max_memory / LEAST_SHARE;
    *ret_holds = taken + least <= config->max_memory;
    return *ret_holds ? config->max_memory - taken : least;
}

enum status analyzer_new(const struct analyzer_options *options, struct analyzer **ret_analyzer)
{
    struct analyzer *analyzer = calloc(1, sizeof(*analyzer));
    if (analyzer == NULL)
        return STATUS_NO_MEMORY;
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
        status = path_new(&analyzer->engine.config, options->taps, options->tap_count,
                          host_sink(analyzer->host), &analyzer->path);
        if (status != STATUS_OK) {
            analyzer_free(analyzer);
            return status;
        }
        analyzer->engine.sink = path_sink(analyzer->path);
    }
    struct shards_options shards = {
        .config = &options->config,
        .workers = worker_count(options),
        .room = analyzer->engine.room,
        .sink = host_sink(analyzer->host),
        .segments = options->segments,
        .transitions = options->transitions,
        .losses = &analyzer->losses,
    };
    if (shards.workers > 0)
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

static void note_status(struct analyzer *analyzer, enum status status)
{
    if (status != STATUS_OK && analyzer->engine.status == STATUS_OK)
        analyzer->engine.status = status;
}

void analyzer_process_batch(struct analyzer *analyzer)
{
    const struct engine_item *items[ENGINE_BATCH];
    for (uint32_t i = 0; i < analyzer->batched; i++)
        items[i] = &analyzer->batch[i];
    engine_batch(&analyzer->engine, items, analyzer->batched);
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

static void count_link_type(struct analyzer *analyzer, int link_type, uint64_t packets)
{
    for (uint32_t i = 0; i < analyzer->links; i++) {
        if (analyzer->link[i].link_type == link_type) {
            analyzer->link[i].packets += packets;
            return;
        }
    }
    if (analyzer->links < LINK_TYPES)
        analyzer->link[analyzer->links++] = (struct link_count){link_type, packets};
}

static void count_link_types(struct analyzer *analyzer, const struct analyzer_packet *packets,
                             size_t count)
{
    size_t first = 0;
    for (size_t i = 1; i <= count; i++) {
        if (i < count && packets[i].link_type == packets[first].link_type)
            continue;
        count_link_type(analyzer, packets[first].link_type, i - first);
        first = i;
    }
}

static void count_packets(struct analyzer *analyzer, const struct analyzer_packet *packets,
                          size_t count)
{
    if (analyzer->first == NANOTIME_UNKNOWN) {
        analyzer->first = analyzer->last = packets->time;
        analyzer_begin_tapes(analyzer, packets->time);
    }
    for (const struct analyzer_packet *packet = packets; packet < packets + count; packet++) {
        analyzer->bytes += packet->length;
        analyzer->truncated += packet->captured < packet->length;
        analyzer->regressions += time_is_before(packet->time, analyzer->last);
        analyzer->first = time_earlier_of(analyzer->first, packet->time);
        analyzer->last = time_later_of(analyzer->last, packet->time);
    }
    analyzer->packets += count;
    count_link_types(analyzer, packets, count);
}

/* The place where the next segment is put. */
static struct engine_item *next_item(struct analyzer *analyzer)
{
    return analyzer->shards != NULL ? shards_next(analyzer->shards)
                                    : &analyzer->batch[analyzer->batched];
}

/* VLANs and tunnels, where they are part of a connection's identity. */
static uint32_t context_of(const struct analyzer *analyzer, const struct segment *segment)
{
    const struct config *config = &analyzer->engine.config;
    if (config->vlan_key == 0 && config->tunnel_key == 0)
        return 0;
    return flow_key_context(segment, config->vlan_key != 0, config->tunnel_key != 0);
}

static enum status take_item(struct analyzer *analyzer, struct engine_item *item)
{
    if (analyzer->path != NULL && item->kind == ITEM_SEGMENT)
        path_take(analyzer->path, 0, &item->segment);
    item->context = context_of(analyzer, &item->segment);
    item->losses = analyzer->losses.count;
    item->part = analyzer->items++;
    if (analyzer->shards != NULL)
        return shards_take(analyzer->shards);
    engine_identify(analyzer->engine.table.secret, item);
    analyzer->clock = time_later_of(analyzer->clock, item->segment.time);
    item->clock = analyzer->clock;
    if (++analyzer->batched == ENGINE_BATCH)
        analyzer_process_batch(analyzer);
    return analyzer_take_status(analyzer);
}

/* A fragment becomes what it completes; DISSECT_FRAGMENT while others are missing. */
static enum dissect_result take_fragment(struct analyzer *analyzer, nanotime time,
                                         struct frame *whole, struct segment *ret_segment)
{
    if (analyzer->fragments == NULL)
        analyzer->fragments = fragments_new(&analyzer->engine.config);
    if (analyzer->fragments == NULL)
        return DISSECT_FRAGMENT_INCOMPLETE;
    return fragments_join(analyzer->fragments, time, whole, ret_segment);
}

/* What is no segment may become one, or quote one; true: there is something to analyse. */
static bool take_other(struct analyzer *analyzer, nanotime time, enum dissect_result result,
                       struct frame whole, struct engine_item *item)
{
    if (result == DISSECT_FRAGMENT)
        result = take_fragment(analyzer, time, &whole, &item->segment);
    if (result == DISSECT_FRAGMENT)
        return false; /* counted there */
    analyzer->results[result]++;
    if (result == DISSECT_ICMP_ERROR) {
        item->kind = ITEM_ICMP;
        dissect_icmp_error(&whole, &item->segment, &item->icmp);
    }
    return result == DISSECT_SEGMENT || result == DISSECT_ICMP_ERROR;
}

/* One packet of a frame: nearly always the only one. */
static enum status take_frame(struct analyzer *analyzer, const struct analyzer_packet *packet,
                              const struct frame *frame)
{
    struct engine_item *item = next_item(analyzer);
    item->kind = ITEM_SEGMENT;
    enum dissect_result result = dissect(frame, &item->segment);
    analyzer->further = item->segment.further;
    if (result == DISSECT_SEGMENT)
        analyzer->results[result]++;
    else if (!take_other(analyzer, packet->time, result, *frame, item))
        return result == DISSECT_FRAGMENT && analyzer->fragments == NULL ? STATUS_NO_MEMORY
                                                                         : STATUS_OK;
    if (item->kind == ITEM_SEGMENT)
        analyzer->bad_checksums += item->segment.checksum_verdict == CHECKSUM_BAD;
    item->segment.time = packet->time;
    item->segment.packet = analyzer->number;
    if (packet->seen_on > 0 && item->segment.around.seen_on == 0)
        item->segment.around.seen_on =
            (uint8_t)(SEEN_ON_CALLERS + packet->seen_on % (SEEN_ON_MOST + 1 - SEEN_ON_CALLERS));
    return take_item(analyzer, item);
}

/* Tells the connections whose packets were given up, because fragments are missing. */
static enum status take_lost(struct analyzer *analyzer, nanotime time)
{
    enum status status = STATUS_OK;
    struct segment lost;
    while (analyzer->fragments != NULL && fragments_lost(analyzer->fragments, &lost)) {
        struct engine_item *item = next_item(analyzer);
        item->segment = lost;
        item->segment.time = time;
        item->segment.packet = analyzer->number;
        item->kind = ITEM_LOST;
        enum status next = take_item(analyzer, item);
        status = status == STATUS_OK ? next : status;
    }
    return status;
}

static void note_loss(struct analyzer *analyzer, uint64_t lost, nanotime from, nanotime until)
{
    analyzer->lost += lost;
    moments_add(&analyzer->losses, from, until);
}

/* Of a further tap's fragments nobody asks for those that stay alone: they go.  False when memory
 * ran out. */
static bool drop_lost(struct fragments *fragments)
{
    struct segment lost;
    while (fragments_lost(fragments, &lost))
        continue;
    return !fragments_starved(fragments);
}

/* A packet of a further tap: its segments, and no more, are of interest. */
static enum status take_far(struct analyzer *analyzer, const struct analyzer_packet *packet)
{
    struct frame frame = {packet->data, packet->captured, packet->length, packet->link_type, 0};
    struct fragments **fragments = &analyzer->far_fragments[packet->tap];
    struct segment segment;
    bool further = true;
    for (; further; frame.part++) {
        struct frame whole = frame;
        enum dissect_result result = dissect(&frame, &segment);
        further = segment.further;
        if (result == DISSECT_FRAGMENT && *fragments == NULL)
            *fragments = fragments_new(&analyzer->engine.config);
        if (result == DISSECT_FRAGMENT && *fragments == NULL)
            return STATUS_NO_MEMORY;
        if (result == DISSECT_FRAGMENT)
            result = fragments_join(*fragments, packet->time, &whole, &segment);
        segment.time = packet->time;
        segment.packet = packet->number;
        if (result == DISSECT_SEGMENT)
            path_take(analyzer->path, packet->tap, &segment);
    }
    if (*fragments != NULL && !drop_lost(*fragments))
        return STATUS_NO_MEMORY;
    if (path_is_due(analyzer->path)) /* the first tap's capture may have ended long before */
        analyzer_process_batch(analyzer);
    return analyzer_take_status(analyzer);
}

nanotime analyzer_tap_time(const struct analyzer *analyzer, uint32_t tap, nanotime t)
{
    return path_time(analyzer->path, tap, t);
}

void analyzer_tap_end(struct analyzer *analyzer, uint32_t tap)
{
    path_end(analyzer->path, tap);
}

static enum status worse_of(enum status a, enum status b)
{
    return a != STATUS_OK ? a : b;
}

/* What follows the first packet of a frame, and what is given up by now. */
static enum status take_rest(struct analyzer *analyzer, const struct analyzer_packet *packet,
                             struct frame *frame)
{
    enum status status = STATUS_OK;
    while (analyzer->further) {
        frame->part++;
        status = worse_of(take_frame(analyzer, packet, frame), status);
    }
    if (analyzer->fragments == NULL)
        return status;
    enum status lost = take_lost(analyzer, packet->time);
    return fragments_starved(analyzer->fragments) ? STATUS_NO_MEMORY : worse_of(status, lost);
}

static enum status take_packet(struct analyzer *analyzer, const struct analyzer_packet *packet)
{
    if (packet->lost > 0)
        note_loss(analyzer, packet->lost, packet->time, packet->time);
    analyzer->number = packet->number != 0 ? packet->number : analyzer->number + 1;
    analyzer->items = 0;
    struct frame frame = {packet->data, packet->captured, packet->length, packet->link_type, 0};
    enum status status = take_frame(analyzer, packet, &frame);
    if (!analyzer->further && analyzer->fragments == NULL)
        return status;
    enum status rest = take_rest(analyzer, packet, &frame);
    return rest == STATUS_NO_MEMORY ? rest : worse_of(status, rest);
}

enum status analyzer_packets(struct analyzer *analyzer, const struct analyzer_packet *packets,
                             size_t count, size_t *ret_taken)
{
    enum status status = STATUS_OK;
    size_t taken = 0;
    count_packets(analyzer, packets, count);
    while (taken < count && status != STATUS_NO_MEMORY)
        status = worse_of(take_packet(analyzer, &packets[taken++]), status);
    *ret_taken = taken;
    return status;
}

enum status analyzer_packet(struct analyzer *analyzer, const struct analyzer_packet *packet)
{
    size_t taken;
    if (packet->tap > 0 && analyzer->path != NULL)
        return take_far(analyzer, packet);
    return analyzer_packets(analyzer, packet, 1, &taken);
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
    note_loss(analyzer, lost, from, until);
}

/* The clock that a record of this moment is written with. */
static nanotime clock_of(const struct analyzer *analyzer)
{
    if (analyzer->shards != NULL)
        return shards_clock(analyzer->shards);
    return analyzer->engine.clock;
}

enum status analyzer_snapshot(struct analyzer *analyzer)
{
    enum status status = analyzer_tick(analyzer, clock_of(analyzer));
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
    enum status status = analyzer_tick(analyzer, clock_of(analyzer));
    if (status == STATUS_NO_MEMORY)
        return status;
    counts = analyzer->engine.counts;
    if (analyzer->shards != NULL)
        shards_count(analyzer->shards, &stock, &counts);
    else
        engine_count_stock(&analyzer->engine, &stock);
    struct stats_record stats = {
        .t = inputs->now != 0 ? inputs->now : clock_of(analyzer),
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
    return take_lost(analyzer, analyzer->last);
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
        note_loss(analyzer, drops - analyzer->lost, analyzer->last,
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
