/*
 * board: the live page of a browser, without the way to it: a sink that gathers what records tell,
 * and says it in messages of JSON that the page's script puts into the page (page/live.js).  It
 * deduces nothing.
 *
 * Besides what every sink gets it is to be handed, about once a second, a stats record and the host
 * records of that moment (analyzer_look); then sink_board_show says what is new.
 */
#ifndef LASTACK_SINK_BOARD_H
#define LASTACK_SINK_BOARD_H

#include "sinks.h"

/* What a message says.  Of each kind the newest are worth keeping for who comes later. */
enum board_kind {
    BOARD_STATS,   /* lastack.stats: how things stand */
    BOARD_PLAIN,   /* lastack.flow of a connection that ended without a problem */
    BOARD_TROUBLE, /* lastack.flow of another one */
    BOARD_EVENT,   /* lastack.event */
    BOARD_REPORT,  /* the report so far, without its flows; examples are the ids of events */
    BOARD_PARTS,   /* parts of the page as markup, by the places they go to */
    BOARD_END,     /* nothing more comes */
    BOARD_KINDS
};

/* Where messages go: one line of JSON each. */
struct board_post {
    void (*post)(void *context, enum board_kind kind, const char *json, size_t length);
    void *context; /* not owned */
};

/* What can be asked for more of. */
enum board_subject { BOARD_OF_FLOW, BOARD_OF_EVENT };

/* stream is not written to. */
enum status sink_board_new(const struct sink_options *options, FILE *stream,
                           struct sink **ret_sink);

/* From now on messages go there. */
void sink_board_connect(struct sink *sink, struct board_post post);

/* Posts what is new; whole: also what changes slowly. */
enum status sink_board_show(struct sink *sink, bool whole);

/* Nothing more comes. */
enum status sink_board_end(struct sink *sink);

/*
 * All that is kept of a connection, or of an event and its connection, as one line of JSON: markup
 * as the HTML page has it, with its ladder, and the segments of its graphs.  *ret_text is NULL when
 * nothing is kept of it; else the caller frees it.  NO_MEMORY is the only failure.
 */
enum status sink_board_detail(const struct sink *sink, enum board_subject subject, uint64_t uid,
                              char **ret_text, size_t *ret_length);

/* The page itself, which the messages fill; title is from outside. */
enum status sink_board_page(const char *title, char **ret_text, size_t *ret_length);

#endif
