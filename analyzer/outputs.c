/* outputs: see outputs.h. */
#include "outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "kafka_output.h"
#include "live_file.h"
#include "messages.h"
#include "page_output.h"
#include "sink/sinks.h"
#include "sink/top.h"
#include "values.h"

enum { DESTINATIONS = OPTIONS_OUTPUTS + 3 }; /* with the default, and two that only gather */

struct destination {
    const char *file; /* NULL: standard output */
    enum output_kind kind;
    FILE *stream;
    struct live_file *live;     /* below stream; NULL: it is an ordinary one */
    struct page_output *page;   /* likewise */
    struct kafka_output *kafka; /* likewise */
    struct sink *sink;          /* NULL: not made, or already freed */
    enum status status;         /* of its first failure */
    int error;                  /* errno then */
    bool long_running;          /* live, with other outputs */
};

struct outputs {
    struct sink sink; /* first, so that the one is the other */
    struct sink_ops ops;
    const struct options *options;
    const struct input_spans *inputs; /* NULL: one input */
    const struct tap_names *taps;     /* NULL: none */
    struct chosen *chosen;            /* of -w; NULL without */
    struct sink *concerned;           /* NULL: segments are chosen without a first run */
    struct destination destinations[DESTINATIONS];
    size_t count;
    bool stats_for_all; /* else for pages alone */
    bool matched;
};

/* Sinks set no errno of their own; it still holds what the failed write left there. */
static void note_failure(struct destination *destination, enum status status)
{
    if (status == STATUS_OK || destination->status != STATUS_OK)
        return;
    destination->status = status;
    destination->error = errno;
    if (status == STATUS_CLOSED && destination->long_running)
        message_print("%s: its reader went away; the other outputs go on",
                      destination->file == NULL ? "standard output" : destination->file);
}

static enum status status_of_all(const struct outputs *outputs)
{
    return outputs_alive(outputs) ? STATUS_OK : outputs->destinations[0].status;
}

/* One forwarding function a kind of record; all do the same with another member of the vtable.
 * The live view is shown hosts and statistics when it asks for them (analyzer_look). */
static enum status forward_flow(struct sink *sink, const struct flow_record *flow)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->flow != NULL)
            note_failure(to, to->sink->ops->flow(to->sink, flow));
    }
    return status_of_all(outputs);
}

static enum status forward_event(struct sink *sink, const struct event_record *event)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->event != NULL)
            note_failure(to, to->sink->ops->event(to->sink, event));
    }
    return status_of_all(outputs);
}

static enum status forward_transition(struct sink *sink, const struct transition_record *transition)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->transition != NULL)
            note_failure(to, to->sink->ops->transition(to->sink, transition));
    }
    return status_of_all(outputs);
}

static enum status forward_host(struct sink *sink, const struct host_record *host)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->kind != OUTPUT_TOP && to->sink->ops->host != NULL)
            note_failure(to, to->sink->ops->host(to->sink, host));
    }
    return status_of_all(outputs);
}

static enum status forward_path(struct sink *sink, const struct path_record *path)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->path != NULL)
            note_failure(to, to->sink->ops->path(to->sink, path));
    }
    return status_of_all(outputs);
}

static bool wants_segments_of(const struct outputs *outputs, uint64_t flow_uid)
{
    if (outputs->options->segments == CHOICE_ONE)
        return flow_uid == outputs->options->segments_uid;
    return outputs->concerned == NULL || sink_concerned_has(outputs->concerned, flow_uid);
}

static enum status forward_segment(struct sink *sink, const struct segment_record *segment)
{
    struct outputs *outputs = (struct outputs *)sink;
    bool wanted = wants_segments_of(outputs, segment->who.flow_uid);
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        /* These choose for themselves. */
        bool draws = to->kind == OUTPUT_LADDER || to->kind == OUTPUT_SVG ||
                     to->kind == OUTPUT_HTML || to->kind == OUTPUT_TOP;
        if (to->status == STATUS_OK && to->sink->ops->segment != NULL && (wanted || draws))
            note_failure(to, to->sink->ops->segment(to->sink, segment));
    }
    return status_of_all(outputs);
}

static enum status forward_stats(struct sink *sink, const struct stats_record *stats)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status != STATUS_OK || to->sink->ops->stats == NULL || to->kind == OUTPUT_TOP ||
            (to->page == NULL && !outputs->stats_for_all))
            continue;
        note_failure(to, to->sink->ops->stats(to->sink, stats));
        if (to->page != NULL)
            page_output_note_page(to->page);
    }
    return status_of_all(outputs);
}

static enum status forward_tape(struct sink *sink, const struct tape_record *tape)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->tape != NULL)
            note_failure(to, to->sink->ops->tape(to->sink, tape));
    }
    return status_of_all(outputs);
}

static enum status forward_flush(struct sink *sink)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->flush != NULL)
            note_failure(to, to->sink->ops->flush(to->sink));
    }
    return status_of_all(outputs);
}

/* --fail-on, from the counts of the whole run: what outputs leave out does not matter. */
static bool is_match(const struct options *options, const struct run_summary *summary)
{
    uint64_t found = 0;
    if (options->fail_event != EVENT_IDS)
        found += summary->events_by_id[options->fail_event];
    for (enum event_id id = 0; options->fail_family != NULL && id < EVENT_IDS; id++) {
        if (strcmp(event_row(id)->family, options->fail_family) == 0)
            found += summary->events_by_id[id];
    }
    for (enum level level = options->fail_level; level != 0 && level <= LEVEL_ERROR; level++)
        found += summary->events_by_level[level];
    return found > 0;
}

static enum status forward_finish(struct sink *sink, const struct run_summary *summary)
{
    struct outputs *outputs = (struct outputs *)sink;
    outputs->matched = is_match(outputs->options, summary);
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->finish != NULL)
            note_failure(to, to->sink->ops->finish(to->sink, summary));
    }
    return status_of_all(outputs);
}

static void forward_free(struct sink *sink)
{
    (void)sink; /* outputs_free does it */
}

/* Wants the records that some sink wants, so that the engine need not make the others. */
static void combine_operations(struct outputs *outputs)
{
    outputs->ops =
        (struct sink_ops){.flush = forward_flush, .finish = forward_finish, .free = forward_free};
    for (size_t i = 0; i < outputs->count; i++) {
        const struct sink_ops *ops = outputs->destinations[i].sink->ops;
        if (ops->flow != NULL)
            outputs->ops.flow = forward_flow;
        if (ops->event != NULL)
            outputs->ops.event = forward_event;
        if (ops->transition != NULL)
            outputs->ops.transition = forward_transition;
        if (ops->segment != NULL)
            outputs->ops.segment = forward_segment;
        if (ops->host != NULL)
            outputs->ops.host = forward_host;
        if (ops->path != NULL)
            outputs->ops.path = forward_path;
        if (ops->stats != NULL)
            outputs->ops.stats = forward_stats;
        if (ops->tape != NULL)
            outputs->ops.tape = forward_tape;
    }
    outputs->sink.ops = &outputs->ops;
}

static bool is_terminal_with_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (!isatty(fileno(stream)) || (no_colour != NULL && *no_colour != '\0'))
        return false;
    return terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static int terminal_columns(FILE *stream)
{
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* A picture that goes into a pipe or a file has the width that COLUMNS asks for; 0: none. */
static int asked_columns(void)
{
    const char *columns = getenv("COLUMNS");
    uint64_t number;
    if (columns == NULL || !value_read_number(columns, &number) || number > INT16_MAX)
        return 0;
    return (int)number;
}

/* POSIX, 8.2: the first of these that is set and not empty names the locale. */
static bool is_utf8_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *locale = getenv(variables[i]);
        if (locale != NULL && *locale != '\0')
            return strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "UTF8") != NULL;
    }
    return false;
}

static enum flows_wanted flows_wanted(enum choice choice)
{
    static const enum flows_wanted wanted[] = {
        [CHOICE_DEFAULT] = FLOWS_DEFAULT,
        [CHOICE_NONE] = FLOWS_NONE,
        [CHOICE_PROBLEMS] = FLOWS_PROBLEMS,
        [CHOICE_ALL] = FLOWS_ALL,
    };
    return wanted[choice];
}

/* What all sinks are asked for alike. */
static struct sink_options common_options(const struct outputs *outputs)
{
    const struct options *options = outputs->options;
    return (struct sink_options){
        .version = PACKAGE_VERSION,
        .observer = options->observer,
        .inputs = outputs->inputs,
        .taps = outputs->taps,
        .nano = options->nano,
        .minimum_level = options->level,
        .events = options->events_chosen ? options->events : NULL,
        .flows = flows_wanted(options->flows),
        .segments = options->segments != CHOICE_DEFAULT,
        .transitions = options->transitions,
        .ladder = options->ladder,
    };
}

static enum status make_sink(struct outputs *outputs, enum output_kind kind,
                             struct destination *destination)
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
    };
    struct sink_options wanted = common_options(outputs);
    if (kind == OUTPUT_PACKETS) {
        enum status status = chosen_new(&wanted, &outputs->chosen);
        if (status == STATUS_OK)
            destination->sink = chosen_events(outputs->chosen);
        return status;
    }
    wanted.open_metrics = kind == OUTPUT_METRICS_LISTEN;
    wanted.metrics_top = (uint32_t)outputs->options->metrics_top;
    wanted.colour = is_terminal_with_colour(destination->stream);
    wanted.columns = terminal_columns(destination->stream);
    if (kind == OUTPUT_LADDER && wanted.columns == 0)
        wanted.columns = asked_columns();
    wanted.utf8 = is_utf8_locale();
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

static enum status open_live(struct outputs *outputs, const struct output *output,
                             struct destination *destination, char *message)
{
    const struct options *options = outputs->options;
    struct live_file_options wanted = {.path = output->file};
    if (output->kind == OUTPUT_NDJSON) {
        wanted.append = true;
        wanted.rotate_size = options->rotate_size;
        wanted.rotate_time = (nanotime)options->rotate_time * NANO_PER_SECOND;
        wanted.rotate_keep = options->rotate_keep;
    }
    enum status status = live_file_open(&wanted, &destination->live, message);
    if (status != STATUS_OK)
        return status;
    destination->stream = live_file_stream(destination->live);
    return make_sink(outputs, output->kind, destination);
}

static enum status open_page(struct outputs *outputs, const struct output *output,
                             struct destination *destination, char *message)
{
    enum status status = page_output_open(output, &destination->page, message);
    if (status != STATUS_OK)
        return status;
    destination->stream = page_output_stream(destination->page);
    return make_sink(outputs, output->kind, destination);
}

static enum status open_kafka(struct outputs *outputs, const struct output *output,
                              struct destination *destination, char *message)
{
    const struct options *options = outputs->options;
    struct kafka_options wanted = {
        .brokers = output->file,
        .topic = options->topic,
        .user = options->user,
        .queue = options->config.kafka_queue,
        .wait = options->config.kafka_wait,
        .live = options->interface_count > 0,
        .verbose = options->verbose,
    };
    enum status status = kafka_output_open(&wanted, &destination->kafka, message);
    if (status != STATUS_OK)
        return status;
    destination->stream = kafka_output_stream(destination->kafka);
    return make_sink(outputs, output->kind, destination);
}

static enum status open_destination(struct outputs *outputs, const struct output *output,
                                    struct destination *destination, char *message)
{
    destination->file = output->file;
    destination->long_running =
        outputs->options->interface_count > 0 && outputs->options->output_count > 1;
    destination->kind = output->kind;
    destination->stream = stdout;
    if (output->file != NULL && is_input(outputs->options, output->file)) {
        snprintf(message, MESSAGE_SIZE,
                 "%.300s is read: writing to it would destroy it; name "
                 "another file",
                 output->file);
        return STATUS_USAGE;
    }
    if (output->kind == OUTPUT_KAFKA)
        return open_kafka(outputs, output, destination, message);
    if (output->file != NULL && page_output_is(output->kind))
        return open_page(outputs, output, destination, message);
    if (output->file != NULL && is_written_for_long(outputs->options, output))
        return open_live(outputs, output, destination, message);
    if (output->file != NULL)
        destination->stream = fopen(output->file, "we");
    if (destination->stream == NULL) {
        snprintf(message, MESSAGE_SIZE, "cannot write %.300s: %s", output->file, strerror(errno));
        return STATUS_WRITE;
    }
    return make_sink(outputs, output->kind, destination);
}

/* Those asked for; without a report among them and with standard output free, one there, too. */
static size_t wanted_outputs(const struct options *options, struct output *ret_wanted)
{
    size_t count = options->output_count;
    memcpy(ret_wanted, options->outputs, count * sizeof *ret_wanted);
    bool silent = count == 0 || (count == 1 && ret_wanted[0].kind == OUTPUT_PACKETS &&
                                 ret_wanted[0].file != NULL);
    if (silent && options->state_out == NULL)
        ret_wanted[count++] =
            (struct output){isatty(STDOUT_FILENO) ? OUTPUT_TEXT : OUTPUT_JSON, NULL};
    return count;
}

/* In a chain, what a later run may write is gathered by each: reports that go nowhere. */
static size_t add_gatherers(const struct options *options, struct output *wanted, size_t count)
{
    static const enum output_kind kinds[] = {OUTPUT_JSON, OUTPUT_TEXT};
    bool chained = options->state_in != NULL || options->state_out != NULL;
    for (size_t i = 0; chained && i < sizeof kinds / sizeof kinds[0]; i++) {
        bool is_there = false;
        for (size_t k = 0; k < count; k++)
            is_there = is_there || wanted[k].kind == kinds[i];
        if (!is_there)
            wanted[count++] = (struct output){kinds[i], "/dev/null"};
    }
    return count;
}

enum status outputs_open(const struct options *options, const struct input_spans *inputs,
                         const struct tap_names *taps, struct outputs **ret_outputs, char *message)
{
    struct output wanted[DESTINATIONS];
    size_t count = add_gatherers(options, wanted, wanted_outputs(options, wanted));
    struct outputs *outputs = calloc(1, sizeof *outputs);
    if (outputs == NULL)
        return STATUS_NO_MEMORY;
    outputs->options = options;
    outputs->inputs = inputs;
    outputs->taps = taps;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && outputs->count < count) {
        struct destination *destination = &outputs->destinations[outputs->count];
        status = open_destination(outputs, &wanted[outputs->count++], destination, message);
    }
    if (status != STATUS_OK) {
        outputs_free(outputs);
        return status;
    }
    combine_operations(outputs);
    *ret_outputs = outputs;
    return STATUS_OK;
}

enum status outputs_add_first_run(struct outputs *outputs, struct sink **ret_sink)
{
    struct sink_options wanted = common_options(outputs);
    enum status status = sink_concerned_new(&wanted, &outputs->concerned);
    if (status == STATUS_OK)
        *ret_sink = outputs->concerned;
    return status;
}

static struct destination *packets_destination(struct outputs *outputs)
{
    for (size_t i = 0; outputs->chosen != NULL && i < outputs->count; i++) {
        if (outputs->destinations[i].sink == chosen_events(outputs->chosen))
            return &outputs->destinations[i];
    }
    return NULL;
}

struct chosen *outputs_chosen(struct outputs *outputs, FILE **ret_stream)
{
    struct destination *destination = packets_destination(outputs);
    if (destination == NULL || destination->status != STATUS_OK)
        return NULL;
    *ret_stream = destination->stream;
    return outputs->chosen;
}

void outputs_packets_written(struct outputs *outputs, enum status status)
{
    struct destination *destination = packets_destination(outputs);
    if (status == STATUS_WRITE && errno == EPIPE)
        status = STATUS_CLOSED;
    if (destination != NULL)
        note_failure(destination, status);
}

struct sink *outputs_view(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].kind == OUTPUT_TOP)
            return outputs->destinations[i].sink;
    }
    return NULL;
}

/* What must be alike in all runs of a chain, for what is gathered to be. */
static uint64_t hash_settings(const struct options *options)
{
    uint64_t words[] = {options->nano, (uint64_t)options->level, (uint64_t)options->flows,
                        options->events_chosen};
    uint64_t sum = hash_identity(words, 4);
    for (int id = 0; id < EVENT_IDS; id++)
        sum = hash_identity((uint64_t[]){sum, options->events[id]}, 2);
    for (const char *at = options->observer; at != NULL && *at != '\0'; at++)
        sum = hash_identity((uint64_t[]){sum, (uint64_t)*at}, 2);
    return sum;
}

/* Written by the first that has it, read by all. */
static void carry_part(struct outputs *outputs, enum sink_part part, struct carry *carry)
{
    struct carry_mark begin = carry_mark(carry), end = begin;
    for (size_t i = 0; i < outputs->count; i++) {
        struct sink *sink = outputs->destinations[i].sink;
        carry_rewind(carry, begin);
        if (sink->ops->carry == NULL || !sink->ops->carry(sink, part, carry))
            continue;
        if (!carry_is_reading(carry))
            return;
        end = carry_mark(carry);
    }
    carry_rewind(carry, end);
}

enum status outputs_carry(struct outputs *outputs, struct carry *carry, char *message)
{
    uint64_t mine = hash_settings(outputs->options), theirs = mine;
    carry_number(carry, &theirs, UINT64_MAX);
    if (mine != theirs && carry_is_sound(carry)) {
        snprintf(message, MESSAGE_SIZE,
                 "was written with other --level, --event, --flows, --nano or --observer than this "
                 "run has; give every run of a chain the same");
        return STATUS_USAGE;
    }
    for (enum sink_part part = 0; part < SINK_PARTS; part++)
        carry_part(outputs, part, carry);
    return STATUS_OK;
}

struct sink *outputs_sink(struct outputs *outputs)
{
    return &outputs->sink;
}

size_t outputs_directories(const struct outputs *outputs, int *ret_directories, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < outputs->count && count < room; i++) {
        const struct destination *destination = &outputs->destinations[i];
        int directory = -1;
        if (destination->live != NULL)
            directory = live_file_directory(destination->live);
        if (destination->page != NULL)
            directory = page_output_directory(destination->page);
        if (directory >= 0)
            ret_directories[count++] = directory;
    }
    return count;
}

void outputs_give(struct outputs *outputs, uid_t user, gid_t group)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].live != NULL)
            live_file_give(outputs->destinations[i].live, user, group);
        if (outputs->destinations[i].page != NULL)
            page_output_give(outputs->destinations[i].page, user, group);
    }
}

void outputs_check_rights(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].live != NULL)
            live_file_check_rights(outputs->destinations[i].live);
        if (outputs->destinations[i].page != NULL)
            page_output_check_rights(outputs->destinations[i].page);
    }
}

bool outputs_answer(const struct outputs *outputs)
{
    bool answer = false;
    for (size_t i = 0; i < outputs->count; i++)
        answer = answer || (outputs->destinations[i].page != NULL &&
                            page_output_answers(outputs->destinations[i].page));
    return answer;
}

enum status outputs_begin(struct outputs *outputs, char *message)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < outputs->count && status == STATUS_OK; i++) {
        if (outputs->destinations[i].page != NULL)
            status = page_output_begin(outputs->destinations[i].page, message);
    }
    return status;
}

bool outputs_want_page(struct outputs *outputs)
{
    bool wanted = false;
    for (size_t i = 0; i < outputs->count; i++) {
        struct page_output *page = outputs->destinations[i].page;
        if (page == NULL)
            continue;
        page_output_sign(page);
        wanted = wanted || page_output_is_due(page);
    }
    return wanted;
}

bool outputs_have_pages(const struct outputs *outputs)
{
    bool have = false;
    for (size_t i = 0; i < outputs->count; i++)
        have = have || page_output_is(outputs->destinations[i].kind);
    return have;
}

void outputs_choose_stats(struct outputs *outputs, bool for_all)
{
    outputs->stats_for_all = for_all;
}

void outputs_tick(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].live != NULL)
            live_file_tick(outputs->destinations[i].live);
    }
}

void outputs_reopen(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].live != NULL)
            live_file_reopen(outputs->destinations[i].live);
    }
}

bool outputs_alive(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].status == STATUS_OK)
            return true;
    }
    return false;
}

bool outputs_matched(const struct outputs *outputs)
{
    return outputs->matched;
}

static void free_sink(struct destination *destination)
{
    if (destination->sink != NULL)
        destination->sink->ops->free(destination->sink);
    destination->sink = NULL;
}

/* Full disks and dead network file systems may show only here. */
static void close_stream(struct destination *destination)
{
    FILE *stream = destination->stream;
    destination->stream = NULL;
    if (stream != NULL && fclose(stream) != 0)
        note_failure(destination, errno == EPIPE ? STATUS_CLOSED : STATUS_WRITE);
    live_file_free(destination->live);
    destination->live = NULL;
    page_output_free(destination->page);
    destination->page = NULL;
    kafka_output_free(destination->kafka);
    destination->kafka = NULL;
}

static void say_what_is_left_out(const struct outputs *outputs)
{
    uint64_t left_out =
        outputs->concerned == NULL ? 0 : sink_concerned_left_out(outputs->concerned);
    if (left_out > 0)
        message_print("--segments problems: too many connections have problems; the segments that "
                      "%llu events concern are left out; choose fewer events with --level or "
                      "--event",
                      (unsigned long long)left_out);
    left_out = outputs->chosen == NULL ? 0 : chosen_left_out(outputs->chosen);
    if (left_out > 0)
        message_print("-w: too many problems; %llu connections and comments are left out; choose "
                      "fewer events with --level or --event",
                      (unsigned long long)left_out);
}

enum status outputs_close(struct outputs *outputs)
{
    enum status status = STATUS_OK;
    say_what_is_left_out(outputs);
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *destination = &outputs->destinations[i];
        free_sink(destination);
        close_stream(destination);
        if (destination->status == STATUS_OK || destination->status == STATUS_CLOSED)
            continue;
        const char *name = destination->file == NULL ? "standard output" : destination->file;
        message_print("cannot write %s: %s; what is there is not complete", name,
                      destination->status == STATUS_NO_MEMORY ? "out of memory"
                                                              : strerror(destination->error));
        status = STATUS_WRITE;
    }
    return status;
}

void outputs_free(struct outputs *outputs)
{
    for (size_t i = 0; outputs != NULL && i < outputs->count; i++) {
        free_sink(&outputs->destinations[i]);
        if (outputs->destinations[i].stream != NULL && outputs->destinations[i].stream != stdout)
            fclose(outputs->destinations[i].stream);
        live_file_free(outputs->destinations[i].live);
        page_output_free(outputs->destinations[i].page);
        kafka_output_free(outputs->destinations[i].kafka);
    }
    if (outputs != NULL && outputs->concerned != NULL)
        outputs->concerned->ops->free(outputs->concerned);
    if (outputs != NULL)
        chosen_free(outputs->chosen);
    free(outputs);
}
