/*
 * ladder: the sinks that draw.  They gather until the end, since what a segment did is known for
 * certain only when all that came after it is; then every chosen ladder is painted.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ladder_book.h"
#include "ladder_svg.h"
#include "ladder_text.h"
#include "line.h"
#include "output.h"
#include "selection.h"

enum { SHOWN_LADDERS = 20, USUAL_COLUMNS = 80 };

struct ladder_sink {
    struct sink sink;
    struct sink_options options;
    struct output output;
    struct ladder_book *book;
};

static enum status ladder_segment(struct sink *sink, const struct segment_record *segment)
{
    return ladder_book_segment(((struct ladder_sink *)sink)->book, segment);
}

static enum status ladder_flow(struct sink *sink, const struct flow_record *flow)
{
    return ladder_book_flow(((struct ladder_sink *)sink)->book, flow);
}

static enum status ladder_event(struct sink *sink, const struct event_record *event)
{
    struct ladder_sink *drawn = (struct ladder_sink *)sink;
    enum level usual = drawn->options.events ? LEVEL_INFO : LEVEL_NOTICE;
    if (!selection_wants_event(&drawn->options, usual, event))
        return STATUS_OK;
    return ladder_book_event(drawn->book, event);
}

/* The ladders to paint: the chosen one, or those with problems, or, without any, all. */
struct showing {
    const struct ladder *ladders;
    uint32_t count, wanted;
    bool problems; /* only those with events */
};

static bool is_shown(const struct ladder_sink *drawn, const struct showing *showing,
                     const struct ladder *ladder)
{
    if (ladder->segment_count == 0 || !ladder_book_chose(drawn->book, ladder))
        return false;
    return !showing->problems || ladder->worst != 0;
}

static struct showing decide_showing(const struct ladder_sink *drawn)
{
    struct showing showing = {.problems = false};
    showing.ladders = ladder_book_list(drawn->book, &showing.count);
    bool asked = drawn->options.events != NULL;
    for (uint32_t i = 0; i < showing.count && drawn->options.ladder.kind == LADDER_PROBLEMS; i++)
        showing.problems = asked || showing.problems || showing.ladders[i].worst != 0;
    for (uint32_t i = 0; i < showing.count; i++)
        showing.wanted += is_shown(drawn, &showing, &showing.ladders[i]);
    return showing;
}

static enum status write_said(struct output *output, const struct line *line)
{
    return line->length > 0 ? output_write_line(output, line->text, line->length) : STATUS_OK;
}

/* What is not there: never in silence. */
static enum status write_left_out(struct ladder_sink *drawn, const struct showing *showing)
{
    struct line line = {.length = 0};
    if (showing->wanted == 0)
        line_add(&line,
                 "No such connection among the %" PRIu32 " in the capture that are numbered.",
                 showing->count);
    if (showing->wanted > SHOWN_LADDERS)
        line_add(&line, "%" PRIu32 " more not shown; choose one with --flow N (up to %" PRIu32 ").",
                 showing->wanted - SHOWN_LADDERS, showing->count);
    enum status status = write_said(&drawn->output, &line);
    line.length = 0;
    if (ladder_book_left_out(drawn->book) > 0)
        line_add(&line,
                 "%" PRIu64 " segments were left out for want of room; choose one "
                 "connection with --flow.",
                 ladder_book_left_out(drawn->book));
    return status == STATUS_OK ? write_said(&drawn->output, &line) : status;
}

static struct ladder_look decide_look(const struct sink_options *options)
{
    int columns = options->columns == 0 ? USUAL_COLUMNS : options->columns;
    if (columns < LADDER_LEAST_COLUMNS)
        columns = LADDER_LEAST_COLUMNS;
    if (columns > LADDER_MOST_COLUMNS)
        columns = LADDER_MOST_COLUMNS;
    return (struct ladder_look){
        .columns = columns,
        .utf8 = options->utf8,
        .colour = options->colour,
        .nano = options->nano,
    };
}

static enum status text_finish(struct sink *sink, const struct run_summary *summary)
{
    struct ladder_sink *drawn = (struct ladder_sink *)sink;
    struct ladder_look look = decide_look(&drawn->options);
    struct showing showing = decide_showing(drawn);
    enum status status = STATUS_OK;
    uint32_t shown = 0;
    (void)summary;
    for (uint32_t i = 0; i < showing.count && shown < SHOWN_LADDERS && status == STATUS_OK; i++) {
        if (!is_shown(drawn, &showing, &showing.ladders[i]))
            continue;
        if (shown++ > 0)
            status = output_write_line(&drawn->output, "", 0);
        if (status == STATUS_OK)
            status = ladder_text_write(&drawn->output, &showing.ladders[i], &look);
    }
    if (status == STATUS_OK)
        status = write_left_out(drawn, &showing);
    return status == STATUS_OK ? output_flush(&drawn->output) : status;
}

/* An SVG holds one ladder: the first of those that would be shown. */
static enum status svg_finish(struct sink *sink, const struct run_summary *summary)
{
    struct ladder_sink *drawn = (struct ladder_sink *)sink;
    struct showing showing = decide_showing(drawn);
    const struct ladder *found = NULL;
    (void)summary;
    for (uint32_t i = 0; i < showing.count && found == NULL; i++) {
        if (is_shown(drawn, &showing, &showing.ladders[i]))
            found = &showing.ladders[i];
    }
    enum status status = ladder_svg_write(&drawn->output, found, drawn->options.nano);
    return status == STATUS_OK ? output_flush(&drawn->output) : status;
}

static enum status ladder_flush(struct sink *sink)
{
    (void)sink; /* there is nothing to see before the end */
    return STATUS_OK;
}

static void ladder_free(struct sink *sink)
{
    struct ladder_sink *drawn = (struct ladder_sink *)sink;
    if (!drawn)
        return;
    output_clear(&drawn->output);
    ladder_book_free(drawn->book);
    free(drawn);
}

static const struct sink_ops text_ops = {
    .flow = ladder_flow,
    .event = ladder_event,
    .segment = ladder_segment,
    .flush = ladder_flush,
    .finish = text_finish,
    .free = ladder_free,
};

static const struct sink_ops svg_ops = {
    .flow = ladder_flow,
    .event = ladder_event,
    .segment = ladder_segment,
    .flush = ladder_flush,
    .finish = svg_finish,
    .free = ladder_free,
};

static enum status sink_new(const struct sink_ops *ops, const struct sink_options *options,
                            FILE *stream, struct sink **ret_sink)
{
    struct ladder_sink *drawn = calloc(1, sizeof *drawn);
    if (!drawn)
        return STATUS_NO_MEMORY;
    drawn->sink.ops = ops;
    drawn->options = *options;
    drawn->book = ladder_book_new(&options->ladder, false, options->kept_ladders);
    if (drawn->book)
        ladder_book_name_taps(drawn->book, options->taps);
    enum status status = output_init(&drawn->output, stream);
    if (status != STATUS_OK || !drawn->book) {
        ladder_free(&drawn->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &drawn->sink;
    return STATUS_OK;
}

enum status sink_ladder_new(const struct sink_options *options, FILE *stream,
                            struct sink **ret_sink)
{
    return sink_new(&text_ops, options, stream, ret_sink);
}

enum status sink_svg_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink)
{
    return sink_new(&svg_ops, options, stream, ret_sink);
}
