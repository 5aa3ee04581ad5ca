/* merge: see merge.h. */
#include "merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer.h"
#include "messages.h"
#include "sink/pieces.h"
#include "sink/sinks.h"

/* Stands between the replay and the output: the summary is that of all pieces. */
struct joined {
    struct sink sink; /* first: it is a sink */
    struct sink_ops ops;
    struct sink *next;
    struct pieces *pieces;
};

static enum status join_flow(struct sink *sink, const struct flow_record *flow)
{
    struct sink *next = ((struct joined *)sink)->next;
    return next->ops->flow(next, flow);
}

static enum status join_event(struct sink *sink, const struct event_record *event)
{
    struct sink *next = ((struct joined *)sink)->next;
    return next->ops->event(next, event);
}

static enum status join_host(struct sink *sink, const struct host_record *host)
{
    struct sink *next = ((struct joined *)sink)->next;
    return next->ops->host(next, host);
}

static enum status join_finish(struct sink *sink, const struct run_summary *replayed)
{
    struct joined *joined = (struct joined *)sink;
    struct run_summary *summary = malloc(sizeof(*summary));
    if (summary == NULL)
        return STATUS_NO_MEMORY;
    *summary = *replayed;
    pieces_add_to(joined->pieces, summary);
    enum status status = joined->next->ops->finish(joined->next, summary);
    free(summary);
    return status;
}

static enum status pass_line(void *context, const char *text, size_t length)
{
    return sink_ndjson_pass(context, text, length);
}

static enum status count_flow(void *context, const struct flow_record *flow)
{
    return sink_ndjson_count(context, flow);
}

/* Where the pieces are read from, and the message of a failure. */
struct reading {
    struct pieces *pieces;
    char *message;
};

static enum status next_told(void *context, struct told *ret_told, bool *ret_any)
{
    struct reading *reading = context;
    return pieces_next_told(reading->pieces, ret_told, ret_any, reading->message);
}

static enum status replay(struct analyzer *analyzer, struct pieces *pieces, char *message)
{
    uint32_t count;
    const struct piece_tape *tapes = pieces_tapes(pieces, &count);
    struct analyzer_tape *wanted = calloc((size_t)count + 1, sizeof(*wanted));
    if (wanted == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        wanted[i] = (struct analyzer_tape){
            .octets = tapes[i].octets,
            .count = tapes[i].count,
            .piece = tapes[i].piece,
            .packets_before = tapes[i].packets_before,
            .clock_before = tapes[i].clock_before,
        };
    struct reading reading = {pieces, message};
    enum status status =
        analyzer_replay(analyzer, wanted, count, &(struct analyzer_told){next_told, &reading});
    free(wanted);
    if (status == STATUS_UNREADABLE && message[0] == '\0')
        snprintf(message, MESSAGE_SIZE,
                 "a tape is none that this build of lastack wrote; write the pieces again with it");
    if (status == STATUS_OK && pieces_last(pieces) != NANOTIME_UNKNOWN)
        status = analyzer_tick(analyzer, pieces_last(pieces));
    return status;
}

/* With everything open: what no other piece decides, then the replay of the rest. */
static enum status join(const struct options *options, struct pieces *pieces, struct sink *output,
                        char *message)
{
    const struct pieces_taker taker = {.line = pass_line, .count = count_flow, .context = output};
    struct joined joined = {
        .ops = {.flow = join_flow, .event = join_event, .host = join_host, .finish = join_finish},
        .next = output,
        .pieces = pieces,
    };
    joined.sink.ops = &joined.ops;
    struct analyzer_options wanted = {.config = options->config, .sink = &joined.sink};
    wanted.config.threads = 1;
    struct analyzer *analyzer;
    enum status status = analyzer_new(&wanted, &analyzer);
    if (status != STATUS_OK)
        return status;
    status = pieces_pass(pieces, &taker, message);
    if (status == STATUS_OK)
        status = replay(analyzer, pieces, message);
    if (status == STATUS_OK)
        status = analyzer_finish(analyzer, &(struct analyzer_inputs){.count = 0});
    analyzer_free(analyzer);
    return status;
}

static bool is_input(const struct options *options, const char *file)
{
    struct stat output, input;
    for (size_t i = 0; i < options->file_count && stat(file, &output) == 0; i++) {
        if (S_ISREG(output.st_mode) && stat(options->files[i], &input) == 0 &&
            input.st_dev == output.st_dev && input.st_ino == output.st_ino)
            return true;
    }
    return false;
}

static enum exit_status say_unwritten(const char *file, int error, const char *more)
{
    message_print("cannot write %s: %s%s", file == NULL ? "standard output" : file, strerror(error),
                  more);
    return EXIT_UNWRITTEN;
}

static enum exit_status merge_to(const struct options *options, struct pieces *pieces,
                                 const char *file)
{
    char message[MESSAGE_SIZE] = "";
    struct sink_options wanted = {
        .version = PACKAGE_VERSION, .observer = options->observer, .nano = options->nano};
    struct sink *output = NULL;
    FILE *stream = file == NULL ? stdout : fopen(file, "we");
    if (stream == NULL)
        return say_unwritten(file, errno, "");
    enum status status = sink_ndjson_new(&wanted, stream, &output);
    if (status == STATUS_OK)
        status = join(options, pieces, output, message);
    int error = errno; /* of a write that failed */
    if (output != NULL)
        output->ops->free(output);
    bool closed = file == NULL ? fflush(stream) == 0 : fclose(stream) == 0;
    if (status == STATUS_OK && !closed) {
        error = errno;
        status = error == EPIPE ? STATUS_CLOSED : STATUS_WRITE;
    }
    if (status == STATUS_WRITE)
        return say_unwritten(file, error, "; what is there is not complete");
    return status == STATUS_OK || status == STATUS_CLOSED ? EXIT_DONE
                                                          : exit_refuse(status, message);
}

enum exit_status merge_run(const struct options *options)
{
    char message[MESSAGE_SIZE] = "";
    const char *file = options->output_count > 0 ? options->outputs[0].file : NULL;
    if (file != NULL && is_input(options, file)) {
        message_print("%s is read: writing to it would destroy it; name another file", file);
        return EXIT_USAGE;
    }
    struct pieces *pieces;
    enum status status =
        pieces_open((const char *const *)options->files, options->file_count, &pieces, message);
    if (status != STATUS_OK)
        return exit_refuse(status, message);
    const char *early = pieces_out_of_order(pieces);
    if (early != NULL)
        message_print("merge: %s begins before the pieces that are named before it end; unless its "
                      "time stamps go back, name each piece once, in the order of the capture",
                      early);
    enum exit_status exit_status = merge_to(options, pieces, file);
    pieces_free(pieces);
    return exit_status;
}
