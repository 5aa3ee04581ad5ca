/*
 * board_detail: what the live page shows of one connection, or of one event and its connection,
 * once its reader opens it: {"markup":"...","segments":{...}}, as the HTML report has both.
 */
#include <stdlib.h>

#include "board_book.h"
#include "html_graphs.h"
#include "html_problem.h"
#include "ladder_svg.h"

/* What is being written, and of what. */
struct detail {
    const struct board *board;
    struct ladder_book *book;  /* of its ends; owned */
    const struct trail *trail; /* NULL: its segments are forgotten */
    struct output output;      /* into text */
    struct markup markup;
    FILE *stream; /* above text */
    char *text;
    size_t length;
};

static const struct event_record *find_event(const struct recent *recent, uint64_t uid)
{
    const struct event_record *event;
    for (uint64_t n = recent->event_count; n > 0; n--) {
        event = recent_find_event(recent, n - 1);
        if (event == NULL || event->event_uid == uid)
            return event;
    }
    return NULL;
}

static const struct flow_identity *find_flow(const struct recent *recent, uint64_t uid)
{
    for (int has_problems = 0; has_problems < 2; has_problems++) {
        const struct recent_flows *flows = &recent->flows[has_problems];
        const struct flow_record *flow;
        for (uint64_t n = flows->count; n > 0; n--) {
            flow = recent_find_flow(flows, n - 1);
            if (flow == NULL)
                break;
            if (flow->who.flow_uid == uid)
                return &flow->who;
        }
    }
    return NULL;
}

static enum status write_markup(struct detail *detail)
{
    return markup_write(&detail->markup, &detail->output);
}

/* The ladder of these ends, or why there is none. */
static enum status write_ladder(struct detail *detail)
{
    uint32_t count;
    const struct ladder *ladder = ladder_book_list(detail->book, &count);
    if (count == 0 || ladder->segment_count == 0) {
        markup_add(&detail->markup, "<p class=\"faint\">Its segments are not kept any more.</p>\n");
        return write_markup(detail);
    }
    if (trail_left_out(detail->trail) > 0)
        markup_add(&detail->markup,
                   "<p class=\"faint\">Of these ends the first %d segments are kept, and the "
                   "latest %d.</p>\n",
                   TRAIL_FIRST, TRAIL_LATEST);
    markup_add(&detail->markup, "<div class=\"picture\" tabindex=\"0\" role=\"group\" "
                                "aria-label=\"ladder\">\n");
    enum status status = write_markup(detail);
    if (status == STATUS_OK)
        status = ladder_svg_write_inside(&detail->output, ladder, detail->board->options.nano);
    markup_add(&detail->markup, "</div>\n");
    return status == STATUS_OK ? write_markup(detail) : status;
}

/* Of all incarnations between these ends. */
static enum status write_segments(struct detail *detail)
{
    uint32_t count;
    const struct ladder *ladder = ladder_book_list(detail->book, &count);
    struct html_graphs graphs = {.book = detail->book, .nano = detail->board->options.nano};
    uint32_t lives = count == 0 ? 0 : ladder->life_count;
    graphs.uids = calloc((size_t)lives + 1, sizeof *graphs.uids);
    if (graphs.uids == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < lives; i++)
        graphs.uids[graphs.uid_count++] = ladder->lives[i].flow_uid;
    enum status status = html_graphs_write(&graphs, &detail->output);
    free(graphs.uids);
    return status;
}

/* Ends what was written to text, and begins it anew. */
static enum status take_text(struct detail *detail, char **ret_text, size_t *ret_length)
{
    enum status status = output_flush(&detail->output);
    if (fclose(detail->stream) != 0 && status == STATUS_OK)
        status = STATUS_NO_MEMORY;
    detail->stream = NULL;
    if (status != STATUS_OK)
        return status;
    *ret_text = detail->text;
    *ret_length = detail->length;
    detail->text = NULL;
    return STATUS_OK;
}

static enum status begin_text(struct detail *detail)
{
    detail->stream = open_memstream(&detail->text, &detail->length);
    detail->output.stream = detail->stream;
    return detail->stream == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status write_all_markup(struct detail *detail, const struct event_record *event,
                                    char **ret_text)
{
    size_t length;
    enum status status = begin_text(detail);
    if (status != STATUS_OK)
        return status;
    if (event != NULL)
        html_add_example(&detail->markup, event, &detail->board->options);
    status = write_markup(detail);
    if (status == STATUS_OK)
        status = write_ladder(detail);
    return status == STATUS_OK ? take_text(detail, ret_text, &length) : status;
}

/* The answer: the markup as a string, then the segments. */
static enum status write_answer(struct detail *detail, const char *markup)
{
    static const char begin[] = "{\"markup\":", between[] = ",\"segments\":", end[] = "}";
    struct json_writer json;
    struct printbuf *text = printbuf_new();
    enum status status = text == NULL ? STATUS_NO_MEMORY : begin_text(detail);
    if (status != STATUS_OK) {
        if (text != NULL)
            printbuf_free(text);
        return status;
    }
    json_writer_init(&json, detail->board->options.nano);
    json_writer_begin(&json, text);
    json_put_raw(&json, begin, sizeof begin - 1);
    json_put_string(&json, markup);
    json_put_raw(&json, between, sizeof between - 1);
    int length = json_writer_end(&json);
    status =
        length < 0 ? STATUS_NO_MEMORY : output_write(&detail->output, text->buf, (size_t)length);
    printbuf_free(text);
    if (status == STATUS_OK)
        status = write_segments(detail);
    return status == STATUS_OK ? output_write(&detail->output, end, sizeof end - 1) : status;
}

static enum status write_detail(struct detail *detail, const struct flow_identity *who,
                                const struct event_record *event, char **ret_text,
                                size_t *ret_length)
{
    char *markup = NULL;
    enum status status = STATUS_OK;
    detail->trail = trails_find(detail->board->recent.trails, who);
    if (detail->trail != NULL)
        status = recent_gather(&detail->board->recent, detail->trail, detail->book);
    if (status == STATUS_OK)
        status = write_all_markup(detail, event, &markup);
    if (status == STATUS_OK)
        status = write_answer(detail, markup);
    free(markup);
    return status == STATUS_OK ? take_text(detail, ret_text, ret_length) : status;
}

static void clear_detail(struct detail *detail)
{
    if (detail->stream != NULL)
        fclose(detail->stream);
    free(detail->text);
    output_clear(&detail->output);
    markup_clear(&detail->markup);
    ladder_book_free(detail->book);
}

enum status sink_board_detail(const struct sink *sink, enum board_subject subject, uint64_t uid,
                              char **ret_text, size_t *ret_length)
{
    const struct board *board = (const struct board *)sink;
    const struct event_record *event =
        subject == BOARD_OF_EVENT ? find_event(&board->recent, uid) : NULL;
    const struct flow_identity *who = event != NULL ? &event->who : NULL;
    if (subject == BOARD_OF_FLOW)
        who = find_flow(&board->recent, uid);
    *ret_text = NULL;
    if (who == NULL)
        return STATUS_OK;
    struct detail detail = {
        .board = board,
        .book = ladder_book_new(&(struct ladder_choice){.kind = LADDER_PROBLEMS}, false, 0),
        .markup = markup_make(),
    };
    enum status status = output_init(&detail.output, NULL);
    if (detail.book == NULL || detail.markup.failed)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = write_detail(&detail, who, event, ret_text, ret_length);
    clear_detail(&detail);
    return status;
}
