/*
 * http_guests: the connections of a server over HTTP, and how long each may take.
 *
 * libmicrohttpd closes a connection that says nothing; one that says an octet now and then would
 * keep its place for as long as it likes.  Here a whole request has a deadline, and so has the
 * reading of an answer; and where all places are taken the one that has been asking longest gives
 * its place up.  Those that stay (they read the messages of a live page) are left alone.
 *
 * A connection is closed by shutdown(): libmicrohttpd, whose socket it is, then finds it ended.
 */
#ifndef LASTACK_HTTP_GUESTS_H
#define LASTACK_HTTP_GUESTS_H

#include <microhttpd.h>

enum {
    HTTP_REQUEST_SECONDS = 10, /* for a whole request, from the connection's begin */
    HTTP_ANSWER_SECONDS = 60,  /* until its answer is read */
    HTTP_SPARE = 8,            /* connections that are taken beyond those that have a place */
};

struct http_guests;

/* With so many places; NULL: no memory. */
struct http_guests *http_guests_new(unsigned places);
void http_guests_free(struct http_guests *guests); /* accepts NULL */

/* For MHD_OPTION_NOTIFY_CONNECTION, with the guests: one has come, or goes. */
void http_guests_notify(void *guests, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code);

/* The connection's request is whole, and will be answered. */
void http_guest_reads(struct MHD_Connection *connection);

/* Its answer is read; another request may follow. */
void http_guest_asks(struct MHD_Connection *connection);

/* It may take its answer for as long as it lives. */
void http_guest_stays(struct MHD_Connection *connection);

/* It is closed as soon as libmicrohttpd looks at it. */
void http_guest_leaves(struct MHD_Connection *connection);

/* Closes those whose time is over. */
void http_guests_tidy(struct http_guests *guests);

#endif
