/*
 * board: see board.h.  Gathering and posting of records; board_whole.c says what changes slowly,
 * board_detail.c answers questions, board_page.c is the page.
 *
 * Records are serialised when they are posted, not when they come: of a burst only the newest are
 * ever spelled, so what a busy capture costs is bounded.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "board_book.h"
#include "selection.h"

static struct board *board_of(struct sink *sink)
{
    return (struct board *)sink;
}

/* --- records --- */

static enum status take_segment(struct sink *sink, const struct segment_record *segment)
{
    return trails_segment(board_of(sink)->recent.trails, segment);
}

/* A group's example is the id of an event, by which the page asks for it. */
static enum status take_event(struct sink *sink, const struct event_record *event)
{
    struct board *board = board_of(sink);
    char id[32];
    if (!selection_wants_event(&board->options, LEVEL_INFO, event))
        return STATUS_OK;
    recent_event(&board->recent, event);
    struct problem *problem = problems_add(board->problems, event);
    if (problem == NULL)
        return STATUS_OK;
    int length = snprintf(id, sizeof id, "\"%016" PRIx64 "\"", event->event_uid);
    return problem_set_example(problem, id, (size_t)length);
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct board *board = board_of(sink);
    if (!flow->final || !selection_wants_flow(&board->options, FLOWS_ALL, flow))
        return STATUS_OK;
    recent_flow(&board->recent, flow, selection_is_problem(&board->options, flow));
    board->counts.ended[flow->close_kind][flow->initiator]++;
    return dwell_add_flow(board->dwell, flow);
}

/* One line: strings are escaped. */
static enum status post_record(struct board *board, enum board_kind kind,
                               const struct field_table *table, const void *record)
{
    size_t length;
    const char *text = record_writer_write(&board->writer, table, record, &length);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    board->post.post(board->post.context, kind, text, length);
    return STATUS_OK;
}

/* The next host records are those of a new moment.  What is held counts as found. */
static enum status take_stats(struct sink *sink, const struct stats_record *stats)
{
    struct board *board = board_of(sink);
    struct run_summary *run = &board->run;
    *run = (struct run_summary){
        .packets = stats->packets,
        .bytes = stats->bytes,
        .segments = stats->segments,
        .copies = stats->copies,
        .first = stats->started,
        .last = stats->started == NANOTIME_UNKNOWN ? NANOTIME_UNKNOWN : stats->t,
        .drops_known = stats->drops_known,
        .drops_received = stats->drops_received,
        .drops_kernel = stats->drops_kernel,
        .drops_interface = stats->drops_interface,
        .flows = stats->flows + stats->open,
        .evictions = stats->evictions,
        .tombstones_evicted = stats->tombstones_evicted,
        .events_dropped = stats->events_dropped,
        .history_dropped = stats->history_dropped,
    };
    memcpy(run->flows_by_kind, stats->flows_by_kind, sizeof run->flows_by_kind);
    memcpy(run->events_by_id, stats->events_by_id, sizeof run->events_by_id);
    memcpy(run->events_by_level, stats->events_by_level, sizeof run->events_by_level);
    board->has_stats = true;
    board->host_count = 0;
    printbuf_reset(board->hosts);
    if (board->post.post == NULL)
        return STATUS_OK;
    return post_record(board, BOARD_STATS, &stats_table, stats);
}

/* The busiest come first. */
static enum status take_host(struct sink *sink, const struct host_record *host)
{
    struct board *board = board_of(sink);
    if (board->host_count == BOARD_HOSTS_SHOWN)
        return STATUS_OK;
    size_t length;
    const char *text = record_writer_write(&board->writer, &host_table, host, &length);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    const char *between = board->host_count++ > 0 ? ", " : "[ ";
    bool kept = printbuf_memappend(board->hosts, between, 2) == 2 &&
                printbuf_memappend(board->hosts, text, (int)length) == (int)length;
    return kept ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status flush(struct sink *sink)
{
    (void)sink; /* what is new leaves by sink_board_show */
    return STATUS_OK;
}

/* --- messages --- */

/* The later of what was posted and what is kept: numbers between are gone. */
static uint64_t first_to_post(uint64_t posted, uint64_t count, uint64_t room)
{
    return posted + room < count ? count - room : posted;
}

static enum status post_flows(struct board *board, bool has_problems)
{
    const struct recent_flows *flows = &board->recent.flows[has_problems];
    enum status status = STATUS_OK;
    uint64_t number = first_to_post(board->flows_posted[has_problems], flows->count, RECENT_FLOWS);
    for (; status == STATUS_OK && number < flows->count; number++)
        status = post_record(board, has_problems ? BOARD_TROUBLE : BOARD_PLAIN, &flow_table,
                             recent_find_flow(flows, number));
    board->flows_posted[has_problems] = flows->count;
    return status;
}

static enum status post_events(struct board *board)
{
    const struct recent *recent = &board->recent;
    enum status status = STATUS_OK;
    uint64_t number = first_to_post(board->events_posted, recent->event_count, RECENT_EVENTS);
    for (; status == STATUS_OK && number < recent->event_count; number++)
        status = post_record(board, BOARD_EVENT, &event_table, recent_find_event(recent, number));
    board->events_posted = recent->event_count;
    return status;
}

enum status sink_board_show(struct sink *sink, bool whole)
{
    struct board *board = board_of(sink);
    if (board->post.post == NULL)
        return STATUS_OK;
    enum status status = post_events(board);
    if (status == STATUS_OK)
        status = post_flows(board, false);
    if (status == STATUS_OK)
        status = post_flows(board, true);
    if (status == STATUS_OK && whole && board->has_stats)
        status = board_post_whole(board);
    return status;
}

enum status sink_board_end(struct sink *sink)
{
    static const char nothing[] = "{}";
    struct board *board = board_of(sink);
    enum status status = sink_board_show(sink, true);
    if (board->post.post != NULL)
        board->post.post(board->post.context, BOARD_END, nothing, sizeof nothing - 1);
    return status;
}

void sink_board_connect(struct sink *sink, struct board_post post)
{
    board_of(sink)->post = post;
}

/* --- life --- */

static void board_free(struct sink *sink)
{
    struct board *board = board_of(sink);
    if (board == NULL)
        return;
    record_writer_clear(&board->writer);
    recent_clear(&board->recent);
    dwell_free(board->dwell);
    problems_free(board->problems);
    if (board->hosts != NULL)
        printbuf_free(board->hosts);
    free(board);
}

static const struct sink_ops board_ops = {
    .flow = take_flow,
    .event = take_event,
    .segment = take_segment,
    .host = take_host,
    .stats = take_stats,
    .flush = flush,
    .free = board_free,
};

/* What the page shows where nothing else was asked for. */
static struct sink_options decide_options(const struct sink_options *options)
{
    struct sink_options own = *options;
    if (own.minimum_level == 0 && own.events == NULL)
        own.minimum_level = LEVEL_NOTICE;
    return own;
}

enum status sink_board_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink)
{
    (void)stream; /* messages have a way of their own */
    struct board *board = calloc(1, sizeof *board);
    if (board == NULL)
        return STATUS_NO_MEMORY;
    board->sink.ops = &board_ops;
    board->options = decide_options(options);
    board->dwell = dwell_new(DWELL_EXACT);
    board->problems = problems_new(BOARD_PROBLEMS);
    board->hosts = printbuf_new();
    enum status status = record_writer_init(&board->writer, &board->options);
    if (status == STATUS_OK)
        status = recent_init(&board->recent);
    if (status != STATUS_OK || board->dwell == NULL || board->problems == NULL ||
        board->hosts == NULL) {
        board_free(&board->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &board->sink;
    return STATUS_OK;
}
