/*
 * ladder_text: one row of ladder_rows a line, or a few.
 *
 *     packet       time         left  arrow                                  right
 *          9   1.200000   TIME_WAIT  |--SYN seq 0------------------------->|  LAST_ACK
 *
 * Between two taps the first column has the packets of the tap at the left pole, the last one those
 * of the tap at the right pole; an arrow ends where its segment died, and begins where it was made.
 *
 * A presumed state ends in "?"; one that was revoked stands between tildes, and is struck through
 * where the terminal has colours.  Words that are wider than the arrow stand above it.
 */
#include "ladder_text.h"

#include <inttypes.h>
#include <string.h>

#include "../base/text.h"
#include "ladder_fate.h"
#include "line.h"

enum {
    PACKET_WIDTH = 7,
    TIME_WIDTH = 11,  /* 9999.999999, and a space */
    NANO_DIGITS = 3,  /* more of them with --nano */
    STATE_WIDTH = 15, /* ~ESTABLISHED?~ and two spaces */
    LONGEST_MOMENT = 40
};

enum colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_FAINT, COLOUR_STRUCK, COLOUR_YELLOW, COLOUR_RED };

/* ECMA-48 SGR. */
static const char *const colour_codes[] = {
    [COLOUR_NONE] = "",          [COLOUR_BOLD] = "\x1b[1m",    [COLOUR_FAINT] = "\x1b[2m",
    [COLOUR_STRUCK] = "\x1b[9m", [COLOUR_YELLOW] = "\x1b[33m", [COLOUR_RED] = "\x1b[1;31m",
};

static const enum colour level_colours[] = {
    [LEVEL_INFO] = COLOUR_NONE,
    [LEVEL_NOTICE] = COLOUR_BOLD,
    [LEVEL_WARNING] = COLOUR_YELLOW,
    [LEVEL_ERROR] = COLOUR_RED,
};

/* What lines are drawn with, ASCII and UTF-8. */
struct glyphs {
    const char *line, *left_head, *right_head, *pole, *fold, *rule, *said, *death, *birth;
};

static const struct glyphs glyph_sets[] = {
    {"-", "<", ">", "|", ":", "=", "!", "x", "*"},
    {"─", "◀", "▶", "│", "┊", "═", "▲", "✗", "✱"},
};

/* One ladder being painted. */
struct painter {
    const struct ladder *ladder;
    const struct ladder_look *look;
    const struct glyphs *glyphs;
    struct output *output;
    bool taps;        /* the last column has the packets of the tap at the right */
    struct line line; /* the one in the making */
    enum status status;
};

static void put_styled(struct painter *painter, enum colour colour, const char *text)
{
    if (painter->look->colour && colour != COLOUR_NONE)
        line_add(&painter->line, "%s%s\x1b[0m", colour_codes[colour], text);
    else
        line_add(&painter->line, "%s", text);
}

static void put_repeated(struct painter *painter, const char *glyph, int count)
{
    for (; count > 0; count--)
        line_add(&painter->line, "%s", glyph);
}

static void end_line(struct painter *painter)
{
    while (painter->line.length > 0 && painter->line.text[painter->line.length - 1] == ' ')
        painter->line.length--;
    if (painter->status == STATUS_OK)
        painter->status =
            output_write_line(painter->output, painter->line.text, painter->line.length);
    painter->line.length = 0;
}

static int time_width(const struct painter *painter)
{
    return TIME_WIDTH + (painter->look->nano ? NANO_DIGITS : 0);
}

/* The column of the left pole. */
static int margin(const struct painter *painter)
{
    return PACKET_WIDTH + time_width(painter) + STATE_WIDTH;
}

static int arrow_width(const struct painter *painter)
{
    int last = painter->taps ? PACKET_WIDTH : 0;
    return painter->look->columns - margin(painter) - STATE_WIDTH - last;
}

static void put_time(struct painter *painter, const struct ladder_row *row)
{
    char packet[24] = "", moment[LONGEST_MOMENT] = "";
    uint64_t t = (uint64_t)(row->t < 0 ? -row->t : row->t);
    int digits = painter->look->nano ? 9 : 6;
    uint64_t fraction = t % NANO_PER_SECOND / (painter->look->nano ? 1 : NANO_PER_MICRO);
    if (row->packet != 0)
        snprintf(packet, sizeof packet, "%" PRIu64, row->packet);
    if (row->t != NANOTIME_UNKNOWN)
        snprintf(moment, sizeof moment, "%s%" PRIu64 ".%0*" PRIu64, row->t < 0 ? "-" : "",
                 t / NANO_PER_SECOND, digits, fraction);
    line_add(&painter->line, "%*s", PACKET_WIDTH, packet);
    int width = time_width(painter) - 1; /* of a late moment the last digits are left out */
    line_add(&painter->line, " %*.*s", width, width, moment);
}

static enum colour state_colour(const struct ladder_state *state)
{
    if (state->revoked)
        return COLOUR_STRUCK;
    return state->presumed ? COLOUR_FAINT : COLOUR_NONE;
}

/* Set against the pole: the left side's to the right, the right side's to the left. */
static void put_state(struct painter *painter, const struct ladder_state *state, int side)
{
    char text[32];
    const char *tilde = state->revoked ? "~" : "";
    int width = snprintf(text, sizeof text, "%s%s%s%s", tilde, tcp_state_name(state->state),
                         state->presumed ? "?" : "", tilde);
    put_repeated(painter, " ", side == LEFT ? STATE_WIDTH - 1 - width : 1);
    put_styled(painter, state_colour(state), text);
    if (side == LEFT)
        line_add(&painter->line, " ");
}

/* How much of the way stays empty: it died before, or began behind it. */
static int gap_of(const struct painter *painter, const struct ladder_row *row)
{
    return ladder_row_dies(row) || ladder_row_is_born_late(row) ? arrow_width(painter) / 3 : 0;
}

/* The line of an arrow, so many columns wide, with words in it where they fit. */
static void put_shaft(struct painter *painter, const struct ladder_row *row, int room,
                      const char *words)
{
    const struct glyphs *glyphs = painter->glyphs;
    int width = (int)strlen(words) + (*words != '\0' ? 2 : 0);
    int before = (room - width) / 2;
    put_repeated(painter, glyphs->line, before);
    if (*words != '\0') {
        line_add(&painter->line, " ");
        put_styled(painter, row->marked ? COLOUR_BOLD : COLOUR_NONE, words);
        line_add(&painter->line, " ");
    }
    put_repeated(painter, glyphs->line, room - width - before);
}

/* The arrow between the poles. */
static void put_arrow(struct painter *painter, const struct ladder_row *row, const char *words)
{
    const struct glyphs *glyphs = painter->glyphs;
    int gap = gap_of(painter, row);
    int room = arrow_width(painter) - 3 - gap -
               ladder_row_is_born_late(row); /* two poles, a head, a birth */
    bool gap_at_left = (row->from == LEFT) == ladder_row_is_born_late(row);
    const char *head = ladder_row_dies(row) ? glyphs->death
                       : row->from == RIGHT ? glyphs->left_head
                                            : glyphs->right_head;
    const char *tail = ladder_row_is_born_late(row) ? glyphs->birth : "";
    line_add(&painter->line, "%s", glyphs->pole);
    put_repeated(painter, " ", gap_at_left ? gap : 0);
    line_add(&painter->line, "%s", row->from == RIGHT ? head : tail);
    put_shaft(painter, row, room, words);
    line_add(&painter->line, "%s", row->from == LEFT ? head : tail);
    put_repeated(painter, " ", gap_at_left ? 0 : gap);
    line_add(&painter->line, "%s", glyphs->pole);
}

/* Its number at the tap of the right pole, at the end of the line. */
static void put_far_packet(struct painter *painter, const struct ladder_row *row)
{
    char packet[24];
    int state = row->stateless ? 0 : (int)strlen(tcp_state_name(row->after[RIGHT].state));
    if (!painter->taps || row->at[RIGHT] == 0)
        return;
    if (!row->stateless)
        state += 1 + row->after[RIGHT].presumed + 2 * row->after[RIGHT].revoked;
    snprintf(packet, sizeof packet, "%" PRIu64, row->at[RIGHT]);
    line_add(&painter->line, "%*s", STATE_WIDTH + PACKET_WIDTH - state, packet);
}

/* Words between the poles, and no arrow. */
static void paint_between(struct painter *painter, enum colour colour, const char *words)
{
    int room = arrow_width(painter) - 2, width = (int)strlen(words);
    int before = (room - width) / 2;
    const char *pole = painter->glyphs->pole;
    if (width > room) { /* wider than the arrow: on from the left pole, or up to the right edge */
        int left = painter->look->columns - width - margin(painter) - 1;
        put_repeated(painter, " ", left < 0 ? painter->look->columns - width : margin(painter));
        line_add(&painter->line, "%s", left < 0 ? "" : pole);
        put_styled(painter, colour, words);
        end_line(painter);
        return;
    }
    put_repeated(painter, " ", margin(painter));
    line_add(&painter->line, "%s", pole);
    put_repeated(painter, " ", before);
    put_styled(painter, colour, words);
    put_repeated(painter, " ", room - before - width);
    line_add(&painter->line, "%s", pole);
    end_line(painter);
}

static void paint_segment(struct painter *painter, const struct ladder_row *row)
{
    bool fits = (int)strlen(row->words) + 7 + gap_of(painter, row) <= arrow_width(painter);
    if (!fits)
        paint_between(painter, row->marked ? COLOUR_BOLD : COLOUR_NONE, row->words);
    put_time(painter, row);
    if (row->stateless)
        put_repeated(painter, " ", STATE_WIDTH);
    else
        put_state(painter, &row->after[LEFT], LEFT);
    put_arrow(painter, row, fits ? row->words : "");
    if (!row->stateless)
        put_state(painter, &row->after[RIGHT], RIGHT);
    put_far_packet(painter, row);
    end_line(painter);
}

/* Text of an event, wrapped across the whole width behind its mark. */
static void paint_wrapped(struct painter *painter, enum colour colour, const char *mark, int indent,
                          const char *text)
{
    int room = painter->look->columns - indent - 2;
    while (*text != '\0') {
        int length = (int)strlen(text), cut = length;
        char part[LADDER_MOST_COLUMNS + 1];
        if (cut > room)
            for (cut = room; cut > room / 2 && text[cut] != ' ';)
                cut--;
        if (length > room && text[cut] != ' ')
            cut = room;
        snprintf(part, sizeof part, "%.*s", cut, text);
        put_repeated(painter, " ", indent);
        line_add(&painter->line, "%s ", mark);
        put_styled(painter, colour, part);
        end_line(painter);
        text += cut;
        text += strspn(text, " ");
        mark = " ";
    }
}

static void paint_rule(struct painter *painter, const char *words)
{
    const char *rule = painter->glyphs->rule;
    int width = (int)strlen(words) + 4;
    if (width > painter->look->columns) {
        paint_wrapped(painter, COLOUR_BOLD, rule, 0, words);
        return;
    }
    put_repeated(painter, rule, 2);
    line_add(&painter->line, " ");
    put_styled(painter, COLOUR_BOLD, words);
    line_add(&painter->line, " ");
    put_repeated(painter, rule, painter->look->columns - width);
    end_line(painter);
}

static void paint_timer(struct painter *painter, const struct ladder_row *row)
{
    struct line words = {.length = 0};
    put_time(painter, row);
    line_add(&words, "  (timer) %s", row->words);
    put_styled(painter, COLOUR_FAINT, words.text);
    end_line(painter);
}

static void paint_row(struct painter *painter, const struct ladder_row *row)
{
    struct line fold = {.length = 0};
    switch (row->kind) {
    case LADDER_LIFE:
        paint_rule(painter, row->words);
        return;
    case LADDER_SEGMENT:
        paint_segment(painter, row);
        return;
    case LADDER_FOLD:
        paint_wrapped(painter, COLOUR_FAINT, painter->glyphs->fold, PACKET_WIDTH - 1, row->words);
        return;
    case LADDER_TIMER:
        paint_timer(painter, row);
        return;
    case LADDER_REMARK:
        line_add(&fold, "(%s)", row->words);
        paint_between(painter, COLOUR_FAINT, fold.text);
        return;
    case LADDER_SAID:
        paint_wrapped(painter, level_colours[row->level], painter->glyphs->said, PACKET_WIDTH - 1,
                      row->words);
        return;
    case LADDER_END:
        paint_wrapped(painter, COLOUR_FAINT, " ", PACKET_WIDTH - 1, row->words);
        return;
    }
}

static void paint_heading(struct painter *painter)
{
    char left[LADDER_END_NAME], right[LADDER_END_NAME], words[2 * LADDER_END_NAME + 64];
    const struct ladder *ladder = painter->ladder;
    ladder_name_end(ladder, LEFT, left);
    ladder_name_end(ladder, RIGHT, right);
    snprintf(words, sizeof words, "%" PRIu64 ": %s (left) and %s (right)", ladder->number, left,
             right);
    put_styled(painter, COLOUR_BOLD, words);
    end_line(painter);
    struct line first = {.length = 0};
    line_add(&first, "times since ");
    line_add_moment(&first, ladder->segments[0].t, true, painter->look->nano);
    line_add(&first, " UTC; ? presumed, ~revoked~");
    put_styled(painter, COLOUR_FAINT, first.text);
    end_line(painter);
    const char *names[2];
    if (!ladder_fate_poles(ladder, names))
        return;
    struct line taps = {.length = 0};
    line_add(
        &taps,
        "packets of tap %.60s at the left, of tap %.60s at the right; times by the clock of tap "
        "%.60s; %s lost on the way, %s made there",
        names[LEFT], names[RIGHT], ladder->taps->names[0], painter->glyphs->death,
        painter->glyphs->birth);
    paint_wrapped(painter, COLOUR_FAINT, " ", 0, taps.text);
}

enum status ladder_text_write(struct output *output, const struct ladder *ladder,
                              const struct ladder_look *look)
{
    struct painter painter = {
        .ladder = ladder,
        .look = look,
        .glyphs = &glyph_sets[look->utf8],
        .output = output,
        .taps = ladder->taps != NULL,
        .status = STATUS_OK,
    };
    if (ladder->segment_count == 0)
        return STATUS_OK;
    struct ladder_rows rows = ladder_rows_make(ladder);
    paint_heading(&painter);
    for (size_t i = 0; i < rows.count; i++)
        paint_row(&painter, &rows.rows[i]);
    enum status status = rows.status;
    ladder_rows_clear(&rows);
    return status == STATUS_OK ? painter.status : status;
}
