/* run: see run.h. */
#include "run.h"

#include <string.h>

#include "../../analyzer/sink/sinks.h"
#include "claim.h"
#include "likeness.h"
#include "schema_check.h"

/*
 * The most events that a packet can cause, those of deadlines and of hosts included.  A segment can
 * open a connection, end another on its tuple, and answer a question about each; what waits for
 * a deadline is told once a connection, and a connection takes a packet.
 */
enum { EVENTS_PER_PACKET = 8 };

/* The tuple of the packet that is looked at stays, however little room there is: what it holds, in
 * each engine. */
enum { BUSY = 16384 };

/* A sink before the one that writes: it counts, and keeps what it is told at the end. */
struct witness {
    struct sink sink; /* first: it is a sink */
    struct sink_ops ops;
    struct sink *next;
    uint32_t threads;             /* an engine each */
    uint64_t events, between;     /* of events: those of taps that are more than possible */
    uint64_t packets, told, lost; /* lost: evicted, or dropped for want of memory */
};

void packets_add(struct packets *packets, const struct analyzer_packet *packet)
{
    if (packets->count == packets->room) {
        packets->room = 2 * packets->room + 16;
        packets->packet = realloc(packets->packet, packets->room * sizeof *packets->packet);
        CLAIM(packets->packet != NULL, "no memory");
    }
    uint8_t *octets = malloc(packet->captured > 0 ? packet->captured : 1);
    CLAIM(octets != NULL, "no memory");
    memcpy(octets, packet->data, packet->captured);
    packets->packet[packets->count] = *packet;
    packets->packet[packets->count++].data = octets;
}

void packets_clear(struct packets *packets)
{
    for (size_t i = 0; i < packets->count; i++)
        free((void *)packets->packet[i].data);
    free(packets->packet);
    *packets = (struct packets){0};
}

static enum status witness_flow(struct sink *sink, const struct flow_record *flow)
{
    struct witness *witness = (struct witness *)sink;
    return witness->next->ops->flow(witness->next, flow);
}

static enum status witness_event(struct sink *sink, const struct event_record *event)
{
    struct witness *witness = (struct witness *)sink;
    witness->events++;
    witness->between += strstr(event_row(event->id)->id, "_between_taps") != NULL &&
                        event->confidence > CONFIDENCE_POSSIBLE;
    return witness->next->ops->event(witness->next, event);
}

static enum status witness_transition(struct sink *sink, const struct transition_record *transition)
{
    struct witness *witness = (struct witness *)sink;
    return witness->next->ops->transition(witness->next, transition);
}

static enum status witness_segment(struct sink *sink, const struct segment_record *segment)
{
    struct witness *witness = (struct witness *)sink;
    return witness->next->ops->segment(witness->next, segment);
}

static enum status witness_host(struct sink *sink, const struct host_record *host)
{
    struct witness *witness = (struct witness *)sink;
    return witness->next->ops->host(witness->next, host);
}

static enum status witness_path(struct sink *sink, const struct path_record *path)
{
    struct witness *witness = (struct witness *)sink;
    return witness->next->ops->path(witness->next, path);
}

/* Asked for at every tick and at the end. */
static enum status witness_stats(struct sink *sink, const struct stats_record *stats)
{
    const struct witness *witness = (const struct witness *)sink;
    uint64_t busy = (uint64_t)BUSY * witness->threads;
    CLAIM(stats->memory <= stats->memory_limit + busy, "%llu octets of %llu",
          (unsigned long long)stats->memory, (unsigned long long)stats->memory_limit);
    return STATUS_OK;
}

static enum status witness_finish(struct sink *sink, const struct run_summary *summary)
{
    struct witness *witness = (struct witness *)sink;
    witness->packets = summary->packets;
    witness->told = summary->segments + summary->copies;
    for (uint32_t i = 0; i < summary->skipped_count; i++)
        witness->told += summary->skipped[i].count;
    witness->lost = summary->evictions + summary->tombstones_evicted + summary->events_dropped;
    return witness->next->ops->finish(witness->next, summary);
}

static void witness_init(struct witness *witness, const struct run_options *options,
                         const struct tap_names *taps, FILE *stream)
{
    struct sink_options written = {
        .version = "0",
        .segments = options->segments,
        .transitions = options->transitions,
        .taps = options->tap_count > 0 ? taps : NULL,
    };
    CLAIM(sink_ndjson_new(&written, stream, &witness->next) == STATUS_OK, "no memory");
    witness->ops = (struct sink_ops){
        .flow = witness_flow,
        .event = witness_event,
        .transition = options->transitions ? witness_transition : NULL,
        .segment = options->segments ? witness_segment : NULL,
        .host = witness_host,
        .path = witness_path,
        .stats = witness_stats,
        .finish = witness_finish,
    };
    witness->sink.ops = &witness->ops;
}

/* Those of the first tap, which the states are deduced from. */
static size_t count_first(const struct packets *packets)
{
    size_t count = 0;
    for (size_t i = 0; i < packets->count; i++)
        count += packets->packet[i].tap == 0;
    return count;
}

static void claim_told(const struct run_options *options, const struct witness *witness,
                       const struct packets *given)
{
    size_t packets = count_first(given);
    CLAIM(witness->packets == packets, "%llu of %zu packets", (unsigned long long)witness->packets,
          packets);
    CLAIM(options->parts ? witness->told >= packets : witness->told == packets,
          "%llu of %zu packets counted", (unsigned long long)witness->told, packets);
    uint64_t seen = witness->told + given->count - packets;
    CLAIM(witness->events <= EVENTS_PER_PACKET * seen, "%llu events of %llu",
          (unsigned long long)witness->events, (unsigned long long)seen);
    CLAIM(!options->untouched || witness->between == 0, "%llu events between the taps",
          (unsigned long long)witness->between);
}

char *run(const struct run_options *options, uint32_t threads, uint32_t tick_every,
          const struct packets *packets, uint64_t *ret_lost)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    struct witness witness = {.threads = threads};
    struct analyzer *analyzer;
    static const struct input_spans whole = {NULL, 0, 0}; /* a tap's capture is one file */
    const struct input_spans *const spans[] = {&whole, &whole};
    const struct tap_names taps = {options->taps, spans, options->tap_count};
    CLAIM(stream != NULL, "no memory");
    CLAIM(options->tap_count <= sizeof spans / sizeof spans[0], "%u taps", options->tap_count);
    witness_init(&witness, options, &taps, stream);
    struct analyzer_options chosen = {
        .config = options->config,
        .segments = options->segments,
        .transitions = options->transitions,
        .sink = &witness.sink,
        .taps = options->taps,
        .tap_count = options->tap_count,
    };
    chosen.config.threads = threads;
    CLAIM(analyzer_new(&chosen, &analyzer) == STATUS_OK, "no memory");
    struct analyzer_inputs inputs = {.now = 0};
    for (size_t i = 0; i < packets->count; i++) {
        CLAIM(analyzer_packet(analyzer, &packets->packet[i]) == STATUS_OK, "packet %zu", i);
        if (tick_every == 0 || i % tick_every != 0)
            continue;
        CLAIM(analyzer_tick(analyzer, 0) == STATUS_OK, "tick after packet %zu", i);
        CLAIM(analyzer_stats(analyzer, &inputs) == STATUS_OK, "statistics after packet %zu", i);
    }
    for (uint32_t tap = 0; tap < options->tap_count; tap++)
        analyzer_tap_end(analyzer, tap);
    CLAIM(analyzer_stats(analyzer, &inputs) == STATUS_OK, "statistics");
    CLAIM(analyzer_finish(analyzer, &inputs) == STATUS_OK, "the end");
    analyzer_free(analyzer);
    witness.next->ops->free(witness.next);
    fclose(stream);
    claim_told(options, &witness, packets);
    *ret_lost = witness.lost;
    return text;
}

/* A target is called without any context, and reading the schema takes longer than most inputs. */
static struct schema *schema;

static void claim_schema(const char *text)
{
    if (schema == NULL)
        schema = schema_new();
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        CLAIM(text[length] == '\n', "half a line: %s", text);
        schema_claim_line(schema, text, length);
        text += length + 1;
    }
}

void run_claim_same(const char *one, const char *other, const char *how)
{
    enum { BEFORE = 40 };
    size_t at = 0, line = 1;
    for (; one[at] != '\0' && one[at] == other[at]; at++)
        line += one[at] == '\n';
    size_t from = at < BEFORE ? 0 : at - BEFORE;
    CLAIM(one[at] == other[at], "line %zu %s:\n%.200s\n%.200s", line, how, one + from,
          other + from);
}

void run_claim(const struct run_options *options, const struct packets *packets)
{
    uint64_t lost[2];
    char *one = run(options, 1, 0, packets, &lost[0]);
    char *other = run(options, options->threads, options->tick_every, packets, &lost[1]);
    if (lost[0] == 0 && lost[1] == 0)
        run_claim_same(one, other, "with 1 and with several threads");
    if (options->schema)
        claim_schema(one);
    free(one);
    free(other);
}

void run_claim_likeness(const struct run_options *options, const struct packets *packets,
                        const struct packets *shifted)
{
    uint64_t lost[2];
    char *one = run(options, 1, 0, packets, &lost[0]);
    char *other = run(options, 1, 0, shifted, &lost[1]);
    if (lost[0] == 0 && lost[1] == 0)
        likeness_claim(one, other);
    free(one);
    free(other);
}
