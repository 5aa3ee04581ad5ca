/*
 * live_board: --http: joins the sink that knows what is to be seen (sink/board.h) to the server
 * that browsers ask (board_server.h), between packets, on the thread that reads.
 */
#ifndef LASTACK_LIVE_BOARD_H
#define LASTACK_LIVE_BOARD_H

#include <stdbool.h>

#include "analyzer.h"
#include "board_server.h"
#include "interrupt.h"
#include "options.h"
#include "source/source.h"

struct live_board {
    struct sink *sink;           /* of sink_board_new, not owned; NULL: there is no page */
    struct board_server *server; /* owned */
    const struct options *options;
    struct analyzer *analyzer; /* none of these is owned */
    struct source *source;
    nanotime done;   /* on the monotonic clock: when what is new was shown last, */
    nanotime looked; /* when the analyzer was asked last, */
    nanotime whole;  /* when what changes slowly was shown last, */
    nanotime beaten; /* and when all who look were told that it lives */
};

/* Listens for sink; without one there is no page.  See board_server_open for failures. */
enum status live_board_open(struct live_board *board, struct sink *sink,
                            const struct options *options, char *message);

/* Whether it answers connections, which must then be allowed. */
bool live_board_answers(const struct live_board *board);

/* Begins to answer; after rights are given up, as it makes a thread. */
enum status live_board_begin(struct live_board *board, char *message);

/* Whether it is time; cheap enough to be asked at every packet. */
bool live_board_is_due(const struct live_board *board);

/* Shows what is new, and answers questions. */
void live_board_do(struct live_board *board);

/* All has been read, and nothing is ended yet: how things stand. */
void live_board_last_look(struct live_board *board);

/* Everything is ended: shows it until a signal ends that. */
void live_board_linger(struct live_board *board, struct interrupt *interrupt);

/* Nothing happens when there is no page. */
void live_board_close(struct live_board *board);

#endif
