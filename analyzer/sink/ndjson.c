/* ndjson: every record a line as it comes, the summary last. */
#include <stdlib.h>

#include "../event/dwell.h"
#include "../event/told.h"
#include "deltas.h"
#include "output.h"
#include "record_writer.h"
#include "run_view.h"
#include "selection.h"

struct ndjson {
    struct sink sink;
    struct sink_ops ops; /* transition, segment and delta only when asked for */
    struct sink_options options;
    struct output output;
    struct record_writer writer;
    struct dwell *dwell;
    struct deltas deltas; /* of a piece */
};

static enum status write_record(struct ndjson *ndjson, const struct field_table *table,
                                const void *record)
{
    struct printbuf *line = output_begin_line(&ndjson->output);
    if (!line)
        return ndjson->output.status;
    if (!record_writer_append(&ndjson->writer, table, record, line))
        return STATUS_NO_MEMORY;
    return output_end_line(&ndjson->output);
}

/* Writes the deltas gathered so far; with room for another, only if asked to. */
static enum status write_deltas(struct ndjson *ndjson, bool all)
{
    if (ndjson->deltas.record.items == 0 || !(all || deltas_are_full(&ndjson->deltas)))
        return STATUS_OK;
    enum status status = write_record(ndjson, &deltas_table, &ndjson->deltas.record);
    deltas_begin(&ndjson->deltas);
    return status;
}

static enum status ndjson_delta(struct sink *sink, const struct delta *delta)
{
    struct ndjson *ndjson = (struct ndjson *)sink;
    deltas_add(&ndjson->deltas, delta);
    return write_deltas(ndjson, false);
}

static enum status add_flow(struct ndjson *ndjson, const struct flow_record *flow)
{
    struct closed_flow closed;
    if (!ndjson->options.piece || !told_closed_flow(flow, &closed))
        return STATUS_OK;
    deltas_add_flow(&ndjson->deltas, &closed, flow->end);
    return write_deltas(ndjson, false);
}

static enum status write_spelled(struct ndjson *ndjson, const struct spelled *spelled)
{
    if (spelled->is_line)
        return output_lend_line(&ndjson->output, spelled->text, spelled->length);
    return output_write_line(&ndjson->output, spelled->text, spelled->length);
}

/* Made ahead by the thread that made the record, or now. */
static enum status write_flow(struct ndjson *ndjson, const struct flow_record *flow)
{
    const struct spelled *spelled = flow->spelled;
    if (spelled == NULL || spelled->reader != &ndjson->sink)
        return write_record(ndjson, &flow_table, flow);
    return write_spelled(ndjson, spelled);
}

static enum status ndjson_flow(struct sink *sink, const struct flow_record *flow)
{
    struct ndjson *ndjson = (struct ndjson *)sink;
    enum status status = dwell_add_flow(ndjson->dwell, flow);
    if (status == STATUS_OK)
        status = add_flow(ndjson, flow);
    if (status != STATUS_OK || !selection_wants_flow(&ndjson->options, FLOWS_ALL, flow))
        return status;
    return write_flow(ndjson, flow);
}

static enum status ndjson_plain(struct sink *sink, const struct plain_flow *plain)
{
    struct ndjson *ndjson = (struct ndjson *)sink;
    enum status status = dwell_add_stays(ndjson->dwell, plain->flow.stay, plain->flow.stays);
    if (status != STATUS_OK || plain->spelled.text == NULL)
        return status;
    return write_spelled(ndjson, &plain->spelled);
}

struct flow_speller {
    struct speller speller; /* first: it is one */
    const struct sink *reader;
    struct sink_options options;
    struct record_writer writer;
};

static bool spell_flow(struct speller *speller, const struct flow_record *flow,
                       struct spelled_room room, struct spelled *ret_spelled)
{
    struct flow_speller *own = (struct flow_speller *)speller;
    *ret_spelled = (struct spelled){.reader = own->reader};
    if (!selection_wants_flow(&own->options, FLOWS_ALL, flow))
        return true;
    size_t length = record_writer_fill(&own->writer, &flow_table, flow, room);
    if (length == 0) {
        ret_spelled->text =
            record_writer_write(&own->writer, &flow_table, flow, &ret_spelled->length);
        return ret_spelled->text != NULL;
    }
    room.begin[length] = '\n'; /* where the NUL stood */
    ret_spelled->text = room.begin;
    ret_spelled->length = length + 1;
    ret_spelled->is_line = true;
    return true;
}

static void speller_free(struct speller *speller)
{
    struct flow_speller *own = (struct flow_speller *)speller;
    if (own == NULL)
        return;
    record_writer_clear(&own->writer);
    free(own);
}

/* None where the text names the file of a packet: the list of files grows meanwhile.  Without one,
 * ordinary flows need their records. */
static struct speller *ndjson_speller(struct sink *sink)
{
    static const struct speller_ops ops = {.flow = spell_flow, .free = speller_free};
    const struct ndjson *ndjson = (const struct ndjson *)sink;
    struct flow_speller *speller = calloc(1, sizeof(*speller));
    if (speller == NULL)
        return NULL;
    speller->speller.ops = &ops;
    speller->reader = sink;
    speller->options = ndjson->options;
    if (record_writer_init(&speller->writer, &speller->options) == STATUS_OK)
        return &speller->speller;
    free(speller);
    return NULL;
}

static enum status ndjson_event(struct sink *sink, const struct event_record *event)
{
    struct ndjson *ndjson = (struct ndjson *)sink;
    if (!selection_wants_event(&ndjson->options, LEVEL_INFO, event))
        return STATUS_OK;
    return write_record(ndjson, &event_table, event);
}

static enum status ndjson_transition(struct sink *sink, const struct transition_record *transition)
{
    return write_record((struct ndjson *)sink, &transition_table, transition);
}

static enum status ndjson_segment(struct sink *sink, const struct segment_record *segment)
{
    return write_record((struct ndjson *)sink, &segment_table, segment);
}

static enum status ndjson_host(struct sink *sink, const struct host_record *host)
{
    return write_record((struct ndjson *)sink, &host_table, host);
}

static enum status ndjson_path(struct sink *sink, const struct path_record *path)
{
    return write_record((struct ndjson *)sink, &path_table, path);
}

static enum status ndjson_stats(struct sink *sink, const struct stats_record *stats)
{
    return write_record((struct ndjson *)sink, &stats_table, stats);
}

static enum status ndjson_tape(struct sink *sink, const struct tape_record *tape)
{
    return write_record((struct ndjson *)sink, &tape_table, tape);
}

static enum status ndjson_settle(struct sink *sink)
{
    return output_settle(&((struct ndjson *)sink)->output);
}

static enum status ndjson_flush(struct sink *sink)
{
    return output_flush(&((struct ndjson *)sink)->output);
}

static enum status ndjson_finish(struct sink *sink, const struct run_summary *summary)
{
    struct ndjson *ndjson = (struct ndjson *)sink;
    struct run_view view = run_view_make(ndjson->options.version, summary, ndjson->dwell);
    enum status status = write_deltas(ndjson, true);
    if (status == STATUS_OK)
        status = write_record(ndjson, &summary_table, &view);
    return status == STATUS_OK ? output_flush(&ndjson->output) : status;
}

static bool ndjson_carry(struct sink *sink, enum sink_part part, struct carry *carry)
{
    if (part != SINK_DWELL)
        return false;
    dwell_carry(carry, ((struct ndjson *)sink)->dwell);
    return true;
}

static void ndjson_free(struct sink *sink)
{
    struct ndjson *ndjson = (struct ndjson *)sink;
    if (!ndjson)
        return;
    output_clear(&ndjson->output);
    deltas_clear(&ndjson->deltas);
    record_writer_clear(&ndjson->writer);
    dwell_free(ndjson->dwell);
    free(ndjson);
}

enum status sink_ndjson_count(struct sink *sink, const struct flow_record *flow)
{
    return dwell_add_flow(((struct ndjson *)sink)->dwell, flow);
}

static bool is_ascii(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && (unsigned char)text[at] < 0x7f)
        at++;
    return at == length;
}

/* json-c does not escape what a terminal would obey beyond ASCII. */
enum status sink_ndjson_pass(struct sink *sink, const char *text, size_t length)
{
    struct output *output = &((struct ndjson *)sink)->output;
    if (is_ascii(text, length))
        return output_write_line(output, text, length);
    struct json_writer writer;
    struct printbuf *buffer = printbuf_new();
    if (buffer == NULL)
        return STATUS_NO_MEMORY;
    json_writer_init(&writer, false);
    json_writer_begin(&writer, buffer);
    json_put_spelled(&writer, text, length);
    int spelled = json_writer_end(&writer);
    enum status status =
        spelled < 0 ? STATUS_NO_MEMORY : output_write_line(output, buffer->buf, (size_t)spelled);
    printbuf_free(buffer);
    return status;
}

enum status sink_ndjson_new(const struct sink_options *options, FILE *stream,
                            struct sink **ret_sink)
{
    struct ndjson *ndjson = calloc(1, sizeof(*ndjson));
    if (!ndjson)
        return STATUS_NO_MEMORY;
    ndjson->ops = (struct sink_ops){
        .flow = ndjson_flow,
        .plain = options->inputs == NULL && !options->piece ? ndjson_plain : NULL,
        .speller = options->inputs == NULL ? ndjson_speller : NULL,
        .event = ndjson_event,
        .transition = options->transitions ? ndjson_transition : NULL,
        .segment = options->segments ? ndjson_segment : NULL,
        .delta = options->piece ? ndjson_delta : NULL,
        .host = ndjson_host,
        .path = ndjson_path,
        .stats = ndjson_stats,
        .tape = ndjson_tape,
        .settle = ndjson_settle,
        .flush = ndjson_flush,
        .finish = ndjson_finish,
        .carry = ndjson_carry,
        .free = ndjson_free,
    };
    ndjson->sink.ops = &ndjson->ops;
    ndjson->options = *options;
    ndjson->dwell = dwell_new(DWELL_EXACT);
    enum status status = record_writer_init(&ndjson->writer, options);
    if (status == STATUS_OK)
        status = output_init(&ndjson->output, stream);
    if (status == STATUS_OK && options->piece)
        status = deltas_init(&ndjson->deltas);
    if (status == STATUS_OK && options->empties)
        output_empty(&ndjson->output);
    if (status == STATUS_OK && options->aside)
        output_write_aside(&ndjson->output);
    if (status != STATUS_OK || !ndjson->dwell) {
        ndjson_free(&ndjson->sink);
        return STATUS_NO_MEMORY;
    }
    *ret_sink = &ndjson->sink;
    return STATUS_OK;
}
