/*
 * board_server: see board_server.h.
 *
 * A connection that asks is suspended until there is an answer.
 */
#include "board_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board_readers.h"
#include "guard.h"
#include "http_answer.h"
#include "listener.h"
#include "messages.h"
#include "values.h"

enum {
    CONNECTIONS = 64, /* at once, */
    QUESTIONS = 16,   /* of them those that wait for an answer */
    COOKIE_SIZE = 32,
};

/* A question and its answer. */
struct question {
    struct MHD_Connection *connection; /* NULL: the place is free */
    struct board_question question;
    bool taken;    /* the analysis has it */
    bool answered; /* with text, owned; NULL: nothing is kept */
    char *text;
    size_t length;
};

struct board_server {
    int listener; /* -1 once the daemon has it */
    char name[LISTENER_NAME];
    char token[GUARD_TOKEN]; /* empty: none is needed */
    char cookie[COOKIE_SIZE];
    char *page; /* owned */
    size_t page_length;
    struct board_readers *readers;
    struct http_service service;
    struct http_server *http; /* NULL: not begun */
    pthread_mutex_t lock;     /* guards what follows */
    struct question questions[QUESTIONS];
    bool over;
    atomic_bool asked; /* read without it */
};

/* --- questions --- */

static bool read_question(struct MHD_Connection *connection, struct board_question *ret_question)
{
    const char *flow = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "flow");
    const char *event = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "event");
    ret_question->subject = flow != NULL ? BOARD_OF_FLOW : BOARD_OF_EVENT;
    const char *uid = flow != NULL ? flow : event;
    return uid != NULL && value_read_uid(uid, &ret_question->uid);
}

/* Puts it among those that wait; with the lock held.  False: there is no room. */
static bool ask(struct board_server *server, struct MHD_Connection *connection,
                struct board_question question)
{
    for (unsigned i = 0; i < QUESTIONS; i++) {
        if (server->questions[i].connection != NULL)
            continue;
        question.ticket = i;
        server->questions[i] = (struct question){.connection = connection, .question = question};
        atomic_store(&server->asked, true);
        MHD_suspend_connection(connection);
        return true;
    }
    return false;
}

static bool serve_question(struct board_server *server, struct MHD_Connection *connection)
{
    struct board_question question;
    if (!read_question(connection, &question))
        return http_answer_words(connection, MHD_HTTP_BAD_REQUEST,
                                 "detail of what? ?flow=UID or ?event=ID, 16 digits\n");
    pthread_mutex_lock(&server->lock);
    bool asked = !server->over && ask(server, connection, question);
    pthread_mutex_unlock(&server->lock);
    return asked || http_answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                      "too many questions wait already\n");
}

/* The connection was resumed: its answer is there, or none will come. */
static bool serve_answer(struct board_server *server, struct MHD_Connection *connection)
{
    struct question found = {.connection = NULL};
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        if (server->questions[i].connection != connection)
            continue;
        found = server->questions[i];
        server->questions[i] = (struct question){.connection = NULL};
    }
    pthread_mutex_unlock(&server->lock);
    const struct http_body body = {
        .type = "application/json", .text = found.text, .length = found.length};
    bool done = found.text != NULL ? http_answer(connection, MHD_HTTP_OK, &body)
                                   : http_answer_words(connection, MHD_HTTP_NOT_FOUND,
                                                       "nothing is kept of it any more\n");
    free(found.text);
    return done;
}

/* Who asked has its answer, or went away while it waited: then nobody comes for the answer. */
static void leave(void *context, struct MHD_Connection *connection)
{
    struct board_server *server = context;
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        if (server->questions[i].connection != connection)
            continue;
        free(server->questions[i].text);
        server->questions[i] = (struct question){.connection = NULL};
    }
    pthread_mutex_unlock(&server->lock);
}

/* --- who asks for what --- */

static bool serve_page(const struct board_server *server, struct MHD_Connection *connection)
{
    char cookie[GUARD_TOKEN + COOKIE_SIZE + 64];
    snprintf(cookie, sizeof cookie, "%s=%s; HttpOnly; SameSite=Strict; Path=/", server->cookie,
             server->token);
    bool shows = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "token") != NULL &&
                 server->token[0] != '\0';
    /* frame-ancestors cannot stand in the page itself (CSP Level 3, 3.3). */
    const struct http_header headers[] = {
        {"Content-Security-Policy", "frame-ancestors 'none'"},
        {"X-Frame-Options", "DENY"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Referrer-Policy", "no-referrer"},
        {shows ? "Set-Cookie" : NULL, cookie},
        {NULL, NULL},
    };
    const struct http_body body = {.type = "text/html; charset=utf-8",
                                   .text = server->page,
                                   .length = server->page_length,
                                   .headers = headers};
    return http_answer(connection, MHD_HTTP_OK, &body);
}

/* A link on another site may lead to the page, which holds nothing yet. */
static enum guard_verdict look_at(const struct board_server *server,
                                  struct MHD_Connection *connection, bool is_page)
{
    const struct guard_request request = {
        .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        .origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin"),
        .site = is_page
                    ? NULL
                    : MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site"),
        .token = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "token"),
        .cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, server->cookie),
        .bearer =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
    };
    return guard_look(server->token, &request);
}

static bool serve_path(struct board_server *server, struct MHD_Connection *connection,
                       const char *path)
{
    bool is_page = strcmp(path, "/") == 0;
    switch (look_at(server, connection, is_page)) {
    case GUARD_FOREIGN:
        return http_answer_words(connection, MHD_HTTP_FORBIDDEN,
                                 "call this host by its address, or show the token\n");
    case GUARD_NO_TOKEN:
        return http_answer_words(connection, MHD_HTTP_UNAUTHORIZED,
                                 "show the token: /?token=TOKEN, as lastack said at its start\n");
    case GUARD_WELCOME:
        break;
    }
    if (is_page)
        return serve_page(server, connection);
    if (strcmp(path, "/events") == 0)
        return board_readers_serve(server->readers, connection);
    if (strcmp(path, "/detail") == 0)
        return serve_question(server, connection);
    return http_answer_words(connection, MHD_HTTP_NOT_FOUND, "there are /, /events and /detail\n");
}

static bool serve(void *context, struct MHD_Connection *connection, const char *path, bool waited)
{
    return waited ? serve_answer(context, connection) : serve_path(context, connection, path);
}

/* --- what the analysis says --- */

void board_server_post(struct board_server *server, enum board_kind kind, const char *json,
                       size_t length)
{
    board_readers_post(server->readers, kind, json, length);
}

void board_server_wake(struct board_server *server, bool beat)
{
    board_readers_wake(server->readers, beat);
}

void board_server_tidy(struct board_server *server)
{
    http_tidy(server->http);
}

bool board_server_is_asked(struct board_server *server)
{
    return atomic_load_explicit(&server->asked, memory_order_relaxed);
}

bool board_server_next(struct board_server *server, struct board_question *ret_question)
{
    bool found = false;
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < QUESTIONS && !found; i++) {
        struct question *question = &server->questions[i];
        if (question->connection == NULL || question->taken)
            continue;
        found = question->taken = true;
        *ret_question = question->question;
    }
    if (!found)
        atomic_store(&server->asked, false);
    pthread_mutex_unlock(&server->lock);
    return found;
}

void board_server_answer(struct board_server *server, unsigned ticket, char *text, size_t length)
{
    pthread_mutex_lock(&server->lock);
    struct question *question = &server->questions[ticket];
    question->answered = true;
    question->text = text;
    question->length = length;
    MHD_resume_connection(question->connection);
    pthread_mutex_unlock(&server->lock);
}

const char *board_server_place(const struct board_server *server)
{
    return server->name;
}

/* --- beginning and end --- */

/* Other hosts must show a token; of this one's users, where a file names one. */
static enum status find_token(struct board_server *server, const char *file, char *message)
{
    if (file != NULL)
        return guard_read_token(file, server->token, message);
    if (listener_is_local(server->listener))
        return STATUS_OK;
    enum status status = guard_draw_token(server->token);
    if (status != STATUS_OK)
        snprintf(message, MESSAGE_SIZE,
                 "--http: cannot draw a token; name a file that has one "
                 "with --http-token FILE");
    return status;
}

/* A token from a file is known to who wrote it; one that was drawn is not. */
static void say_where(const struct board_server *server, bool drawn)
{
    message_print("http: http://%s/%s%s", server->name, drawn ? "?token=" : "",
                  drawn ? server->token : "");
}

enum status board_server_open(const struct board_server_options *options,
                              struct board_server **ret_server, char *message)
{
    struct board_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return STATUS_NO_MEMORY;
    server->listener = -1;
    pthread_mutex_init(&server->lock, NULL);
    atomic_init(&server->asked, false);
    server->readers = board_readers_new();
    enum status status = server->readers == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (status == STATUS_OK)
        status = listener_open(options->address, &server->listener, message);
    if (status == STATUS_OK)
        status = find_token(server, options->token, message);
    if (status != STATUS_OK) {
        board_server_free(server);
        return status;
    }
    listener_name(server->listener, server->name);
    /* cookies do not tell ports apart (RFC 6265, 8.5) */
    snprintf(server->cookie, sizeof server->cookie, "lastack-%u", listener_port(server->listener));
    say_where(server, options->token == NULL && server->token[0] != '\0');
    *ret_server = server;
    return STATUS_OK;
}

enum status board_server_begin(struct board_server *server, char *page, size_t length,
                               char *message)
{
    server->page = page;
    server->page_length = length;
    server->service = (struct http_service){
        .serve = serve, .leave = leave, .context = server, .connections = CONNECTIONS};
    return http_begin(&server->listener, &server->service, &server->http, message);
}

/* Nobody is left suspended. */
static void end_waiting(struct board_server *server)
{
    if (server->readers != NULL)
        board_readers_end(server->readers);
    pthread_mutex_lock(&server->lock);
    server->over = true;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        if (server->questions[i].connection != NULL && !server->questions[i].answered)
            MHD_resume_connection(server->questions[i].connection);
    }
    pthread_mutex_unlock(&server->lock);
}

void board_server_free(struct board_server *server)
{
    if (server == NULL)
        return;
    end_waiting(server);
    http_end(server->http);
    if (server->listener >= 0)
        close(server->listener);
    for (unsigned i = 0; i < QUESTIONS; i++)
        free(server->questions[i].text);
    pthread_mutex_destroy(&server->lock);
    board_readers_free(server->readers);
    free(server->page);
    free(server);
}
