/* page_server: see page_server.h. */
#include "page_server.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBMICROHTTPD
#include <microhttpd.h>
#endif

#include "base/time.h"
#include "guard.h"
#include "http_answer.h"
#include "listener.h"
#include "messages.h"
#include "source/clock.h"

enum {
    CONNECTIONS = 32, /* at once; Prometheus needs one */
    WAITING = 16,     /* of them those that wait for a page: the others still ask for health */
};

#ifdef HAVE_LIBMICROHTTPD

/* A page as it was written; freed by the last response that holds it. */
struct spelled_page {
    char *text; /* both spellings; owned */
    size_t open_length, plain_length;
};

struct page_server {
    int listener; /* -1 once the daemon has it */
    FILE *stream;
    struct http_service service;
    struct http_server *http; /* NULL: not begun */
    pthread_mutex_t lock;     /* guards what follows */
    struct spelled_page page;
    struct MHD_Connection *waiting[WAITING];
    unsigned waiting_count;
    bool over; /* no other page will come */
    /* and these are read without it */
    atomic_bool asked;
    atomic_int_fast64_t sign; /* of life, on the monotonic clock */
    atomic_bool is_ill;       /* an output cannot be written */
    nanotime patience;        /* how long there may be no sign */
    bool is_local;            /* it listens where only this host can reach it */
};

/* --- answers --- */

static const char open_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";

static bool answer(struct MHD_Connection *connection, const char *type, const char *text,
                   size_t length)
{
    const struct http_body body = {.type = type, .text = text, .length = length};
    return http_answer(connection, MHD_HTTP_OK, &body);
}

static bool wants_open_form(struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
}

static bool answer_page(const struct page_server *server, struct MHD_Connection *connection)
{
    const struct spelled_page *page = &server->page;
    if (page->text == NULL)
        return http_answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                 "there is no page yet\n");
    if (wants_open_form(connection))
        return answer(connection, open_type, page->text, page->open_length);
    return answer(connection, text_type, page->text + page->open_length + 1, page->plain_length);
}

/*
 * The first time a request waits for a new page; when it is called again there is one.  Where many
 * wait already, the analysis stands still: another one has the page there is, if any.
 */
static bool serve_metrics(struct page_server *server, struct MHD_Connection *connection,
                          bool waited)
{
    pthread_mutex_lock(&server->lock);
    bool answered = true;
    if (waited || server->over || server->waiting_count == WAITING) {
        answered = answer_page(server, connection);
    } else {
        server->waiting[server->waiting_count++] = connection;
        MHD_suspend_connection(connection);
        atomic_store(&server->asked, true);
    }
    pthread_mutex_unlock(&server->lock);
    return answered;
}

static bool serve_health(struct page_server *server, struct MHD_Connection *connection)
{
    int64_t quiet = clock_now(CLOCK_MONOTONIC) - atomic_load(&server->sign);
    if (quiet > server->patience)
        return http_answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                 "the analysis stands still\n");
    if (atomic_load(&server->is_ill))
        return http_answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                 "an output cannot be written; lastack said which\n");
    return http_answer_words(connection, MHD_HTTP_OK, "ok\n");
}

/*
 * Listening for this host alone, it is asked by an address or as localhost; another name that leads
 * here is one that a page of another site gave this address, so that a browser asks for it (DNS
 * rebinding).  Elsewhere it has names that are not known here, and whoever gets there may look.
 */
static bool is_meant(const struct page_server *server, struct MHD_Connection *connection)
{
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    return !server->is_local || host == NULL || guard_is_own_name(host);
}

static bool serve(void *context, struct MHD_Connection *connection, const char *path, bool waited)
{
    if (!is_meant(context, connection))
        return http_answer_words(connection, MHD_HTTP_FORBIDDEN,
                                 "ask by address or as localhost\n");
    if (strcmp(path, "/metrics") == 0)
        return serve_metrics(context, connection, waited);
    if (strcmp(path, "/healthz") == 0)
        return serve_health(context, connection);
    if (strcmp(path, "/") == 0)
        return http_answer_words(connection, MHD_HTTP_OK, "lastack: /metrics /healthz\n");
    return http_answer_words(connection, MHD_HTTP_NOT_FOUND, "there are /metrics and /healthz\n");
}

/* --- pages --- */

static void wake_waiting(struct page_server *server)
{
    atomic_store(&server->asked, false);
    for (unsigned i = 0; i < server->waiting_count; i++)
        MHD_resume_connection(server->waiting[i]);
    server->waiting_count = 0;
}

/* Below the stream: a page. */
static ssize_t take_page(void *context, const char *text, size_t length)
{
    struct page_server *server = context;
    struct spelled_page page = {.text = malloc(length)};
    if (page.text == NULL) {
        errno = ENOMEM;
        return 0;
    }
    memcpy(page.text, text, length);
    page.open_length = strnlen(page.text, length);
    page.plain_length = page.open_length == length ? 0 : length - page.open_length - 1;
    pthread_mutex_lock(&server->lock);
    free(server->page.text);
    server->page = page;
    wake_waiting(server);
    pthread_mutex_unlock(&server->lock);
    return (ssize_t)length;
}

bool page_server_is_asked(struct page_server *server)
{
    return atomic_load_explicit(&server->asked, memory_order_relaxed);
}

void page_server_sign(struct page_server *server, bool is_well)
{
    atomic_store_explicit(&server->is_ill, !is_well, memory_order_relaxed);
    atomic_store_explicit(&server->sign, clock_now(CLOCK_MONOTONIC), memory_order_relaxed);
    http_tidy(server->http);
}

FILE *page_server_stream(struct page_server *server)
{
    return server->stream;
}

/* --- beginning and end --- */

enum status page_server_open(const char *address, nanotime patience,
                             struct page_server **ret_server, char *message)
{
    const cookie_io_functions_t functions = {.write = take_page};
    struct page_server *server = calloc(1, sizeof *server);
    char name[LISTENER_NAME];
    if (server == NULL)
        return STATUS_NO_MEMORY;
    server->listener = -1;
    pthread_mutex_init(&server->lock, NULL);
    atomic_init(&server->asked, false);
    atomic_init(&server->sign, clock_now(CLOCK_MONOTONIC));
    atomic_init(&server->is_ill, false);
    server->patience = patience;
    enum status status = listener_open(address, &server->listener, message);
    if (status == STATUS_OK)
        server->stream = fopencookie(server, "w", functions);
    if (status == STATUS_OK && server->stream == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        page_server_free(server);
        return status;
    }
    server->is_local = listener_is_local(server->listener);
    setvbuf(server->stream, NULL, _IONBF, 0); /* a write of the sink is one of take_page */
    listener_name(server->listener, name);
    message_print("metrics: http://%s/metrics", name);
    *ret_server = server;
    return STATUS_OK;
}

enum status page_server_begin(struct page_server *server, char *message)
{
    server->service =
        (struct http_service){.serve = serve, .context = server, .connections = CONNECTIONS};
    return http_begin(&server->listener, &server->service, &server->http, message);
}

void page_server_free(struct page_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->over = true;
    wake_waiting(server);
    pthread_mutex_unlock(&server->lock);
    http_end(server->http);
    if (server->listener >= 0)
        close(server->listener);
    pthread_mutex_destroy(&server->lock);
    free(server->page.text);
    free(server);
}

bool page_server_is_built_in(void)
{
    return true;
}

#else

bool page_server_is_built_in(void)
{
    return false;
}

/* The option is refused before any of these. */
enum status page_server_open(const char *address, nanotime patience,
                             struct page_server **ret_server, char *message)
{
    (void)patience;
    (void)ret_server;
    snprintf(message, MESSAGE_SIZE, "cannot listen at %.100s: built without libmicrohttpd",
             address);
    return STATUS_USAGE;
}

FILE *page_server_stream(struct page_server *server)
{
    (void)server;
    return NULL;
}

enum status page_server_begin(struct page_server *server, char *message)
{
    (void)server;
    (void)message;
    return STATUS_USAGE;
}

bool page_server_is_asked(struct page_server *server)
{
    (void)server;
    return false;
}

void page_server_sign(struct page_server *server, bool is_well)
{
    (void)server;
    (void)is_well;
}

void page_server_free(struct page_server *server)
{
    (void)server;
}

#endif
