/*
 * source: the packets of the inputs (source_open.c), the filter over them, the count that ends
 * them.
 */
#include "source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahead.h"
#include "filter.h"
#include "live.h"
#include "reader.h"
#include "source_parts.h"

enum { PATIENCE_MS = 100 }; /* for a directory that is idle, or a file that has not begun */

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

void source_foresee(struct source *source, const struct source_foresight *foresight)
{
    ahead_allow(source->ahead, foresight);
}

bool source_read_ahead(void *context)
{
    struct source *source = context;
    return ahead_do(source->ahead);
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
    ahead_free(source->ahead);
    live_free(source->live);
    filter_free(source->filter);
    if (source->break_fd >= 0)
        close(source->break_fd);
    free(source);
}
