/* page_server: see page_server.h. */
#include "page_server.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBMICROHTTPD
#include <microhttpd.h>
#endif

#include "base/time.h"
#include "http_answer.h"
#include "listener.h"
#include "messages.h"

enum {
    CONNECTIONS = 32, /* at once; Prometheus needs one */
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
    struct MHD_Daemon *daemon; /* NULL: not begun */
    pthread_mutex_t lock;      /* guards what follows */
    struct spelled_page page;
    struct MHD_Connection *waiting[CONNECTIONS];
    unsigned waiting_count;
    bool over; /* no other page will come */
    /* and these are read without it */
    atomic_bool asked;
    atomic_int_fast64_t sign; /* of life, on the monotonic clock */
    atomic_bool is_ill;       /* an output cannot be written */
    nanotime patience;        /* how long there may be no sign */
};

static int64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* --- answers --- */

static const char open_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";

static enum MHD_Result answer(struct MHD_Connection *connection, const char *type, const char *text,
                              size_t length)
{
    const struct http_body body = {.type = type, .text = text, .length = length};
    return http_answer(connection, MHD_HTTP_OK, &body) ? MHD_YES : MHD_NO;
}

static enum MHD_Result answer_words(struct MHD_Connection *connection, unsigned status,
                                    const char *words)
{
    return http_answer_words(connection, status, words) ? MHD_YES : MHD_NO;
}

static bool wants_open_form(struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
}

static enum MHD_Result answer_page(const struct page_server *server,
                                   struct MHD_Connection *connection)
{
    const struct spelled_page *page = &server->page;
    if (page->text == NULL)
        return answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "there is no page yet\n");
    if (wants_open_form(connection))
        return answer(connection, open_type, page->text, page->open_length);
    return answer(connection, text_type, page->text + page->open_length + 1, page->plain_length);
}

/* The first time a request waits for a new page; when it is called again there is one. */
static enum MHD_Result serve_metrics(struct page_server *server, struct MHD_Connection *connection,
                                     bool waited)
{
    pthread_mutex_lock(&server->lock);
    enum MHD_Result result = MHD_YES;
    if (waited || server->over || server->waiting_count == CONNECTIONS) {
        result = answer_page(server, connection);
    } else {
        server->waiting[server->waiting_count++] = connection;
        MHD_suspend_connection(connection);
        atomic_store(&server->asked, true);
    }
    pthread_mutex_unlock(&server->lock);
    return result;
}

static enum MHD_Result serve_health(struct page_server *server, struct MHD_Connection *connection)
{
    int64_t quiet = monotonic() - atomic_load(&server->sign);
    if (quiet > server->patience)
        return answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "the analysis stands still\n");
    if (atomic_load(&server->is_ill))
        return answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "an output cannot be written; lastack said which\n");
    return answer_words(connection, MHD_HTTP_OK, "ok\n");
}

/* Called for the headers, for the end of the request, and after a wait: *progress counts. */
static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **progress)
{
    static const char steps[] = "012";
    (void)version;
    (void)upload;
    bool answered;
    if (!http_allows(connection, method, &answered))
        return answered ? MHD_YES : MHD_NO;
    const char *step = *progress;
    *progress = (void *)(uintptr_t)(step == NULL ? &steps[0] : &steps[step == steps ? 1 : 2]);
    if (step == NULL)
        return MHD_YES;
    *upload_size = 0;
    if (strcmp(path, "/metrics") == 0)
        return serve_metrics(context, connection, step != steps);
    if (strcmp(path, "/healthz") == 0)
        return serve_health(context, connection);
    if (strcmp(path, "/") == 0)
        return answer_words(connection, MHD_HTTP_OK, "lastack: /metrics /healthz\n");
    return answer_words(connection, MHD_HTTP_NOT_FOUND, "there are /metrics and /healthz\n");
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
    atomic_store_explicit(&server->sign, monotonic(), memory_order_relaxed);
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
    atomic_init(&server->sign, monotonic());
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
    setvbuf(server->stream, NULL, _IONBF, 0); /* a write of the sink is one of take_page */
    listener_name(server->listener, name);
    message_print("metrics: http://%s/metrics", name);
    *ret_server = server;
    return STATUS_OK;
}

enum status page_server_begin(struct page_server *server, char *message)
{
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0,
        NULL, NULL, serve, server, MHD_OPTION_LISTEN_SOCKET, server->listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HTTP_QUIET_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_SIZE,
        MHD_OPTION_END);
    if (server->daemon == NULL) {
        snprintf(message, MESSAGE_SIZE, "cannot answer over HTTP: %s", strerror(errno));
        return STATUS_WRITE;
    }
    server->listener = -1;
    return STATUS_OK;
}

void page_server_free(struct page_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->over = true;
    wake_waiting(server);
    pthread_mutex_unlock(&server->lock);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
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
