/* analysis: see analysis.h.  Read from the bottom up. */
#include "analysis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer.h"
#include "chain.h"
#include "idle.h"
#include "input_places.h"
#include "input_report.h"
#include "interrupt.h"
#include "live_view.h"
#include "messages.h"
#include "outputs.h"
#include "privileges.h"
#include "problem_packets.h"
#include "progress.h"
#include "sink/sinks.h"
#include "source/file_set.h"
#include "source/source.h"
#include "source/spool.h"
#include "tap_set.h"
#include "upkeep.h"

enum { PACKETS_A_LOOK = 256 }; /* of files, between looks whether a page is wanted */

/* What one analysis joins together. */
struct run {
    const struct options *options;
    struct source *source; /* NULL: not open */
    struct interrupt interrupt;
    bool has_interrupt;
    struct outputs *outputs;
    struct sink *sink; /* where the analyzer's records go */
    struct analyzer *analyzer;
    struct spool *spool; /* NULL: the packets can be had again, or are not needed */
    struct tap_set taps;
    uint32_t tap; /* of the packet that is taken */
    struct progress progress;
    struct idle idle;
    struct input_places places;
    struct file_set files;    /* those named, patterns and directories expanded */
    const char **directories; /* owned; with --follow */
    size_t directory_count;
    uint64_t packets;     /* read so far, those outside --since and --until, too */
    struct chain chain;   /* of runs over pieces, this one among them */
    struct upkeep upkeep; /* live */
    struct live_view view;
    struct service service;
};

static bool is_live(const struct run *run)
{
    return run->options->interface_count > 0;
}

static enum status open_source(struct run *run, uint64_t count, struct source **ret_source,
                               char *message)
{
    const struct options *options = run->options;
    struct source_options wanted = {
        .files = (const char *const *)run->files.names,
        .file_count = run->files.count,
        .follow = options->follow,
        .directories = run->directories,
        .directory_count = run->directory_count,
        .interfaces = options->interfaces,
        .interface_count = options->interface_count,
        .filter = options->filter,
        .count = count,
        .snaplen = (int)options->snaplen,
        .buffer_kib = (int)options->buffer_kib,
        .capture_threads = options->config.threads,
        .promiscuous = options->promiscuous,
        .after = run->chain.place,
    };
    enum status status = source_open(&wanted, ret_source, message);
    if (status != STATUS_OK || options->tap_count == 0)
        return status;
    status = tap_set_open(&run->taps, options, &wanted, *ret_source, message);
    if (status == STATUS_OK)
        return status;
    source_free(*ret_source);
    *ret_source = NULL;
    return status;
}

/* Before the analyzer has threads, so that they leave the signals to the one that waits. */
static enum status wait_for_signals(struct run *run)
{
    enum interrupt_kind kind = is_live(run) ? INTERRUPT_LIVE : INTERRUPT_SAVED;
    if (run->options->has_view)
        kind = INTERRUPT_SCREEN;
    run->interrupt.leave = live_view_abandon;
    run->interrupt.context = &run->view;
    enum status status = interrupt_begin(&run->interrupt, run->source, kind);
    run->has_interrupt = status == STATUS_OK;
    return status;
}

/* Opens the inputs, to read count packets of them (0: all). */
static enum status begin_reading(struct run *run, uint64_t count, char *message)
{
    run->idle = idle_begin(is_live(run));
    input_places_restart(&run->places);
    run->packets = 0;
    enum status status = open_source(run, count, &run->source, message);
    if (status != STATUS_OK || is_live(run)) /* then rights go first: see go_live */
        return status;
    status = wait_for_signals(run);
    if (status == STATUS_OK)
        return STATUS_OK;
    source_free(run->source);
    run->source = NULL;
    return status;
}

static void end_reading(struct run *run)
{
    if (run->source == NULL)
        return;
    if (run->has_interrupt)
        interrupt_end(&run->interrupt);
    run->has_interrupt = false;
    source_free(run->source);
    run->source = NULL;
}

static bool is_wanted(const struct options *options, nanotime moment)
{
    if (options->since != NANOTIME_UNKNOWN && time_is_before(moment, options->since))
        return false;
    return options->until == NANOTIME_UNKNOWN || time_is_before(moment, options->until);
}

static enum status take_packet(struct run *run, const struct captured_packet *captured)
{
    run->packets++;
    idle_note_packet(&run->idle, captured->time);
    if (!is_live(run) && run->options->tap_count == 0) /* interfaces take turns at any packet */
        input_places_note(&run->places, run->source, captured);
    if (!is_wanted(run->options, captured->time))
        return STATUS_OK;
    struct analyzer_packet packet = {
        .data = captured->data,
        .captured = captured->captured,
        .length = captured->length,
        .time = captured->time,
        .link_type = captured->link_type,
        .number = captured->number,
        .lost = captured->lost,
        .tap = run->tap,
    };
    if (run->spool != NULL)
        spool_keep(run->spool, captured, packet.number);
    return analyzer_packet(run->analyzer, &packet);
}

/* How far the capture clock may go on while nothing comes. */
static nanotime reached_in_pause(struct run *run)
{
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    return idle_capture_time(&run->idle, (nanotime)clock.tv_sec * NANO_PER_SECOND + clock.tv_nsec);
}

/* Nothing to read for a moment: deadlines may pass, and what is decided goes out. */
static enum status take_pause(struct run *run)
{
    nanotime reached = reached_in_pause(run);
    if (is_live(run))
        return upkeep_do(&run->upkeep, reached, false);
    enum status status = STATUS_OK;
    if (reached != NANOTIME_UNKNOWN)
        status = analyzer_tick(run->analyzer, reached);
    return status == STATUS_OK ? upkeep_pages(&run->upkeep) : status;
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
    if (status == STATUS_NO_MEMORY)
        return status;
    if (is_live(run) && upkeep_is_due(&run->upkeep)) /* a busy interface knows no pause */
        return upkeep_do(&run->upkeep, run->idle.last_packet, true);
    if (!is_live(run) && run->packets % PACKETS_A_LOOK == 0 && status == STATUS_OK)
        status = upkeep_pages(&run->upkeep);
    return run->options->flush ? analyzer_tick(run->analyzer, run->idle.last_packet) : status;
}

static void flush_sink(struct run *run)
{
    if (run->sink->ops->flush != NULL)
        run->sink->ops->flush(run->sink);
}

/* Lets the view take keys and draw; once it is left, reading ends. */
static void serve_view(struct run *run)
{
    if (!live_view_is_due(&run->view))
        return;
    if (!interrupt_came(&run->interrupt) && live_view_do(&run->view))
        return;
    live_view_close(&run->view);
    source_break(run->source);
}

/* The next packet, of whichever tap it is; a signal ends them all. */
static enum source_result next_packet(struct run *run, struct captured_packet *ret_packet)
{
    if (run->options->tap_count == 0)
        return source_next(run->source, ret_packet);
    if (interrupt_came(&run->interrupt))
        return SOURCE_END;
    return tap_set_next(&run->taps, run->analyzer, ret_packet, &run->tap);
}

/* Reads to the end, or until no output is left to write to.  Fails with NO_MEMORY only. */
static enum status read_packets(struct run *run)
{
    struct captured_packet packet;
    enum source_result result;
    while ((result = next_packet(run, &packet)) != SOURCE_END) {
        enum status status = take(run, result, &packet);
        if (result == SOURCE_IDLE || run->options->flush)
            flush_sink(run);
        if (!outputs_alive(run->outputs))
            return STATUS_OK;
        if (status == STATUS_NO_MEMORY)
            return status;
        serve_view(run);
        show_progress(run);
    }
    return STATUS_OK;
}

static enum status read_all(struct run *run)
{
    run->upkeep = (struct upkeep){
        .options = run->options,
        .interrupt = &run->interrupt,
        .outputs = run->outputs,
        .source = run->source,
        .analyzer = run->analyzer,
        .service = &run->service,
    };
    upkeep_begin(&run->upkeep);
    run->view.analyzer = run->analyzer;
    run->view.source = run->source;
    run->view.is_live = is_live(run);
    bool has_bar = isatty(STDERR_FILENO) && !run->options->quiet && !run->options->has_view;
    run->progress = progress_begin(has_bar);
    enum status status = read_packets(run);
    progress_end(&run->progress);
    return status;
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

/* --- -w: the packets again, from the files or from the spool --- */

/* How reading again goes: as far as the first time, with what went wrong. */
struct again {
    struct run *run;
    uint64_t count; /* packets that were read the first time */
    char *message;
};

static enum status rewind_files(void *context)
{
    struct again *again = context;
    end_reading(again->run);
    return begin_reading(again->run, again->count, again->message);
}

static bool next_of_files(void *context, struct captured_packet *ret_packet, uint64_t *ret_number)
{
    struct run *run = ((struct again *)context)->run;
    enum source_result result;
    while ((result = source_next(run->source, ret_packet)) != SOURCE_END) {
        if (result != SOURCE_PACKET)
            continue;
        *ret_number = ret_packet->number;
        if (is_wanted(run->options, ret_packet->time))
            return true;
    }
    return false;
}

static enum status rewind_spool(void *context)
{
    return spool_rewind(((struct again *)context)->run->spool);
}

static bool next_of_spool(void *context, struct captured_packet *ret_packet, uint64_t *ret_number)
{
    return spool_next(((struct again *)context)->run->spool, ret_packet, ret_number);
}

static void say_what_was_written(const struct run *run, uint64_t written)
{
    uint64_t left_out = run->spool == NULL ? 0 : spool_left_out(run->spool);
    if (run->options->verbose)
        message_print("-w: %llu packets of connections with problems", (unsigned long long)written);
    if (left_out > 0)
        message_print("-w: the last %llu packets found no room on disk and are left out; give more "
                      "with --spool, such as --spool 8G",
                      (unsigned long long)left_out);
}

/* Writes what -w asks for, after the records.  What fails is said when the outputs are closed. */
static void write_problem_packets(struct run *run)
{
    FILE *stream;
    char message[MESSAGE_SIZE] = "";
    struct chosen *chosen = outputs_chosen(run->outputs, &stream);
    if (chosen == NULL)
        return;
    struct again again = {run, run->packets, message};
    struct packet_feed feed = {&again, rewind_files, next_of_files};
    if (run->spool != NULL)
        feed = (struct packet_feed){&again, rewind_spool, next_of_spool};
    uint64_t written;
    enum status status =
        problem_packets_write(chosen, &feed, &run->options->config, stream, &written);
    if (message[0] != '\0')
        message_print("-w: %s", message);
    outputs_packets_written(run->outputs, status);
    say_what_was_written(run, written);
}

/* In a chain the run over the next piece ends what lives, and writes the report. */
static enum exit_status hand_on(struct run *run)
{
    char message[MESSAGE_SIZE] = "";
    enum status status =
        chain_hand_on(&run->chain, run->options, run->source, run->analyzer, run->outputs, message);
    flush_sink(run);
    return status == STATUS_OK ? EXIT_DONE : exit_refuse(status, message);
}

static enum status finish_report(struct run *run)
{
    if (run->options->tap_count > 0)
        return input_report_finish(run->taps.sources, run->taps.named.count, &run->chain,
                                   run->analyzer);
    return input_report_finish(&run->source, 1, &run->chain, run->analyzer);
}

static enum exit_status read_and_report(struct run *run)
{
    if (is_live(run))
        service_ready(&run->service);
    bool complete = read_all(run) != STATUS_NO_MEMORY, last = run->options->state_out == NULL;
    live_view_linger(&run->view, &run->interrupt);
    live_view_close(&run->view);
    if (is_live(run))
        service_end(&run->service);
    if (complete && outputs_alive(run->outputs))
        complete = upkeep_last_pages(&run->upkeep) != STATUS_NO_MEMORY;
    if (last && outputs_alive(run->outputs) && finish_report(run) == STATUS_NO_MEMORY)
        complete = false;
    enum exit_status exit_status = complete && !last ? hand_on(run) : EXIT_DONE;
    if (!complete)
        exit_status = exit_worse_of(exit_status, say_out_of_memory(run));
    exit_status = exit_worse_of(exit_status, input_report_say(run->source, run->options->verbose));
    for (uint32_t i = 1; i < run->taps.named.count; i++)
        exit_status = exit_worse_of(exit_status,
                                    input_report_say(run->taps.sources[i], run->options->verbose));
    write_problem_packets(run);
    exit_status = exit_worse_of(exit_status, exit_status_of(outputs_close(run->outputs)));
    if (outputs_matched(run->outputs))
        exit_status = exit_worse_of(exit_status, EXIT_MATCHED);
    return exit_status;
}

/* An analyzer for sink, which gets the opt-in records that it has operations for. */
static enum status begin_analyzer(struct run *run, struct sink *sink)
{
    struct analyzer_options wanted = {
        .config = run->options->config,
        .segments = sink->ops->segment != NULL,
        .transitions = sink->ops->transition != NULL,
        .piece = run->options->piece,
        .sink = sink,
        .taps = run->taps.names,
        .tap_count = run->taps.named.count,
    };
    run->sink = sink;
    return analyzer_new(&wanted, &run->analyzer);
}

static void end_analyzer(struct run *run)
{
    analyzer_free(run->analyzer);
    run->analyzer = NULL;
}

/* A run that writes nothing and finds out which connections have problems. */
static enum status find_problems(struct run *run)
{
    struct sink *sink = NULL;
    enum status status = outputs_add_first_run(run->outputs, &sink);
    if (status == STATUS_OK)
        status = begin_analyzer(run, sink);
    if (status == STATUS_OK)
        status = read_all(run);
    if (status == STATUS_OK)
        status = finish_report(run);
    end_analyzer(run);
    return status;
}

/* Segments leave as they come, so which of them are wanted must be known before they do. */
static enum status choose_segments(struct run *run, char *message)
{
    bool wanted = outputs_sink(run->outputs)->ops->segment != NULL;
    if (run->options->segments != CHOICE_PROBLEMS || !wanted)
        return STATUS_OK;
    enum status status = find_problems(run);
    if (status != STATUS_OK)
        return status;
    /* After a signal the report is about what was read until then. */
    uint64_t count = interrupt_came(&run->interrupt) ? run->packets : run->options->count;
    end_reading(run);
    return begin_reading(run, count, message);
}

/* What -w needs of an input that comes once. */
static enum status begin_spool(struct run *run, char *message)
{
    FILE *stream;
    if (outputs_chosen(run->outputs, &stream) == NULL || !options_input_comes_once(run->options))
        return STATUS_OK;
    enum status status = spool_new(run->options->spool, &run->spool);
    if (status == STATUS_WRITE)
        snprintf(message, MESSAGE_SIZE,
                 "-w: cannot keep packets on disk: %s; name a folder in TMPDIR", strerror(errno));
    return status;
}

/* Everything is open and there is no thread yet: what is not needed any more is given up. */
static enum status go_live(struct run *run, char *message)
{
    run->service = service_begin();
    struct privileges privileges = {
        .user = run->options->user,
        .verbose = run->options->verbose,
        .has_screen = run->view.screen != NULL,
    };
    enum status status = privileges_find_user(&privileges, message);
    if (status != STATUS_OK)
        return status;
    privileges.directory_count =
        outputs_directories(run->outputs, privileges.directories, PRIVILEGES_DIRECTORIES);
    if (privileges.changes_user)
        outputs_give(run->outputs, privileges.uid, privileges.gid);
    privileges.answers = outputs_answer(run->outputs);
    status = privileges_give_up(&privileges, message);
    if (status != STATUS_OK)
        return status;
    outputs_check_rights(run->outputs);
    return wait_for_signals(run);
}

/* With the inputs open: what an analysis needs beside them, and the analysis. */
static enum exit_status analyse(struct run *run)
{
    char message[MESSAGE_SIZE] = "";
    const struct tap_names *taps = run->options->tap_count > 0 ? &run->taps.named : NULL;
    bool several = run->files.count > 1 || run->options->follow;
    const struct input_spans *inputs = taps != NULL ? taps->spans[0] : &run->places.spans;
    enum status status = outputs_open(run->options, taps != NULL || several ? inputs : NULL, taps,
                                      &run->outputs, message);
    if (status == STATUS_OK)
        status = live_view_open(&run->view, outputs_view(run->outputs), run->options, message);
    if (status == STATUS_OK)
        status = begin_spool(run, message);
    if (status == STATUS_OK && is_live(run))
        status = go_live(run, message);
    if (status == STATUS_OK)
        status = outputs_begin(run->outputs, message);
    if (status == STATUS_OK)
        status = choose_segments(run, message);
    if (status == STATUS_OK)
        status = begin_analyzer(run, outputs_sink(run->outputs));
    if (status == STATUS_OK)
        status = chain_resume(&run->chain, run->options, run->analyzer, run->outputs, message);
    enum exit_status exit_status =
        status == STATUS_OK ? read_and_report(run) : exit_refuse(status, message);
    live_view_close(&run->view);
    end_analyzer(run);
    outputs_free(run->outputs);
    spool_free(run->spool);
    return exit_status;
}

/* The directories among the names, in which --follow looks for new captures. */
static enum status note_directories(struct run *run, char *message)
{
    const struct options *options = run->options;
    run->directories = calloc(options->file_count + 1, sizeof *run->directories);
    if (run->directories == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while listing the captures");
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; options->follow && i < options->file_count; i++)
        if (file_is_directory(options->files[i]))
            run->directories[run->directory_count++] = options->files[i];
    return STATUS_OK;
}

/* Which files the names given mean. */
static enum status expand_names(struct run *run, char *message)
{
    const struct options *options = run->options;
    enum status status =
        file_set_expand(&run->files, options->files, options->file_count, options->follow, message);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; options->verbose && i < run->files.note_count; i++)
        message_print("%s", run->files.notes[i]);
    return note_directories(run, message);
}

enum exit_status analysis_run(const struct options *options)
{
    char message[MESSAGE_SIZE] = "";
    struct run run = {.options = options};
    enum status status = expand_names(&run, message);
    if (status == STATUS_OK)
        status = chain_open(&run.chain, options, message);
    if (status == STATUS_OK)
        status = begin_reading(&run, options->count, message);
    enum exit_status exit_status =
        status == STATUS_OK ? analyse(&run) : exit_refuse(status, message);
    tap_set_clear(&run.taps);
    end_reading(&run);
    file_set_clear(&run.files);
    free(run.directories);
    input_places_clear(&run.places);
    chain_clear(&run.chain);
    return exit_status;
}
