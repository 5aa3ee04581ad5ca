/*
 * source: the inputs, the filter over them, the count that ends them.
 *
 * With several files each is opened once to see its header and its first packet's time, closed, and
 * opened again when its turn comes (merge.c).  What can be read only once (standard input, pipes)
 * stays open from the start and keeps the place it was given.
 */
#include "source.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "escape.h"
#include "filter.h"
#include "follow.h"
#include "live.h"
#include "merge.h"
#include "reader.h"
#include "savefile.h"

enum { PATIENCE_MS = 100 }; /* for a directory that is idle, or a file that has not begun */

struct source {
    struct merge merge; /* the inputs, and where reading is */
    struct live *live;  /* then there is one input, for its counts */
    struct filter *filter;
    struct follow follow;
    uint64_t count; /* 0: all */
    uint64_t packets;
    uint64_t lost; /* since the packet given last */
    uint64_t read; /* records, those that the filter takes away included */
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

static enum status source_open_input(struct source *source, struct input *input, char *message)
{
    struct savefile_options options = {.break_fd = source->break_fd};
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
    bool lacks_filter = needs_filter && source->filter == NULL;
    if (source->merge.inputs == NULL || lacks_filter) {
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

static bool source_is_broken(const struct source *source)
{
    return atomic_load_explicit(&source->is_broken, memory_order_relaxed);
}

void source_note_ended(struct source *source)
{
    for (size_t i = 0; source->live != NULL && i < source->merge.count; i++) {
        struct source_input *seen = &source->merge.inputs[i].seen;
        snprintf(seen->problem, sizeof seen->problem, "%s", live_problem(source->live, i));
        seen->damaged = seen->problem[0] != '\0';
    }
}

static enum source_result source_next_live(struct source *source,
                                           struct captured_packet *ret_packet)
{
    if (source_is_broken(source))
        live_stop(source->live);
    enum source_result result = live_next(source->live, ret_packet);
    if (result == SOURCE_END)
        source_note_ended(source);
    if (result != SOURCE_PACKET)
        return result;
    struct source_input *seen = &source->merge.inputs[ret_packet->input].seen;
    ret_packet->interface = 0;
    ret_packet->input_packet = ++seen->packets;
    ret_packet->number = ++source->packets;
    if (seen->first_number == 0) {
        seen->first_number = ret_packet->number;
        seen->first = seen->last = ret_packet->time;
    }
    seen->first = time_earlier_of(seen->first, ret_packet->time);
    seen->last = time_later_of(seen->last, ret_packet->time);
    seen->bytes += ret_packet->captured;
    return SOURCE_PACKET;
}

/* Whether the packet is wanted; its interface may have a link type that was not seen before. */
static bool source_filter(struct source *source, const struct captured_packet *packet)
{
    char ignored[MESSAGE_SIZE];
    /* An expression that means nothing on this link type lets none of its packets pass. */
    return filter_compile(source->filter, packet->link_type, ignored) == STATUS_OK &&
           filter_passes(source->filter, packet);
}

/* With follow, whether there is another file now, since reads is false or a directory has one. */
static bool source_finds_more(struct source *source, bool reads)
{
    struct merge *merge = &source->merge;
    size_t first;
    size_t found = follow_look(&source->follow, &first);
    for (size_t i = first; i < first + found; i++)
        if (merge_append(merge, source->follow.known.names[i]) != STATUS_OK)
            return false;
    if (found > 0 || reads || merge->count == 0)
        return found > 0;
    const struct source_input *last = &merge->inputs[merge->count - 1].seen;
    return follow_is_replaced(&source->follow, last->name, last->bytes) &&
           merge_append(merge, last->name) == STATUS_OK;
}

/* Nothing to read now, or for good. */
static enum source_result source_rest(struct source *source, enum reader_result result)
{
    if (source_is_broken(source))
        return SOURCE_END;
    if (!source->follow.on)
        return result == READER_IDLE ? SOURCE_IDLE : SOURCE_END;
    bool more = source_finds_more(source, result == READER_IDLE);
    if (more || source->merge.open_count > 0) /* reading has waited */
        return SOURCE_IDLE;
    if (result != READER_IDLE && source->follow.directory_count == 0)
        return SOURCE_END;
    struct pollfd wait = {.fd = source->break_fd, .events = POLLIN};
    poll(&wait, 1, PATIENCE_MS);
    return SOURCE_IDLE;
}

/* Numbers a packet that was read; false: the filter takes it away. */
static inline bool source_admit(struct source *source, struct captured_packet *packet)
{
    source->read += 1 + packet->others;
    packet->number = source->read;
    source->lost += packet->lost;
    if (source->filter != NULL && !source_filter(source, packet))
        return false;
    packet->lost = source->lost;
    source->lost = 0;
    source->packets++;
    return true;
}

static enum source_result source_next_saved(struct source *source,
                                            struct captured_packet *ret_packet)
{
    while (!source_is_broken(source)) {
        enum reader_result result = merge_next(&source->merge, ret_packet);
        if (result != READER_PACKET)
            return source_rest(source, result);
        struct source_input *seen = &source->merge.inputs[ret_packet->input].seen;
        bool is_wanted = source_admit(source, ret_packet);
        if (seen->first_number == 0)
            seen->first_number = ret_packet->number;
        if (is_wanted)
            return SOURCE_PACKET;
    }
    return SOURCE_END;
}

enum source_result source_next(struct source *source, struct captured_packet *ret_packet)
{
    bool is_counted_out = source->count > 0 && source->packets >= source->count;
    if (source->live != NULL && !is_counted_out)
        return source_next_live(source, ret_packet);
    if (is_counted_out || source_is_broken(source)) {
        merge_stop(&source->merge);
        return SOURCE_END;
    }
    enum source_result result = source_next_saved(source, ret_packet);
    if (result == SOURCE_END)
        merge_stop(&source->merge);
    return result;
}

/* Those of so many packets that the filter lets pass; how many. */
static size_t source_sift(struct source *source, size_t count, struct packet_run *run)
{
    size_t kept = 0;
    run->latest = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const struct captured *packet = &run->packet[i];
        const struct captured_packet whole = {.data = packet->data,
                                              .captured = packet->captured,
                                              .length = packet->length,
                                              .link_type = run->first.link_type};
        if (!source_filter(source, &whole))
            continue;
        run->latest = time_later_of(run->latest, packet->time);
        run->packet[kept++] = *packet;
    }
    return kept;
}

/* The first of what is left of the run; number: of the first that was read. */
static void source_complete_first(struct source *source, uint64_t number, struct packet_run *run)
{
    struct captured_packet *first = &run->first;
    const struct captured *packet = &run->packet[0];
    first->data = packet->data;
    first->captured = packet->captured;
    first->length = packet->length;
    first->time = packet->time;
    first->number = packet->number;
    first->input_packet += packet->number - number;
    first->lost = source->lost;
    source->lost = 0;
}

/* The next run, of which the filter may have left nothing; false: there is none. */
static bool source_read_run(struct source *source, size_t room, struct packet_run *run)
{
    run->count = merge_next_run(&source->merge, source->read, room, run);
    if (run->count == 0)
        return false;
    const uint64_t number = run->packet[0].number;
    source->read += run->count + run->first.others;
    source->lost += run->first.lost;
    if (source->filter != NULL)
        run->count = source_sift(source, run->count, run);
    if (run->count > 0)
        source_complete_first(source, number, run);
    return true;
}

size_t source_run(struct source *source, struct packet_run *ret_run)
{
    size_t room = PACKETS_A_RUN;
    if (source->live != NULL || source_is_broken(source))
        return 0;
    if (source->count > 0 && source->count - source->packets < room)
        room = (size_t)(source->count - source->packets);
    if (room == 0)
        return 0;
    ret_run->count = 0;
    while (ret_run->count == 0 && source_read_run(source, room, ret_run))
        continue;
    source->packets += ret_run->count;
    return ret_run->count;
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
    return source->merge.count;
}

const struct source_input *source_input(const struct source *source, size_t index)
{
    return &source->merge.inputs[index].seen;
}

struct source_place source_place(const struct source *source)
{
    return (struct source_place){source->read, source->lost};
}

struct source_progress source_progress(const struct source *source)
{
    struct source_progress progress = {
        .bytes_read = merge_bytes_read(&source->merge),
        .bytes_total = source->bytes_total,
        .packets = source->packets,
    };
    for (size_t i = 0; source->live != NULL && i < source->merge.count; i++)
        progress.bytes_read += source->merge.inputs[i].seen.bytes;
    return progress;
}

/* What the files tell of drops, together. */
static bool source_file_drops(const struct source *source, uint64_t *ret_received,
                              uint64_t *ret_dropped, uint64_t *ret_interface_dropped)
{
    bool known = false;
    uint64_t drops = 0;
    for (size_t i = 0; i < source->merge.count; i++) {
        const struct source_counts *counts = &source->merge.inputs[i].seen.counts;
        known = known || counts->drops_known;
        drops += counts->drops;
    }
    if (!known)
        return false;
    *ret_received = source->read;
    *ret_dropped = drops;
    *ret_interface_dropped = 0; /* files count them together */
    return true;
}

bool source_drops(struct source *source, uint64_t *ret_received, uint64_t *ret_dropped,
                  uint64_t *ret_interface_dropped)
{
    if (source->live == NULL)
        return source_file_drops(source, ret_received, ret_dropped, ret_interface_dropped);
    return live_drops(source->live, ret_received, ret_dropped, ret_interface_dropped);
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    for (size_t i = 0; source->merge.inputs != NULL && i < source->merge.count; i++)
        input_free(&source->merge.inputs[i]);
    free(source->merge.inputs);
    follow_clear(&source->follow);
    live_free(source->live);
    filter_free(source->filter);
    if (source->break_fd >= 0)
        close(source->break_fd);
    free(source);
}
