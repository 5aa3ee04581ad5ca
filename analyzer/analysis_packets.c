/*
 * analysis_packets: what -w asks for, after the records: the packets again, from the files or from
 * the spool.
 */
#include "analysis_parts.h"
#include "messages.h"
#include "problem_packets.h"

/* How reading again goes: as far as the first time, with what went wrong. */
struct again {
    struct run *run;
    uint64_t count; /* packets that were read the first time */
    char *message;
};

static enum status rewind_files(void *context)
{
    struct again *again = context;
    run_end_reading(again->run);
    return run_begin_reading(again->run, again->count, again->message);
}

static bool next_of_files(void *context, struct captured_packet *ret_packet, uint64_t *ret_number)
{
    struct run *run = ((struct again *)context)->run;
    enum source_result result;
    while ((result = source_next(run->source, ret_packet)) != SOURCE_END) {
        if (result != SOURCE_PACKET)
            continue;
        *ret_number = ret_packet->number;
        if (run_wants(run->options, ret_packet->time))
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

void run_write_packets(struct run *run)
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
