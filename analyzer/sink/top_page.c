/*
 * top_page: the views as pages of lines.  A view draws top to bottom, down to the line of keys;
 * what does not fit is left out below, lists scroll.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "line.h"
#include "top_book.h"
#include "top_drawing.h"

enum { BESIDE_TITLE = 65, ENDS_LEAST = 45, STATES_WIDTH = 35, EXPLAINED = 6 };

/* clang-format off */
static const enum tcp_state states[] = {
    STATE_SYN_SENT,   STATE_SYN_RCVD, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, STATE_CLOSE_WAIT,
    STATE_CLOSING,    STATE_LAST_ACK, STATE_TIME_WAIT,   STATE_CLOSED,     STATE_UNKNOWN,
};

static const enum close_kind kinds[] = {
    CLOSE_ORDERLY, CLOSE_SIMULTANEOUS, CLOSE_HALF_CLOSED, CLOSE_RESET, CLOSE_REFUSED,
    CLOSE_UNANSWERED, CLOSE_TIMED_OUT, CLOSE_SUPERSEDED, CLOSE_OPEN,
};
/* clang-format on */

enum { STATES = sizeof states / sizeof states[0], KINDS = sizeof kinds / sizeof kinds[0] };

/* --- rates: between the latest mark and the earliest that is kept --- */

struct span {
    const struct top_mark *from, *until;
    double seconds; /* 0: nothing can be said */
};

static struct span find_span(const struct top_book *book)
{
    struct span span = {.seconds = 0};
    if (book->marks < 2)
        return span;
    uint64_t kept = book->marks < TOP_MARKS ? book->marks : TOP_MARKS;
    span.from = &book->mark[(book->marks - kept) % TOP_MARKS];
    span.until = &book->mark[(book->marks - 1) % TOP_MARKS];
    nanotime passed = time_since(span.until->t, span.from->t);
    span.seconds = passed > 0 ? (double)passed / NANO_PER_SECOND : 0;
    return span;
}

static double rate_of(const struct span *span, uint64_t from, uint64_t until)
{
    return span->seconds > 0 && until > from ? (double)(until - from) / span->seconds : 0;
}

/* --- the parts of the overview --- */

static void draw_title(struct top_drawing *drawing)
{
    static const char *const names[TOP_VIEWS] = {"overview", "connections", "hosts", "events",
                                                 "ladder"};
    const struct top_book *book = drawing->book;
    char left[256], clock[TEXT_CLOCK + 1] = "";
    if (book->has_stats && book->stats.t > 0)
        top_spell_clock(clock, book->stats.t);
    int width = drawing->page->columns - BESIDE_TITLE;
    snprintf(left, sizeof left, "lastack top: %.*s - %s%s", width > 8 ? width : 8,
             book->title == NULL ? "" : book->title, names[book->view],
             book->ended ? " (the capture has ended)" : "");
    int room = drawing->page->columns - (int)strlen(clock) - 5;
    top_put(drawing, TOP_HEADING, "%-*.*s %s%s", room > 0 ? room : 0, room > 0 ? room : 0, left,
            clock, clock[0] != '\0' ? " UTC" : "");
}

static void draw_counts(struct top_drawing *drawing)
{
    const struct stats_record *stats = &drawing->book->stats;
    struct span span = find_span(drawing->book);
    char packets[TOP_COUNT_SIZE], rate[TOP_COUNT_SIZE] = "", octets[TOP_COUNT_SIZE],
                                  memory[TOP_COUNT_SIZE];
    char dropped[TOP_COUNT_SIZE] = "unknown", open[TOP_COUNT_SIZE];
    if (span.seconds > 0)
        top_spell_rate(rate, rate_of(&span, span.from->packets, span.until->packets));
    if (stats->drops_known)
        top_spell_count(dropped, stats->drops_kernel + stats->drops_interface);
    top_put(drawing, stats->drops_known && stats->drops_kernel > 0 ? TOP_WARNING : TOP_PLAIN,
            "packets %s (%s/s)  octets %s  dropped %s  open %s  memory %s",
            top_spell_count(packets, stats->packets), rate[0] != '\0' ? rate : "0",
            top_spell_count(octets, stats->bytes), dropped, top_spell_count(open, stats->open),
            top_spell_count(memory, stats->memory));
}

/* "   123   4.5": how many sides are in a state, and how many came into it a second. */
static void spell_state(struct line *line, const struct top_drawing *drawing,
                        const struct span *span, int side, enum tcp_state state)
{
    char count[TOP_COUNT_SIZE], rate[TOP_COUNT_SIZE] = "";
    uint64_t now = drawing->book->stats.states[side][state];
    if (span->seconds > 0)
        top_spell_rate(rate, rate_of(span, span->from->entered[side][state],
                                     span->until->entered[side][state]));
    line_add(line, " %8s %7s", top_spell_count(count, now), rate);
}

static void spell_kind(struct line *line, const struct top_drawing *drawing,
                       const struct span *span, enum close_kind kind)
{
    char count[TOP_COUNT_SIZE], rate[TOP_COUNT_SIZE] = "";
    if (span->seconds > 0)
        top_spell_rate(rate, rate_of(span, span->from->ended[kind], span->until->ended[kind]));
    line_add(line, "    %-13s %8s %7s", close_kind_name(kind),
             top_spell_count(count, drawing->book->stats.flows_by_kind[kind]), rate);
}

static void draw_states(struct top_drawing *drawing)
{
    struct span span = find_span(drawing->book);
    top_put(drawing, TOP_HEADING, "%-12s %8s %7s %8s %7s    %-13s %8s %7s", "STATE", "CLIENT", "/s",
            "SERVER", "/s", "ENDED", "ALL", "/s");
    for (int i = 0; i < STATES; i++) {
        struct line line = {.length = 0};
        line_add(&line, "%-12s", tcp_state_name(states[i]));
        for (int side = 0; side < 2; side++)
            spell_state(&line, drawing, &span, side, states[i]);
        if (i < KINDS)
            spell_kind(&line, drawing, &span, kinds[i]);
        top_put(drawing, TOP_PLAIN, "%s", line.text);
    }
}

static int compare_hosts(const void *a, const void *b)
{
    const struct top_host *x = a, *y = b;
    uint64_t held[2] = {x->time_wait.now + x->close_wait.now, y->time_wait.now + y->close_wait.now};
    if (held[0] != held[1])
        return held[0] > held[1] ? -1 : 1;
    if (x->opened != y->opened)
        return x->opened > y->opened ? -1 : 1;
    return memcmp(x->address, y->address, sizeof x->address);
}

static void draw_host(struct top_drawing *drawing, const struct top_host *host, bool selected)
{
    struct line name = {.length = 0};
    char count[5][TOP_COUNT_SIZE];
    bool is_service = host->scope == HOST_SERVICE, is_six = host->ip_version == 6 && is_service;
    line_add(&name, "%s", is_six ? "[" : "");
    line_add_address(&name, host->ip_version, host->address);
    if (is_service)
        line_add(&name, "%s:%u", is_six ? "]" : "", host->port);
    struct top_line *line = top_put(
        drawing, TOP_PLAIN, "%-31.31s %-6s %7s %7s %8s %7s %7s", name.text,
        is_service ? "server" : "client", top_spell_count(count[0], host->time_wait.now),
        top_spell_count(count[1], host->time_wait.most),
        top_spell_count(count[2], host->close_wait.now),
        top_spell_count(count[3], host->close_wait.most), top_spell_count(count[4], host->opened));
    if (line != NULL)
        line->selected = selected;
}

static void draw_hosts_heading(struct top_drawing *drawing)
{
    top_put(drawing, TOP_HEADING, "%-31s %-6s %7s %7s %8s %7s %7s", "HOST, OR SERVICE", "AS",
            "TIME_W.", "most", "CLOSE_W.", "most", "OPENED");
}

static void draw_event(struct top_drawing *drawing, const struct event_record *event, bool selected)
{
    struct line ends = {.length = 0};
    char clock[TEXT_CLOCK + 1];
    top_spell_clock(clock, event->t);
    top_spell_ends(&ends, &event->who);
    struct top_line *line =
        top_put(drawing, top_level_styles[event->level], "%-8s %-7s %-29s %s", clock,
                level_name(event->level), event_row(event->id)->id, ends.text);
    if (line != NULL)
        line->selected = selected;
}

static void draw_events_heading(struct top_drawing *drawing)
{
    top_put(drawing, TOP_HEADING, "%-8s %-7s %-29s %s", "TIME", "LEVEL", "EVENT", "BETWEEN");
}

/* --- lists --- */

/* Which items stand in the next `rows` rows: the selected one is among them. */
static uint32_t begin_list(struct top_drawing *drawing, enum top_view view, uint32_t rows)
{
    struct top_book *book = drawing->book;
    uint32_t place = top_selected_place(book, view);
    uint32_t *first = &book->first[view];
    top_select_place(book, view, place);
    if (place < *first)
        *first = place;
    if (rows > 0 && place >= *first + rows)
        *first = place - rows + 1;
    book->rows = rows;
    book->items = top_items(book, view);
    return *first;
}

static uint32_t rows_left(const struct top_drawing *drawing)
{
    return drawing->last > drawing->row ? (uint32_t)(drawing->last - drawing->row) : 0;
}

static void draw_events(struct top_drawing *drawing, enum top_view view, uint32_t rows)
{
    struct top_book *book = drawing->book;
    uint32_t place = begin_list(drawing, view, rows);
    if (book->items == 0)
        top_put(drawing, TOP_FAINT, "none yet");
    for (uint32_t i = place; i < book->items && i < place + rows; i++)
        draw_event(drawing, recent_find_event(&book->recent, book->recent.event_count - 1 - i),
                   i == book->place[view]);
}

static void draw_hosts(struct top_drawing *drawing, uint32_t rows, bool selects)
{
    struct top_book *book = drawing->book;
    qsort(book->host, book->hosts, sizeof book->host[0], compare_hosts);
    uint32_t place = selects ? begin_list(drawing, VIEW_HOSTS, rows) : 0;
    if (book->hosts == 0)
        top_put(drawing, TOP_FAINT, "none yet");
    for (uint32_t i = place; i < book->hosts && i < place + rows; i++)
        draw_host(drawing, &book->host[i], selects && i == book->place[VIEW_HOSTS]);
}

/* --- the views --- */

static void view_overview(struct top_drawing *drawing)
{
    draw_counts(drawing);
    draw_states(drawing);
    uint32_t left = rows_left(drawing);
    draw_hosts_heading(drawing);
    draw_hosts(drawing, left < 4 ? 0 : (left - 2) * 2 / 5, false);
    draw_events_heading(drawing);
    draw_events(drawing, VIEW_OVERVIEW, rows_left(drawing));
}

static void draw_connection(struct top_drawing *drawing, const struct trail *trail, bool selected)
{
    struct line ends = {.length = 0}, state[2] = {{.length = 0}, {.length = 0}};
    char packets[TOP_COUNT_SIZE];
    int room = drawing->page->columns - STATES_WIDTH;
    int width = room > ENDS_LEAST ? room : ENDS_LEAST;
    top_spell_ends(&ends, &trail->who);
    for (int side = 0; side < 2; side++)
        line_add(&state[side], "%s%s", tcp_state_name(trail->state[side]),
                 trail->presumed[side] ? "?" : "");
    struct top_line *line =
        top_put(drawing, trail->over ? TOP_FAINT : top_level_styles[trail->worst],
                "%-*.*s %-12s %-12s %8s", width, width, ends.text, state[0].text, state[1].text,
                top_spell_count(packets, trail->packets));
    if (line != NULL)
        line->selected = selected;
}

static void view_connections(struct top_drawing *drawing)
{
    struct top_book *book = drawing->book;
    int room = drawing->page->columns - STATES_WIDTH;
    int width = room > ENDS_LEAST ? room : ENDS_LEAST;
    top_put(drawing, TOP_HEADING, "%-*s %-12s %-12s %8s", width,
            "CLIENT > SERVER, the newest first", "CLIENT", "SERVER", "PACKETS");
    uint32_t rows = rows_left(drawing);
    uint32_t place = begin_list(drawing, VIEW_CONNECTIONS, rows);
    if (book->items == 0)
        top_put(drawing, TOP_FAINT, "none yet");
    for (uint32_t i = place; i < book->items && i < place + rows; i++)
        draw_connection(drawing, book->list[i], i == book->place[VIEW_CONNECTIONS]);
}

static void view_hosts(struct top_drawing *drawing)
{
    draw_hosts_heading(drawing);
    draw_hosts(drawing, rows_left(drawing), true);
}

/* Text over several rows, cut between words. */
static void put_wrapped(struct top_drawing *drawing, const char *text)
{
    int room = drawing->page->columns;
    while (*text != '\0' && drawing->row < drawing->last) {
        int length = (int)strlen(text), cut = length;
        if (length > room)
            for (cut = room; cut > 0 && text[cut] != ' ';)
                cut--;
        if (cut == 0)
            cut = room < length ? room : length;
        top_put(drawing, TOP_PLAIN, "%.*s", cut, text);
        text += cut;
        text += strspn(text, " ");
    }
}

static void view_events(struct top_drawing *drawing)
{
    struct top_book *book = drawing->book;
    draw_events_heading(drawing);
    uint32_t rows = rows_left(drawing);
    draw_events(drawing, VIEW_EVENTS, rows > 2 * EXPLAINED ? rows - EXPLAINED : rows);
    if (book->items == 0 || rows <= 2 * EXPLAINED)
        return;
    const struct event_record *event =
        recent_find_event(&book->recent, book->recent.event_count - 1 - book->place[VIEW_EVENTS]);
    while (drawing->row < drawing->last - EXPLAINED + 1)
        top_put(drawing, TOP_PLAIN, " ");
    put_wrapped(drawing, event->explanation);
}

static void view_ladder(struct top_drawing *drawing)
{
    struct top_book *book = drawing->book;
    char *text = top_ladder(book, drawing->page->columns, drawing->page->utf8);
    uint32_t number = 0;
    book->rows = rows_left(drawing);
    if (text == NULL)
        top_put(drawing, TOP_FAINT, "its packets are not remembered any more");
    for (char *at = text, *next; at != NULL && *at != '\0'; at = next, number++) {
        next = at + strcspn(at, "\n");
        size_t length = (size_t)(next - at);
        next += *next == '\n';
        struct top_line *line =
            number < book->first[VIEW_LADDER] ? NULL : top_next_line(drawing, TOP_PLAIN);
        if (line != NULL)
            snprintf(line->text, sizeof line->text, "%.*s", (int)length, at);
    }
    book->items = number;
    free(text);
}

static void draw_keys(struct top_drawing *drawing)
{
    drawing->row = drawing->page->rows - 1;
    drawing->last = drawing->page->rows;
    if (drawing->book->view == VIEW_LADDER)
        top_put(drawing, TOP_FAINT, "arrows scroll  Esc back  q quit");
    else
        top_put(drawing, TOP_FAINT,
                "1 overview  2 connections  3 hosts  4 events  arrows, Enter: ladder  "
                "q quit");
}

void sink_top_page(struct sink *sink, struct top_page *page)
{
    static void (*const views[TOP_VIEWS])(struct top_drawing *) = {
        [VIEW_OVERVIEW] = view_overview, [VIEW_CONNECTIONS] = view_connections,
        [VIEW_HOSTS] = view_hosts,       [VIEW_EVENTS] = view_events,
        [VIEW_LADDER] = view_ladder,
    };
    struct top_drawing drawing = {(struct top_book *)sink, page, 0, page->rows - 1};
    draw_title(&drawing);
    views[drawing.book->view](&drawing);
    while (top_next_line(&drawing, TOP_PLAIN) != NULL)
        continue;
    draw_keys(&drawing);
}
