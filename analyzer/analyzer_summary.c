/* analyzer_summary: what an analyzer has counted, as stats records and the summary tell it. */
#include <string.h>

#include "analyzer_parts.h"

void analyzer_fill_stats(const struct analyzer *analyzer, const struct engine_stock *stock,
                         const struct engine_counts *counts, struct stats_record *stats)
{
    stats->packets = analyzer->packets;
    stats->bytes = analyzer->bytes;
    stats->started = analyzer->first;
    stats->segments = counts->segments;
    stats->copies = counts->copies;
    stats->open = stock->open;
    memcpy(stats->states, stock->states, sizeof(stats->states));
    stats->flows = counts->flows;
    memcpy(stats->flows_by_kind, counts->flows_by_kind, sizeof(stats->flows_by_kind));
    host_count_events(analyzer->host, stats->events_by_id, stats->events_by_level);
    stats->memory = stock->octets + analyzer->engine.config.max_memory - analyzer->engine.room;
    stats->memory_limit = analyzer->engine.config.max_memory;
    stats->evictions = counts->evictions;
    stats->tombstones_evicted = counts->tombstones_evicted;
    stats->events_dropped = counts->events_dropped;
    stats->history_dropped = counts->history_dropped;
}

static void add_skipped(struct run_summary *summary, const char *name, uint64_t count)
{
    if (count > 0)
        summary->skipped[summary->skipped_count++] = (struct count_by_name){name, count};
}

/* Every packet once: segments, copies and these together are all that was read. */
static void summarize_skipped(const struct analyzer *analyzer, struct run_summary *summary)
{
    for (int i = 0; i < DISSECT_RESULTS; i++) {
        uint64_t count = analyzer->results[i];
        if (i == DISSECT_ICMP_ERROR) /* the others are named below */
            count = analyzer->counts.icmp_matched;
        if (i != DISSECT_SEGMENT)
            add_skipped(summary, dissect_result_name((enum dissect_result)i), count);
    }
    add_skipped(summary, "icmp_error_unmatched", analyzer->counts.icmp_unmatched);
    add_skipped(summary, "icmp_error_copy", analyzer->counts.icmp_copies);
    add_skipped(summary, "after_close", analyzer->counts.late);
}

static void summarize_links(const struct analyzer *analyzer, const struct analyzer_inputs *inputs,
                            struct run_summary *summary)
{
    for (uint32_t i = 0; i < analyzer->links && inputs->link_type_name != NULL; i++)
        summary->link_types[summary->link_type_count++] = (struct count_by_name){
            inputs->link_type_name(analyzer->link[i].link_type), analyzer->link[i].packets};
}

static void summarize_engine(const struct engine_counts *counts, struct run_summary *summary)
{
    summary->segments = counts->segments;
    summary->copies = counts->copies;
    summary->flows = counts->flows;
    memcpy(summary->flows_by_kind, counts->flows_by_kind, sizeof(summary->flows_by_kind));
    memcpy(summary->left, counts->left, sizeof(summary->left));
    memcpy(summary->left_presumed, counts->left_presumed, sizeof(summary->left_presumed));
    summary->evictions = counts->evictions;
    summary->tombstones_evicted = counts->tombstones_evicted;
    summary->events_dropped = counts->events_dropped;
    summary->history_dropped = counts->history_dropped;
}

void analyzer_summarize(const struct analyzer *analyzer, const struct analyzer_inputs *inputs,
                        struct run_summary *summary)
{
    memset(summary, 0, sizeof(*summary));
    summary->inputs = inputs->inputs;
    summary->input_count = inputs->count;
    summary->packets = analyzer->packets;
    summary->bytes = analyzer->bytes;
    summary->truncated = analyzer->truncated;
    summary->bad_checksums = analyzer->bad_checksums;
    summary->timestamp_regressions = analyzer->regressions;
    summary->first = analyzer->first;
    summary->last = analyzer->last;
    summary->drops_known = inputs->drops_known;
    summary->drops_received = inputs->drops_received;
    summary->drops_kernel = inputs->drops_kernel;
    summary->drops_interface = inputs->drops_interface;
    summarize_skipped(analyzer, summary);
    summarize_links(analyzer, inputs, summary);
    summarize_engine(&analyzer->counts, summary);
    host_summarize(analyzer->host, summary);
}
