/*
 * page_server: gives the newest page to whoever asks over HTTP: /metrics, and /healthz.
 *
 * The only place that knows libmicrohttpd.  It answers GET and HEAD alone, in a thread of its own,
 * to a bounded number of connections with a bounded request, and closes those that say nothing.
 * Who asks for the page waits until the analysis has made one: so it tells how things stand now,
 * and costs nothing while nobody asks.
 */
#ifndef LASTACK_PAGE_SERVER_H
#define LASTACK_PAGE_SERVER_H

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "base/time.h"

struct page_server;

/* Whether it was built in. */
bool page_server_is_built_in(void);

/*
 * Listens at ADDR:PORT, [ADDR]:PORT, or PORT of 127.0.0.1 alone, and answers nothing yet; patience
 * is for page_server_sign.  Fails with USAGE, WRITE (the address is in use or not this host's) or
 * NO_MEMORY, and a message.
 */
enum status page_server_open(const char *address, nanotime patience,
                             struct page_server **ret_server, char *message);

/* What to write pages to: in one write OpenMetrics, an octet 0, the older spelling. */
FILE *page_server_stream(struct page_server *server);

/* Begins to answer: makes its thread, so rights are given up and signals blocked before. */
enum status page_server_begin(struct page_server *server, char *message);

/* Whether somebody waits for a page; cheap enough to be asked at every packet. */
bool page_server_is_asked(struct page_server *server);

/*
 * The analysis lives: /healthz says so until it was not told for as long as there is patience.
 * is_well: all outputs can be written; else it says that one cannot.
 */
void page_server_sign(struct page_server *server, bool is_well);

/* After the stream was closed. */
void page_server_free(struct page_server *server); /* accepts NULL */

#endif
