/*
 * guard: who may look at the live page.
 *
 * A page of another site must not: its script can make a browser ask here, under a name of its own
 * that leads to this address (DNS rebinding).  So a request must call this host by an address or as
 * localhost; by other names those alone may who show the token, which no other site has.
 */
#ifndef LASTACK_GUARD_H
#define LASTACK_GUARD_H

#include <stdbool.h>

#include "base/status.h"

enum { GUARD_LEAST = 16, GUARD_MOST = 128, GUARD_TOKEN = GUARD_MOST + 1 };

/* What a request says of itself; NULL: nothing. */
struct guard_request {
    const char *host;   /* the header Host */
    const char *origin; /* of the page whose script asks */
    const char *site;   /* Sec-Fetch-Site: how that page stands to this host */
    const char *token;  /* given as parameter, */
    const char *cookie; /* as a cookie, */
    const char *bearer; /* or as the header Authorization */
};

enum guard_verdict {
    GUARD_WELCOME,
    GUARD_NO_TOKEN, /* none, or another one */
    GUARD_FOREIGN   /* a name that is not this host's, or a script of another site */
};

/* token: the one to be shown; empty: none is needed. */
enum guard_verdict guard_look(const char *token, const struct guard_request *request);

/* Whether a request calls this host by an address or as localhost; host: its header Host. */
bool guard_is_own_name(const char *host);

/* Draws a token; DENIED when the kernel gives no random octets. */
enum status guard_draw_token(char ret_token[GUARD_TOKEN]);

/*
 * Reads the token, the first line of a file: GUARD_LEAST to GUARD_MOST letters, digits, hyphens,
 * points and underscores.  Fails with USAGE and a message.
 */
enum status guard_read_token(const char *file, char ret_token[GUARD_TOKEN], char *message);

#endif
