/*
 * html: one HTML page that needs nothing else, written when everything is known.
 *
 * What must be readable without a script is written as markup; the report document (report.c)
 * stands beside it as data, and the script makes tables and curves from it.  Nothing is deduced
 * here.  An example's first line is the number of its ladder.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "html_graphs.h"
#include "html_parts.h"
#include "html_problem.h"
#include "ladder_book.h"
#include "ladder_svg.h"
#include "selection.h"

enum {
    KEPT_PROBLEMS = 1000,
    SHOWN_PROBLEMS = 100,
    SHOWN_LADDERS = 40,
    KEPT_FLOWS = 2000,
    KEPT_PLAIN = 1000, /* of these, without problems */
    KEPT_HOSTS = 300
};

struct html {
    struct sink sink;
    struct sink_options options;
    struct output output;
    struct markup markup;
    struct dwell *dwell;
    struct problems *problems;
    struct ladder_book *book;
    struct html_counts counts;
    uint32_t hosts;
    struct sink *report; /* writes into data */
    FILE *stream;        /* above data */
    char *data;
    size_t data_length;
};

static enum status html_flow(struct sink *sink, const struct flow_record *flow)
{
    struct html *html = (struct html *)sink;
    uint64_t left_out = sink_report_left_out(html->report);
    enum status status = html->report->ops->flow(html->report, flow);
    if (status == STATUS_OK)
        status = ladder_book_flow(html->book, flow);
    if (flow->final && left_out == sink_report_left_out(html->report))
        ladder_book_keep(html->book, &flow->who);
    if (status != STATUS_OK || !flow->final)
        return status;
    html->counts.ended[flow->close_kind][flow->initiator]++;
    return dwell_add_flow(html->dwell, flow);
}

static enum status keep_example(struct html *html, struct problem *problem,
                                const struct event_record *event)
{
    const struct ladder *ladder = ladder_book_find(html->book, &event->who);
    struct markup example = markup_make();
    markup_add(&example, "%" PRIu64 "\n", ladder == NULL ? 0 : ladder->number);
    html_add_example(&example, event, &html->options);
    enum status status = example.failed
                             ? STATUS_NO_MEMORY
                             : problem_set_example(problem, example.buffer->buf,
                                                   (size_t)printbuf_length(example.buffer));
    markup_clear(&example);
    return status;
}

static enum status html_event(struct sink *sink, const struct event_record *event)
{
    struct html *html = (struct html *)sink;
    enum status status = html->report->ops->event(html->report, event);
    if (status != STATUS_OK || !selection_wants_event(&html->options, LEVEL_INFO, event))
        return status;
    status = ladder_book_event(html->book, event);
    struct problem *problem = problems_add(html->problems, event);
    return status == STATUS_OK && problem != NULL ? keep_example(html, problem, event) : status;
}

static enum status html_segment(struct sink *sink, const struct segment_record *segment)
{
    return ladder_book_segment(((struct html *)sink)->book, segment);
}

static enum status html_path(struct sink *sink, const struct path_record *path)
{
    struct html *html = (struct html *)sink;
    return html->report->ops->path(html->report, path);
}

static enum status html_host(struct sink *sink, const struct host_record *host)
{
    struct html *html = (struct html *)sink;
    if (html->hosts == KEPT_HOSTS) {
        html->counts.hosts_left_out++;
        return STATUS_OK;
    }
    html->hosts++;
    return html->report->ops->host(html->report, host);
}

static enum status html_flush(struct sink *sink)
{
    (void)sink; /* there is nothing to see before the end */
    return STATUS_OK;
}

/* The index of the ladder with that number; the count of ladders: it is not there, or empty. */
static uint32_t find_ladder(const struct html *html, uint64_t number)
{
    uint32_t count;
    const struct ladder *ladders = ladder_book_list(html->book, &count);
    for (uint32_t i = 0; number > 0 && i < count; i++) {
        if (ladders[i].number == number && ladders[i].segment_count > 0)
            return i;
    }
    return count;
}

/* The ladder of an example, once: further problems of the same connection refer to it. */
static enum status write_ladder(struct html *html, uint64_t number, bool *shown)
{
    uint32_t count, index = find_ladder(html, number);
    const struct ladder *ladders = ladder_book_list(html->book, &count);
    if (index < count && shown[index]) {
        markup_add(&html->markup,
                   "<p><a href=\"#ladder-%" PRIu64 "\">Its ladder</a> stands above."
                   "</p>\n",
                   number);
        return STATUS_OK;
    }
    if (index == count || html->counts.ladders_shown == SHOWN_LADDERS) {
        html->counts.problems_without_ladder++;
        return STATUS_OK;
    }
    shown[index] = true;
    html->counts.ladders_shown++;
    markup_add(&html->markup,
               "<div class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"ladder\" "
               "id=\"ladder-%" PRIu64 "\">\n",
               number);
    enum status status = markup_write(&html->markup, &html->output);
    if (status == STATUS_OK)
        status = ladder_svg_write_inside(&html->output, &ladders[index], html->options.nano);
    markup_add(&html->markup, "</div>\n");
    return status;
}

static enum status write_problem(struct html *html, const struct problem *problem, bool *shown)
{
    char *example = problem->example;
    uint64_t number = strtoull(example, &example, 10);
    html_begin_problem(&html->markup, problem, html->options.nano);
    enum status status = markup_write(&html->markup, &html->output);
    if (status == STATUS_OK)
        status = output_write(&html->output, example, strlen(example));
    if (status == STATUS_OK)
        status = write_ladder(html, number, shown);
    html_end_problem(&html->markup);
    return status == STATUS_OK ? markup_write(&html->markup, &html->output) : status;
}

static enum status write_problems(struct html *html, const struct run_view *view)
{
    uint32_t ladders;
    ladder_book_list(html->book, &ladders);
    bool *shown = calloc((size_t)ladders + 1, sizeof *shown);
    enum status status = shown == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (view->problem_count > 0)
        markup_add(&html->markup, "<h2 id=\"problems\">Problems, worst first</h2>\n");
    for (uint32_t i = 0; status == STATUS_OK && i < view->problem_count && i < SHOWN_PROBLEMS;
         i++) {
        if (view->problems[i].example == NULL)
            continue;
        html->counts.problems_shown++;
        status = write_problem(html, &view->problems[i], shown);
    }
    free(shown);
    return status;
}

/* The segments of the connections that are in the report. */
static enum status write_graphs(struct html *html)
{
    struct html_graphs graphs = {.book = html->book, .nano = html->options.nano};
    graphs.uid_count = sink_report_kept(html->report, NULL);
    graphs.uids = calloc((size_t)graphs.uid_count + 1, sizeof *graphs.uids);
    if (graphs.uids == NULL)
        return STATUS_NO_MEMORY;
    sink_report_kept(html->report, graphs.uids);
    enum status status = html_graphs_write(&graphs, &html->output);
    free(graphs.uids);
    return status;
}

static enum status write_page(struct html *html, const struct run_view *view)
{
    struct markup *markup = &html->markup;
    const struct html_head head = {
        .title = view->input_count > 0 ? view->inputs[0].name : NULL,
        .heading = "How TCP connections ended",
        .has_problems = view->problem_count > 0,
    };
    html_add_head(markup, &head);
    html_add_summary(markup, view, html->options.nano);
    html_add_endings(markup, &html->counts);
    enum status status = write_problems(html, view);
    html_add_left_out(markup, view, &html->counts);
    html_add_dwell(markup, view);
    html_add_flows(markup);
    if (status == STATUS_OK)
        status = markup_write(markup, &html->output);
    if (status == STATUS_OK)
        status = markup_write_data(&html->output, html->data, html->data_length);
    html_add_segments(markup);
    if (status == STATUS_OK)
        status = markup_write(markup, &html->output);
    if (status == STATUS_OK)
        status = write_graphs(html);
    html_add_end(markup, false);
    return status == STATUS_OK ? markup_write(markup, &html->output) : status;
}

static enum status html_finish(struct sink *sink, const struct run_summary *summary)
{
    struct html *html = (struct html *)sink;
    struct run_view view = run_view_make(html->options.version, summary, html->dwell);
    view.problems = problems_sort(html->problems, &view.problem_count);
    view.events_left_out = problems_left_out(html->problems);
    if (view.problem_count > 0) /* else there is no ladder */
        html->counts.segments_without_room = ladder_book_left_out(html->book);
    enum status status = html->report->ops->finish(html->report, summary);
    view.flows_left_out = sink_report_left_out(html->report);
    if (status == STATUS_OK && fflush(html->stream) != 0)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = write_page(html, &view);
    return status == STATUS_OK ? output_flush(&html->output) : status;
}

static void html_free(struct sink *sink)
{
    struct html *html = (struct html *)sink;
    if (html == NULL)
        return;
    if (html->report != NULL)
        html->report->ops->free(html->report);
    if (html->stream != NULL)
        fclose(html->stream);
    free(html->data);
    output_clear(&html->output);
    markup_clear(&html->markup);
    dwell_free(html->dwell);
    problems_free(html->problems);
    ladder_book_free(html->book);
    free(html);
}

static const struct sink_ops html_ops = {
    .flow = html_flow,
    .event = html_event,
    .segment = html_segment,
    .host = html_host,
    .path = html_path,
    .flush = html_flush,
    .finish = html_finish,
    .free = html_free,
};

/* What the page shows where nothing else was asked for. */
static struct sink_options decide_options(const struct sink_options *options)
{
    struct sink_options own = *options;
    if (own.minimum_level == 0 && own.events == NULL)
        own.minimum_level = LEVEL_NOTICE;
    if (own.flows == FLOWS_DEFAULT)
        own.flows = FLOWS_ALL;
    own.kept_flows = KEPT_FLOWS;
    own.kept_plain = KEPT_PLAIN;
    own.kept_problems = KEPT_PROBLEMS;
    own.ladder = (struct ladder_choice){.kind = LADDER_PROBLEMS};
    return own;
}

enum status sink_html_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink)
{
    struct html *html = calloc(1, sizeof *html);
    if (html == NULL)
        return STATUS_NO_MEMORY;
    html->sink.ops = &html_ops;
    html->options = decide_options(options);
    html->markup = markup_make();
    html->dwell = dwell_new(DWELL_EXACT);
    html->problems = problems_new(KEPT_PROBLEMS);
    html->book = ladder_book_new(&html->options.ladder, true, options->kept_ladders);
    if (html->book != NULL)
        ladder_book_name_taps(html->book, options->taps);
    html->stream = open_memstream(&html->data, &html->data_length);
    enum status status = output_init(&html->output, stream);
    if (status == STATUS_OK && html->stream != NULL)
        status = sink_report_new(&html->options, html->stream, &html->report);
    if (status != STATUS_OK || html->report == NULL || html->markup.failed || !html->dwell ||
        !html->problems || !html->book) {
        html_free(&html->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &html->sink;
    return STATUS_OK;
}
