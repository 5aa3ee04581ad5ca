/* analysis: see analysis.h.  Read from the bottom up. */
#include "analysis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis_parts.h"
#include "input_report.h"
#include "memory_plan.h"
#include "messages.h"
#include "privileges.h"

/* The report covers what came before; to whom it matters, that is an input cut short. */
static enum exit_status say_out_of_memory(const struct run *run)
{
    message_print(
        "out of memory at packet %llu: the report is not complete; give lastack less with "
        "-f FILTER, or the host more",
        (unsigned long long)run->packets);
    return EXIT_DAMAGED;
}

/* In a chain the run over the next piece ends what lives, and writes the report. */
static enum exit_status hand_on(struct run *run)
{
    char message[MESSAGE_SIZE] = "";
    enum status status =
        chain_hand_on(&run->chain, run->options, run->source, run->analyzer, run->outputs, message);
    run_flush(run);
    return status == STATUS_OK ? EXIT_DONE : exit_refuse(status, message);
}

static enum status finish_report(struct run *run)
{
    if (run->options->tap_count > 0)
        return input_report_finish(run->taps.sources, run->taps.named.count, &run->chain,
                                   run->analyzer);
    return input_report_finish(&run->source, 1, &run->chain, run->analyzer);
}

/* Who started a capture that broke off wants to know; who left the view is through with it. */
static bool leaves_page(const struct run *run, enum exit_status exit_status)
{
    bool went_well = exit_status == EXIT_DONE || exit_status == EXIT_MATCHED;
    return !run->options->has_view && (went_well || !run_is_live(run));
}

static enum exit_status read_and_report(struct run *run)
{
    if (run_is_live(run))
        service_ready(&run->service);
    bool complete = run_read_all(run) != STATUS_NO_MEMORY, last = run->options->state_out == NULL;
    live_view_linger(&run->view, &run->interrupt);
    live_view_close(&run->view);
    if (run_is_live(run))
        service_end(&run->service);
    live_board_last_look(&run->board);
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
    run_write_packets(run);
    exit_status = exit_worse_of(exit_status, exit_status_of(outputs_close(run->outputs)));
    if (outputs_matched(run->outputs))
        exit_status = exit_worse_of(exit_status, EXIT_MATCHED);
    if (leaves_page(run, exit_status))
        live_board_linger(&run->board, &run->interrupt);
    return exit_status;
}

/* Whether nothing but records reaches the outputs while packets are read, and these never pause. */
static bool leaves_outputs_alone(const struct run *run)
{
    const struct options *options = run->options;
    return !run_is_live(run) && !options->follow && !options->flush && run->files.count == 1 &&
           file_is_ordinary(run->files.names[0]) && outputs_stand_alone(run->outputs);
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
        .sink_anywhere = leaves_outputs_alone(run),
        .taps = run->taps.names,
        .tap_count = run->taps.named.count,
        .reserved = memory_plan_make(run->options).reserved,
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
        status = run_read_all(run);
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
    run_end_reading(run);
    return run_begin_reading(run, count, message);
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
    privileges.answers = outputs_answer(run->outputs) || live_board_answers(&run->board);
    status = privileges_give_up(&privileges, message);
    if (status != STATUS_OK)
        return status;
    outputs_check_rights(run->outputs);
    return run_wait_for_signals(run);
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
        status = live_board_open(&run->board, outputs_board(run->outputs), run->options, message);
    if (status == STATUS_OK)
        status = begin_spool(run, message);
    if (status == STATUS_OK && run_is_live(run))
        status = go_live(run, message);
    if (status == STATUS_OK)
        status = outputs_begin(run->outputs, message);
    if (status == STATUS_OK)
        status = live_board_begin(&run->board, message);
    if (status == STATUS_OK)
        status = choose_segments(run, message);
    if (status == STATUS_OK)
        status = begin_analyzer(run, outputs_sink(run->outputs));
    if (status == STATUS_OK)
        status = chain_resume(&run->chain, run->options, run->analyzer, run->outputs, message);
    enum exit_status exit_status =
        status == STATUS_OK ? read_and_report(run) : exit_refuse(status, message);
    live_view_close(&run->view);
    live_board_close(&run->board);
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
    if (run_is_live(&run) && !options->has_view)
        interrupt_put_off();
    memory_plan_check(options);
    enum status status = expand_names(&run, message);
    if (status == STATUS_OK)
        status = chain_open(&run.chain, options, message);
    if (status == STATUS_OK)
        status = run_begin_reading(&run, options->count, message);
    enum exit_status exit_status =
        status == STATUS_OK ? analyse(&run) : exit_refuse(status, message);
    tap_set_clear(&run.taps);
    run_end_reading(&run);
    file_set_clear(&run.files);
    free(run.directories);
    input_places_clear(&run.places);
    chain_clear(&run.chain);
    return exit_status;
}
