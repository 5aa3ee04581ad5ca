/* upkeep: see upkeep.h. */
#include "upkeep.h"

#include "messages.h"
#include "source/clock.h"

_Static_assert(OPTIONS_INTERFACES <= 64, "ended has a bit for each");

/* A record waits at most this long for others to go with it. */
static const nanotime interval = INT64_C(200) * NANO_PER_MILLI;

void upkeep_begin(struct upkeep *upkeep)
{
    upkeep->done = upkeep->stats_done = clock_now(CLOCK_MONOTONIC);
    upkeep->looked = 0; /* interfaces were open before */
}

bool upkeep_is_due(const struct upkeep *upkeep)
{
    return time_since(clock_now(CLOCK_MONOTONIC_COARSE), upkeep->done) >= interval;
}

static bool is_live(const struct upkeep *upkeep)
{
    return upkeep->options->interface_count > 0;
}

/* A stats record: for all outputs, or for pages alone. */
static enum status write_stats(struct upkeep *upkeep, bool for_all)
{
    struct analyzer_inputs inputs = {
        .now = is_live(upkeep) ? clock_now(CLOCK_REALTIME) : 0,
        .lag_known = is_live(upkeep),
        .lag = upkeep->lag,
    };
    outputs_choose_stats(upkeep->outputs, for_all);
    inputs.drops_known = source_drops(upkeep->source, &inputs.drops_received, &inputs.drops_kernel,
                                      &inputs.drops_interface);
    return analyzer_stats(upkeep->analyzer, &inputs);
}

/*
 * Drops since the last look are told before the packets around them are analysed.  Looking takes
 * its time, and a packet is dropped meanwhile: what one look covers begins before the one before
 * was made.
 */
static void look_for_drops(struct upkeep *upkeep)
{
    uint64_t received, kernel, interface;
    nanotime before = clock_now(CLOCK_REALTIME);
    if (!source_drops(upkeep->source, &received, &kernel, &interface))
        return;
    if (kernel > upkeep->dropped)
        analyzer_note_drops(upkeep->analyzer, kernel - upkeep->dropped, upkeep->looked,
                            clock_now(CLOCK_REALTIME));
    upkeep->dropped = kernel; /* an interface drops frames of foreign protocols, too */
    upkeep->looked = before;
}

/* An interface that is gone is told when it goes: the report may be weeks away. */
static void say_what_ended(struct upkeep *upkeep)
{
    size_t count = source_input_count(upkeep->source);
    source_note_ended(upkeep->source);
    for (size_t i = 0; count > 1 && i < count; i++) {
        const struct source_input *input = source_input(upkeep->source, i);
        uint64_t bit = UINT64_C(1) << i;
        if (!input->damaged || (upkeep->ended & bit) != 0)
            continue;
        upkeep->ended |= bit;
        message_print("%s: %s; the other interfaces go on", input->name, input->problem);
    }
}

static bool stats_are_due(struct upkeep *upkeep)
{
    nanotime wanted = (nanotime)upkeep->options->stats_interval * NANO_PER_SECOND;
    if (wanted == 0 || time_since(upkeep->done, upkeep->stats_done) < wanted)
        return false;
    upkeep->stats_done = time_after(upkeep->stats_done, wanted);
    if (time_since(upkeep->done, upkeep->stats_done) >= wanted) /* it was held up: no backlog */
        upkeep->stats_done = upkeep->done;
    return true;
}

/* What signals asked for. */
static enum status answer_signals(struct upkeep *upkeep)
{
    enum status status = STATUS_OK;
    if (atomic_exchange(&upkeep->interrupt->snapshot, false)) {
        status = analyzer_snapshot(upkeep->analyzer);
        if (status == STATUS_OK)
            status = write_stats(upkeep, true);
    }
    if (atomic_exchange(&upkeep->interrupt->hang_up, false)) {
        const struct sink *sink = outputs_sink(upkeep->outputs);
        if (sink->ops->flush != NULL)
            sink->ops->flush(outputs_sink(upkeep->outputs));
        outputs_reopen(upkeep->outputs);
    }
    return status;
}

static enum status worse_of(enum status a, enum status b)
{
    return a != STATUS_OK ? a : b;
}

enum status upkeep_pages(struct upkeep *upkeep)
{
    return outputs_want_page(upkeep->outputs) ? write_stats(upkeep, false) : STATUS_OK;
}

enum status upkeep_last_pages(struct upkeep *upkeep)
{
    return outputs_have_pages(upkeep->outputs) ? write_stats(upkeep, false) : STATUS_OK;
}

enum status upkeep_do(struct upkeep *upkeep, nanotime reached, bool busy)
{
    struct sink *sink = outputs_sink(upkeep->outputs);
    enum status status = STATUS_OK;
    upkeep->done = clock_now(CLOCK_MONOTONIC);
    look_for_drops(upkeep);
    say_what_ended(upkeep);
    if (reached != NANOTIME_UNKNOWN)
        status = analyzer_tick(upkeep->analyzer, reached);
    upkeep->lag = busy ? time_later_of(0, time_since(clock_now(CLOCK_REALTIME), reached)) : 0;
    status = worse_of(status, answer_signals(upkeep));
    if (stats_are_due(upkeep))
        status = worse_of(status, write_stats(upkeep, true));
    else
        status = worse_of(status, upkeep_pages(upkeep));
    if (sink->ops->flush != NULL)
        sink->ops->flush(sink);
    outputs_tick(upkeep->outputs);
    service_sign(upkeep->service, upkeep->done, source_progress(upkeep->source).packets);
    return status;
}
