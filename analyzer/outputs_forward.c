/*
 * outputs_forward: the operations of the sink that stands for all outputs: each hands its record to
 * every output that still works and takes such records.
 */
#include <string.h>

#include "outputs_parts.h"
#include "page_output.h"

static enum status status_of_all(const struct outputs *outputs)
{
    return outputs_alive(outputs) ? STATUS_OK : outputs->destinations[0].status;
}

/* The live views are shown hosts and statistics when they ask for them (analyzer_look). */
static bool looks_for_itself(const struct destination *destination)
{
    return destination->kind == OUTPUT_TOP || destination->kind == OUTPUT_HTTP;
}

/* One forwarding function a kind of record; all do the same with another member of the vtable. */
static enum status forward_flow(struct sink *sink, const struct flow_record *flow)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->flow != NULL)
            destination_note(to, to->sink->ops->flow(to->sink, flow));
    }
    return status_of_all(outputs);
}

static enum status forward_plain(struct sink *sink, const struct plain_flow *plain)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->plain != NULL)
            destination_note(to, to->sink->ops->plain(to->sink, plain));
    }
    return status_of_all(outputs);
}

/* Whether no output needs more of an ordinary flow.  Of several that would have its text one alone
 * gets it. */
static bool all_take_plain(const struct outputs *outputs)
{
    size_t spellers = 0;
    for (size_t i = 0; i < outputs->count; i++) {
        const struct sink_ops *ops = outputs->destinations[i].sink->ops;
        if (ops->flow != NULL && ops->plain == NULL)
            return false;
        spellers += ops->speller != NULL;
    }
    return spellers <= 1;
}

/* Of the first that has one. */
static struct speller *forward_speller(struct sink *sink)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct sink *to = outputs->destinations[i].sink;
        if (to->ops->speller != NULL)
            return to->ops->speller(to);
    }
    return NULL;
}

static enum status forward_event(struct sink *sink, const struct event_record *event)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->event != NULL)
            destination_note(to, to->sink->ops->event(to->sink, event));
    }
    return status_of_all(outputs);
}

static enum status forward_transition(struct sink *sink, const struct transition_record *transition)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->transition != NULL)
            destination_note(to, to->sink->ops->transition(to->sink, transition));
    }
    return status_of_all(outputs);
}

static enum status forward_delta(struct sink *sink, const struct delta *delta)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->delta != NULL)
            destination_note(to, to->sink->ops->delta(to->sink, delta));
    }
    return status_of_all(outputs);
}

static enum status forward_host(struct sink *sink, const struct host_record *host)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && !looks_for_itself(to) && to->sink->ops->host != NULL)
            destination_note(to, to->sink->ops->host(to->sink, host));
    }
    return status_of_all(outputs);
}

static enum status forward_path(struct sink *sink, const struct path_record *path)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->path != NULL)
            destination_note(to, to->sink->ops->path(to->sink, path));
    }
    return status_of_all(outputs);
}

static bool wants_segments_of(const struct outputs *outputs, uint64_t flow_uid)
{
    if (outputs->options->segments == CHOICE_ONE)
        return flow_uid == outputs->options->segments_uid;
    return outputs->concerned == NULL || sink_concerned_has(outputs->concerned, flow_uid);
}

static enum status forward_segment(struct sink *sink, const struct segment_record *segment)
{
    struct outputs *outputs = (struct outputs *)sink;
    bool wanted = wants_segments_of(outputs, segment->who.flow_uid);
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        /* These choose for themselves. */
        bool draws = to->kind == OUTPUT_LADDER || to->kind == OUTPUT_SVG ||
                     to->kind == OUTPUT_HTML || looks_for_itself(to);
        if (to->status == STATUS_OK && to->sink->ops->segment != NULL && (wanted || draws))
            destination_note(to, to->sink->ops->segment(to->sink, segment));
    }
    return status_of_all(outputs);
}

static enum status forward_stats(struct sink *sink, const struct stats_record *stats)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status != STATUS_OK || to->sink->ops->stats == NULL || looks_for_itself(to) ||
            (to->page == NULL && !outputs->stats_for_all))
            continue;
        destination_note(to, to->sink->ops->stats(to->sink, stats));
        if (to->page != NULL)
            page_output_note_page(to->page);
    }
    return status_of_all(outputs);
}

static enum status forward_tape(struct sink *sink, const struct tape_record *tape)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->tape != NULL)
            destination_note(to, to->sink->ops->tape(to->sink, tape));
    }
    return status_of_all(outputs);
}

static enum status forward_settle(struct sink *sink)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->settle != NULL)
            destination_note(to, to->sink->ops->settle(to->sink));
    }
    return status_of_all(outputs);
}

static enum status forward_flush(struct sink *sink)
{
    struct outputs *outputs = (struct outputs *)sink;
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->flush != NULL)
            destination_note(to, to->sink->ops->flush(to->sink));
    }
    return status_of_all(outputs);
}

/* --fail-on, from the counts of the whole run: what outputs leave out does not matter. */
static bool is_match(const struct options *options, const struct run_summary *summary)
{
    uint64_t found = 0;
    if (options->fail_event != EVENT_IDS)
        found += summary->events_by_id[options->fail_event];
    for (enum event_id id = 0; options->fail_family != NULL && id < EVENT_IDS; id++) {
        if (strcmp(event_row(id)->family, options->fail_family) == 0)
            found += summary->events_by_id[id];
    }
    for (enum level level = options->fail_level; level != 0 && level <= LEVEL_ERROR; level++)
        found += summary->events_by_level[level];
    return found > 0;
}

static enum status forward_finish(struct sink *sink, const struct run_summary *summary)
{
    struct outputs *outputs = (struct outputs *)sink;
    outputs->matched = is_match(outputs->options, summary);
    for (size_t i = 0; i < outputs->count; i++) {
        struct destination *to = &outputs->destinations[i];
        if (to->status == STATUS_OK && to->sink->ops->finish != NULL)
            destination_note(to, to->sink->ops->finish(to->sink, summary));
    }
    return status_of_all(outputs);
}

static void forward_free(struct sink *sink)
{
    (void)sink; /* outputs_free does it */
}

/* Wants the records that some sink wants, so that the engine need not make the others. */
void outputs_forward(struct outputs *outputs)
{
    outputs->ops =
        (struct sink_ops){.flush = forward_flush, .finish = forward_finish, .free = forward_free};
    for (size_t i = 0; i < outputs->count; i++) {
        const struct sink_ops *ops = outputs->destinations[i].sink->ops;
        if (ops->flow != NULL)
            outputs->ops.flow = forward_flow;
        if (ops->speller != NULL)
            outputs->ops.speller = forward_speller;
        if (ops->settle != NULL)
            outputs->ops.settle = forward_settle;
        if (ops->event != NULL)
            outputs->ops.event = forward_event;
        if (ops->transition != NULL)
            outputs->ops.transition = forward_transition;
        if (ops->segment != NULL)
            outputs->ops.segment = forward_segment;
        if (ops->delta != NULL)
            outputs->ops.delta = forward_delta;
        if (ops->host != NULL)
            outputs->ops.host = forward_host;
        if (ops->path != NULL)
            outputs->ops.path = forward_path;
        if (ops->stats != NULL)
            outputs->ops.stats = forward_stats;
        if (ops->tape != NULL)
            outputs->ops.tape = forward_tape;
    }
    if (outputs->ops.flow != NULL && all_take_plain(outputs))
        outputs->ops.plain = forward_plain;
    outputs->sink.ops = &outputs->ops;
}
