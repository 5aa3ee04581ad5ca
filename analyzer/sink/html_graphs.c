/* html_graphs: one pass over the ladders for each level of problems, until the room is used up. */
#include "html_graphs.h"

#include <stdlib.h>
#include <string.h>

#include "json_writer.h"
#include "markup.h"

enum {
    ROWS_ALL = 60000, /* some 50 octets each */
    ROWS_ONE = 2000,  /* of one connection */
    NOTES_ONE = 200,
    SPELLED_ONE = 256, /* the longest row */
    FLAG_ACK = 0x10,
    FLAGS_TELLING = 0x07 /* FIN, SYN and RST are never thinned out first */
};

/* A connection being written. */
struct graph {
    const struct ladder *ladder;
    const struct ladder_life *life;
    uint32_t index;                  /* of the life */
    size_t telling, quiet;           /* segments by whether they may be thinned out first */
    uint64_t folded;                 /* more that the book did not keep */
    size_t each_telling, each_quiet; /* every how many of them is written */
};

struct block {
    struct json_writer writer;
    struct printbuf *buffer;
    struct output *output;
    size_t rows;
    bool begun;
};

static int compare_uids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static bool is_in_page(const struct html_graphs *graphs, uint64_t uid)
{
    return graphs->uid_count > 0 && bsearch(&uid, graphs->uids, graphs->uid_count,
                                            sizeof *graphs->uids, compare_uids) != NULL;
}

static bool is_telling(const struct ladder_segment *segment)
{
    return segment->verdict != VERDICT_NEW || (segment->flags & FLAGS_TELLING) != 0;
}

/* Every how many of count leave at most room. */
static size_t thin_to(size_t count, size_t room)
{
    return room == 0 ? count + 1 : (count + room - 1) / room;
}

static struct graph measure(const struct ladder *ladder, uint32_t index)
{
    struct graph graph = {.ladder = ladder, .life = &ladder->lives[index], .index = index};
    for (size_t i = 0; i < ladder->segment_count; i++) {
        const struct ladder_segment *segment = &ladder->segments[i];
        if (segment->life != index || ladder_tap(segment->packet) > 0)
            continue;
        graph.folded += segment->folded;
        if (is_telling(segment))
            graph.telling++;
        else
            graph.quiet++;
    }
    graph.each_telling = thin_to(graph.telling, ROWS_ONE);
    size_t left = graph.each_telling > 1 ? 0 : ROWS_ONE - graph.telling;
    graph.each_quiet = thin_to(graph.quiet, left);
    return graph;
}

static void put_text(struct json_writer *writer, const char *text)
{
    json_put_raw(writer, text, strlen(text));
}

static void put_row(struct json_writer *writer, const struct graph *graph,
                    const struct ladder_segment *segment, nanotime start)
{
    char *out = json_writer_reserve(writer, SPELLED_ONE);
    if (out == NULL)
        return;
    unsigned flags = segment->flags;
    flags |= segment->seq_known ? 0 : GRAPH_SEQ_ABSOLUTE;
    flags |= segment->ack_known ? 0 : GRAPH_ACK_ABSOLUTE;
    const uint64_t numbers[] = {segment->from ^ (unsigned)graph->life->turned, flags, segment->seq};
    *out++ = '[';
    out = json_spell_unsigned(out, segment->packet);
    *out++ = ',';
    out = json_spell_integer(out, time_since(segment->t, start));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        *out++ = ',';
        out = json_spell_unsigned(out, numbers[i]);
    }
    *out++ = ',';
    out = segment->flags & FLAG_ACK ? json_spell_unsigned(out, segment->ack) : json_spell_null(out);
    const uint64_t rest[] = {segment->payload, segment->window, segment->verdict};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        *out++ = ',';
        out = json_spell_unsigned(out, rest[i]);
    }
    *out++ = ']';
    json_writer_commit(writer, out);
}

static void put_rows(struct block *block, const struct graph *graph, nanotime start)
{
    size_t seen[2] = {0, 0}, written = 0; /* [telling] */
    for (size_t i = 0; i < graph->ladder->segment_count; i++) {
        const struct ladder_segment *segment = &graph->ladder->segments[i];
        if (segment->life != graph->index || ladder_tap(segment->packet) > 0)
            continue;
        bool telling = is_telling(segment);
        size_t each = telling ? graph->each_telling : graph->each_quiet;
        if (seen[telling]++ % each != 0)
            continue;
        if (written++ > 0)
            json_put_raw(&block->writer, ",", 1);
        put_row(&block->writer, graph, segment, start);
    }
    block->rows += written;
}

/* With taps, segments stand by the time they left, and their numbers in no order. */
static bool has_packet_of_taps(const struct graph *graph, uint64_t packet)
{
    const struct ladder *ladder = graph->ladder;
    for (size_t i = 0; ladder_tap(packet) == 0 && i < ladder->segment_count; i++) {
        if (ladder->segments[i].packet == packet)
            return ladder->segments[i].life == graph->index;
    }
    return false;
}

static bool has_packet(const struct graph *graph, uint64_t packet)
{
    const struct ladder *ladder = graph->ladder;
    if (ladder->taps != NULL)
        return has_packet_of_taps(graph, packet);
    size_t low = 0, high = ladder->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ladder->segments[middle].packet < packet)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ladder->segment_count && ladder->segments[low].packet == packet &&
           ladder->segments[low].life == graph->index;
}

static void put_notes(struct json_writer *writer, const struct graph *graph)
{
    unsigned written = 0;
    for (uint32_t i = 0; i < graph->ladder->note_count && written < NOTES_ONE; i++) {
        const struct ladder_note *note = &graph->ladder->notes[i];
        if (!has_packet(graph, note->packet))
            continue;
        put_text(writer, written++ > 0 ? ",[" : "[");
        json_put_unsigned(writer, note->packet);
        json_put_raw(writer, ",", 1);
        json_put_word(writer, level_name(note->level));
        json_put_raw(writer, ",", 1);
        json_put_word(writer, event_row(note->id)->id);
        json_put_raw(writer, ",", 1);
        json_put_string(writer, note->says);
        json_put_raw(writer, "]", 1);
    }
}

/* The moment of the connection's first segment that was kept. */
static nanotime find_start(const struct graph *graph)
{
    for (size_t i = 0; i < graph->ladder->segment_count; i++) {
        if (graph->ladder->segments[i].life == graph->index)
            return graph->ladder->segments[i].t;
    }
    return NANOTIME_UNKNOWN;
}

static void put_graph(struct block *block, const struct graph *graph)
{
    struct json_writer *writer = &block->writer;
    nanotime start = find_start(graph);
    put_text(writer, block->begun ? ",\n{\"uid\":" : "\n{\"uid\":");
    block->begun = true;
    char *out = json_writer_reserve(writer, 2 * JSON_SCALAR + 16);
    if (out == NULL)
        return;
    out = json_spell_uid(out, graph->life->flow_uid);
    out = stpcpy(out, ",\"start\":");
    json_writer_commit(writer, json_spell_time(writer, out, start));
    put_text(writer, ",\"segments\":");
    json_put_unsigned(writer, graph->telling + graph->quiet + graph->folded);
    put_text(writer, ",\"notes\":[");
    put_notes(writer, graph);
    put_text(writer, "],\"rows\":[");
    put_rows(block, graph, start);
    put_text(writer, "]}");
}

/* Hands on what was put so far, so that it never is much. */
static enum status flush_block(struct block *block)
{
    int length = json_writer_end(&block->writer);
    if (length < 0)
        return STATUS_NO_MEMORY;
    enum status status = markup_write_data(block->output, block->buffer->buf, (size_t)length);
    printbuf_reset(block->buffer);
    json_writer_begin(&block->writer, block->buffer);
    return status;
}

static enum status write_ladder(struct html_graphs *graphs, struct block *block,
                                const struct ladder *ladder)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < ladder->life_count && status == STATUS_OK; i++) {
        if (!is_in_page(graphs, ladder->lives[i].flow_uid))
            continue;
        struct graph graph = measure(ladder, i);
        if (graph.telling + graph.quiet == 0)
            continue;
        if (block->rows >= ROWS_ALL) {
            graphs->left_out++;
            continue;
        }
        put_graph(block, &graph);
        status = flush_block(block);
    }
    return status;
}

static void put_verdicts(struct json_writer *writer)
{
    put_text(writer, "{\"verdicts\":[");
    for (int verdict = 0; verdict < VERDICT_ELSEWHERE; verdict++) { /* which graphs leave out */
        put_text(writer, verdict > 0 ? "," : "");
        json_put_word(writer, segment_verdict_name((enum segment_verdict)verdict));
    }
    put_text(writer, "],\"connections\":[");
}

static enum status write_block(struct html_graphs *graphs, struct block *block)
{
    uint32_t count;
    const struct ladder *ladders = ladder_book_list(graphs->book, &count);
    json_writer_init(&block->writer, graphs->nano);
    json_writer_begin(&block->writer, block->buffer);
    put_verdicts(&block->writer);
    enum status status = flush_block(block);
    for (int level = LEVEL_ERROR; level >= 0; level--) {
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
            if ((int)ladders[i].worst == level)
                status = write_ladder(graphs, block, &ladders[i]);
        }
    }
    put_text(&block->writer, "],\"left_out\":");
    json_put_unsigned(&block->writer, graphs->left_out);
    put_text(&block->writer, "}");
    return status == STATUS_OK ? flush_block(block) : status;
}

enum status html_graphs_write(struct html_graphs *graphs, struct output *output)
{
    struct block block = {.output = output, .buffer = printbuf_new()};
    if (block.buffer == NULL)
        return STATUS_NO_MEMORY;
    if (graphs->uid_count > 0)
        qsort(graphs->uids, graphs->uid_count, sizeof *graphs->uids, compare_uids);
    enum status status = write_block(graphs, &block);
    printbuf_free(block.buffer);
    return status;
}
