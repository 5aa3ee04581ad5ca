/* outputs: see outputs.h. */
#include "outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "live_file.h"
#include "memory_plan.h"
#include "messages.h"
#include "outputs_parts.h"
#include "page_output.h"

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
    const struct memory_plan plan = memory_plan_make(options);
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
        .aside = plan.aside,
        .ladder = options->ladder,
        .kept_flows = plan.flows,
        .kept_ladders = plan.ladders,
    };
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
    struct sink_options common = common_options(outputs);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && outputs->count < count) {
        struct destination *destination = &outputs->destinations[outputs->count];
        const struct output *output = &wanted[outputs->count++];
        status = destination_open(destination, options, output, &common, message);
    }
    if (status != STATUS_OK) {
        outputs_free(outputs);
        return status;
    }
    outputs_forward(outputs);
    *ret_outputs = outputs;
    return STATUS_OK;
}

enum status outputs_add_first_run(struct outputs *outputs, struct sink **ret_sink)
{
    struct sink_options wanted = common_options(outputs);
    wanted.kept_flows = memory_plan_make(outputs->options).concerned;
    enum status status = sink_concerned_new(&wanted, &outputs->concerned);
    if (status == STATUS_OK)
        *ret_sink = outputs->concerned;
    return status;
}

/* Of -w; NULL without. */
static struct destination *packets_destination(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].chosen != NULL)
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
    return destination->chosen;
}

void outputs_packets_written(struct outputs *outputs, enum status status)
{
    struct destination *destination = packets_destination(outputs);
    if (status == STATUS_WRITE && errno == EPIPE)
        status = STATUS_CLOSED;
    if (destination != NULL)
        destination_note(destination, status);
}

static struct sink *sink_of(const struct outputs *outputs, enum output_kind kind)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->destinations[i].kind == kind)
            return outputs->destinations[i].sink;
    }
    return NULL;
}

struct sink *outputs_view(const struct outputs *outputs)
{
    return sink_of(outputs, OUTPUT_TOP);
}

struct sink *outputs_board(const struct outputs *outputs)
{
    return sink_of(outputs, OUTPUT_HTTP);
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

bool outputs_have_pages(const struct outputs *outputs)
{
    bool have = false;
    for (size_t i = 0; i < outputs->count; i++)
        have = have || page_output_is(outputs->destinations[i].kind);
    return have;
}

bool outputs_want_page(struct outputs *outputs)
{
    bool wanted = false, is_well = true;
    if (!outputs_have_pages(outputs))
        return false;
    for (size_t i = 0; i < outputs->count; i++)
        is_well = is_well && !destination_is_failing(&outputs->destinations[i]);
    for (size_t i = 0; i < outputs->count; i++) {
        struct page_output *page = outputs->destinations[i].page;
        if (page == NULL)
            continue;
        page_output_sign(page, is_well);
        wanted = wanted || page_output_is_due(page);
    }
    return wanted;
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

bool outputs_stand_alone(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct destination *destination = &outputs->destinations[i];
        if (destination->live != NULL || destination->page != NULL || destination->kafka != NULL ||
            destination->kind == OUTPUT_TOP || destination->kind == OUTPUT_HTTP)
            return false;
    }
    return true;
}

bool outputs_alive(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (destination_status(&outputs->destinations[i]) == STATUS_OK)
            return true;
    }
    return false;
}

bool outputs_matched(const struct outputs *outputs)
{
    return outputs->matched;
}

static void say_what_is_left_out(struct outputs *outputs)
{
    uint64_t left_out =
        outputs->concerned == NULL ? 0 : sink_concerned_left_out(outputs->concerned);
    if (left_out > 0)
        message_print("--segments problems: too many connections have problems; the segments that "
                      "%llu events concern are left out; choose fewer events with --level or "
                      "--event",
                      (unsigned long long)left_out);
    const struct destination *packets = packets_destination(outputs);
    left_out = packets == NULL ? 0 : chosen_left_out(packets->chosen);
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
        if (outputs->destinations[i].kind != OUTPUT_HTTP &&
            destination_close(&outputs->destinations[i]) != STATUS_OK)
            status = STATUS_WRITE;
    }
    return status;
}

void outputs_free(struct outputs *outputs)
{
    if (outputs == NULL)
        return;
    for (size_t i = 0; i < outputs->count; i++)
        destination_free(&outputs->destinations[i]);
    if (outputs->concerned != NULL)
        outputs->concerned->ops->free(outputs->concerned);
    free(outputs);
}
