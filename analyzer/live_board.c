/* live_board: see live_board.h. */
#include "live_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "input_title.h"
#include "messages.h"
#include "source/clock.h"

/* What is new is shown within the first; curves have a point each second. */
static const nanotime show_interval = INT64_C(200) * NANO_PER_MILLI;
static const nanotime look_interval = INT64_C(1) * NANO_PER_SECOND;
static const nanotime whole_interval = INT64_C(5) * NANO_PER_SECOND;
static const nanotime beat_interval = INT64_C(10) * NANO_PER_SECOND;

static bool is_live(const struct live_board *board)
{
    return board->options->interface_count > 0;
}

enum status live_board_open(struct live_board *board, struct sink *sink,
                            const struct options *options, char *message)
{
    struct board_server_options wanted = {.token = options->http_token};
    if (sink == NULL)
        return STATUS_OK;
    for (size_t i = 0; i < options->output_count; i++) {
        if (options->outputs[i].kind == OUTPUT_HTTP)
            wanted.address = options->outputs[i].file;
    }
    enum status status = board_server_open(&wanted, &board->server, message);
    if (status != STATUS_OK)
        return status;
    board->sink = sink;
    board->options = options;
    return STATUS_OK;
}

bool live_board_answers(const struct live_board *board)
{
    return board->server != NULL;
}

static void post(void *context, enum board_kind kind, const char *json, size_t length)
{
    board_server_post(context, kind, json, length);
}

enum status live_board_begin(struct live_board *board, char *message)
{
    char title[INPUT_TITLE], *page;
    size_t length;
    if (board->server == NULL)
        return STATUS_OK;
    input_title(board->options, title);
    enum status status = sink_board_page(title, &page, &length);
    if (status != STATUS_OK)
        return status;
    struct board_post way = {.post = post, .context = board->server};
    sink_board_connect(board->sink, way);
    return board_server_begin(board->server, page, length, message);
}

bool live_board_is_due(const struct live_board *board)
{
    return board->server != NULL &&
           (board_server_is_asked(board->server) ||
            time_since(clock_now(CLOCK_MONOTONIC_COARSE), board->done) >= show_interval);
}

/* How things stand goes to the page alone, not to the other outputs. */
static void look(struct live_board *board)
{
    struct analyzer_inputs inputs = {.now = is_live(board) ? clock_now(CLOCK_REALTIME) : 0};
    inputs.drops_known = source_drops(board->source, &inputs.drops_received, &inputs.drops_kernel,
                                      &inputs.drops_interface);
    analyzer_look(board->analyzer, &inputs, board->sink);
}

static void answer_questions(struct live_board *board)
{
    struct board_question question;
    while (board_server_next(board->server, &question)) {
        char *text = NULL;
        size_t length = 0;
        sink_board_detail(board->sink, question.subject, question.uid, &text, &length);
        board_server_answer(board->server, question.ticket, text, length);
    }
}

/* Whether so long has passed since then; if it has, then is now. */
static bool has_passed(nanotime *then, nanotime interval, nanotime now)
{
    if (*then != 0 && time_since(now, *then) < interval)
        return false;
    *then = now;
    return true;
}

void live_board_do(struct live_board *board)
{
    nanotime now = clock_now(CLOCK_MONOTONIC);
    answer_questions(board);
    if (!has_passed(&board->done, show_interval, now))
        return;
    board_server_tidy(board->server);
    if (has_passed(&board->looked, look_interval, now))
        look(board);
    sink_board_show(board->sink, has_passed(&board->whole, whole_interval, now));
    board_server_wake(board->server, has_passed(&board->beaten, beat_interval, now));
}

void live_board_last_look(struct live_board *board)
{
    if (board->server == NULL)
        return;
    sink_board_show(board->sink, false);
    look(board);
}

void live_board_linger(struct live_board *board, struct interrupt *interrupt)
{
    const struct timespec moment = {.tv_nsec = INT64_C(50) * NANO_PER_MILLI};
    if (board->server == NULL)
        return;
    sink_board_end(board->sink);
    board_server_wake(board->server, false);
    if (interrupt_came(interrupt))
        return;
    message_print("http: all is read; the page at http://%s/ stays until Ctrl-C or SIGTERM",
                  board_server_place(board->server));
    while (!interrupt_came(interrupt)) {
        answer_questions(board);
        board_server_tidy(board->server);
        nanotime now = clock_now(CLOCK_MONOTONIC);
        if (has_passed(&board->beaten, beat_interval, now))
            board_server_wake(board->server, true);
        nanosleep(&moment, NULL);
    }
}

void live_board_close(struct live_board *board)
{
    board_server_free(board->server);
    *board = (struct live_board){.sink = NULL};
}
