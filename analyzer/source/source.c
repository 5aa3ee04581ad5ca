/*
 * source: the inputs in their order, the filter over them, the count that ends them.
 *
 * One file is open at a time: with several, each is opened once to see its header and its first
 * packet's time, closed, and opened again when its turn comes.  What can be read only once
 * (standard input, pipes) stays open from the start and keeps the place it was given.
 */
#include "source.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "escape.h"
#include "filter.h"
#include "live.h"
#include "reader.h"
#include "savefile.h"

/* One input, in reading order. */
struct input {
    struct source_input seen;  /* what callers may look at */
    nanotime first_time;       /* INT64_MIN: no packets */
    uint64_t size;             /* octets as stored; 0: unknown */
    size_t place;              /* as given, from 0 */
    struct savefile *savefile; /* NULL: not open now */
    bool read_once;
};

struct source {
    struct input *inputs;
    size_t input_count;
    size_t current;
    struct live *live; /* then there is one input, for its counts */
    struct filter *filter;
    uint64_t count; /* 0: all */
    uint64_t packets;
    uint64_t bytes_before; /* of the inputs before the current */
    uint64_t bytes_total;
    int break_fd;
    atomic_bool is_broken;
};

/* Looks at the first packet, if there is one, for the order. */
static void input_probe_time(struct input *input)
{
    struct captured_packet packet;
    char problem[READER_PROBLEM_SIZE];
    if (savefile_next(input->savefile, &packet, problem) == READER_PACKET)
        input->first_time = packet.time;
}

static void input_close(struct input *input)
{
    if (input->savefile != NULL)
        input->seen.bytes = savefile_bytes_read(input->savefile);
    savefile_free(input->savefile);
    input->savefile = NULL;
}

static enum status source_open_input(struct source *source, struct input *input, char *message)
{
    enum status status =
        savefile_open(input->seen.name, source->break_fd, &input->savefile, message);
    if (status == STATUS_OK && source->filter != NULL)
        status = filter_compile(source->filter, savefile_link_type(input->savefile), message);
    if (status != STATUS_OK)
        return status;
    input->seen.format = savefile_format(input->savefile);
    input->seen.compression = savefile_compression(input->savefile);
    return STATUS_OK;
}

static enum status source_probe_input(struct source *source, struct input *input, char *message)
{
    enum status status = source_open_input(source, input, message);
    if (status != STATUS_OK)
        return status;
    input->size = savefile_size(input->savefile);
    input->read_once = !savefile_can_reopen(input->savefile);
    if (source->input_count == 1 || input->read_once)
        return STATUS_OK;
    input_probe_time(input);
    input_close(input);
    input->seen.bytes = 0;
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
    struct input *sorted = calloc(source->input_count, sizeof *sorted);
    if (sorted == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while sorting %zu files",
                 source->input_count);
        return STATUS_NO_MEMORY;
    }
    size_t movable = 0;
    for (size_t i = 0; i < source->input_count; i++)
        if (!source->inputs[i].read_once)
            sorted[movable++] = source->inputs[i];
    qsort(sorted, movable, sizeof *sorted, input_compare);
    size_t next = 0;
    for (size_t i = 0; i < source->input_count; i++)
        if (!source->inputs[i].read_once)
            source->inputs[i] = sorted[next++];
    free(sorted);
    return STATUS_OK;
}

/* The total is known only if every input's size is. */
static uint64_t source_sum_sizes(const struct source *source)
{
    uint64_t total = 0;
    for (size_t i = 0; i < source->input_count; i++) {
        if (source->inputs[i].size == 0)
            return 0;
        total += source->inputs[i].size;
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
    for (size_t i = 0; i < source->input_count; i++) {
        struct input *input = &source->inputs[i];
        input->seen.name = options->files[i];
        input->place = i;
        input->first_time = INT64_MIN;
    }
    for (size_t i = 0; i < source->input_count; i++) {
        status = source_probe_input(source, &source->inputs[i], message);
        if (status != STATUS_OK)
            return status;
    }
    source->bytes_total = source_sum_sizes(source);
    return source_sort_inputs(source, message);
}

static enum status source_open_live(struct source *source, const struct source_options *options,
                                    char *message)
{
    source->inputs[0].seen.name = options->interface;
    return live_open(options, source->break_fd, &source->live, message);
}

/* Memory and the descriptor that wakes a waiting read. */
static enum status source_prepare(struct source *source, const struct source_options *options,
                                  char *message)
{
    source->count = options->count;
    source->input_count = options->interface != NULL ? 1 : options->file_count;
    source->inputs = calloc(source->input_count, sizeof *source->inputs);
    if (options->filter != NULL && options->interface == NULL)
        source->filter = filter_new(options->filter);
    bool lacks_filter =
        options->filter != NULL && options->interface == NULL && source->filter == NULL;
    if (source->inputs == NULL || lacks_filter) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening %zu inputs",
                 source->input_count);
        return STATUS_NO_MEMORY;
    }
    source->break_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (source->break_fd >= 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE,
             "no descriptor for waking up: %s; raise the limit: ulimit -n 1024", strerror(errno));
    return STATUS_UNREADABLE;
}

enum status source_open(const struct source_options *options, struct source **ret_source,
                        char *message)
{
    if (options->interface == NULL && options->file_count == 0) {
        snprintf(message, MESSAGE_SIZE, "no capture is named; type: lastack FILE");
        return STATUS_USAGE;
    }
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        snprintf(message, MESSAGE_SIZE, "out of memory while opening the inputs");
        return STATUS_NO_MEMORY;
    }
    source->break_fd = -1;
    enum status status = source_prepare(source, options, message);
    if (status == STATUS_OK && options->interface != NULL)
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

static void source_end_input(struct source *source)
{
    struct input *input = &source->inputs[source->current];
    input_close(input);
    /* A file counts as done even when its end was never reached, so that the share stays true. */
    source->bytes_before += input->size > 0 ? input->size : input->seen.bytes;
    source->current++;
}

/* The input whose turn it is, open; NULL: all are read. */
static struct input *source_current_input(struct source *source)
{
    char message[MESSAGE_SIZE];
    while (source->current < source->input_count) {
        struct input *input = &source->inputs[source->current];
        if (input->savefile != NULL)
            return input;
        if (source_open_input(source, input, message) == STATUS_OK)
            return input;
        /* It could be read a moment ago, when all were looked at. */
        input->seen.damaged = true;
        snprintf(input->seen.problem, sizeof input->seen.problem,
                 "changed since it was first looked at: %.200s", message);
        source_end_input(source);
    }
    return NULL;
}

static bool source_is_broken(const struct source *source)
{
    return atomic_load_explicit(&source->is_broken, memory_order_relaxed);
}

static enum source_result source_next_live(struct source *source,
                                           struct captured_packet *ret_packet)
{
    struct source_input *seen = &source->inputs[0].seen;
    enum source_result result = live_next(source->live, ret_packet, seen->problem);
    if (result == SOURCE_END && seen->problem[0] != '\0')
        seen->damaged = true;
    if (result != SOURCE_PACKET)
        return source_is_broken(source) ? SOURCE_END : result;
    ret_packet->input = 0;
    ret_packet->input_packet = ++seen->packets;
    seen->bytes += ret_packet->captured;
    source->packets++;
    return SOURCE_PACKET;
}

static enum source_result source_next_saved(struct source *source,
                                            struct captured_packet *ret_packet)
{
    while (!source_is_broken(source)) {
        struct input *input = source_current_input(source);
        if (input == NULL)
            return SOURCE_END;
        struct source_input *seen = &input->seen;
        enum reader_result result = savefile_next(input->savefile, ret_packet, seen->problem);
        if (result == READER_IDLE)
            return source_is_broken(source) ? SOURCE_END : SOURCE_IDLE;
        if (result != READER_PACKET) {
            if (source_is_broken(source)) {
                seen->problem[0] = '\0'; /* a read that source_break cut off is not damage */
                break;
            }
            seen->damaged = result == READER_DAMAGED;
            source_end_input(source);
            continue;
        }
        seen->packets++;
        if (source->filter != NULL && !filter_passes(source->filter, ret_packet))
            continue;
        ret_packet->input = (uint32_t)source->current;
        ret_packet->input_packet = seen->packets;
        source->packets++;
        return SOURCE_PACKET;
    }
    return SOURCE_END;
}

/* The end came before the inputs' own: what was read of the current one is known all the same. */
static void source_stop(struct source *source)
{
    if (source->current >= source->input_count)
        return;
    struct input *input = &source->inputs[source->current];
    if (input->savefile != NULL)
        input->seen.bytes = savefile_bytes_read(input->savefile);
}

enum source_result source_next(struct source *source, struct captured_packet *ret_packet)
{
    bool is_counted_out = source->count > 0 && source->packets >= source->count;
    if (is_counted_out || source_is_broken(source)) {
        source_stop(source);
        return SOURCE_END;
    }
    if (source->live != NULL)
        return source_next_live(source, ret_packet);
    return source_next_saved(source, ret_packet);
}

void source_break(struct source *source)
{
    const uint64_t one = 1;
    int saved = errno; /* a signal handler leaves errno as it was */
    atomic_store(&source->is_broken, true);
    ssize_t ignored = write(source->break_fd, &one, sizeof one); /* full: it is readable already */
    (void)ignored;
    errno = saved;
}

size_t source_input_count(const struct source *source)
{
    return source->input_count;
}

const struct source_input *source_input(const struct source *source, size_t index)
{
    return &source->inputs[index].seen;
}

struct source_progress source_progress(const struct source *source)
{
    struct source_progress progress = {
        .bytes_read = source->bytes_before,
        .bytes_total = source->bytes_total,
        .packets = source->packets,
    };
    if (source->live != NULL)
        progress.bytes_read = source->inputs[0].seen.bytes;
    else if (source->current < source->input_count &&
             source->inputs[source->current].savefile != NULL)
        progress.bytes_read += savefile_bytes_read(source->inputs[source->current].savefile);
    return progress;
}

bool source_drops(struct source *source, uint64_t *ret_received, uint64_t *ret_dropped,
                  uint64_t *ret_interface_dropped)
{
    if (source->live == NULL)
        return false;
    return live_drops(source->live, ret_received, ret_dropped, ret_interface_dropped);
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    for (size_t i = 0; source->inputs != NULL && i < source->input_count; i++)
        input_close(&source->inputs[i]);
    free(source->inputs);
    live_free(source->live);
    filter_free(source->filter);
    if (source->break_fd >= 0)
        close(source->break_fd);
    free(source);
}
