/* pieces_pass: records of connections that no other piece decides, passed on (pieces.h). */
#include <stdlib.h>
#include <string.h>

#include "pieces_parts.h"
#include "vocabulary.h"

enum { HEX = 16 };

/* The record that is being passed on. */
struct passing {
    struct pieces *pieces;
    struct piece_result *piece;
    const struct pieces_taker *taker;
    struct flow_record *flow; /* room for what dwell times need of one */
};

/* --- packets count on from piece to piece --- */

static bool names_packet(const char *key)
{
    static const char *const keys[] = {"packet", "proof", "revoked_by", "acked_by"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(key, keys[i]) == 0)
            return true;
    }
    return false;
}

/* "numbers" and "details" hold what an event counted, no packets. */
static bool has_packets(const char *key)
{
    return strcmp(key, "numbers") != 0 && strcmp(key, "details") != 0;
}

static void count_on(struct json_object *value, uint64_t before)
{
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            count_on(json_object_array_get_idx(value, i), before);
        return;
    }
    if (!json_object_is_type(value, json_type_object))
        return;
    json_object_object_foreach(value, key, member)
    {
        if (names_packet(key) && json_number(member) != 0)
            json_object_set_int64(member, (int64_t)(json_number(member) + before));
        else if (has_packets(key))
            count_on(member, before);
    }
}

/* --- what the summary counts --- */

/* The value of a word, or `none`. */
static int find_word(enum vocabulary_id id, const char *word, int none)
{
    const struct vocabulary *row = vocabulary_row(id);
    for (int value = row->first; word != NULL && value <= row->last; value++) {
        const char *spelled = row->word(value);
        if (spelled != NULL && strcmp(spelled, word) == 0)
            return value;
    }
    return none;
}

static int word_of(struct json_object *object, const char *key, enum vocabulary_id id, int none)
{
    return find_word(id, json_text(json_below(object, key, NULL)), none);
}

static void read_history(struct json_object *from, struct side_record *side)
{
    size_t count = json_object_is_type(from, json_type_array) ? json_object_array_length(from) : 0;
    side->history_count = 0;
    for (size_t i = 0; i < count && i < RECORD_HISTORY; i++) {
        struct json_object *entry = json_object_array_get_idx(from, i);
        side->history[side->history_count++] = (struct history_record){
            .t = json_moment(json_below(entry, "t", NULL)),
            .state = (enum tcp_state)word_of(entry, "state", WORDS_STATE, STATE_UNKNOWN),
            .basis = (enum basis)word_of(entry, "basis", WORDS_BASIS, BASIS_PRESUMED),
            .revoked = json_object_get_boolean(json_below(entry, "revoked", NULL)),
        };
    }
}

static enum status count_flow(struct passing *passing, struct json_object *record)
{
    static const char *const names[] = {"client", "server"};
    struct run_summary *passed = &passing->pieces->passed;
    struct json_object *lastack = json_below(record, "lastack", NULL);
    if (!json_object_get_boolean(json_below(lastack, "final", NULL)))
        return STATUS_OK;
    passed->flows++;
    passed->flows_by_kind[word_of(json_below(lastack, "close", NULL), "kind", WORDS_CLOSE_KIND,
                                  CLOSE_OPEN)]++;
    passing->flow->final = true;
    for (int side = 0; side < 2; side++) {
        struct json_object *from = json_below(lastack, names[side], NULL);
        struct side_record *to = &passing->flow->side[side];
        read_history(json_below(from, "history", NULL), to);
        int state = word_of(from, "state", WORDS_STATE, STATE_UNKNOWN);
        int basis = word_of(from, "basis", WORDS_BASIS, BASIS_PRESUMED);
        passed->left[side][state]++;
        passed->left_presumed[side][state] += basis == BASIS_PRESUMED && to->history_count > 0;
        passed->history_dropped += json_number(json_below(from, "history_dropped", NULL));
    }
    return passing->taker->count(passing->taker->context, passing->flow);
}

static void count_event(struct passing *passing, struct json_object *record)
{
    struct run_summary *passed = &passing->pieces->passed;
    const char *action = json_text(json_below(record, "event", "action", NULL));
    enum event_id id = action == NULL ? EVENT_IDS : event_find(action);
    const char *name = json_text(json_below(record, "lastack", "level", NULL));
    enum level level = name == NULL ? 0 : level_find(name);
    if (id != EVENT_IDS)
        passed->events_by_id[id]++;
    passed->events_by_level[level]++;
}

/* --- the lines --- */

/* A packet of its connection, which is the first that a record names; 0: it names none. */
static uint64_t named_packet(struct json_object *value)
{
    uint64_t packet = 0;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value) && packet == 0; i++)
            packet = named_packet(json_object_array_get_idx(value, i));
        return packet;
    }
    if (!json_object_is_type(value, json_type_object))
        return 0;
    json_object_object_foreach(value, key, member)
    {
        if (packet == 0 && strcmp(key, "packet") == 0)
            packet = json_number(member);
        else if (packet == 0 && has_packets(key))
            packet = named_packet(member);
    }
    return packet;
}

/*
 * Whether the record is of a connection on a tape: of that tuple, and not from before it.  Stamps
 * may go back, so that what ended long before the tape may have later ones: packets do not.
 */
static bool has_tape(const struct piece_result *piece, const char *community, nanotime begin,
                     struct json_object *record)
{
    uint32_t low = 0, high = community == NULL ? 0 : piece->tuples;
    uint32_t end = high;
    while (low < high) { /* the first of that tuple */
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(piece->taped[middle].community, community) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == end || strcmp(piece->taped[low].community, community) != 0)
        return false;
    const uint64_t packet = named_packet(json_below(record, "lastack", NULL));
    return packet != 0 ? packet >= piece->taped[low].first_packet
                       : piece->taped[low].since <= begin;
}

/* Whether the edges of its capture cut the connection, so that there must be a tape.  A later
 * incarnation may be picked up where its ports were used within the piece. */
static bool is_cut(struct json_object *record)
{
    bool first = json_number(json_below(record, "lastack", "incarnation", NULL)) <= 1;
    struct json_object *caveats = json_below(record, "lastack", "caveats", NULL);
    size_t count =
        json_object_is_type(caveats, json_type_array) ? json_object_array_length(caveats) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *caveat = json_text(json_object_array_get_idx(caveats, i));
        if (caveat == NULL)
            continue;
        if ((first && strcmp(caveat, note_row(NOTE_midstream_start)->id) == 0) ||
            strcmp(caveat, note_row(NOTE_end_of_capture_open)->id) == 0)
            return true;
    }
    return false;
}

int compare_uids(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static enum status note_replayed(struct piece_result *piece, struct json_object *record)
{
    const char *uid = json_text(json_below(record, "lastack", "flow_uid", NULL));
    if (!pieces_make_room((void **)&piece->replayed, piece->replayed_count, &piece->replayed_room,
                          sizeof(*piece->replayed)))
        return STATUS_NO_MEMORY;
    piece->replayed[piece->replayed_count++] = uid == NULL ? 0 : strtoull(uid, NULL, HEX);
    return STATUS_OK;
}

/* These count over many connections: they are raised again, of all. */
static bool is_of_hosts(const char *action)
{
    static const enum event_id ids[] = {
        EVENT_syn_flood,        EVENT_tw_accumulation, EVENT_port_exhaustion_suspected,
        EVENT_connection_churn, EVENT_server_side_tw,
    };
    for (size_t i = 0; action != NULL && i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (strcmp(action, event_row(ids[i])->id) == 0)
            return true;
    }
    return false;
}

static bool is_passed(const char *kind)
{
    static const char *const kinds[] = {"flow", "event", "transition", "segment"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

static enum status write_record(struct passing *passing, struct json_object *record)
{
    count_on(record, passing->piece->packets_before);
    size_t length;
    const char *text = json_object_to_json_string_length(
        record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    return passing->taker->line(passing->taker->context, text, length);
}

static enum status pass(struct passing *passing, struct json_object *record, char *message)
{
    const char *kind = record_kind(record);
    bool is_flow = strcmp(kind, "flow") == 0;
    nanotime begin = json_moment(is_flow ? json_below(record, "event", "start", NULL)
                                         : json_below(record, "@timestamp", NULL));
    const char *community = json_text(json_below(record, "network", "community_id", NULL));
    if (!is_passed(kind) || is_of_hosts(json_text(json_below(record, "event", "action", NULL))))
        return STATUS_OK;
    if (has_tape(passing->piece, community, begin, record))
        return is_flow ? note_replayed(passing->piece, record) : STATUS_OK;
    if (is_flow && is_cut(record)) {
        snprintf(
            message, MESSAGE_SIZE,
            "%.200s: a connection is cut by the edge of the piece, and there is no tape of it; "
            "write it with lastack --piece --ndjson",
            passing->piece->name);
        return STATUS_UNREADABLE;
    }
    enum status status = is_flow ? count_flow(passing, record) : STATUS_OK;
    if (strcmp(kind, "event") == 0)
        count_event(passing, record);
    return status == STATUS_OK ? write_record(passing, record) : status;
}

static enum status pass_piece(struct passing *passing, char *message)
{
    struct lines lines;
    struct json_object *record;
    enum status status = lines_open(&lines, passing->piece->name, message);
    while (status == STATUS_OK && (status = lines_next(&lines, &record, message)) == STATUS_OK &&
           record != NULL) {
        status = pass(passing, record, message);
        json_object_put(record);
    }
    lines_close(&lines);
    struct piece_result *piece = passing->piece;
    if (piece->replayed_count > 0)
        qsort(piece->replayed, piece->replayed_count, sizeof(*piece->replayed), compare_uids);
    return status;
}

enum status pieces_pass(struct pieces *pieces, const struct pieces_taker *taker, char *message)
{
    struct passing passing = {
        .pieces = pieces,
        .taker = taker,
        .flow = calloc(1, sizeof(*passing.flow)),
    };
    enum status status = passing.flow == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    for (uint32_t i = 0; i < pieces->count && status == STATUS_OK; i++) {
        passing.piece = &pieces->piece[i];
        status = pass_piece(&passing, message);
    }
    free(passing.flow);
    return status;
}
