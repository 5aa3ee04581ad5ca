/*
 * report: one JSON document, written when everything is known.
 *
 * Problems and flow records are held as serialised text until then.  Both are capped; what found no
 * room is counted in summary.left_out.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../event/dwell.h"
#include "../event/told.h"
#include "carried_text.h"
#include "output.h"
#include "problems.h"
#include "record_writer.h"
#include "run_view.h"
#include "selection.h"

enum { KEPT_FLOWS = 10000, KEPT_PROBLEMS = 1000, LONGEST_FLOW = 1 << 20 };

struct kept_flow {
    char *text; /* serialised, owned */
    uint64_t uid;
    uint8_t level; /* the worst of its events; 0: none */
};

struct report {
    struct sink sink;
    struct sink_ops ops; /* plain only where ordinary flows are not asked for */
    struct sink_options options;
    struct output output;
    struct record_writer writer;
    struct dwell *dwell;
    struct problems *problems;
    struct kept_flow *flows;
    uint32_t flow_count, flow_room, flow_limit;
    uint32_t by_level[LEVEL_ERROR + 1]; /* of them, by the worst of their events */
    uint64_t flows_left_out;
    struct printbuf *hosts; /* serialised list, without its end */
    struct printbuf *paths; /* likewise */
    uint32_t path_count;
    uint64_t paths_left_out;
};

static enum status make_flow_room(struct report *report)
{
    if (report->flow_count < report->flow_room)
        return STATUS_OK;
    uint32_t room = report->flow_room > 0 ? 2 * report->flow_room : 64;
    struct kept_flow *flows = realloc(report->flows, room * sizeof(*flows));
    if (!flows)
        return STATUS_NO_MEMORY;
    report->flows = flows;
    report->flow_room = room;
    return STATUS_OK;
}

/*
 * The worst of the events that are asked for; 0: none.  By the catalogue, although an event may
 * have been more or less than its row says.
 */
static uint8_t worst_level(const struct report *report, const struct flow_record *flow)
{
    enum level worst = 0;
    if (!selection_is_problem(&report->options, flow))
        return 0;
    for (uint32_t event = 0; event < flow->event_count; event++) {
        enum level level = event_row(flow->events[event])->level;
        worst = level > worst ? level : worst;
    }
    return worst < report->options.minimum_level ? 0 : (uint8_t)worst;
}

/*
 * The place of a flow that stands back behind one of that level; NULL: there is none.  Flows change
 * places only where the number of plain ones is limited, and each time for a worse one.
 */
static struct kept_flow *find_lesser(struct report *report, uint8_t level)
{
    enum { PLAIN_SHARE = 4 }; /* a sample of plain ones stays, this part of what there may be */
    uint8_t lesser = report->by_level[0] > report->options.kept_plain / PLAIN_SHARE ? 0 : 1;
    while (lesser < level && report->by_level[lesser] == 0)
        lesser++;
    if (lesser >= level || report->options.kept_plain == 0)
        return NULL;
    uint32_t flow = report->flow_count;
    while (report->flows[flow - 1].level != lesser) /* the newest of them */
        flow--;
    return &report->flows[flow - 1];
}

/* Where a flow of that level goes; NULL in *ret_place: nowhere. */
static enum status find_place(struct report *report, uint8_t level, struct kept_flow **ret_place)
{
    bool plain_full =
        report->options.kept_plain > 0 && report->by_level[0] == report->options.kept_plain;
    *ret_place = NULL;
    if (level == 0 && plain_full)
        return STATUS_OK;
    if (report->flow_count == report->flow_limit) {
        *ret_place = find_lesser(report, level);
        return STATUS_OK;
    }
    if (make_flow_room(report) != STATUS_OK)
        return STATUS_NO_MEMORY;
    *ret_place = &report->flows[report->flow_count++];
    **ret_place = (struct kept_flow){.level = level};
    report->by_level[level]++;
    return STATUS_OK;
}

static enum status keep_flow(struct report *report, const struct flow_record *flow)
{
    uint8_t level = worst_level(report, flow);
    struct kept_flow *place;
    enum status status = find_place(report, level, &place);
    if (status != STATUS_OK)
        return status;
    if (place == NULL || place->text != NULL)
        report->flows_left_out++;
    if (place == NULL)
        return STATUS_OK;
    size_t length;
    const char *text = record_writer_write(&report->writer, &flow_table, flow, &length);
    char *copy = text ? strdup(text) : NULL;
    if (!copy)
        return STATUS_NO_MEMORY;
    report->by_level[place->level]--;
    report->by_level[level]++;
    free(place->text);
    *place = (struct kept_flow){.text = copy, .uid = flow->who.flow_uid, .level = level};
    return STATUS_OK;
}

static enum status report_flow(struct sink *sink, const struct flow_record *flow)
{
    struct report *report = (struct report *)sink;
    if (!flow->final) /* it comes again, whole */
        return STATUS_OK;
    enum status status = dwell_add_flow(report->dwell, flow);
    if (status != STATUS_OK || !selection_wants_flow(&report->options, FLOWS_PROBLEMS, flow))
        return status;
    return keep_flow(report, flow);
}

/* It has no problem. */
static enum status report_plain(struct sink *sink, const struct plain_flow *plain)
{
    return dwell_add_stays(((struct report *)sink)->dwell, plain->flow.stay, plain->flow.stays);
}

static enum status report_event(struct sink *sink, const struct event_record *event)
{
    struct report *report = (struct report *)sink;
    if (!selection_wants_event(&report->options, LEVEL_INFO, event))
        return STATUS_OK;
    struct problem *problem = problems_add(report->problems, event);
    if (!problem)
        return STATUS_OK;
    size_t length;
    const char *text = record_writer_write(&report->writer, &event_table, event, &length);
    return text ? problem_set_example(problem, text, length) : STATUS_NO_MEMORY;
}

/* Appends a record to a list that is without its end yet. */
static enum status add_to_list(struct report *report, struct printbuf *list,
                               const struct field_table *table, const void *record)
{
    size_t length;
    const char *text = record_writer_write(&report->writer, table, record, &length);
    if (!text)
        return STATUS_NO_MEMORY;
    const char *between = printbuf_length(list) > 0 ? ",\n" : "[\n";
    bool kept = printbuf_memappend(list, between, 2) == 2 &&
                printbuf_memappend(list, text, (int)length) == (int)length;
    return kept ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Ends the list; false when memory ran out. */
static bool end_list(struct printbuf *list, const char **ret_text)
{
    if (printbuf_length(list) == 0)
        return true;
    *ret_text = list->buf;
    bool ended = printbuf_memappend(list, "]", 1) == 1;
    *ret_text = list->buf;
    return ended;
}

static enum status report_host(struct sink *sink, const struct host_record *host)
{
    struct report *report = (struct report *)sink;
    return add_to_list(report, report->hosts, &host_table, host);
}

/* Whether more is to be said of the connection's path than that everything arrived. */
static bool is_eventful(const struct path_record *path)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        const struct path_direction *direction = &path->direction[side];
        for (int fate = FATE_ARRIVED + 1; fate < PATH_FATES; fate++) {
            if (direction->fate[fate] > 0)
                return true;
        }
        if (direction->delayed + direction->changed > 0)
            return true;
    }
    return false;
}

static enum status report_path(struct sink *sink, const struct path_record *path)
{
    struct report *report = (struct report *)sink;
    if (report->options.flows != FLOWS_ALL && !is_eventful(path))
        return STATUS_OK;
    if (report->path_count == report->flow_limit) {
        report->paths_left_out++;
        return STATUS_OK;
    }
    report->path_count++;
    return add_to_list(report, report->paths, &path_table, path);
}

static enum status report_flush(struct sink *sink)
{
    (void)sink; /* there is nothing to see before the end */
    return STATUS_OK;
}

/* The list of flows, a line each; the document was written up to its opening bracket. */
static enum status write_flows(struct report *report)
{
    enum status status = STATUS_OK;
    for (uint32_t flow = 0; status == STATUS_OK && flow < report->flow_count; flow++) {
        status = output_write(&report->output, flow > 0 ? ",\n" : "\n", flow > 0 ? 2 : 1);
        const char *text = report->flows[flow].text;
        if (status == STATUS_OK && text != NULL)
            status = output_write(&report->output, text, strlen(text));
    }
    return status;
}

/*
 * "flows" is the last key, and its table row writes an empty list: the flows go between that
 * list's brackets, straight to the stream, since all together they may be larger than a printbuf.
 */
static enum status write_document(struct report *report, const struct run_view *view)
{
    static const char tail[] = "]}";
    size_t length;
    const char *text = record_writer_write(&report->writer, &report_table, view, &length);
    if (!text)
        return STATUS_NO_MEMORY;
    size_t head = length - strlen(tail);
    assert(strcmp(text + head, tail) == 0);
    enum status status = output_write(&report->output, text, head);
    if (status == STATUS_OK)
        status = write_flows(report);
    return status == STATUS_OK ? output_write_line(&report->output, tail, strlen(tail)) : status;
}

static enum status report_finish(struct sink *sink, const struct run_summary *summary)
{
    struct report *report = (struct report *)sink;
    struct run_view view = run_view_make(report->options.version, summary, report->dwell);
    view.problems = problems_sort(report->problems, &view.problem_count);
    view.events_left_out = problems_left_out(report->problems);
    view.flows_left_out = report->flows_left_out;
    view.paths_left_out = report->paths_left_out;
    if (!end_list(report->hosts, &view.hosts) || !end_list(report->paths, &view.paths))
        return STATUS_NO_MEMORY;
    enum status status = write_document(report, &view);
    return status == STATUS_OK ? output_flush(&report->output) : status;
}

static void carry_flow(struct carry *carry, struct kept_flow *flow)
{
    uint64_t level = flow->level;
    carry_number(carry, &flow->uid, UINT64_MAX);
    carry_number(carry, &level, LEVEL_ERROR);
    flow->level = (uint8_t)level;
    char *text = carry_text(carry, flow->text, LONGEST_FLOW);
    if (!carry_is_reading(carry))
        return;
    flow->text = text;
    if (text == NULL || !carried_text_is_object(text))
        carry_fail(carry, STATUS_UNREADABLE);
}

static void carry_flows(struct carry *carry, struct report *report)
{
    uint32_t count = carry_count(carry, report->flow_count, report->flow_limit);
    carry_number(carry, &report->flows_left_out, UINT64_MAX);
    for (uint32_t i = 0; i < count && carry_is_sound(carry); i++) {
        if (!carry_is_reading(carry)) {
            carry_flow(carry, &report->flows[i]);
            continue;
        }
        if (make_flow_room(report) != STATUS_OK) {
            carry_fail(carry, STATUS_NO_MEMORY);
            return;
        }
        struct kept_flow *flow = &report->flows[report->flow_count++];
        *flow = (struct kept_flow){.text = NULL};
        carry_flow(carry, flow);
        report->by_level[flow->level]++;
    }
}

static bool report_carry(struct sink *sink, enum sink_part part, struct carry *carry)
{
    struct report *report = (struct report *)sink;
    if (part == SINK_DWELL)
        dwell_carry(carry, report->dwell);
    if (part == SINK_REPORT) {
        problems_carry(carry, report->problems, carried_text_is_object);
        carry_flows(carry, report);
    }
    return part != SINK_TEXT;
}

static void report_free(struct sink *sink)
{
    struct report *report = (struct report *)sink;
    if (!report)
        return;
    for (uint32_t flow = 0; flow < report->flow_count; flow++)
        free(report->flows[flow].text);
    free(report->flows);
    output_clear(&report->output);
    record_writer_clear(&report->writer);
    dwell_free(report->dwell);
    problems_free(report->problems);
    if (report->hosts)
        printbuf_free(report->hosts);
    if (report->paths)
        printbuf_free(report->paths);
    free(report);
}

static const struct sink_ops report_ops = {
    .flow = report_flow,
    .event = report_event,
    .host = report_host,
    .path = report_path,
    .flush = report_flush,
    .finish = report_finish,
    .carry = report_carry,
    .free = report_free,
};

enum status sink_report_new(const struct sink_options *options, FILE *stream,
                            struct sink **ret_sink)
{
    struct report *report = calloc(1, sizeof(*report));
    if (!report)
        return STATUS_NO_MEMORY;
    report->ops = report_ops;
    report->ops.plain = options->flows == FLOWS_ALL ? NULL : report_plain;
    report->sink.ops = &report->ops;
    report->options = *options;
    report->flow_limit = options->kept_flows ? options->kept_flows : KEPT_FLOWS;
    report->dwell = dwell_new(DWELL_EXACT);
    report->problems =
        problems_new(options->kept_problems ? options->kept_problems : KEPT_PROBLEMS);
    report->hosts = printbuf_new();
    report->paths = printbuf_new();
    enum status status = record_writer_init(&report->writer, options);
    if (status == STATUS_OK)
        status = output_init(&report->output, stream);
    if (status != STATUS_OK || !report->dwell || !report->problems || !report->hosts ||
        !report->paths) {
        report_free(&report->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &report->sink;
    return STATUS_OK;
}

uint64_t sink_report_left_out(const struct sink *sink)
{
    return ((const struct report *)sink)->flows_left_out;
}

uint32_t sink_report_kept(const struct sink *sink, uint64_t *uids)
{
    const struct report *report = (const struct report *)sink;
    for (uint32_t flow = 0; uids != NULL && flow < report->flow_count; flow++)
        uids[flow] = report->flows[flow].uid;
    return report->flow_count;
}
