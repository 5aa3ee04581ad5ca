/* top_book: what the live view knows, and what of it is being looked at. */
#ifndef LASTACK_SINK_TOP_BOOK_H
#define LASTACK_SINK_TOP_BOOK_H

#include "top.h"
#include "recent.h"

enum { TOP_HOSTS_KEPT = 256, TOP_MARKS = 6 };

enum top_view { VIEW_OVERVIEW, VIEW_CONNECTIONS, VIEW_HOSTS, VIEW_EVENTS, VIEW_LADDER };

enum { TOP_VIEWS = VIEW_LADDER + 1 };

/* Counts at a moment: two of them make a rate. */
struct top_mark {
    nanotime t;
    uint64_t packets, bytes;
    uint64_t entered[2][TCP_STATES]; /* how often a side came into a state */
    uint64_t ended[CLOSE_KINDS];
};

/* What a host holds of closed and half closed connections: a source, or a service. */
struct top_host {
    enum host_scope scope;
    uint8_t ip_version;
    uint8_t address[16];
    uint16_t port; /* HOST_SERVICE */
    struct stock time_wait, close_wait;
    uint64_t opened, closed;
};

struct top_book {
    struct sink sink; /* first, so that the one is the other */
    struct sink_options options;
    const char *title; /* not owned; NULL: none */
    bool ended;
    struct recent recent;
    struct top_host host[TOP_HOSTS_KEPT];
    uint32_t hosts;
    struct stats_record stats; /* the latest */
    bool has_stats;
    uint64_t entered[2][TCP_STATES];
    struct top_mark mark[TOP_MARKS]; /* number n at n % TOP_MARKS, from 0 */
    uint64_t marks;
    /* what is looked at */
    enum top_view view, before;   /* before: where the ladder was opened */
    uint64_t selected[TOP_VIEWS]; /* number of the trail or event, place of the host */
    uint32_t place[TOP_VIEWS];    /* of what is selected in its list, when last drawn */
    uint32_t first[TOP_VIEWS];    /* of the list, in the first row */
    uint32_t rows;                /* of the list, when last drawn */
    uint32_t items;               /* in it */
    struct flow_identity who;     /* of the ladder */
    const struct trail *list[TRAILS_MOST];
};

/* The view's list as places: how many, and which place is selected. */
uint32_t top_items(struct top_book *book, enum top_view view);
uint32_t top_selected_place(struct top_book *book, enum top_view view);
void top_select_place(struct top_book *book, enum top_view view, uint32_t place);

/* The ladder of book->who as text, a line each; owned by the caller.  NULL: nothing to draw. */
char *top_ladder(const struct top_book *book, int columns, bool utf8);

#endif
