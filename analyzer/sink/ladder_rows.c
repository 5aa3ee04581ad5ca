/* ladder_rows: one pass over the segments, with deadlines between them where their time comes. */
#include "ladder_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ladder_fate.h"
#include "line.h"

enum {
    QUIET_SHOWN_BEFORE = 2, /* of a run of quiet segments, shown at its beginning */
    QUIET_LEAST = 6         /* a run is folded from this length on */
};

/* dissect/'s flag bits are those of the header (RFC 9293 3.1). */
static const struct {
    uint8_t bit;
    const char *name;
} flag_names[] = {
    {0x02, "SYN"}, {0x01, "FIN"}, {0x04, "RST"}, {0x08, "PSH"},
    {0x20, "URG"}, {0x10, "ACK"}, {0x40, "ECE"}, {0x80, "CWR"},
};

enum { FLAG_ACK = 0x10 };

static const char *const close_words[CLOSE_KINDS] = {
    [CLOSE_REFUSED] = "refused",
    [CLOSE_UNANSWERED] = "never answered",
    [CLOSE_SUPERSEDED] = "replaced by the next",
    [CLOSE_RESET] = "ended by a reset",
    [CLOSE_SIMULTANEOUS] = "closed by both sides at once",
    [CLOSE_ORDERLY] = "closed in order",
    [CLOSE_TIMED_OUT] = "fell silent",
    [CLOSE_HALF_CLOSED] = "closed by one side only",
    [CLOSE_OPEN] = "still open when the capture ended",
};

static struct ladder_row *add_row(struct ladder_rows *rows, enum ladder_row_kind kind)
{
    if (rows->count == rows->room) {
        size_t room = rows->room == 0 ? 64 : rows->room * 2;
        struct ladder_row *larger = realloc(rows->rows, room * sizeof *larger);
        if (larger == NULL) {
            rows->status = STATUS_NO_MEMORY;
            return NULL;
        }
        rows->rows = larger;
        rows->room = room;
    }
    struct ladder_row *row = &rows->rows[rows->count++];
    *row = (struct ladder_row){.kind = kind, .t = NANOTIME_UNKNOWN};
    return row;
}

static void add_words(struct ladder_rows *rows, enum ladder_row_kind kind, const struct line *line)
{
    struct ladder_row *row = add_row(rows, kind);
    if (row != NULL)
        snprintf(row->words, sizeof row->words, "%.319s", line->text);
}

void ladder_name_end(const struct ladder *ladder, int side, char *out)
{
    const struct endpoint_record *end = &ladder->who.end[side];
    struct line address = {.length = 0};
    line_add_address(&address, ladder->who.ip_version, end->address);
    snprintf(out, LADDER_END_NAME, ladder->who.ip_version == 6 ? "[%.46s]:%u" : "%.46s:%u",
             address.text, end->port);
}

/* What a segment is, as words of its arrow: "FIN ACK seq 1 ack 2 len 3". */
static void say_segment(const struct ladder_segment *segment, char *out, size_t size)
{
    struct line line = {.length = 0};
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if (segment->flags & flag_names[i].bit)
            line_add(&line, "%s%s", line.length > 0 ? " " : "", flag_names[i].name);
    }
    if (line.length == 0)
        line_add(&line, "no flags");
    line_add(&line, " seq %" PRIu32 "%s", segment->seq, segment->seq_known ? "" : " abs");
    if (segment->flags & FLAG_ACK)
        line_add(&line, " ack %" PRIu32 "%s", segment->ack, segment->ack_known ? "" : " abs");
    if (segment->payload > 0)
        line_add(&line, " len %" PRIu32, segment->payload);
    snprintf(out, size, "%.319s", line.text);
}

/* The newest entry of a side, of that state, that a packet up to this one moved it to. */
static const struct history_record *find_entry(const struct ladder_life *life, int side,
                                               enum tcp_state state, nanotime t)
{
    for (uint32_t i = life->history_count[side]; i-- > 0;) {
        const struct history_record *entry = &life->history[side][i];
        if (entry->state == state && !time_is_before(t, entry->t))
            return entry;
    }
    return NULL;
}

static struct ladder_state state_after(const struct ladder_life *life, int side,
                                       enum tcp_state state, enum basis basis, nanotime t)
{
    const struct history_record *entry = find_entry(life, side, state, t);
    return (struct ladder_state){
        .state = state,
        /* A side begins CLOSED or UNKNOWN, and no entry says so. */
        .presumed = basis == BASIS_PRESUMED && entry != NULL,
        .revoked = entry != NULL && entry->revoked,
    };
}

/* The first note of that packet or a later one. */
static uint32_t find_note(const struct ladder *ladder, uint64_t packet)
{
    uint32_t low = 0, high = ladder->note_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ladder->notes[middle].packet < packet)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_named(const struct ladder *ladder, uint64_t packet)
{
    uint32_t note = find_note(ladder, packet);
    return packet != 0 && note < ladder->note_count && ladder->notes[note].packet == packet;
}

/* An event names the segment, by the packet that one of the taps has. */
static bool is_segment_named(const struct ladder *ladder, const struct ladder_segment *segment)
{
    uint64_t places[LADDER_PLACES];
    bool named = false;
    for (int i = ladder_fate_places(segment, places); i > 0; i--)
        named |= is_named(ladder, places[i - 1]);
    return named;
}

/* It may be folded: quiet, and no event names it. */
static bool is_quiet(const struct ladder *ladder, size_t index)
{
    const struct ladder_segment *segment = &ladder->segments[index];
    return index > 0 && ladder_segment_is_quiet(segment - 1, segment) &&
           !is_segment_named(ladder, segment);
}

static size_t quiet_run(const struct ladder *ladder, size_t index)
{
    size_t end = index;
    while (end < ladder->segment_count && is_quiet(ladder, end))
        end++;
    return end - index;
}

/* Stands for the segments from one index up to another, and for what is folded before that. */
static void add_fold(struct ladder_rows *rows, const struct ladder *ladder, size_t from, size_t to)
{
    const struct ladder_segment *segments = ladder->segments;
    uint64_t octets[2] = {0, 0}, count = to - from;
    struct line line = {.length = 0};
    for (size_t i = from; i <= to; i++) {
        count += segments[i].folded;
        octets[LEFT] += segments[i].folded_octets[LEFT];
        octets[RIGHT] += segments[i].folded_octets[RIGHT];
        if (i < to)
            octets[segments[i].from] += segments[i].payload;
    }
    line_add(&line, "%" PRIu64 " quiet segments, ", count);
    line_add_duration(&line, time_since(segments[to].t, segments[from - 1].t));
    line_add(&line, ": %" PRIu64 " octets to the right, %" PRIu64 " to the left", octets[LEFT],
             octets[RIGHT]);
    add_words(rows, LADDER_FOLD, &line);
}

static void add_notes(struct ladder_rows *rows, const struct ladder *ladder, uint64_t packet)
{
    for (uint32_t i = find_note(ladder, packet); i < ladder->note_count; i++) {
        const struct ladder_note *note = &ladder->notes[i];
        if (note->packet != packet)
            return;
        struct ladder_row *row = add_row(rows, LADDER_SAID);
        if (row == NULL)
            return;
        row->level = note->level;
        row->packet = ladder_packet(packet);
        snprintf(row->words, sizeof row->words, "%s: %.160s", event_row(note->id)->id, note->says);
    }
}

/* A segment of an earlier incarnation: the states beside it are that one's. */
static void add_belonging(struct ladder_rows *rows, const struct ladder *ladder,
                          const struct ladder_segment *segment)
{
    struct line line = {.length = 0};
    if (segment->life >= rows->newest) {
        rows->newest = segment->life;
        return;
    }
    line_add(&line, "of incarnation %" PRIu32, ladder->lives[segment->life].incarnation);
    add_words(rows, LADDER_REMARK, &line);
}

/* Between taps: where it was seen, and what became of it. */
static void place_segment(struct ladder_row *row, const struct ladder *ladder,
                          const struct ladder_segment *segment)
{
    row->packet = ladder_packet(segment->packet);
    row->taps = ladder->taps != NULL;
    if (!row->taps)
        return;
    ladder_fate_packets(segment, row->at);
    row->packet = row->at[LEFT];
    row->fate = (enum path_fate)segment->fate;
    row->held = ladder_fate_is_held(segment);
    row->stateless = segment->verdict == VERDICT_ELSEWHERE;
}

static void add_verdict(struct ladder_rows *rows, const struct ladder_segment *segment)
{
    struct line line = {.length = 0};
    if (segment->verdict == VERDICT_NEW || segment->verdict == VERDICT_ELSEWHERE)
        return;
    line_add(&line, "%s", segment_verdict_name((enum segment_verdict)segment->verdict));
    for (char *at = line.text; *at != '\0'; at++) { /* a name for machines: out_of_order */
        if (*at == '_')
            *at = ' ';
    }
    add_words(rows, LADDER_REMARK, &line);
}

static void add_fate(struct ladder_rows *rows, const struct ladder *ladder,
                     const struct ladder_segment *segment)
{
    struct line line = {.length = 0};
    ladder_fate_say(ladder, segment, &line);
    if (line.length > 0)
        add_words(rows, LADDER_REMARK, &line);
}

static void add_segment(struct ladder_rows *rows, const struct ladder *ladder, size_t index)
{
    const struct ladder_segment *segment = &ladder->segments[index];
    struct ladder_row *row = add_row(rows, LADDER_SEGMENT);
    if (row == NULL)
        return;
    row->t = time_since(segment->t, ladder->segments[0].t);
    place_segment(row, ladder, segment);
    row->from = segment->from;
    row->marked = is_segment_named(ladder, segment);
    for (int side = LEFT; side <= RIGHT; side++)
        row->after[side] =
            state_after(&ladder->lives[segment->life], side, (enum tcp_state)segment->after[side],
                        (enum basis)segment->basis[side], segment->t);
    say_segment(segment, row->words, sizeof row->words);
    add_verdict(rows, segment);
    add_fate(rows, ladder, segment);
    add_belonging(rows, ladder, segment);
    uint64_t places[LADDER_PLACES];
    int count = ladder_fate_places(segment, places);
    for (int i = 0; i < count; i++)
        add_notes(rows, ladder, places[i]);
}

/* Deadlines of an incarnation in (after, until]: moments at which no packet moved a side. */
static void add_timers(struct ladder_rows *rows, const struct ladder *ladder, uint32_t index,
                       nanotime after, nanotime until)
{
    const struct ladder_life *life = &ladder->lives[index];
    for (int side = LEFT; side <= RIGHT; side++) {
        for (uint32_t i = 0; i < life->history_count[side]; i++) {
            const struct history_record *entry = &life->history[side][i];
            if (entry->packet != 0 || !time_is_before(after, entry->t) ||
                time_is_before(until, entry->t))
                continue;
            struct line line = {.length = 0};
            line_add(&line, "%s: %s%s", side == LEFT ? "left" : "right",
                     entry->fact == FACT_TWO_MSL ? "2MSL over, " : "deadline, ",
                     tcp_state_name(entry->state));
            struct ladder_row *row = add_row(rows, LADDER_TIMER);
            if (row == NULL)
                return;
            row->t = time_since(entry->t, ladder->segments[0].t);
            row->from = side;
            snprintf(row->words, sizeof row->words, "%.200s", line.text);
        }
    }
}

static void add_life(struct ladder_rows *rows, const struct ladder *ladder, uint32_t index)
{
    const struct ladder_life *life = &ladder->lives[index];
    struct line line = {.length = 0};
    line_add(&line, "incarnation %" PRIu32 ", flow %016" PRIx64, life->incarnation, life->flow_uid);
    if (life->turned)
        line_add(&line, ", opened by the right side");
    if (life->ended)
        line_add(&line, ", %s", close_words[life->close_kind]);
    add_words(rows, LADDER_LIFE, &line);
}

/* The newest state of a side, before a moment, that no later packet revoked; NULL: none. */
static const struct history_record *find_standing(const struct ladder_life *life, int side,
                                                  nanotime t)
{
    for (uint32_t i = life->history_count[side]; i-- > 0;) {
        const struct history_record *entry = &life->history[side][i];
        if (!entry->revoked && time_is_before(entry->t, t))
            return entry;
    }
    return NULL;
}

/* Where the incarnation before stood when this one began at the segment of that index. */
static void add_standing(struct ladder_rows *rows, const struct ladder *ladder, size_t index)
{
    const struct ladder_life *life = &ladder->lives[ladder->segments[index - 1].life];
    struct line line = {.length = 0};
    line_add(&line, "incarnation %" PRIu32 " stood at", life->incarnation);
    for (int side = LEFT; side <= RIGHT; side++) {
        const struct history_record *entry = find_standing(life, side, ladder->segments[index].t);
        line_add(&line, "%s %s%s", side == LEFT ? " left" : ", right",
                 entry == NULL ? "CLOSED" : tcp_state_name(entry->state),
                 entry != NULL && entry->basis == BASIS_PRESUMED ? "?" : "");
    }
    if (life->ended)
        add_words(rows, LADDER_END, &line);
}

/* Timers still running, by the records' own words. */
static void add_end(struct ladder_rows *rows, const struct ladder *ladder, uint32_t index)
{
    const struct ladder_life *life = &ladder->lives[index];
    for (int side = LEFT; side <= RIGHT; side++) {
        struct line line = {.length = 0};
        if (!life->time_wait[side] || life->time_wait_until == NANOTIME_UNKNOWN)
            continue;
        line_add(&line, "incarnation %" PRIu32 ": %s in TIME_WAIT until +", life->incarnation,
                 side == LEFT ? "left" : "right");
        line_add_duration(&line, time_since(life->time_wait_until, ladder->segments[0].t));
        if (life->time_wait_restarts > 0)
            line_add(&line, ", restarted %" PRIu64 " time%s", life->time_wait_restarts,
                     life->time_wait_restarts == 1 ? "" : "s");
        add_words(rows, LADDER_END, &line);
    }
}

/* From the segment at index on: one, or a run of quiet ones.  Returns where to go on. */
static size_t add_next(struct ladder_rows *rows, const struct ladder *ladder, size_t index)
{
    size_t run = quiet_run(ladder, index);
    if (run < QUIET_LEAST || ladder->segments[index].folded > 0 ||
        ladder->segments[index + 1].folded > 0) {
        if (ladder->segments[index].folded > 0)
            add_fold(rows, ladder, index, index);
        add_segment(rows, ladder, index);
        return index + 1;
    }
    for (size_t i = 0; i < QUIET_SHOWN_BEFORE; i++)
        add_segment(rows, ladder, index + i);
    add_fold(rows, ladder, index + QUIET_SHOWN_BEFORE, index + run - 1);
    add_segment(rows, ladder, index + run - 1);
    return index + run;
}

struct ladder_rows ladder_rows_make(const struct ladder *ladder)
{
    struct ladder_rows rows = {.status = STATUS_OK};
    const struct ladder_segment *segments = ladder->segments;
    bool *begun = calloc(ladder->life_count + 1, sizeof *begun);
    if (begun == NULL)
        rows.status = STATUS_NO_MEMORY;
    for (size_t i = 0; rows.status == STATUS_OK && i < ladder->segment_count;) {
        uint32_t life = segments[i].life;
        if (!begun[life])
            add_life(&rows, ladder, life);
        if (!begun[life] && i > 0)
            add_standing(&rows, ladder, i);
        begun[life] = true;
        size_t next = add_next(&rows, ladder, i);
        nanotime until = next < ladder->segment_count ? segments[next].t : INT64_MAX;
        /* Deadlines of this incarnation and, of an earlier one, of the one before at most. */
        for (uint32_t each = life > 0 ? life - 1 : 0; each <= life; each++)
            add_timers(&rows, ladder, each, segments[next - 1].t, until);
        i = next;
    }
    for (uint32_t life = 0; ladder->segment_count > 0 && life < ladder->life_count; life++)
        add_end(&rows, ladder, life);
    free(begun);
    return rows;
}

bool ladder_row_dies(const struct ladder_row *row)
{
    return row->taps && row->fate == FATE_LOST;
}

bool ladder_row_is_born_late(const struct ladder_row *row)
{
    bool copied = row->fate == FATE_DUPLICATED && row->at[row->from] == 0;
    return row->taps && (row->fate == FATE_INJECTED || copied);
}

void ladder_rows_clear(struct ladder_rows *rows)
{
    free(rows->rows);
    *rows = (struct ladder_rows){.status = STATUS_OK};
}
