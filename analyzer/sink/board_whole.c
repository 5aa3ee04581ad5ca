/*
 * board_whole: what of the live page changes slowly, said whole: the report document so far, and
 * parts of the page as the HTML report writes them.
 */
#include <stdlib.h>

#include "board_book.h"
#include "html_problem.h"

/* The list with its end; it stays as it was. */
static const char *spell_hosts(struct board *board)
{
    if (printbuf_length(board->hosts) == 0)
        return "[]";
    if (printbuf_memappend(board->hosts, "]", 2) != 2) /* with its NUL */
        return NULL;
    board->hosts->bpos -= 2;
    return board->hosts->buf;
}

static enum status post_report(struct board *board, const struct run_view *view)
{
    size_t length;
    const char *text = record_writer_write(&board->writer, &report_table, view, &length);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    board->post.post(board->post.context, BOARD_REPORT, text, length);
    return STATUS_OK;
}

/* A member of the object: the markup so far as a string, which is emptied. */
static void put_part(struct json_writer *json, const char *key, struct markup *markup)
{
    printbuf_memappend(markup->buffer, "", 1); /* a NUL */
    json_put_word(json, key);
    json_put_raw(json, ":", 1);
    json_put_string(json, markup->buffer->buf);
    printbuf_reset(markup->buffer);
}

static void add_problems(struct markup *markup, const struct run_view *view, uint32_t shown,
                         bool nano)
{
    if (shown > 0)
        markup_add(markup, "<h2>Problems, worst first</h2>\n");
    for (uint32_t i = 0; i < shown; i++) {
        html_begin_problem(markup, &view->problems[i], nano);
        html_end_problem(markup);
    }
}

static void put_parts(struct json_writer *json, struct board *board, const struct run_view *view,
                      struct markup *markup)
{
    bool nano = board->options.nano;
    json_put_raw(json, "{", 1);
    html_add_summary(markup, view, nano);
    put_part(json, "summary", markup);
    json_put_raw(json, ",", 1);
    add_problems(markup, view, board->counts.problems_shown, nano);
    html_add_left_out(markup, view, &board->counts);
    put_part(json, "problems", markup);
    json_put_raw(json, ",", 1);
    html_add_endings(markup, &board->counts);
    html_add_dwell(markup, view);
    put_part(json, "endings", markup);
    json_put_raw(json, "}", 1);
}

static enum status post_parts(struct board *board, const struct run_view *view)
{
    struct json_writer json;
    struct markup markup = markup_make();
    struct printbuf *text = printbuf_new();
    int length = -1;
    json_writer_init(&json, board->options.nano);
    if (text != NULL && !markup.failed) {
        json_writer_begin(&json, text);
        put_parts(&json, board, view, &markup);
        length = json_writer_end(&json);
    }
    if (length > 0 && !markup.failed)
        board->post.post(board->post.context, BOARD_PARTS, text->buf, (size_t)length);
    bool done = length > 0 && !markup.failed;
    if (text != NULL)
        printbuf_free(text);
    markup_clear(&markup);
    return done ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status board_post_whole(struct board *board)
{
    struct problem worst[BOARD_PROBLEMS_SHOWN + 1];
    struct run_view view = run_view_make(board->options.version, &board->run, board->dwell);
    view.hosts = spell_hosts(board);
    if (view.hosts == NULL)
        return STATUS_NO_MEMORY;
    board->counts.problems_shown = problems_worst(board->problems, worst, BOARD_PROBLEMS_SHOWN);
    view.problems = worst;
    view.problem_count = board->counts.problems_shown;
    view.events_left_out = problems_left_out(board->problems);
    enum status status = post_report(board, &view);
    view.problem_count = problems_count(board->problems);
    return status == STATUS_OK ? post_parts(board, &view) : status;
}
