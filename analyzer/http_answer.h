/*
 * http_answer: answers over HTTP, whoever asks: page_server and board_server.
 *
 * What answers is libmicrohttpd, in a thread of its own: GET and HEAD alone, a bounded number of
 * connections with a bounded request, and those that say nothing are closed.
 */
#ifndef LASTACK_HTTP_ANSWER_H
#define LASTACK_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

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

/* Each hands the answer over; false when it cannot be made, and the connection is to be closed. */
bool http_answer(struct MHD_Connection *connection, unsigned status, const struct http_body *body);
bool http_answer_words(struct MHD_Connection *connection, unsigned status, const char *words);

/* Whether the method is one of the two; else it was answered so, as *ret_answered says. */
bool http_allows(struct MHD_Connection *connection, const char *method, bool *ret_answered);

#endif
