/*
 * board_server: gives the live page to browsers, and what is new as server-sent events:
 *
 *     /         the page                 /events   the messages, as they come
 *     /detail   all that is kept of one connection (?flow=UID) or event (?event=ID)
 *
 * It only answers.  Every browser reads the feed at its own pace: one that is slow misses what is
 * not kept any more, and nobody waits for it.  A question waits until the analysis has answered it.
 * Who may look, guard.h says.
 */
#ifndef LASTACK_BOARD_SERVER_H
#define LASTACK_BOARD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "sink/board.h"

struct board_server;

struct board_server_options {
    const char *address; /* ADDR:PORT, [ADDR]:PORT, or PORT of 127.0.0.1 alone */
    const char *token;   /* file that has it; NULL: one is drawn where it is needed */
};

/* What is asked of the analysis. */
struct board_question {
    enum board_subject subject;
    uint64_t uid;
    unsigned ticket; /* for the answer */
};

/*
 * Listens, says where, and answers nothing yet.  Fails with USAGE, WRITE (the address is in use or
 * not this host's), DENIED or NO_MEMORY, and a message.
 */
enum status board_server_open(const struct board_server_options *options,
                              struct board_server **ret_server, char *message);

/* Begins to answer with this page, which it takes over.  It makes its thread: rights are given up
 * and signals blocked before. */
enum status board_server_begin(struct board_server *server, char *page, size_t length,
                               char *message);

/* A message for all who look; one that finds no memory is left out. */
void board_server_post(struct board_server *server, enum board_kind kind, const char *json,
                       size_t length);

/* What was posted leaves; beat: those to whom nothing was said hear that it lives. */
void board_server_wake(struct board_server *server, bool beat);

/* Closes the connections that take too long; to be called now and then. */
void board_server_tidy(struct board_server *server);

/* Whether a question waits; cheap enough to be asked at every packet. */
bool board_server_is_asked(struct board_server *server);

/* The next question; false: there is none. */
bool board_server_next(struct board_server *server, struct board_question *ret_question);

/* Takes the answer over, one line of JSON; NULL: nothing is kept of it. */
void board_server_answer(struct board_server *server, unsigned ticket, char *text, size_t length);

/* Where it is, for a message. */
const char *board_server_place(const struct board_server *server);

void board_server_free(struct board_server *server); /* accepts NULL */

#endif
