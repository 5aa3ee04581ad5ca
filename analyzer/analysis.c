/* analysis: see analysis.h.  Read from the bottom up. */
#include "analysis.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "analyzer.h"
#include "idle.h"
#include "interrupt.h"
#include "messages.h"
#include "outputs.h"
#include "progress.h"
#include "source/source.h"

/* What one analysis joins together. */
struct run {
    const struct options *options;
    struct source *source;
    struct outputs *outputs;
    struct analyzer *analyzer;
    struct progress progress;
    struct idle idle;
    uint32_t input;        /* that the latest packet came from */
    uint64_t before_input; /* packets of the inputs before it */
    uint64_t packets;      /* read so far, those outside --since and --until, too */
};

static enum status open_source(const struct options *options, struct source **ret_source,
                               char *message)
{
    struct source_options wanted = {
        .files = options->files,
        .file_count = options->file_count,
        .interface = options->interface,
        .filter = options->filter,
        .count = options->count,
        .snaplen = (int)options->snaplen,
        .buffer_kib = (int)options->buffer_kib,
        .promiscuous = options->promiscuous,
    };
    return source_open(&wanted, ret_source, message);
}

static bool is_wanted(const struct options *options, nanotime moment)
{
    if (options->since != NANOTIME_UNKNOWN && time_is_before(moment, options->since))
        return false;
    return options->until == NANOTIME_UNKNOWN || time_is_before(moment, options->until);
}

/* The packet's number in the whole input, those that a filter leaves out counted, too. */
static uint64_t whole_number(struct run *run, const struct captured_packet *captured)
{
    if (captured->input != run->input) { /* the inputs are read one after the other */
        run->before_input += source_input(run->source, run->input)->packets;
        run->input = captured->input;
    }
    return run->before_input + captured->input_packet;
}

static enum status take_packet(struct run *run, const struct captured_packet *captured)
{
    run->packets++;
    idle_note_packet(&run->idle, captured->time);
    if (!is_wanted(run->options, captured->time))
        return STATUS_OK;
    struct analyzer_packet packet = {
        .data = captured->data,
        .captured = captured->captured,
        .length = captured->length,
        .time = captured->time,
        .link_type = captured->link_type,
        .number = whole_number(run, captured),
    };
    return analyzer_packet(run->analyzer, &packet);
}

/* Nothing to read for a moment: deadlines may pass, and what is decided goes out. */
static enum status take_pause(struct run *run)
{
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    nanotime reached =
        idle_capture_time(&run->idle, (nanotime)clock.tv_sec * NANO_PER_SECOND + clock.tv_nsec);
    if (reached == NANOTIME_UNKNOWN)
        return STATUS_OK;
    return analyzer_tick(run->analyzer, reached);
}

static void show_progress(struct run *run)
{
    if (!progress_is_due(&run->progress))
        return;
    struct source_progress read = source_progress(run->source);
    progress_draw(&run->progress, (struct progress_state){.bytes_read = read.bytes_read,
                                                          .bytes_total = read.bytes_total,
                                                          .packets = run->packets});
}

/* A packet or a pause; with -U what a packet decides leaves with it, not with its batch. */
static enum status take(struct run *run, enum source_result result,
                        const struct captured_packet *packet)
{
    if (result == SOURCE_IDLE)
        return take_pause(run);
    enum status status = take_packet(run, packet);
    if (status == STATUS_NO_MEMORY || !run->options->flush)
        return status;
    return analyzer_tick(run->analyzer, run->idle.last_packet);
}

/* Reads to the end, or until no output is left to write to.  Fails with NO_MEMORY only. */
static enum status read_all(struct run *run)
{
    struct sink *sink = outputs_sink(run->outputs);
    struct captured_packet packet;
    enum source_result result;
    while ((result = source_next(run->source, &packet)) != SOURCE_END) {
        enum status status = take(run, result, &packet);
        if (result == SOURCE_IDLE || run->options->flush)
            sink->ops->flush(sink);
        if (!outputs_alive(run->outputs))
            return STATUS_OK;
        if (status == STATUS_NO_MEMORY)
            return status;
        show_progress(run);
    }
    return STATUS_OK;
}

static void summarize_input(const struct source_input *input, struct input_summary *ret_summary)
{
    *ret_summary = (struct input_summary){
        .name = input->name,
        .format = input->format,
        .compression = input->compression,
        .packets = input->packets,
        .bytes = input->bytes,
        .damaged = input->damaged,
        .stopped_at_packet = input->damaged ? input->packets : 0,
    };
    snprintf(ret_summary->problem, sizeof ret_summary->problem, "%s", input->problem);
}

/* Ends the analysis; every output gets its summary. */
static enum status finish(struct run *run)
{
    size_t count = source_input_count(run->source);
    struct input_summary *summaries = calloc(count + 1, sizeof *summaries);
    if (summaries == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        summarize_input(source_input(run->source, i), &summaries[i]);
    struct analyzer_inputs inputs = {
        .inputs = summaries,
        .count = (uint32_t)count,
        .link_type_name = source_link_type_name,
    };
    inputs.drops_known = source_drops(run->source, &inputs.drops_received, &inputs.drops_kernel,
                                      &inputs.drops_interface);
    enum status status = analyzer_finish(run->analyzer, &inputs);
    free(summaries);
    return status;
}

/* Says which inputs are damaged, and with -v what was read of each. */
static enum exit_status report_inputs(const struct run *run)
{
    enum exit_status exit_status = EXIT_DONE;
    for (size_t i = 0; i < source_input_count(run->source); i++) {
        const struct source_input *input = source_input(run->source, i);
        if (run->options->verbose)
            message_print("%s: %llu packets, %s%s%s", input->name,
                          (unsigned long long)input->packets,
                          input->format == NULL ? "live" : input->format,
                          input->compression == NULL ? "" : ", ",
                          input->compression == NULL ? "" : input->compression);
        if (!input->damaged)
            continue;
        message_print("%s: %s", input->name, input->problem);
        exit_status = EXIT_DAMAGED;
    }
    return exit_status;
}

/* The report covers what came before; to whom it matters, that is an input cut short. */
static enum exit_status say_out_of_memory(const struct run *run)
{
    message_print(
        "out of memory at packet %llu: the report is not complete; give lastack less with "
        "-f FILTER, or the host more",
        (unsigned long long)run->packets);
    return EXIT_DAMAGED;
}

static enum exit_status read_and_report(struct run *run)
{
    run->progress = progress_begin(isatty(STDERR_FILENO) && !run->options->quiet);
    bool complete = read_all(run) != STATUS_NO_MEMORY;
    progress_end(&run->progress);
    if (outputs_alive(run->outputs) && finish(run) == STATUS_NO_MEMORY)
        complete = false;
    enum exit_status exit_status = complete ? EXIT_DONE : say_out_of_memory(run);
    exit_status = exit_worse_of(exit_status, report_inputs(run));
    exit_status = exit_worse_of(exit_status, exit_status_of(outputs_close(run->outputs)));
    if (outputs_matched(run->outputs))
        exit_status = exit_worse_of(exit_status, EXIT_MATCHED);
    return exit_status;
}

/* With the source open: what an analysis needs beside it, and the analysis. */
static enum exit_status analyse(struct run *run)
{
    char message[MESSAGE_SIZE] = "";
    enum status status = outputs_open(run->options, &run->outputs, message);
    if (status == STATUS_OK) {
        struct analyzer_options wanted = {
            .config = run->options->config,
            .segments = run->options->segments != CHOICE_DEFAULT,
            .transitions = run->options->transitions,
            .sink = outputs_sink(run->outputs),
        };
        status = analyzer_new(&wanted, &run->analyzer);
    }
    enum exit_status exit_status =
        status == STATUS_OK ? read_and_report(run) : exit_refuse(status, message);
    analyzer_free(run->analyzer);
    outputs_free(run->outputs);
    return exit_status;
}

enum exit_status analysis_run(const struct options *options)
{
    char message[MESSAGE_SIZE] = "";
    struct run run = {.options = options, .idle = idle_begin()};
    struct interrupt interrupt;
    enum status status = open_source(options, &run.source, message);
    /* Before the analyzer has threads, so that they leave the signals to the one that waits. */
    if (status == STATUS_OK)
        status = interrupt_begin(&interrupt, run.source);
    if (status != STATUS_OK) {
        source_free(run.source);
        return exit_refuse(status, message);
    }
    enum exit_status exit_status = analyse(&run);
    interrupt_end(&interrupt);
    source_free(run.source);
    return exit_status;
}
