/* http_answer: see http_answer.h. */
#include "http_answer.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_guests.h"

struct http_server {
    const struct http_service *service;
    struct http_guests *guests;
    struct MHD_Daemon *daemon; /* NULL: not begun */
};

const char http_plain[] = "text/plain; charset=utf-8";

/* A copy of what is sent, so that another text may take the place of the one it came from. */
struct body {
    size_t length;
    char text[];
};

static ssize_t read_body(void *context, uint64_t position, char *out, size_t room)
{
    const struct body *body = context;
    size_t rest = position < body->length ? body->length - (size_t)position : 0;
    size_t length = rest < room ? rest : room;
    memcpy(out, body->text + body->length - rest, length);
    return length > 0 ? (ssize_t)length : MHD_CONTENT_READER_END_OF_STREAM;
}

/* By a callback: a body that is one buffer would leave by sendmsg, which may name any receiver and
 * is therefore not allowed (sandbox.c). */
static struct MHD_Response *make_response(const char *text, size_t length)
{
    struct body *body = malloc(sizeof *body + length);
    if (body == NULL)
        return NULL;
    body->length = length;
    memcpy(body->text, text, length);
    struct MHD_Response *response =
        MHD_create_response_from_callback(length, HTTP_BLOCK_SIZE, read_body, body, free);
    if (response == NULL)
        free(body);
    return response;
}

bool http_answer(struct MHD_Connection *connection, unsigned status, const struct http_body *body)
{
    struct MHD_Response *response = make_response(body->text, body->length);
    if (response == NULL)
        return false;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, body->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    for (const struct http_header *each = body->headers; each != NULL && each->name != NULL; each++)
        MHD_add_response_header(response, each->name, each->value);
    bool queued = MHD_queue_response(connection, status, response) == MHD_YES;
    MHD_destroy_response(response);
    return queued;
}

bool http_answer_words(struct MHD_Connection *connection, unsigned status, const char *words)
{
    const struct http_body body = {.type = http_plain, .text = words, .length = strlen(words)};
    return http_answer(connection, status, &body);
}

/* Whether the method is one of the two; else it was answered so, as *ret_answered says. */
static bool allows(struct MHD_Connection *connection, const char *method, bool *ret_answered)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
        return true;
    *ret_answered =
        http_answer_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD alone\n");
    return false;
}

/* Called for the headers, for the end of the request, and after a wait: *progress counts. */
static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **progress)
{
    static const char steps[] = "012";
    const struct http_service *service = ((const struct http_server *)context)->service;
    bool answered;
    (void)version;
    (void)upload;
    if (!allows(connection, method, &answered))
        return answered ? MHD_YES : MHD_NO;
    const char *step = *progress;
    *progress = (void *)(uintptr_t)(step == NULL ? &steps[0] : &steps[step == steps ? 1 : 2]);
    if (step == NULL)
        return MHD_YES;
    *upload_size = 0;
    if (step == steps)
        http_guest_reads(connection);
    return service->serve(service->context, connection, path, step != steps) ? MHD_YES : MHD_NO;
}

static void complete(void *context, struct MHD_Connection *connection, void **progress,
                     enum MHD_RequestTerminationCode code)
{
    const struct http_service *service = ((const struct http_server *)context)->service;
    (void)progress;
    (void)code;
    if (service->leave != NULL)
        service->leave(service->context, connection);
    http_guest_asks(connection);
}

static struct MHD_Daemon *start(int listener, struct http_server *server)
{
    return MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0,
        NULL, NULL, serve, server, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
        server->service->connections + HTTP_SPARE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HTTP_QUIET_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_SIZE,
        MHD_OPTION_NOTIFY_COMPLETED, complete, server, MHD_OPTION_NOTIFY_CONNECTION,
        http_guests_notify, server->guests, MHD_OPTION_END);
}

enum status http_begin(int *listener, const struct http_service *service,
                       struct http_server **ret_server, char *message)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return STATUS_NO_MEMORY;
    server->service = service;
    server->guests = http_guests_new(service->connections);
    if (server->guests == NULL) {
        http_end(server);
        return STATUS_NO_MEMORY;
    }
    server->daemon = start(*listener, server);
    if (server->daemon == NULL) {
        snprintf(message, MESSAGE_SIZE, "cannot answer over HTTP: %s", strerror(errno));
        http_end(server);
        return STATUS_WRITE;
    }
    *listener = -1;
    *ret_server = server;
    return STATUS_OK;
}

void http_tidy(struct http_server *server)
{
    if (server != NULL)
        http_guests_tidy(server->guests);
}

void http_end(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    http_guests_free(server->guests);
    free(server);
}
