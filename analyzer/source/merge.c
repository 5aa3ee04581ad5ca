/*
 * merge: see merge.h.
 *
 * Every file is taken to be in order by itself (where it is not, its packets keep their order).
 * The next file is opened once its first packet is due; so files that do not overlap are read one
 * after the other, with one packet looked ahead.
 *
 * Known weakness: a packet whose time is far in the future holds up the rest of its file until the
 * others are read.
 */
#include "merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { SPARE_DESCRIPTORS = 24 }; /* for outputs, wake-ups and what libraries open */

uint32_t merge_open_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MERGE_MOST + SPARE_DESCRIPTORS)
        return MERGE_MOST;
    return limit.rlim_cur > SPARE_DESCRIPTORS + 1 ? (uint32_t)limit.rlim_cur - SPARE_DESCRIPTORS
                                                  : 1;
}

void input_close(struct input *input)
{
    if (input->savefile == NULL)
        return;
    struct source_input *seen = &input->seen;
    free(seen->counts.interfaces);
    savefile_counts(input->savefile, &seen->counts);
    seen->bytes = savefile_bytes_read(input->savefile);
    if (seen->counts.damaged_blocks > 0 && !seen->damaged) {
        seen->damaged = true; /* reading was stopped before its end, which would have told */
        snprintf(seen->problem, sizeof seen->problem, "%llu damaged blocks are left out",
                 (unsigned long long)seen->counts.damaged_blocks);
    }
    savefile_free(input->savefile);
    input->savefile = NULL;
    input->has_head = false;
}

void input_free(struct input *input)
{
    input_close(input);
    free(input->seen.counts.interfaces);
    input->seen.counts.interfaces = NULL;
}

enum status merge_append(struct merge *merge, const char *name)
{
    struct input *inputs = realloc(merge->inputs, (merge->count + 1) * sizeof *inputs);
    if (inputs == NULL)
        return STATUS_NO_MEMORY;
    merge->inputs = inputs;
    inputs[merge->count++] = (struct input){
        .seen = {.name = name, .first = NANOTIME_UNKNOWN, .last = NANOTIME_UNKNOWN},
        .first_time = INT64_MAX,
    };
    return STATUS_OK;
}

static enum status merge_open_input(struct merge *merge, struct input *input, char *message)
{
    bool is_last = merge->next + 1 == merge->count;
    struct savefile_options options = {.break_fd = merge->break_fd, .ahead = merge->ahead};
    if (merge->follow->on && is_last) {
        options.follow = true;
        options.superseded = &merge->follow->superseded;
        merge->follow->superseded = false;
        follow_mark(merge->follow, input->seen.name);
    }
    enum status status = savefile_open_with(input->seen.name, &options, &input->savefile, message);
    if (status != STATUS_OK)
        return status;
    input->seen.format = savefile_format(input->savefile);
    input->seen.compression = savefile_compression(input->savefile);
    return STATUS_OK;
}

/* Whether the next file is followed, and its header has not come: to open it would wait for it. */
static bool merge_must_await(const struct merge *merge)
{
    const struct input *input = &merge->inputs[merge->next];
    return merge->follow->on && merge->next + 1 == merge->count && input->savefile == NULL &&
           savefile_must_await(input->seen.name, merge->break_fd);
}

/* Opens the next file; one that is gone is damaged: it was there when all were looked at. */
static void merge_open_next(struct merge *merge)
{
    struct input *input = &merge->inputs[merge->next];
    char message[MESSAGE_SIZE];
    if (input->savefile == NULL && merge_open_input(merge, input, message) != STATUS_OK) {
        input->seen.damaged = true;
        snprintf(input->seen.problem, sizeof input->seen.problem,
                 "changed since it was first looked at: %.200s", message);
        merge->bytes_before += input->size;
        merge->next++;
        return;
    }
    merge->open[merge->open_count++] = (uint32_t)merge->next++;
}

static void merge_close(struct merge *merge, uint32_t at)
{
    struct input *input = &merge->inputs[merge->open[at]];
    input_close(input);
    /* A file counts as done even when its end was never reached, so that the share stays true. */
    merge->bytes_before += input->size > 0 ? input->size : input->seen.bytes;
    merge->open_count--;
    for (uint32_t i = at; i < merge->open_count; i++)
        merge->open[i] = merge->open[i + 1];
}

/* Reads the next packet of the open file; false: it has come to its end and is closed. */
static bool merge_look_ahead(struct merge *merge, uint32_t at)
{
    struct input *input = &merge->inputs[merge->open[at]];
    enum reader_result result = savefile_next(input->savefile, &input->head, input->seen.problem);
    input->has_head = result == READER_PACKET;
    if (result == READER_PACKET || result == READER_IDLE)
        return true;
    input->seen.damaged = result == READER_DAMAGED;
    if (input->seen.damaged && savefile_is_broken(input->savefile)) {
        input->seen.damaged = false; /* a read that source_break cut off is not damage */
        input->seen.problem[0] = '\0';
    }
    merge_close(merge, at);
    return false;
}

/* Looks ahead in every open file; the earliest head's place in open[], or open_count: none. */
static uint32_t merge_earliest(struct merge *merge)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t at = 0; at < merge->open_count; at++) {
        struct input *input = &merge->inputs[merge->open[at]];
        if (!input->has_head && !merge_look_ahead(merge, at)) {
            at--; /* another has its place now */
            continue;
        }
        if (!input->has_head)
            continue;
        nanotime time = input->head.time;
        if (best == UINT32_MAX || time_is_before(time, merge->inputs[merge->open[best]].head.time))
            best = at;
    }
    return best == UINT32_MAX ? merge->open_count : best;
}

/* Whether the next file must be opened before the packet at best may be given out. */
static bool merge_must_open(const struct merge *merge, uint32_t best)
{
    if (merge->next == merge->count || merge->open_count == merge->open_limit)
        return false;
    if (merge->open_count == 0)
        return true;
    if (merge->in_sequence || best == merge->open_count)
        return false;
    nanotime due = merge->inputs[merge->next].first_time;
    return time_is_before(due, merge->inputs[merge->open[best]].head.time);
}

static void input_note_time(struct source_input *seen, nanotime time)
{
    if (seen->packets++ == 0) {
        seen->first = time;
        seen->last = time;
    }
    seen->first = time_earlier_of(seen->first, time);
    seen->last = time_later_of(seen->last, time);
}

static void input_note_run(struct source_input *seen, const struct packet_run *run, size_t count)
{
    input_note_time(seen, run->earliest);
    seen->last = time_later_of(seen->last, run->latest);
    seen->packets += count - 1;
}

/* Whether one file is left: its packets need not wait for a look ahead. */
static bool merge_is_single(const struct merge *merge)
{
    return merge->open_count == 1 && merge->next == merge->count &&
           !merge->inputs[merge->open[0]].has_head;
}

/* The place in open[] of the file with the next packet, or open_count: none has one now. */
static uint32_t merge_choose(struct merge *merge)
{
    if (merge_is_single(merge)) {
        bool is_open = merge_look_ahead(merge, 0);
        return is_open && merge->inputs[merge->open[0]].has_head ? 0 : merge->open_count;
    }
    for (;;) {
        uint32_t best = merge_earliest(merge);
        if (!merge_must_open(merge, best))
            return best;
        if (merge_must_await(merge))
            return merge->open_count;
        merge_open_next(merge);
    }
}

static bool merge_stands_at(const struct merge *merge, uint32_t standpoint)
{
    for (uint32_t at = 0; at < merge->open_count; at++) {
        if (merge->inputs[merge->open[at]].standpoint == standpoint)
            return true;
    }
    return false;
}

/*
 * Where the file was captured: files of which one begins while another goes on are of several
 * places; one that follows another's end goes on where that one stood.
 */
static uint32_t merge_find_standpoint(const struct merge *merge)
{
    uint32_t standpoint = 1;
    while (merge_stands_at(merge, standpoint))
        standpoint++;
    return standpoint;
}

enum reader_result merge_next(struct merge *merge, struct captured_packet *ret_packet)
{
    uint32_t best = merge_choose(merge);
    if (best == merge->open_count)
        return merge->open_count > 0 || merge_must_await(merge) ? READER_IDLE : READER_END;
    struct input *input = &merge->inputs[merge->open[best]];
    input_note_time(&input->seen, input->head.time);
    input->has_head = false;
    if (input->standpoint == 0)
        input->standpoint = merge_find_standpoint(merge);
    *ret_packet = input->head;
    ret_packet->input = merge->open[best];
    ret_packet->standpoint = input->standpoint;
    input->numbers += 1 + ret_packet->others;
    ret_packet->input_packet = input->numbers;
    return READER_PACKET;
}

size_t merge_next_run(struct merge *merge, uint64_t before, size_t room, struct packet_run *ret_run)
{
    if (merge->open_count != 1 || merge->inputs[merge->open[0]].has_head)
        return 0;
    struct input *input = &merge->inputs[merge->open[0]];
    if (input->standpoint == 0) /* its first packet is given by merge_next() */
        return 0;
    bool is_last = merge->next == merge->count || merge->in_sequence;
    nanotime until = is_last ? INT64_MAX : merge->inputs[merge->next].first_time;
    size_t count =
        savefile_more(input->savefile, (struct run_wanted){until, before, room}, ret_run);
    if (count == 0)
        return 0;
    struct captured_packet *first = &ret_run->first;
    first->input = merge->open[0];
    first->standpoint = input->standpoint;
    first->input_packet = input->numbers + 1 + first->others;
    input->numbers += count + first->others;
    input_note_run(&input->seen, ret_run, count);
    return count;
}

void merge_stop(struct merge *merge)
{
    while (merge->open_count > 0)
        merge_close(merge, merge->open_count - 1);
}

uint64_t merge_bytes_read(const struct merge *merge)
{
    uint64_t bytes = merge->bytes_before;
    for (uint32_t at = 0; at < merge->open_count; at++)
        bytes += savefile_bytes_read(merge->inputs[merge->open[at]].savefile);
    return bytes;
}
