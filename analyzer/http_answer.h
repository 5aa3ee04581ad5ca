/*
 * http_answer: answers over HTTP, whoever asks: page_server and board_server.
 *
 * What answers is libmicrohttpd, in a thread of its own: GET and HEAD alone, a bounded number of
 * connections with a bounded request; those that say nothing, or take too long, are closed
 * (http_guests).
 */
#ifndef LASTACK_HTTP_ANSWER_H
#define LASTACK_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct MHD_Connection;
struct http_server;

enum {
    HTTP_QUIET_SECONDS = 10,   /* a connection that says nothing for so long is closed */
    HTTP_REQUEST_SIZE = 16384, /* octets for a connection's request and headers */
    HTTP_BLOCK_SIZE = 65536,
};

extern const char http_plain[]; /* the type of words */

/* A header beside those that every answer has. */
struct http_header {
    const char *name; /* NULL ends a list of them */
    const char *value;
};

struct http_body {
    const char *type;
    const char *text; /* copied */
    size_t length;
    const struct http_header *headers; /* NULL: none */
};

/* What answers; called in libmicrohttpd's thread. */
struct http_service {
    /* A request for a path is whole; waited: it was suspended, and comes again.  False when no
     * answer can be made, and the connection is to be closed. */
    bool (*serve)(void *context, struct MHD_Connection *connection, const char *path, bool waited);
    /* The request is over, whatever became of it; NULL: nothing is to be done then. */
    void (*leave)(void *context, struct MHD_Connection *connection);
    void *context;
    unsigned connections; /* at most so many at once, 1 to 65535 */
};

/*
 * Begins to answer at a socket that listens, in a thread of libmicrohttpd's own.  *listener is the
 * server's then, and becomes -1; the service outlives the server.  Returns STATUS_WRITE with a
 * message (MESSAGE_SIZE octets) when it cannot, and changes nothing.
 */
enum status http_begin(int *listener, const struct http_service *service,
                       struct http_server **ret_server, char *message);

/* Closes the connections whose time is over; without it, that waits for the next that comes. */
void http_tidy(struct http_server *server); /* accepts NULL */

/* The caller has resumed all that were suspended. */
void http_end(struct http_server *server); /* accepts NULL */

/* Each hands the answer over; false when it cannot be made, and the connection is to be closed. */
bool http_answer(struct MHD_Connection *connection, unsigned status, const struct http_body *body);
bool http_answer_words(struct MHD_Connection *connection, unsigned status, const char *words);

#endif
