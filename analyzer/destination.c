/* destination: see destination.h. */
#include "destination.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kafka_output.h"
#include "live_file.h"
#include "messages.h"
#include "page_output.h"
#include "sink/board.h"
#include "sink/top.h"
#include "terminal.h"

static const char *name_of(const struct destination *destination)
{
    return destination->file == NULL ? "standard output" : destination->file;
}

/* Sinks set no errno of their own; it still holds what the failed write left there. */
void destination_note(struct destination *destination, enum status status)
{
    if (status == STATUS_OK || destination->status != STATUS_OK)
        return;
    destination->error = errno;
    __atomic_store_n(&destination->status, status, __ATOMIC_RELAXED);
    if (status == STATUS_CLOSED && destination->long_running)
        message_print("%s: its reader went away; the other outputs go on", name_of(destination));
}

static enum status make_chosen(struct destination *destination, const struct sink_options *wanted)
{
    enum status status = chosen_new(wanted, &destination->chosen);
    if (status == STATUS_OK)
        destination->sink = chosen_events(destination->chosen);
    return status;
}

static enum status make_sink(struct destination *destination, const struct options *options,
                             const struct sink_options *common)
{
    static enum status (*const makers[])(const struct sink_options *, FILE *, struct sink **) = {
        [OUTPUT_TEXT] = sink_text_new,
        [OUTPUT_JSON] = sink_report_new,
        [OUTPUT_NDJSON] = sink_ndjson_new,
        [OUTPUT_LADDER] = sink_ladder_new,
        [OUTPUT_SVG] = sink_svg_new,
        [OUTPUT_HTML] = sink_html_new,
        [OUTPUT_KAFKA] = sink_ndjson_new,
        [OUTPUT_METRICS] = sink_metrics_new,
        [OUTPUT_METRICS_LISTEN] = sink_metrics_new,
        [OUTPUT_TOP] = sink_top_new,
        [OUTPUT_HTTP] = sink_board_new,
    };
    enum output_kind kind = destination->kind;
    struct sink_options wanted = *common;
    if (kind == OUTPUT_PACKETS)
        return make_chosen(destination, &wanted);
    wanted.piece = options->piece && kind == OUTPUT_NDJSON;
    wanted.empties = destination->sink_empties;
    wanted.open_metrics = kind == OUTPUT_METRICS_LISTEN;
    wanted.metrics_top = (uint32_t)options->metrics_top;
    wanted.colour = terminal_has_colour(destination->stream);
    wanted.columns = terminal_columns(destination->stream);
    if (kind == OUTPUT_LADDER && wanted.columns == 0)
        wanted.columns = terminal_columns_asked();
    wanted.utf8 = terminal_is_utf8();
    return makers[kind](&wanted, destination->stream, &destination->sink);
}

/* Whether file is one of the captures that are read: opening it for writing would empty it. */
static bool is_input(const struct options *options, const char *file)
{
    struct stat output, input;
    if (stat(file, &output) != 0 || !S_ISREG(output.st_mode))
        return false;
    for (size_t i = 0; i < options->file_count; i++) {
        if (stat(options->files[i], &input) == 0 && input.st_dev == output.st_dev &&
            input.st_ino == output.st_ino)
            return true;
    }
    return false;
}

/* Live outputs outlast signals, full disks and rights; what is no regular file does not. */
static bool is_written_for_long(const struct options *options, const struct output *output)
{
    struct stat there;
    if (options->interface_count == 0 || output->kind == OUTPUT_PACKETS)
        return false;
    return stat(output->file, &there) != 0 || S_ISREG(there.st_mode);
}

static enum status open_live(struct destination *destination, const struct options *options,
                             char *message)
{
    struct live_file_options wanted = {.path = destination->file};
    if (destination->kind == OUTPUT_NDJSON) {
        wanted.append = true;
        wanted.rotate_size = options->rotate_size;
        wanted.rotate_time = (nanotime)options->rotate_time * NANO_PER_SECOND;
        wanted.rotate_keep = options->rotate_keep;
    }
    enum status status = live_file_open(&wanted, &destination->live, message);
    if (status == STATUS_OK)
        destination->stream = live_file_stream(destination->live);
    return status;
}

static enum status open_page(struct destination *destination, const struct options *options,
                             const struct output *output, char *message)
{
    enum status status =
        page_output_open(output, options->config.health_wait, &destination->page, message);
    if (status == STATUS_OK)
        destination->stream = page_output_stream(destination->page);
    return status;
}

static enum status open_kafka(struct destination *destination, const struct options *options,
                              char *message)
{
    struct kafka_options wanted = {
        .brokers = destination->file,
        .topic = options->topic,
        .user = options->user,
        .queue = options->config.kafka_queue,
        .wait = options->config.kafka_wait,
        .live = options->interface_count > 0,
        .verbose = options->verbose,
    };
    enum status status = kafka_output_open(&wanted, &destination->kafka, message);
    if (status == STATUS_OK)
        destination->stream = kafka_output_stream(destination->kafka);
    return status;
}

static enum status open_file(struct destination *destination, char *message)
{
    int emptied = destination->sink_empties ? 0 : O_TRUNC;
    int file = open(destination->file, O_WRONLY | O_CREAT | O_CLOEXEC | emptied, 0666);
    if (file >= 0)
        destination->stream = fdopen(file, "w");
    if (destination->stream != NULL)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "cannot write %.300s: %s", destination->file, strerror(errno));
    if (file >= 0)
        close(file);
    return STATUS_WRITE;
}

static enum status open_stream(struct destination *destination, const struct options *options,
                               const struct output *output, char *message)
{
    if (output->kind == OUTPUT_KAFKA)
        return open_kafka(destination, options, message);
    if (output->file == NULL || output->kind == OUTPUT_HTTP) { /* that one is not written to */
        destination->stream = stdout;
        return STATUS_OK;
    }
    if (page_output_is(output->kind))
        return open_page(destination, options, output, message);
    if (is_written_for_long(options, output))
        return open_live(destination, options, message);
    return open_file(destination, message);
}

enum status destination_open(struct destination *destination, const struct options *options,
                             const struct output *output, const struct sink_options *wanted,
                             char *message)
{
    destination->file = output->file;
    destination->kind = output->kind;
    destination->sink_empties =
        output->kind == OUTPUT_NDJSON && output->file != NULL && wanted->aside;
    destination->long_running = options->interface_count > 0 && options->output_count > 1;
    if (output->file != NULL && output->kind != OUTPUT_HTTP && is_input(options, output->file)) {
        snprintf(message, MESSAGE_SIZE,
                 "%.300s is read: writing to it would destroy it; name another file", output->file);
        return STATUS_USAGE;
    }
    enum status status = open_stream(destination, options, output, message);
    return status == STATUS_OK ? make_sink(destination, options, wanted) : status;
}

bool destination_is_failing(const struct destination *destination)
{
    return destination->status != STATUS_OK ||
           (destination->live != NULL && live_file_is_failing(destination->live)) ||
           (destination->page != NULL && page_output_is_failing(destination->page));
}

static void free_sink(struct destination *destination)
{
    if (destination->sink != NULL)
        destination->sink->ops->free(destination->sink);
    destination->sink = NULL;
}

static void free_what_is_below(struct destination *destination)
{
    live_file_free(destination->live);
    destination->live = NULL;
    page_output_free(destination->page);
    destination->page = NULL;
    kafka_output_free(destination->kafka);
    destination->kafka = NULL;
}

/* What was the matter.  A kafka_output that could not give all away tells it by ENOBUFS. */
static const char *failure_of(const struct destination *destination)
{
    if (destination->status == STATUS_NO_MEMORY)
        return "out of memory";
    if (destination->kind == OUTPUT_KAFKA && destination->error == ENOBUFS)
        return "no broker took all of the records in time";
    return strerror(destination->error);
}

enum status destination_close(struct destination *destination)
{
    FILE *stream = destination->stream;
    free_sink(destination);
    destination->stream = NULL;
    if (stream != NULL && fclose(stream) != 0) /* full disks may show only here */
        destination_note(destination, errno == EPIPE ? STATUS_CLOSED : STATUS_WRITE);
    free_what_is_below(destination);
    if (destination->status == STATUS_OK || destination->status == STATUS_CLOSED)
        return STATUS_OK;
    message_print("cannot write %s: %s; what is there is not complete", name_of(destination),
                  failure_of(destination));
    return STATUS_WRITE;
}

void destination_free(struct destination *destination)
{
    free_sink(destination);
    if (destination->stream != NULL && destination->stream != stdout)
        fclose(destination->stream);
    destination->stream = NULL;
    free_what_is_below(destination);
    chosen_free(destination->chosen);
    destination->chosen = NULL;
}
