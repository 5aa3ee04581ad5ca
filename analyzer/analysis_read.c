/* analysis_read: the packets of an analysis, from opening the inputs to the last one. */
#include <unistd.h>

#include "analysis_parts.h"
#include "source/clock.h"

enum { PACKETS_A_LOOK = 256 }; /* of files, between looks whether a page is wanted */

bool run_is_live(const struct run *run)
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
        .link_type = options->link_type,
        .stamp_type = options->stamp_type,
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

enum status run_wait_for_signals(struct run *run)
{
    enum interrupt_kind kind = run_is_live(run) ? INTERRUPT_LIVE : INTERRUPT_SAVED;
    if (run->options->has_view)
        kind = INTERRUPT_SCREEN;
    run->interrupt.leave = live_view_abandon;
    run->interrupt.context = &run->view;
    enum status status = interrupt_begin(&run->interrupt, run->source, kind);
    run->has_interrupt = status == STATUS_OK;
    return status;
}

enum status run_begin_reading(struct run *run, uint64_t count, char *message)
{
    run->idle = idle_begin(run_is_live(run));
    input_places_restart(&run->places);
    run->packets = 0;
    enum status status = open_source(run, count, &run->source, message);
    if (status != STATUS_OK || run_is_live(run)) /* then rights go first: see go_live */
        return status;
    status = run_wait_for_signals(run);
    if (status == STATUS_OK)
        return STATUS_OK;
    source_free(run->source);
    run->source = NULL;
    return status;
}

void run_end_reading(struct run *run)
{
    if (run->source == NULL)
        return;
    if (run->has_interrupt)
        interrupt_end(&run->interrupt);
    run->has_interrupt = false;
    source_free(run->source);
    run->source = NULL;
}

bool run_wants(const struct options *options, nanotime moment)
{
    if (options->since != NANOTIME_UNKNOWN && time_is_before(moment, options->since))
        return false;
    return options->until == NANOTIME_UNKNOWN || time_is_before(moment, options->until);
}

/* Interfaces take turns at any packet: live no place is noted. */
static enum status note_place(struct run *run, const struct captured_packet *first)
{
    if (run_is_live(run))
        return STATUS_OK;
    if (run->options->tap_count > 0)
        return tap_set_note_place(&run->taps, run->tap, first);
    return input_places_note(&run->places, run->source, first);
}

/* A number for the place where a packet was seen, from 1. */
static uint32_t seen_on(const struct captured_packet *captured)
{
    enum { STANDPOINTS = 11 }; /* of files that overlap: more than are ever joined */
    return captured->standpoint + STANDPOINTS * captured->interface;
}

/* A packet as the analyzer takes it, and so all that others of its run have in common with it. */
static struct analyzer_packet packet_of(const struct captured_packet *captured)
{
    return (struct analyzer_packet){
        .data = captured->data,
        .captured = captured->captured,
        .length = captured->length,
        .time = captured->time,
        .link_type = captured->link_type,
        .number = captured->number,
        .lost = captured->lost,
        .seen_on = seen_on(captured),
    };
}

static void keep_in_spool(struct run *run, const struct captured_packet *first,
                          const struct captured *packet)
{
    struct captured_packet kept = *first;
    kept.data = packet->data;
    kept.captured = packet->captured;
    kept.length = packet->length;
    kept.time = packet->time;
    spool_keep(run->spool, &kept, packet->number);
}

/* The packets of the round that the options ask for; how many. */
static size_t choose(struct run *run, const struct packet_run *round, struct captured *ret_packets)
{
    size_t wanted = 0;
    for (size_t i = 0; i < round->count; i++) {
        const struct captured *packet = &round->packet[i];
        if (!run_wants(run->options, packet->time))
            continue;
        ret_packets[wanted++] = *packet;
        if (run->spool != NULL)
            keep_in_spool(run, &round->first, packet);
    }
    return wanted;
}

/* Up to which packet of the round those are read of which so many were taken. */
static size_t read_of(const struct run *run, const struct packet_run *round, size_t taken)
{
    size_t read = 0;
    while (taken > 0 && read < round->count)
        taken -= run_wants(run->options, round->packet[read++].time);
    return read;
}

/* Further taps have a way of their own, and tell themselves where they stand. */
static enum status take_of_tap(struct run *run, const struct packet_run *round)
{
    struct analyzer_packet packet = packet_of(&round->first);
    packet.tap = run->tap;
    packet.seen_on = 0;
    run->packets++;
    if (!run_wants(run->options, packet.time))
        return STATUS_OK;
    if (run->spool != NULL)
        spool_keep(run->spool, &round->first, packet.number);
    return analyzer_packet(run->analyzer, &packet);
}

/* Those of the round that the options ask for: nearly always all, and then none is copied. */
static enum status analyse_packets(struct run *run, const struct packet_run *round)
{
    struct captured chosen[PACKETS_A_RUN];
    const struct options *options = run->options;
    const bool all = options->since == NANOTIME_UNKNOWN && options->until == NANOTIME_UNKNOWN &&
                     run->spool == NULL;
    const struct captured *packets = all ? round->packet : chosen;
    const size_t wanted = all ? round->count : choose(run, round, chosen);
    size_t taken = 0;
    enum status status = STATUS_OK;
    struct analyzer_packet first = packet_of(&round->first);
    if (wanted > 0 && packets->number != first.number)
        first.lost = 0; /* before one that nobody wants */
    if (wanted > 0)
        status = analyzer_packets(run->analyzer, &first, packets, wanted, &taken);
    run->packets += taken < wanted ? read_of(run, round, taken) : round->count;
    return status;
}

/* Takes the packets, or as many as there is memory for. */
static enum status take_packets(struct run *run, const struct packet_run *round)
{
    enum status status = note_place(run, &round->first);
    if (status != STATUS_OK)
        return status;
    if (run->packets == 0)
        chain_check_order(&run->chain, round->first.time);
    idle_note_packet(&run->idle, round->latest);
    return run->options->tap_count > 0 ? take_of_tap(run, round) : analyse_packets(run, round);
}

/* How far the capture clock may go on while nothing comes. */
static nanotime reached_in_pause(struct run *run)
{
    return idle_capture_time(&run->idle, clock_now(CLOCK_REALTIME));
}

/* Nothing to read for a moment: deadlines may pass, and what is decided goes out. */
static enum status take_pause(struct run *run)
{
    nanotime reached = reached_in_pause(run);
    if (run_is_live(run))
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

/* Whether so many packets were read since that it is time to look again. */
static bool looks_again(const struct run *run, size_t since)
{
    return run->packets / PACKETS_A_LOOK != (run->packets - since) / PACKETS_A_LOOK;
}

/* Packets or a pause; with -U what a packet decides leaves with it, not with its batch. */
static enum status take(struct run *run, enum source_result result, const struct packet_run *round)
{
    if (result == SOURCE_IDLE)
        return take_pause(run);
    enum status status = take_packets(run, round);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (run_is_live(run) && upkeep_is_due(&run->upkeep)) /* a busy interface knows no pause */
        return upkeep_do(&run->upkeep, run->idle.last_packet, true);
    if (!run_is_live(run) && looks_again(run, round->count) && status == STATUS_OK)
        status = upkeep_pages(&run->upkeep);
    return run->options->flush ? analyzer_tick(run->analyzer, run->idle.last_packet) : status;
}

void run_flush(struct run *run)
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

/* The packets that are there, or the next one. */
static enum source_result next_round(struct run *run, struct packet_run *ret_round)
{
    bool alone = run->options->tap_count > 0 || run->options->flush;
    if (!alone && source_run(run->source, ret_round) > 0)
        return SOURCE_PACKET;
    struct captured_packet *first = &ret_round->first;
    enum source_result result = next_packet(run, first);
    if (result != SOURCE_PACKET)
        return result;
    ret_round->packet[0] = (struct captured){first->data, first->captured, first->length,
                                             first->time, first->number,   NULL};
    ret_round->count = 1;
    ret_round->earliest = ret_round->latest = first->time;
    return result;
}

static enum status read_packets(struct run *run)
{
    struct packet_run round;
    enum source_result result;
    while ((result = next_round(run, &round)) != SOURCE_END) {
        enum status status = take(run, result, &round);
        if (result == SOURCE_IDLE || run->options->flush)
            run_flush(run);
        if (!outputs_alive(run->outputs))
            return STATUS_OK;
        if (status == STATUS_NO_MEMORY)
            return status;
        serve_view(run);
        if (live_board_is_due(&run->board))
            live_board_do(&run->board);
        show_progress(run);
    }
    return STATUS_OK;
}

static void offer_aside(void *analyzer)
{
    analyzer_offer_aside(analyzer);
}

/* Threads that have nothing else to do read the file ahead. */
static void begin_reading_ahead(struct run *run)
{
    const struct source_foresight foresight = {
        .octets = analyzer_foreseen_octets(),
        .make = analyzer_foresee,
        .offer = offer_aside,
        .context = run->analyzer,
    };
    if (run_is_live(run) || run->options->tap_count > 0)
        return;
    if (analyzer_set_aside(run->analyzer, source_read_ahead, run->source))
        source_foresee(run->source, &foresight);
}

enum status run_read_all(struct run *run)
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
    run->view.is_live = run_is_live(run);
    run->board.analyzer = run->analyzer;
    run->board.source = run->source;
    bool has_bar = isatty(STDERR_FILENO) && !run->options->quiet && !run->options->has_view;
    run->progress = progress_begin(has_bar);
    begin_reading_ahead(run);
    enum status status = read_packets(run);
    analyzer_set_aside(run->analyzer, NULL, NULL);
    if (analyzer_settle(run->analyzer) == STATUS_NO_MEMORY)
        status = STATUS_NO_MEMORY;
    progress_end(&run->progress);
    return status;
}
