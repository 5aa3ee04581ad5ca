/* pieces: see pieces.h.  What the pieces' summaries and tapes say. */
#include "pieces.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

#include "pieces_parts.h"

static enum status refuse(char *message, const char *name, const char *why)
{
    snprintf(message, MESSAGE_SIZE, "%.200s: %s", name, why);
    return STATUS_UNREADABLE;
}

/* --- tapes --- */

bool pieces_make_room(void **list, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return true;
    uint32_t more = *room == 0 ? 64 : *room * 2;
    void *grown = realloc(*list, more * size);
    if (grown == NULL)
        return false;
    *list = grown;
    *room = more;
    return true;
}

uint8_t *pieces_decode(const char *text, size_t *ret_count)
{
    struct base64_decode_ctx context;
    size_t length = strlen(text), count = BASE64_DECODE_LENGTH(length);
    uint8_t *octets = malloc(count + 1);
    if (octets == NULL)
        return NULL;
    base64_decode_init(&context);
    bool whole = base64_decode_update(&context, &count, octets, length, text) != 0 &&
                 base64_decode_final(&context) != 0;
    *ret_count = whole ? count : 0;
    return octets;
}

static enum status take_tape(struct pieces *pieces, uint32_t number, struct json_object *record,
                             char *message)
{
    struct piece_result *piece = &pieces->piece[number];
    const char *community = json_text(json_below(record, "network", "community_id", NULL));
    const char *text = json_text(json_below(record, "lastack", "tape", NULL));
    if (community == NULL || text == NULL || strlen(community) >= COMMUNITY_ID_SIZE)
        return refuse(message, piece->name, "has a tape that is none of lastack's");
    if (!pieces_make_room((void **)&piece->taped, piece->tuples, &piece->room,
                          sizeof(*piece->taped)) ||
        !pieces_make_room((void **)&pieces->tapes, pieces->tape_count, &pieces->tape_room,
                          sizeof(*pieces->tapes)))
        return STATUS_NO_MEMORY;
    struct taped *taped = &piece->taped[piece->tuples++];
    taped->since = json_moment(json_below(record, "@timestamp", NULL));
    taped->first_packet = json_number(json_below(record, "lastack", "first_packet", NULL));
    snprintf(taped->community, COMMUNITY_ID_SIZE, "%s", community);
    struct piece_tape tape = {.piece = number};
    tape.octets = pieces_decode(text, &tape.count);
    if (tape.octets == NULL)
        return STATUS_NO_MEMORY;
    pieces->tapes[pieces->tape_count++] = tape;
    return STATUS_OK;
}

static int compare_taped(const void *a, const void *b)
{
    const struct taped *x = a, *y = b;
    int order = strcmp(x->community, y->community);
    return order != 0 ? order : x->since < y->since ? -1 : x->since > y->since;
}

static enum status read_piece(struct pieces *pieces, uint32_t number, char *message)
{
    struct piece_result *piece = &pieces->piece[number];
    struct lines lines;
    struct json_object *record;
    bool has_flows = false, has_parts = false;
    enum status status = lines_open(&lines, piece->name, message);
    while (status == STATUS_OK && (status = lines_next(&lines, &record, message)) == STATUS_OK &&
           record != NULL) {
        const char *kind = record_kind(record);
        has_flows |= strcmp(kind, "flow") == 0;
        has_parts |= strcmp(kind, "tape") == 0 || strcmp(kind, "deltas") == 0;
        if (strcmp(kind, "tape") == 0)
            status = take_tape(pieces, number, record, message);
        if (strcmp(kind, "summary") == 0) {
            json_object_put(piece->summary);
            piece->summary = json_object_get(record);
        }
        json_object_put(record);
    }
    lines_close(&lines);
    if (status == STATUS_OK && piece->summary == NULL)
        return refuse(message, piece->name,
                      "has no summary: it is cut short, or of a run with --state-out; write it "
                      "with lastack --piece --ndjson");
    if (status == STATUS_OK && has_flows && !has_parts)
        return refuse(message, piece->name,
                      "is of a run without --piece; write it with lastack --piece --ndjson");
    if (piece->tuples > 0)
        qsort(piece->taped, piece->tuples, sizeof(*piece->taped), compare_taped);
    return status;
}

/* --- inputs --- */

static void take_input(struct pieces *pieces, const struct piece_result *piece,
                       struct json_object *from)
{
    struct input_summary *input = &pieces->inputs[pieces->input_count++];
    struct json_object *damaged = json_below(from, "damaged", NULL);
    const char *problem = json_text(json_below(from, "problem", NULL));
    *input = (struct input_summary){
        .name = json_text(json_below(from, "name", NULL)),
        .format = json_text(json_below(from, "format", NULL)),
        .compression = json_text(json_below(from, "compression", NULL)),
        .packets = json_number(json_below(from, "packets", NULL)),
        .first_packet = json_number(json_below(from, "first_packet", NULL)),
        .bytes = json_number(json_below(from, "bytes", NULL)),
        .damaged = json_object_get_boolean(damaged),
        .stopped_at_packet = json_number(json_below(from, "stopped_at_packet", NULL)),
        .first = json_moment(json_below(from, "first", NULL)),
        .last = json_moment(json_below(from, "last", NULL)),
        .sections = json_number(json_below(from, "sections", NULL)),
        .comments = json_number(json_below(from, "comments", NULL)),
        .skipped_blocks = json_number(json_below(from, "skipped_blocks", NULL)),
        .damaged_blocks = json_number(json_below(from, "damaged_blocks", NULL)),
    };
    snprintf(input->problem, sizeof(input->problem), "%s", problem == NULL ? "" : problem);
    input->name = input->name == NULL ? piece->name : input->name;
    input->gap = input->overlap = NANOTIME_UNKNOWN;
    if (input->first != NANOTIME_UNKNOWN && pieces->last != NANOTIME_UNKNOWN) {
        if (time_is_before(input->first, pieces->last))
            input->overlap = time_since(pieces->last, input->first);
        else
            input->gap = time_since(input->first, pieces->last);
    }
    if (input->first_packet != 0)
        input->first_packet += piece->packets_before;
    pieces->first = pieces->first == NANOTIME_UNKNOWN ||
                            (input->first != NANOTIME_UNKNOWN && input->first < pieces->first)
                        ? input->first
                        : pieces->first;
    pieces->last = time_later_of(pieces->last, input->last);
}

static struct json_object *inputs_of(const struct piece_result *piece)
{
    return json_below(piece->summary, "lastack", "inputs", NULL);
}

static size_t count_inputs(const struct piece_result *piece)
{
    struct json_object *inputs = inputs_of(piece);
    return json_object_is_type(inputs, json_type_array) ? json_object_array_length(inputs) : 0;
}

/* Numbers the packets on, and says what each piece needs of those before it. */
static enum status line_up(struct pieces *pieces)
{
    size_t all = 0;
    uint32_t tape = 0;
    uint64_t packets = 0;
    for (uint32_t i = 0; i < pieces->count; i++)
        all += count_inputs(&pieces->piece[i]);
    pieces->inputs = calloc(all + 1, sizeof(*pieces->inputs));
    if (pieces->inputs == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < pieces->count; i++) {
        struct piece_result *piece = &pieces->piece[i];
        piece->packets_before = packets;
        piece->clock_before = pieces->last;
        for (; tape < pieces->tape_count && pieces->tapes[tape].piece == i; tape++) {
            pieces->tapes[tape].packets_before = packets;
            pieces->tapes[tape].clock_before = pieces->last;
        }
        for (size_t k = 0; k < count_inputs(piece); k++) {
            take_input(pieces, piece, json_object_array_get_idx(inputs_of(piece), k));
            piece->packets += pieces->inputs[pieces->input_count - 1].packets;
        }
        packets += piece->packets;
    }
    return STATUS_OK;
}

enum status pieces_open(const char *const *names, size_t count, struct pieces **ret_pieces,
                        char *message)
{
    struct pieces *pieces = calloc(1, sizeof(*pieces));
    if (pieces == NULL)
        return STATUS_NO_MEMORY;
    pieces->first = pieces->last = NANOTIME_UNKNOWN;
    pieces->piece = calloc(count + 1, sizeof(*pieces->piece));
    enum status status = pieces->piece == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    while (status == STATUS_OK && pieces->count < count) {
        pieces->piece[pieces->count].name = names[pieces->count];
        status = read_piece(pieces, pieces->count++, message);
    }
    if (status == STATUS_OK)
        status = line_up(pieces);
    if (status != STATUS_OK) {
        pieces_free(pieces);
        return status;
    }
    *ret_pieces = pieces;
    return STATUS_OK;
}

const struct piece_tape *pieces_tapes(const struct pieces *pieces, uint32_t *ret_count)
{
    *ret_count = pieces->tape_count;
    return pieces->tapes;
}

const char *pieces_out_of_order(const struct pieces *pieces)
{
    for (uint32_t i = 0; i < pieces->input_count; i++) {
        if (pieces->inputs[i].overlap != NANOTIME_UNKNOWN)
            return pieces->inputs[i].name;
    }
    return NULL;
}

nanotime pieces_last(const struct pieces *pieces)
{
    return pieces->last;
}

/* --- the summary --- */

/* Adds counts by name, "skipped" and "link_types", to a list of so many. */
static void add_names(struct json_object *counts, struct count_by_name *list, uint32_t *count,
                      uint32_t most)
{
    if (!json_object_is_type(counts, json_type_object))
        return;
    json_object_object_foreach(counts, name, value)
    {
        uint32_t at = 0;
        while (at < *count && strcmp(list[at].name, name) != 0)
            at++;
        if (at == most)
            continue;
        if (at == *count)
            list[(*count)++] = (struct count_by_name){.name = name};
        list[at].count += json_number(value);
    }
}

static void add_capture(const struct piece_result *piece, struct run_summary *summary,
                        uint64_t *tombstones)
{
    struct json_object *capture = json_below(piece->summary, "lastack", "capture", NULL);
    struct json_object *limits = json_below(piece->summary, "lastack", "summary", "limits", NULL);
    struct json_object *drops = json_below(capture, "drops", NULL);
    summary->packets += json_number(json_below(capture, "packets", NULL));
    summary->bytes += json_number(json_below(capture, "bytes", NULL));
    summary->segments += json_number(json_below(capture, "segments", NULL));
    summary->copies += json_number(json_below(capture, "copies", NULL));
    summary->truncated += json_number(json_below(capture, "truncated", NULL));
    summary->bad_checksums += json_number(json_below(capture, "bad_checksums", NULL));
    summary->timestamp_regressions +=
        json_number(json_below(capture, "timestamp_regressions", NULL));
    add_names(json_below(capture, "skipped", NULL), summary->skipped, &summary->skipped_count,
              SUMMARY_RESULTS);
    add_names(json_below(capture, "link_types", NULL), summary->link_types,
              &summary->link_type_count, SUMMARY_LINK_TYPES);
    summary->drops_known |= drops != NULL;
    summary->drops_received += json_number(json_below(drops, "received", NULL));
    summary->drops_kernel += json_number(json_below(drops, "kernel", NULL));
    summary->drops_interface += json_number(json_below(drops, "interface", NULL));
    summary->evictions += json_number(json_below(limits, "evictions", NULL));
    *tombstones += json_number(json_below(limits, "tombstones_evicted", NULL));
    summary->events_dropped += json_number(json_below(limits, "events_dropped", NULL));
}

static void add_counts(uint64_t *sum, const uint64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += counts[i];
}

void pieces_add_to(const struct pieces *pieces, struct run_summary *summary)
{
    const struct run_summary *passed = &pieces->passed;
    summary->segments = summary->copies = summary->skipped_count = 0; /* the pieces' count */
    uint64_t tombstones = 0; /* of the pieces; the replay counts some of them, too */
    for (uint32_t i = 0; i < pieces->count; i++)
        add_capture(&pieces->piece[i], summary, &tombstones);
    if (summary->tombstones_evicted < tombstones)
        summary->tombstones_evicted = tombstones;
    summary->inputs = pieces->inputs;
    summary->input_count = pieces->input_count;
    summary->first = pieces->first;
    summary->last = pieces->last;
    summary->flows += passed->flows;
    summary->history_dropped += passed->history_dropped;
    add_counts(summary->flows_by_kind, passed->flows_by_kind, CLOSE_KINDS);
    add_counts(summary->left[0], passed->left[0], 2 * (size_t)TCP_STATES);
    add_counts(summary->left_presumed[0], passed->left_presumed[0], 2 * (size_t)TCP_STATES);
    add_counts(summary->events_by_id, passed->events_by_id, EVENT_IDS);
    add_counts(summary->events_by_level, passed->events_by_level, LEVEL_ERROR + 1);
}

void pieces_free(struct pieces *pieces)
{
    if (pieces == NULL)
        return;
    for (uint32_t i = 0; i < pieces->count; i++) {
        json_object_put(pieces->piece[i].summary);
        free(pieces->piece[i].taped);
        free(pieces->piece[i].replayed);
    }
    for (uint32_t i = 0; i < pieces->tape_count; i++)
        free(pieces->tapes[i].octets);
    telling_clear(&pieces->telling);
    free(pieces->tapes);
    free(pieces->inputs);
    free(pieces->piece);
    free(pieces);
}
