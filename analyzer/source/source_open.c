/*
 * source_open: the inputs are opened and put into order.
 *
 * With several files each is opened once to see its header and its first packet's time, closed, and
 * opened again when its turn comes (merge.c).  What can be read only once (standard input, pipes)
 * stays open from the start and keeps the place it was given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ahead.h"
#include "filter.h"
#include "live.h"
#include "reader.h"
#include "savefile.h"
#include "source_parts.h"

/* Looks at the first packet, if there is one, for the order. */
static void input_probe_time(struct input *input)
{
    struct captured_packet packet;
    char problem[READER_PROBLEM_SIZE];
    if (savefile_next(input->savefile, &packet, problem) == READER_PACKET)
        input->first_time = packet.time;
}

static enum status source_open_input(struct source *source, struct input *input, char *message)
{
    struct savefile_options options = {.break_fd = source->break_fd, .ahead = source->ahead};
    if (source->follow.on && source->merge.count == 1) { /* its header may still be to come */
        options.follow = true;
        options.superseded = &source->follow.superseded;
        follow_mark(&source->follow, input->seen.name);
    }
    enum status status = savefile_open_with(input->seen.name, &options, &input->savefile, message);
    if (status != STATUS_OK)
        return status;
    int link_type = savefile_link_type(input->savefile);
    if (source->filter != NULL && link_type != LINK_TYPE_UNKNOWN)
        status = filter_compile(source->filter, link_type, message);
    if (status != STATUS_OK)
        return status;
    input->seen.format = savefile_format(input->savefile);
    input->seen.compression = savefile_compression(input->savefile);
    return STATUS_OK;
}

/* What is followed may have no header yet: it is opened when there is one (merge.c). */
static bool source_can_wait(const struct source *source, const struct input *input)
{
    const char *name = input->seen.name;
    return source->follow.on && source->merge.count == 1 && access(name, R_OK) == 0 &&
           savefile_must_await(name, source->break_fd);
}

static enum status source_probe_input(struct source *source, struct input *input, char *message)
{
    if (source_can_wait(source, input))
        return STATUS_OK;
    enum status status = source_open_input(source, input, message);
    if (status != STATUS_OK)
        return status;
    input->size = savefile_size(input->savefile);
    input->read_once = !savefile_can_reopen(input->savefile);
    if (input->read_once)
        source->merge.in_sequence = true;
    if (input->read_once || source->merge.count == 1)
        return STATUS_OK;
    input_probe_time(input);
    input_free(input);
    input->seen = (struct source_input){
        .name = input->seen.name,
        .format = input->seen.format,
        .compression = input->seen.compression,
        .first = NANOTIME_UNKNOWN,
        .last = NANOTIME_UNKNOWN,
    };
    return STATUS_OK;
}

static int input_compare(const void *a, const void *b)
{
    const struct input *left = a;
    const struct input *right = b;
    if (left->first_time != right->first_time)
        return time_is_before(left->first_time, right->first_time) ? -1 : 1;
    return left->place < right->place ? -1 : 1;
}

/* Sorts by time what can be opened again, around what keeps its place. */
static enum status source_sort_inputs(struct source *source, char *message)
{
    struct input *sorted = calloc(source->merge.count, sizeof *sorted);
    if (sorted == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while sorting %zu files",
                 source->merge.count);
        return STATUS_NO_MEMORY;
    }
    size_t movable = 0;
    for (size_t i = 0; i < source->merge.count; i++)
        if (!source->merge.inputs[i].read_once)
            sorted[movable++] = source->merge.inputs[i];
    qsort(sorted, movable, sizeof *sorted, input_compare);
    size_t next = 0;
    for (size_t i = 0; i < source->merge.count; i++)
        if (!source->merge.inputs[i].read_once)
            source->merge.inputs[i] = sorted[next++];
    free(sorted);
    return STATUS_OK;
}

/* The total is known only if every input's size is. */
static uint64_t source_sum_sizes(const struct source *source)
{
    uint64_t total = 0;
    for (size_t i = 0; i < source->merge.count; i++) {
        if (source->merge.inputs[i].size == 0)
            return 0;
        total += source->merge.inputs[i].size;
    }
    return total;
}

static enum status source_check_stdin(const struct source_options *options, char *message)
{
    size_t times = 0;
    for (size_t i = 0; i < options->file_count; i++)
        if (strcmp(options->files[i], "-") == 0)
            times++;
    if (times <= 1)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE,
             "- is given %zu times, but standard input can be read only once; name it once", times);
    return STATUS_USAGE;
}

static enum status source_open_files(struct source *source, const struct source_options *options,
                                     char *message)
{
    enum status status = source_check_stdin(options, message);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < source->merge.count; i++) {
        struct input *input = &source->merge.inputs[i];
        input->seen.name = options->files[i];
        input->seen.first = input->seen.last = NANOTIME_UNKNOWN;
        input->place = i;
        input->first_time = INT64_MIN;
    }
    status = follow_begin(&source->follow, options, message);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < source->merge.count; i++) {
        status = source_probe_input(source, &source->merge.inputs[i], message);
        if (status != STATUS_OK)
            return status;
    }
    source->bytes_total = options->follow ? 0 : source_sum_sizes(source);
    return source_sort_inputs(source, message);
}

static enum status source_open_live(struct source *source, const struct source_options *options,
                                    char *message)
{
    for (size_t i = 0; i < options->interface_count; i++) {
        struct source_input *seen = &source->merge.inputs[i].seen;
        seen->name = options->interfaces[i];
        seen->first = seen->last = NANOTIME_UNKNOWN;
    }
    enum status status = live_open(options, source->break_fd, &source->live, message);
    for (size_t i = 0; status == STATUS_OK && i < options->interface_count; i++)
        source->merge.inputs[i].seen.threads = live_threads(source->live, i);
    return status;
}

/* Memory and the descriptor that wakes a waiting read. */
static enum status source_prepare(struct source *source, const struct source_options *options,
                                  char *message)
{
    source->count = options->count;
    source->merge.open_limit = merge_open_limit();
    source->merge.follow = &source->follow;
    source->merge.count =
        options->interface_count > 0 ? options->interface_count : options->file_count;
    source->merge.inputs = calloc(source->merge.count + 1, sizeof *source->merge.inputs);
    bool needs_filter = options->filter != NULL && options->interface_count == 0;
    if (needs_filter)
        source->filter = filter_new(options->filter);
    source->ahead = source->merge.ahead = ahead_new();
    bool lacks_filter = needs_filter && source->filter == NULL;
    if (source->merge.inputs == NULL || lacks_filter || source->ahead == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening %zu inputs",
                 source->merge.count);
        return STATUS_NO_MEMORY;
    }
    source->break_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    source->merge.break_fd = source->break_fd;
    if (source->break_fd >= 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE,
             "no descriptor for waking up: %s; raise the limit: ulimit -n 1024", strerror(errno));
    return STATUS_UNREADABLE;
}

enum status source_open(const struct source_options *options, struct source **ret_source,
                        char *message)
{
    if (options->interface_count + options->file_count + options->directory_count == 0) {
        snprintf(message, MESSAGE_SIZE, "no capture is named; type: lastack FILE");
        return STATUS_USAGE;
    }
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the inputs");
        return STATUS_NO_MEMORY;
    }
    source->break_fd = -1;
    source->read = options->after.read;
    source->lost = options->after.lost;
    enum status status = source_prepare(source, options, message);
    if (status == STATUS_OK && options->interface_count > 0)
        status = source_open_live(source, options, message);
    else if (status == STATUS_OK)
        status = source_open_files(source, options, message);
    if (status != STATUS_OK) {
        source_free(source);
        return status;
    }
    *ret_source = source;
    return STATUS_OK;
}
