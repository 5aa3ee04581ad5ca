/* page_output: see page_output.h. */
#include "page_output.h"

#include <stdlib.h>

#include "page_file.h"
#include "page_server.h"
#include "source/clock.h"

/* How old the page in a file may be; collectors look at it every 15 s or less often. */
static const nanotime file_age = INT64_C(5) * NANO_PER_SECOND;

/* One of both. */
struct page_output {
    struct page_file *file;
    struct page_server *server;
    nanotime written; /* on the monotonic clock */
};

bool page_output_is(enum output_kind kind)
{
    return kind == OUTPUT_METRICS || kind == OUTPUT_METRICS_LISTEN;
}

enum status page_output_open(const struct output *output, nanotime patience,
                             struct page_output **ret_page, char *message)
{
    struct page_output *page = calloc(1, sizeof *page);
    if (page == NULL)
        return STATUS_NO_MEMORY;
    enum status status = output->kind == OUTPUT_METRICS_LISTEN
                             ? page_server_open(output->file, patience, &page->server, message)
                             : page_file_open(output->file, &page->file, message);
    if (status != STATUS_OK) {
        free(page);
        return status;
    }
    *ret_page = page;
    return STATUS_OK;
}

FILE *page_output_stream(struct page_output *page)
{
    return page->file != NULL ? page_file_stream(page->file) : page_server_stream(page->server);
}

int page_output_directory(const struct page_output *page)
{
    return page->file != NULL ? page_file_directory(page->file) : -1;
}

bool page_output_answers(const struct page_output *page)
{
    return page->server != NULL;
}

void page_output_give(struct page_output *page, uid_t user, gid_t group)
{
    if (page->file != NULL)
        page_file_give(page->file, user, group);
}

void page_output_check_rights(struct page_output *page)
{
    if (page->file != NULL)
        page_file_check_rights(page->file);
}

enum status page_output_begin(struct page_output *page, char *message)
{
    return page->server != NULL ? page_server_begin(page->server, message) : STATUS_OK;
}

bool page_output_is_due(struct page_output *page)
{
    if (page->server != NULL)
        return page_server_is_asked(page->server);
    return page->written == 0 ||
           time_since(clock_now(CLOCK_MONOTONIC_COARSE), page->written) >= file_age;
}

void page_output_note_page(struct page_output *page)
{
    page->written = clock_now(CLOCK_MONOTONIC_COARSE);
}

void page_output_sign(struct page_output *page, bool is_well)
{
    if (page->server != NULL)
        page_server_sign(page->server, is_well);
}

bool page_output_is_failing(const struct page_output *page)
{
    return page->file != NULL && page_file_is_failing(page->file);
}

void page_output_free(struct page_output *page)
{
    if (page == NULL)
        return;
    page_file_free(page->file);
    page_server_free(page->server);
    free(page);
}
