/*
 * text: the summary that is read first.  What the capture holds, how connections ended, then the
 * problems worst first, each with its packets and what to do.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../event/dwell.h"
#include "../event/told.h"
#include "between.h"
#include "busiest.h"
#include "carried_text.h"
#include "endings.h"
#include "line.h"
#include "output.h"
#include "place.h"
#include "problems.h"
#include "prose.h"
#include "run_view.h"
#include "selection.h"

enum {
    KEPT_PROBLEMS = 1000,
    SHOWN_PROBLEMS = 20,
    USUAL_COLUMNS = 80,
    LEAST_COLUMNS = 40,
    MOST_COLUMNS = 100,
    LABEL = 18, /* column where the text begins after a label */
    LEVEL = 9   /* the same after a problem's level */
};

struct text {
    struct sink sink;
    struct sink_options options;
    struct output output;
    struct dwell *dwell;
    struct problems *problems;
    struct busiest busiest;
    struct between between;
    int columns;
};

static const char *const dwell_names[DWELL_STATES] = {
    [DWELL_FIN_WAIT_2] = "FIN_WAIT_2",
    [DWELL_CLOSE_WAIT] = "CLOSE_WAIT",
    [DWELL_LAST_ACK] = "LAST_ACK",
    [DWELL_TIME_WAIT] = "TIME_WAIT",
};

/* Between the pieces of a ring, that a shorter time passes is nothing to speak of. */
static const nanotime gap_said = 100 * (nanotime)NANO_PER_MILLI;

static const enum prose_style level_styles[] = {
    [LEVEL_INFO] = STYLE_PLAIN,
    [LEVEL_NOTICE] = STYLE_HEADING,
    [LEVEL_WARNING] = STYLE_WARNING,
    [LEVEL_ERROR] = STYLE_ERROR,
};

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* The example of a problem: made when its event comes, since the record is gone afterwards. */

/* " (b.pcap #5)": where the packet is found, when there are several captures; with taps, " at NAME
 * (b.pcap #5)". */
static void line_add_place(struct line *line, const struct sink_options *options,
                           const struct evidence_record *evidence)
{
    const struct input_span *span = place_of_evidence(options->inputs, options->taps, evidence);
    const char *tap = place_tap(options->taps, evidence);
    if (tap)
        line_add(line, " at %s", tap);
    if (span)
        line_add(line, " (%s #%" PRIu64 ")", span->name, place_in_file(span, evidence->packet));
}

static void add_evidence(struct prose *prose, const struct evidence_record *evidence,
                         const struct sink_options *options)
{
    struct line label = {.length = 0};
    struct line text = {.length = 0};
    if (evidence->packet > 0)
        line_add(&label, "%*s#%" PRIu64, LEVEL, "", evidence->packet);
    else
        line_add(&label, "%*s-", LEVEL, "");
    line_add_moment(&text, evidence->t, false, options->nano);
    line_add(&text, " %s", evidence->from == CLIENT ? "client" : "server");
    line_add_place(&text, options, evidence);
    line_add(&text, ": %s", evidence->says);
    prose_paragraph(prose, STYLE_FAINT, label.text, LABEL, text.text);
}

static void line_add_caveats(struct line *line, uint64_t caveats)
{
    const char *separator = "; but ";
    for (enum note_id note = 0; note < NOTE_IDS; note++) {
        if (!(caveats & UINT64_C(1) << note))
            continue;
        line_add(line, "%s%s", separator, note_row(note)->meaning);
        separator = ", ";
    }
}

static void add_example(struct prose *prose, const struct event_record *event,
                        const struct sink_options *options)
{
    struct line last = {.length = 0};
    prose_paragraph(prose, STYLE_PLAIN, "", LEVEL, event->explanation);
    for (uint32_t evidence = 0; evidence < event->evidence_count; evidence++)
        add_evidence(prose, &event->evidence[evidence], options);
    if (event->remedy[0] != '\0')
        prose_paragraph(prose, STYLE_HEADING, "  To do:", LEVEL, event->remedy);
    line_add(&last, "%s, %s", event_row(event->id)->id, confidence_name(event->confidence));
    line_add_caveats(&last, event->caveats);
    line_add(&last, ". More: lastack --explain %s", event_row(event->id)->id);
    prose_paragraph(prose, STYLE_PLAIN, "", LEVEL, last.text);
}

static enum status text_event(struct sink *sink, const struct event_record *event)
{
    struct text *text = (struct text *)sink;
    if (!selection_wants_event(&text->options, LEVEL_NOTICE, event))
        return STATUS_OK;
    struct problem *problem = problems_add(text->problems, event);
    if (!problem)
        return STATUS_OK;
    struct prose prose = {.columns = text->columns, .colour = text->options.colour};
    add_example(&prose, event, &text->options);
    enum status status =
        prose.failed ? STATUS_NO_MEMORY : problem_set_example(problem, prose.text, prose.length);
    prose_clear(&prose);
    return status;
}

static enum status text_flow(struct sink *sink, const struct flow_record *flow)
{
    return dwell_add_flow(((struct text *)sink)->dwell, flow);
}

static enum status text_plain(struct sink *sink, const struct plain_flow *plain)
{
    return dwell_add_stays(((struct text *)sink)->dwell, plain->flow.stay, plain->flow.stays);
}

static enum status text_host(struct sink *sink, const struct host_record *host)
{
    busiest_add(&((struct text *)sink)->busiest, host);
    return STATUS_OK;
}

static enum status text_path(struct sink *sink, const struct path_record *path)
{
    between_add(&((struct text *)sink)->between, path);
    return STATUS_OK;
}

/* What the capture holds. */

static void add_input(struct prose *prose, const struct input_summary *input)
{
    struct line line = {.length = 0};
    line_add(&line, "%s: %" PRIu64 " packet%s", input->name, input->packets,
             plural(input->packets));
    if (input->format)
        line_add(&line, " (%s%s%s)", input->format, input->compression ? ", " : "",
                 input->compression ? input->compression : "");
    if (input->gap != NANOTIME_UNKNOWN && input->gap >= gap_said) {
        line_add(&line, ", begins ");
        line_add_duration(&line, input->gap);
        line_add(&line, " after the inputs before end");
    }
    if (input->overlap != NANOTIME_UNKNOWN) {
        line_add(&line, ", begins ");
        line_add_duration(&line, input->overlap);
        line_add(&line, " before the inputs before end");
    }
    prose_paragraph(prose, STYLE_PLAIN, "  read", LABEL, line.text);
    if (!input->damaged && input->problem[0] == '\0')
        return;
    struct line damage = {.length = 0};
    if (input->damaged)
        line_add(&damage, "stopped after packet %" PRIu64 ": ", input->stopped_at_packet);
    line_add(&damage, "%s", input->problem[0] ? input->problem : "the rest could not be read");
    prose_paragraph(prose, STYLE_ERROR, "  damaged", LABEL, damage.text);
}

static void add_counts(struct prose *prose, const char *label, const struct count_by_name *counts,
                       uint32_t count)
{
    struct line line = {.length = 0};
    if (count == 0)
        return;
    for (uint32_t row = 0; row < count; row++)
        line_add_if_any(&line, counts[row].count, counts[row].name);
    for (char *at = line.text; *at != '\0'; at++) { /* names for machines: not_tcp */
        if (*at == '_')
            *at = ' ';
    }
    prose_paragraph(prose, STYLE_PLAIN, label, LABEL, line.text);
}

static void add_reservations(struct prose *prose, const struct run_summary *run)
{
    struct line line = {.length = 0};
    line_add_if_any(&line, run->copies, "captured twice");
    line_add_if_any(&line, run->truncated, "cut at the snap length");
    line_add_if_any(&line, run->bad_checksums, "with a wrong checksum");
    line_add_if_any(&line, run->timestamp_regressions, "stamped out of order");
    if (run->drops_known) {
        line_add_if_any(&line, run->drops_kernel, "dropped for want of buffer space");
        line_add_if_any(&line, run->drops_interface, "dropped by the interface");
    }
    if (line.length > 0)
        prose_paragraph(prose, STYLE_PLAIN, "  of the packets", LABEL, line.text);
}

static void add_capture(struct prose *prose, const struct run_summary *run, bool nano)
{
    struct line line = {.length = 0};
    prose_heading(prose, "Capture");
    for (uint32_t input = 0; input < run->input_count; input++)
        add_input(prose, &run->inputs[input]);
    if (run->first != NANOTIME_UNKNOWN && run->last != NANOTIME_UNKNOWN) {
        line_add_span(&line, run->first, run->last, nano);
        prose_paragraph(prose, STYLE_PLAIN, "  time", LABEL, line.text);
    }
    struct line packets = {.length = 0};
    line_add(&packets, "%" PRIu64 ", %" PRIu64 " TCP segment%s analysed", run->packets,
             run->segments, plural(run->segments));
    prose_paragraph(prose, STYLE_PLAIN, "  packets", LABEL, packets.text);
    add_counts(prose, "  not analysed", run->skipped, run->skipped_count);
    add_reservations(prose, run);
}

/* How connections ended. */

static void add_endings(struct prose *prose, const struct run_summary *run)
{
    struct line heading = {.length = 0};
    line_add(&heading, "%" PRIu64 " connection%s", run->flows, plural(run->flows));
    prose_blank_line(prose);
    prose_heading(prose, heading.text);
    for (size_t row = 0; row < CLOSE_KINDS; row++) {
        uint64_t count = run->flows_by_kind[endings[row].kind];
        struct line label = {.length = 0};
        if (count == 0)
            continue;
        line_add(&label, "%10" PRIu64, count);
        prose_paragraph(prose, STYLE_PLAIN, label.text, 12, endings[row].words);
    }
}

static void add_left_side(struct prose *prose, const struct run_summary *run, int side)
{
    struct line line = {.length = 0};
    for (enum tcp_state state = 0; state < TCP_STATES; state++) {
        uint64_t presumed = run->left_presumed[side][state];
        if (run->left[side][state] == 0)
            continue;
        line_add(&line, "%s%s %" PRIu64, line.length > 0 ? ", " : "", tcp_state_name(state),
                 run->left[side][state]);
        if (presumed > 0)
            line_add(&line, " (%" PRIu64 " presumed)", presumed);
    }
    if (line.length > 0)
        prose_paragraph(prose, STYLE_PLAIN,
                        side == CLIENT ? "  clients left in" : "  servers left in", LABEL,
                        line.text);
}

static void add_dwell(struct prose *prose, const char *state, const struct dwell_summary *dwell)
{
    struct line label = {.length = 0};
    struct line line = {.length = 0};
    if (dwell->count == 0)
        return;
    line_add(&label, "  %s", state);
    line_add(&line, "%" PRIu64 " stay%s, median ", dwell->count, plural(dwell->count));
    line_add_duration(&line, dwell->median);
    line_add(&line, ", 95 %% within ");
    line_add_duration(&line, dwell->p95);
    line_add(&line, ", longest ");
    line_add_duration(&line, dwell->max);
    if (dwell->presumed > 0)
        line_add(&line, "; %" PRIu64 " presumed", dwell->presumed);
    if (dwell->censored > 0)
        line_add(&line, "; %" PRIu64 " more not over yet", dwell->censored);
    prose_paragraph(prose, STYLE_PLAIN, label.text, LABEL, line.text);
}

/* The problems. */

static void add_problem(struct prose *prose, const struct problem *problem, bool nano)
{
    static const char *const level_labels[] = {
        [LEVEL_INFO] = "INFO",
        [LEVEL_NOTICE] = "NOTICE",
        [LEVEL_WARNING] = "WARNING",
        [LEVEL_ERROR] = "ERROR",
    };
    struct line where = {.length = 0};
    prose_blank_line(prose);
    prose_paragraph(prose, level_styles[problem->level], level_labels[problem->level], LEVEL,
                    event_row((enum event_id)problem->key.id)->title);
    line_add_address(&where, (uint8_t)problem->key.ip_version, problem->key.source);
    line_add(&where, " -> ");
    line_add_address(&where, (uint8_t)problem->key.ip_version, problem->key.destination);
    line_add(&where, " port %u, ", problem->key.port);
    if (problem->count > 1)
        line_add(&where, "%" PRIu64 " times, ", problem->count);
    line_add_span(&where, problem->first, problem->last, nano);
    if (problem->count > 1)
        line_add(&where, ". One of them:");
    prose_paragraph(prose, STYLE_PLAIN, "", LEVEL, where.text);
    prose_append(prose, problem->example ? problem->example : "");
}

static void add_problems(struct prose *prose, struct text *text)
{
    uint32_t count;
    const struct problem *problems = problems_sort(text->problems, &count);
    enum level least = text->options.minimum_level ? text->options.minimum_level : LEVEL_NOTICE;
    struct line none = {.length = 0};
    prose_blank_line(prose);
    if (count == 0) {
        line_add(&none, "No problems of level %s or above%s.", level_name(least),
                 text->options.events ? " among the selected events" : "");
        prose_paragraph(prose, STYLE_HEADING, "", 0, none.text);
        return;
    }
    prose_heading(prose, "Problems, worst first");
    for (uint32_t problem = 0; problem < count && problem < SHOWN_PROBLEMS; problem++)
        add_problem(prose, &problems[problem], text->options.nano);
}

/* What is not shown, or was not kept: never in silence. */
static void add_left_out(struct prose *prose, struct text *text, const struct run_summary *run)
{
    uint32_t count;
    struct line line = {.length = 0};
    problems_sort(text->problems, &count);
    if (count > SHOWN_PROBLEMS)
        line_add_if_any(&line, count - SHOWN_PROBLEMS, "more problems (--json shows them)");
    line_add_if_any(&line, problems_left_out(text->problems),
                    "events beyond the limit of problems");
    line_add_if_any(&line, run->evictions, "connections given up early for want of memory");
    line_add_if_any(&line, run->tombstones_evicted, "closed connections forgotten early");
    line_add_if_any(&line, run->events_dropped, "events dropped");
    line_add_if_any(&line, run->hosts_left_out, "hosts and services without a census");
    line_add_if_any(&line, run->history_dropped, "states beyond the limit of a history");
    if (line.length == 0)
        return;
    prose_blank_line(prose);
    prose_paragraph(prose, STYLE_HEADING, "Left out:", 10, line.text);
}

static void add_everything(struct prose *prose, struct text *text, const struct run_summary *run)
{
    struct run_view view = run_view_make(text->options.version, run, text->dwell);
    add_capture(prose, run, text->options.nano);
    add_endings(prose, run);
    add_left_side(prose, run, CLIENT);
    add_left_side(prose, run, SERVER);
    for (enum dwell_state state = 0; state < DWELL_STATES; state++)
        add_dwell(prose, dwell_names[state], &view.dwell[state]);
    between_write(&text->between, text->options.taps, prose);
    busiest_write(&text->busiest, prose);
    add_problems(prose, text);
    add_left_out(prose, text, run);
}

static enum status text_finish(struct sink *sink, const struct run_summary *summary)
{
    struct text *text = (struct text *)sink;
    struct prose prose = {.columns = text->columns, .colour = text->options.colour};
    add_everything(&prose, text, summary);
    enum status status =
        prose.failed ? STATUS_NO_MEMORY : output_write(&text->output, prose.text, prose.length);
    prose_clear(&prose);
    return status == STATUS_OK ? output_flush(&text->output) : status;
}

static enum status text_flush(struct sink *sink)
{
    (void)sink; /* there is nothing to see before the end */
    return STATUS_OK;
}

static bool text_carry(struct sink *sink, enum sink_part part, struct carry *carry)
{
    struct text *text = (struct text *)sink;
    if (part == SINK_DWELL)
        dwell_carry(carry, text->dwell);
    if (part == SINK_TEXT)
        problems_carry(carry, text->problems, carried_text_is_prose);
    return part != SINK_REPORT;
}

static void text_free(struct sink *sink)
{
    struct text *text = (struct text *)sink;
    if (!text)
        return;
    output_clear(&text->output);
    dwell_free(text->dwell);
    problems_free(text->problems);
    free(text);
}

static const struct sink_ops text_ops = {
    .flow = text_flow,
    .plain = text_plain,
    .event = text_event,
    .host = text_host,
    .path = text_path,
    .flush = text_flush,
    .finish = text_finish,
    .carry = text_carry,
    .free = text_free,
};

static int fit_columns(int asked)
{
    if (asked == 0)
        return USUAL_COLUMNS;
    if (asked < LEAST_COLUMNS)
        return LEAST_COLUMNS;
    return asked > MOST_COLUMNS ? MOST_COLUMNS : asked;
}

enum status sink_text_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink)
{
    struct text *text = calloc(1, sizeof(*text));
    if (!text)
        return STATUS_NO_MEMORY;
    text->sink.ops = &text_ops;
    text->options = *options;
    text->columns = fit_columns(options->columns);
    text->dwell = dwell_new(DWELL_EXACT);
    text->problems = problems_new(options->kept_problems ? options->kept_problems : KEPT_PROBLEMS);
    enum status status = output_init(&text->output, stream);
    if (status != STATUS_OK || !text->dwell || !text->problems) {
        text_free(&text->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &text->sink;
    return STATUS_OK;
}
