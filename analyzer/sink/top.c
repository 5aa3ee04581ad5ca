/* top: see top.h.  Gathering and keys; top_page.c draws, top_ladder.c makes ladders. */
#include <stdlib.h>
#include <string.h>

#include "ends.h"
#include "selection.h"
#include "top_book.h"

static struct top_book *book_of(struct sink *sink)
{
    return (struct top_book *)sink;
}

/* --- records --- */

static enum status take_segment(struct sink *sink, const struct segment_record *segment)
{
    return trails_segment(book_of(sink)->recent.trails, segment);
}

static enum status take_transition(struct sink *sink, const struct transition_record *transition)
{
    struct top_book *book = book_of(sink);
    const struct history_record *entry = &transition->entry;
    bool is_first = entry->proof == 0 || entry->proof == entry->packet; /* else it is proved now */
    if (is_first && !entry->revoked)
        book->entered[transition->side][entry->state]++;
    trails_transition(book->recent.trails, transition);
    return STATUS_OK;
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    struct top_book *book = book_of(sink);
    if (!selection_wants_event(&book->options, LEVEL_NOTICE, event))
        return STATUS_OK;
    recent_event(&book->recent, event);
    return STATUS_OK;
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct top_book *book = book_of(sink);
    recent_flow(&book->recent, flow, selection_is_problem(&book->options, flow));
    return STATUS_OK;
}

/* The next host records are those of a new moment. */
static enum status take_stats(struct sink *sink, const struct stats_record *stats)
{
    struct top_book *book = book_of(sink);
    struct top_mark *mark = &book->mark[book->marks++ % TOP_MARKS];
    book->stats = *stats;
    book->has_stats = true;
    book->hosts = 0;
    *mark = (struct top_mark){.t = stats->t, .packets = stats->packets, .bytes = stats->bytes};
    memcpy(mark->entered, book->entered, sizeof mark->entered);
    memcpy(mark->ended, stats->flows_by_kind, sizeof mark->ended);
    return STATUS_OK;
}

/* A pair's stocks are its source's and its service's, too. */
static enum status take_host(struct sink *sink, const struct host_record *host)
{
    struct top_book *book = book_of(sink);
    bool is_service = host->scope == HOST_SERVICE;
    if (host->scope == HOST_PAIR || book->hosts == TOP_HOSTS_KEPT)
        return STATUS_OK;
    int side = is_service ? SERVER : CLIENT;
    struct top_host *kept = &book->host[book->hosts++];
    *kept = (struct top_host){
        .scope = host->scope,
        .ip_version = host->ip_version,
        .port = host->port,
        .time_wait = host->time_wait[side],
        .close_wait = host->close_wait[side],
        .opened = host->opened,
        .closed = host->closed,
    };
    memcpy(kept->address, is_service ? host->destination : host->source, sizeof kept->address);
    return STATUS_OK;
}

static enum status flush(struct sink *sink)
{
    (void)sink; /* it is looked at, not written */
    return STATUS_OK;
}

/* --- what is selected: connections and events by number, as their places move --- */

uint32_t top_items(struct top_book *book, enum top_view view)
{
    switch (view) {
    case VIEW_OVERVIEW:
    case VIEW_EVENTS:
        return (uint32_t)(book->recent.event_count < RECENT_EVENTS ? book->recent.event_count
                                                                   : RECENT_EVENTS);
    case VIEW_CONNECTIONS:
        return trails_list(book->recent.trails, book->list);
    case VIEW_HOSTS:
        return book->hosts;
    case VIEW_LADDER:
        return book->items;
    }
    return 0;
}

/* The place of the selected connection; what is gone leaves its place selected. */
static uint32_t place_of_trail(const struct top_book *book, uint32_t items)
{
    for (uint32_t i = 0; i < items; i++) {
        if (book->list[i]->number == book->selected[VIEW_CONNECTIONS])
            return i;
    }
    return book->place[VIEW_CONNECTIONS];
}

uint32_t top_selected_place(struct top_book *book, enum top_view view)
{
    uint32_t items = top_items(book, view);
    uint32_t place = book->place[view];
    bool is_moved = place > 0 || book->first[view] > 0; /* else the newest stays selected */
    if (view == VIEW_CONNECTIONS && is_moved)
        place = place_of_trail(book, items);
    if ((view == VIEW_EVENTS || view == VIEW_OVERVIEW) && is_moved)
        place = (uint32_t)(book->recent.event_count - 1 - book->selected[view]);
    return items == 0 ? 0 : place < items ? place : items - 1;
}

void top_select_place(struct top_book *book, enum top_view view, uint32_t place)
{
    uint32_t items = top_items(book, view);
    if (items == 0)
        return;
    place = place < items ? place : items - 1;
    book->place[view] = place;
    if (view == VIEW_CONNECTIONS)
        book->selected[view] = book->list[place]->number;
    if (view == VIEW_EVENTS || view == VIEW_OVERVIEW)
        book->selected[view] = book->recent.event_count - 1 - place;
}

/* --- keys --- */

/* Where a key that moves leads from a place; the ladder has no place but its first row. */
static uint32_t moved(const struct top_book *book, enum top_key key, uint32_t place)
{
    uint32_t page = book->rows > 1 ? book->rows - 1 : 1;
    uint32_t last = book->items > 0 ? book->items - 1 : 0;
    if (book->view == VIEW_LADDER)
        last = book->items > book->rows ? book->items - book->rows : 0;
    if (key == TOP_UP)
        return place > 0 ? place - 1 : 0;
    if (key == TOP_PAGE_UP)
        return place > page ? place - page : 0;
    if (key == TOP_DOWN)
        place++;
    if (key == TOP_PAGE_DOWN)
        place += page;
    if (key == TOP_FIRST)
        place = 0;
    return key == TOP_LAST || place > last ? last : place;
}

static void move(struct top_book *book, enum top_key key)
{
    enum top_view view = book->view;
    if (view == VIEW_LADDER)
        book->first[view] = moved(book, key, book->first[view]);
    else
        top_select_place(book, view, moved(book, key, top_selected_place(book, view)));
}

/* Whose ladder the selected line stands for; false: nobody's. */
static bool find_selected(struct top_book *book, struct flow_identity *ret_who)
{
    uint32_t items = top_items(book, book->view);
    uint32_t place = top_selected_place(book, book->view);
    if (book->view == VIEW_CONNECTIONS && place < items) {
        *ret_who = book->list[place]->who;
        return true;
    }
    if (book->view != VIEW_OVERVIEW && book->view != VIEW_EVENTS)
        return false;
    const struct event_record *event =
        recent_find_event(&book->recent, book->recent.event_count - 1 - place);
    if (items == 0 || event == NULL)
        return false;
    *ret_who = event->who;
    return true;
}

static void open_ladder(struct top_book *book)
{
    if (book->view == VIEW_LADDER || !find_selected(book, &book->who))
        return;
    book->before = book->view;
    book->view = VIEW_LADDER;
    book->first[VIEW_LADDER] = 0;
}

/* From a list, back is the overview. */
static void go_back(struct top_book *book)
{
    book->view = book->view == VIEW_LADDER ? book->before : VIEW_OVERVIEW;
}

static void show(struct top_book *book, enum top_view view)
{
    book->view = view;
}

bool sink_top_key(struct sink *sink, enum top_key key)
{
    struct top_book *book = book_of(sink);
    switch (key) {
    case TOP_QUIT:
        return false;
    case TOP_NONE:
    case TOP_REDRAW:
        return true;
    case TOP_UP:
    case TOP_DOWN:
    case TOP_PAGE_UP:
    case TOP_PAGE_DOWN:
    case TOP_FIRST:
    case TOP_LAST:
        move(book, key);
        return true;
    case TOP_OPEN:
        open_ladder(book);
        return true;
    case TOP_BACK:
        go_back(book);
        return true;
    case TOP_NEXT_VIEW:
        show(book, book->view >= VIEW_EVENTS ? VIEW_OVERVIEW : book->view + 1);
        return true;
    case TOP_OVERVIEW:
    case TOP_CONNECTIONS:
    case TOP_HOSTS:
    case TOP_EVENTS:
        show(book, VIEW_OVERVIEW + (key - TOP_OVERVIEW));
        return true;
    }
    return true;
}

void sink_top_name(struct sink *sink, const char *title)
{
    book_of(sink)->title = title;
}

void sink_top_ended(struct sink *sink)
{
    book_of(sink)->ended = true;
}

/* --- life --- */

static void top_free(struct sink *sink)
{
    struct top_book *book = book_of(sink);
    if (book == NULL)
        return;
    recent_clear(&book->recent);
    free(book);
}

static const struct sink_ops top_ops = {
    .flow = take_flow,
    .event = take_event,
    .transition = take_transition,
    .segment = take_segment,
    .host = take_host,
    .stats = take_stats,
    .flush = flush,
    .free = top_free,
};

enum status sink_top_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink)
{
    (void)stream; /* who draws has the terminal */
    struct top_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return STATUS_NO_MEMORY;
    book->sink.ops = &top_ops;
    book->options = *options;
    if (recent_init(&book->recent) != STATUS_OK) {
        top_free(&book->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &book->sink;
    return STATUS_OK;
}
