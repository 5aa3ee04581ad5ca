/*
 * ladder_svg: one row of ladder_rows a band of the picture, from top to bottom.
 *
 *     0      150       300                              740       960
 *     packet, time     left pole ------- arrow -------> right pole
 *                states                                 states
 *
 * Between two taps the poles are the taps, what lies between them is the path, and the numbers at
 * the right are those of the tap there.  An arrow fades to a cross where its segment was lost,
 * begins with a dot where it was made, and has a step where it was held.
 *
 * No script, no reference to anything outside; text from the capture is escaped.
 */
#include "ladder_svg.h"

#include <inttypes.h>
#include <string.h>

#include "ladder_fate.h"
#include "line.h"

enum {
    WIDTH = 960,
    LEFT_POLE = 320,
    RIGHT_POLE = 780,
    TOP = 76,
    BAND = 34,       /* height of an arrow's row */
    WORDS_BAND = 20, /* height of one line of words */
    SLANT = 8        /* an arrow arrives lower than it left */
};

static const char style[] =
    "<style>"
    "svg{background:#fff;color:#1a1a1a;font:13px ui-monospace,Menlo,Consolas,monospace}"
    "text{fill:currentColor}.f{opacity:.65}.b{font-weight:700}"
    ".p{font-style:italic;opacity:.75}.r{text-decoration:line-through}"
    ".a,.l{stroke:currentColor;stroke-width:1.3}.l{opacity:.35}"
    ".m{stroke:#b00020;stroke-width:2.2}.s1,.s2{fill:#1d4f91}.s3{fill:#8a5300}.s4{fill:#b00020}"
    ".h{fill:currentColor}.k{fill:#b00020}"
    "@media(prefers-color-scheme:dark){svg{background:#14161a;color:#e6e6e6}"
    ".m{stroke:#ff7b8a}.k,.s4{fill:#ff7b8a}.s3{fill:#ffc069}.s1,.s2{fill:#8ab8ff}}"
    "</style>";

struct canvas {
    struct output *output;
    enum status status;
    bool nano;
    bool inside; /* of a page that brings the style */
    int y;
};

static void put(struct canvas *canvas, const struct line *line)
{
    if (canvas->status == STATUS_OK)
        canvas->status = output_write_line(canvas->output, line->text, line->length);
}

/* Text inside an element: XML's own characters as references (XML 1.0, 2.4). */
static void add_escaped(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            line_add(line, "&amp;");
            break;
        case '<':
            line_add(line, "&lt;");
            break;
        case '>':
            line_add(line, "&gt;");
            break;
        default:
            line_add(line, "%c", (unsigned char)*text < 0x20 ? ' ' : *text);
        }
    }
}

static void put_text(struct canvas *canvas, int x, int y, const char *anchor, const char *class,
                     const char *text)
{
    struct line line = {.length = 0};
    line_add(&line, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
             class);
    add_escaped(&line, text);
    line_add(&line, "</text>");
    put(canvas, &line);
}

static void put_line(struct canvas *canvas, int x1, int y1, int x2, int y2, const char *class)
{
    struct line line = {.length = 0};
    line_add(&line, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"%s\"/>", x1, y1, x2, y2,
             class);
    put(canvas, &line);
}

/* The poles beside a band. */
static void put_poles(struct canvas *canvas, int height)
{
    put_line(canvas, LEFT_POLE, canvas->y, LEFT_POLE, canvas->y + height, "l");
    put_line(canvas, RIGHT_POLE, canvas->y, RIGHT_POLE, canvas->y + height, "l");
}

static void put_state(struct canvas *canvas, const struct ladder_state *state, int side, int y)
{
    char text[32], class[8];
    snprintf(text, sizeof text, "%s%s", tcp_state_name(state->state), state->presumed ? "?" : "");
    snprintf(class, sizeof class, "t%s%s", state->presumed ? " p" : "", state->revoked ? " r" : "");
    if (side == LEFT)
        put_text(canvas, LEFT_POLE - 10, y, "end", class, text);
    else
        put_text(canvas, RIGHT_POLE + 10, y, "start", class, text);
}

static void put_time(struct canvas *canvas, const struct ladder_row *row, int y)
{
    struct line line = {.length = 0};
    if (row->packet != 0)
        line_add(&line, "#%" PRIu64 " ", row->packet);
    uint64_t t = (uint64_t)(row->t < 0 ? -row->t : row->t);
    line_add(&line, "%s%" PRIu64, row->t < 0 ? "-" : "+", t / NANO_PER_SECOND);
    if (canvas->nano)
        line_add(&line, ".%09" PRIu64, t % NANO_PER_SECOND);
    else
        line_add(&line, ".%06" PRIu64, t % NANO_PER_SECOND / NANO_PER_MICRO);
    put_text(canvas, 10, y, "start", "f", line.text);
}

static void put_head(struct canvas *canvas, int x, int y, int direction, bool marked)
{
    struct line line = {.length = 0};
    line_add(&line, "<path d=\"M%d %dl%d -5v10z\" class=\"%s\"/>", x, y, -9 * direction,
             marked ? "k" : "h");
    put(canvas, &line);
}

/* From left to right, or the other way; y is where it leaves. */
struct arrow {
    int start, end, direction, y;
    const char *class;
    bool marked;
};

/* A line whose gaps grow, and a cross: it never arrives. */
static void put_death(struct canvas *canvas, const struct arrow *arrow)
{
    enum { ARM = 5 };
    struct line line = {.length = 0};
    int x = arrow->start + (arrow->end - arrow->start) * 3 / 5, y = arrow->y + SLANT / 2;
    line_add(&line,
             "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"%s\" "
             "stroke-dasharray=\"60 3 48 5 38 8 28 10 18 12 10 14 5 16\"/>",
             arrow->start, arrow->y, x - (ARM + 2) * arrow->direction, y, arrow->class);
    put(canvas, &line);
    put_line(canvas, x - ARM, y - ARM, x + ARM, y + ARM, "m");
    put_line(canvas, x - ARM, y + ARM, x + ARM, y - ARM, "m");
}

/* It begins between the poles. */
static void put_birth(struct canvas *canvas, const struct arrow *arrow)
{
    struct line line = {.length = 0};
    int x = arrow->start + (arrow->end - arrow->start) * 2 / 5, y = arrow->y + SLANT / 2;
    line_add(&line, "<circle cx=\"%d\" cy=\"%d\" r=\"4\" class=\"%s\"/>", x, y,
             arrow->marked ? "k" : "h");
    put(canvas, &line);
    put_line(canvas, x, y, arrow->end - 8 * arrow->direction, arrow->y + SLANT, arrow->class);
    put_head(canvas, arrow->end, arrow->y + SLANT, arrow->direction, arrow->marked);
}

/* It stood still half way. */
static void put_held(struct canvas *canvas, const struct arrow *arrow)
{
    int x = (arrow->start + arrow->end) / 2, y = arrow->y + SLANT;
    put_line(canvas, arrow->start, arrow->y, x, arrow->y, arrow->class);
    put_line(canvas, x, arrow->y, x, y, arrow->class);
    put_line(canvas, x, y, arrow->end - 8 * arrow->direction, y, arrow->class);
    put_head(canvas, arrow->end, y, arrow->direction, arrow->marked);
}

static void put_whole(struct canvas *canvas, const struct arrow *arrow)
{
    int y = arrow->y + SLANT;
    put_line(canvas, arrow->start, arrow->y, arrow->end - 8 * arrow->direction, y, arrow->class);
    put_head(canvas, arrow->end, y, arrow->direction, arrow->marked);
}

static void put_far_packet(struct canvas *canvas, const struct ladder_row *row, int y)
{
    struct line line = {.length = 0};
    if (!row->taps || row->at[RIGHT] == 0)
        return;
    line_add(&line, "#%" PRIu64, row->at[RIGHT]);
    put_text(canvas, WIDTH - 10, y, "end", "f", line.text);
}

static void paint_segment(struct canvas *canvas, const struct ladder_row *row)
{
    int y = canvas->y + BAND - SLANT - 6;
    struct arrow arrow = {
        .start = row->from == LEFT ? LEFT_POLE : RIGHT_POLE,
        .end = row->from == LEFT ? RIGHT_POLE : LEFT_POLE,
        .direction = row->from == LEFT ? 1 : -1,
        .y = y,
        .class = row->marked ? "m" : "a",
        .marked = row->marked,
    };
    put_poles(canvas, BAND);
    if (ladder_row_dies(row))
        put_death(canvas, &arrow);
    else if (ladder_row_is_born_late(row))
        put_birth(canvas, &arrow);
    else if (row->held)
        put_held(canvas, &arrow);
    else
        put_whole(canvas, &arrow);
    put_text(canvas, (LEFT_POLE + RIGHT_POLE) / 2, y - 5, "middle", row->marked ? "b" : "t",
             row->words);
    put_time(canvas, row, y + 6);
    put_far_packet(canvas, row, y + 6);
    for (int side = LEFT; side <= RIGHT && !row->stateless; side++)
        put_state(canvas, &row->after[side], side, y + 6);
    canvas->y += BAND;
}

static void paint_between(struct canvas *canvas, const char *words)
{
    put_poles(canvas, WORDS_BAND);
    put_text(canvas, (LEFT_POLE + RIGHT_POLE) / 2, canvas->y + 13, "middle", "f", words);
    canvas->y += WORDS_BAND;
}

/* A sentence across the picture, on as many lines as it needs. */
static void paint_sentence(struct canvas *canvas, const char *class, const char *text)
{
    enum { COLUMNS = 112 };
    while (*text != '\0') {
        char part[COLUMNS + 1];
        int cut = (int)strlen(text);
        if (cut > COLUMNS)
            for (cut = COLUMNS; cut > COLUMNS / 2 && text[cut] != ' ';)
                cut--;
        snprintf(part, sizeof part, "%.*s", cut, text);
        put_text(canvas, 20, canvas->y + 14, "start", class, part);
        canvas->y += WORDS_BAND;
        text += cut;
        text += strspn(text, " ");
    }
}

/* Between the poles where it fits, else in their place. */
static void paint_fold(struct canvas *canvas, const char *words)
{
    enum { COLUMNS = (RIGHT_POLE - LEFT_POLE) / 8 };
    if (strlen(words) <= COLUMNS) {
        paint_between(canvas, words);
        return;
    }
    put_text(canvas, (LEFT_POLE + RIGHT_POLE) / 2, canvas->y + 13, "middle", "f", words);
    canvas->y += WORDS_BAND;
}

static void paint_timer(struct canvas *canvas, const struct ladder_row *row)
{
    struct line words = {.length = 0};
    line_add(&words, "timer, %s", row->words);
    put_time(canvas, row, canvas->y + 13);
    paint_between(canvas, words.text);
}

static void paint_life(struct canvas *canvas, const char *words)
{
    put_line(canvas, 10, canvas->y + 6, WIDTH - 10, canvas->y + 6, "a");
    canvas->y += 8;
    paint_sentence(canvas, "b", words);
}

static void paint_row(struct canvas *canvas, const struct ladder_row *row)
{
    char class[4];
    switch (row->kind) {
    case LADDER_LIFE:
        paint_life(canvas, row->words);
        return;
    case LADDER_SEGMENT:
        paint_segment(canvas, row);
        return;
    case LADDER_TIMER:
        paint_timer(canvas, row);
        return;
    case LADDER_FOLD:
        paint_fold(canvas, row->words);
        return;
    case LADDER_REMARK:
        paint_between(canvas, row->words);
        return;
    case LADDER_SAID:
        snprintf(class, sizeof class, "s%d", (int)row->level);
        paint_sentence(canvas, class, row->words);
        return;
    case LADDER_END:
        paint_sentence(canvas, "f", row->words);
        return;
    }
}

/* Rows [0, before) and [from, to) are painted; all, but of a long ladder inside a page. */
struct cut {
    size_t before, from, to;
};

/* The beginning, and what is around the first packet after it that an event names. */
static struct cut decide_cut(const struct ladder_rows *rows, bool inside)
{
    enum { MOST = 240, BEGINNING = 60, LEAD = 40 };
    struct cut cut = {.before = rows->count, .from = rows->count, .to = rows->count};
    if (!inside || rows->count <= MOST)
        return cut;
    size_t from = BEGINNING;
    while (from < rows->count && !rows->rows[from].marked)
        from++;
    from = from == rows->count || from < BEGINNING + LEAD ? BEGINNING : from - LEAD;
    size_t left = rows->count - from, room = MOST - BEGINNING;
    return (struct cut){BEGINNING, from, from + (left < room ? left : room)};
}

static void paint_cut(struct canvas *canvas, size_t count)
{
    struct line words = {.length = 0};
    if (count == 0)
        return;
    line_add(&words, "%zu rows are not shown; lastack ladder shows them", count);
    paint_sentence(canvas, "b", words.text);
}

static void paint_rows(struct canvas *canvas, const struct ladder_rows *rows, const struct cut *cut)
{
    for (size_t i = 0; i < cut->before; i++)
        paint_row(canvas, &rows->rows[i]);
    paint_cut(canvas, cut->from - cut->before);
    for (size_t i = cut->from; i < cut->to; i++)
        paint_row(canvas, &rows->rows[i]);
    paint_cut(canvas, rows->count - cut->to);
}

/* Painted twice: the height stands in the first line, so the first time nothing is written. */
static int measure(const struct ladder_rows *rows, const struct cut *cut)
{
    struct canvas canvas = {.status = STATUS_WRITE, .y = TOP};
    paint_rows(&canvas, rows, cut);
    return canvas.y + 20;
}

static void begin(struct canvas *canvas, int height, const char *title)
{
    struct line line = {.length = 0};
    line_add(&line,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
             "height=\"%d\" role=\"img\"%s><title>",
             WIDTH, height, WIDTH, height, canvas->inside ? " class=\"ladder\"" : "");
    add_escaped(&line, title);
    line_add(&line, "</title>");
    put(canvas, &line);
    line.length = 0;
    line_add(&line, "%s", style);
    if (!canvas->inside)
        put(canvas, &line);
    line.length = 0;
    line_add(&line, "<rect width=\"%d\" height=\"%d\" fill=\"none\"/>", WIDTH, height);
    put(canvas, &line);
}

static void paint_heading(struct canvas *canvas, const struct ladder *ladder, const char *left,
                          const char *right)
{
    struct line line = {.length = 0};
    line_add(&line, "times since ");
    line_add_moment(&line, ladder->segments[0].t, true, canvas->nano);
    line_add(&line, " UTC; ? presumed, struck through: revoked");
    put_text(canvas, 10, 22, "start", "f", line.text);
    put_text(canvas, LEFT_POLE, 56, "middle", "b", left);
    put_text(canvas, RIGHT_POLE, 56, "middle", "b", right);
    const char *taps[2];
    if (!ladder_fate_poles(ladder, taps))
        return;
    for (int side = LEFT; side <= RIGHT; side++) {
        struct line tap = {.length = 0};
        line_add(&tap, "tap %.40s", taps[side]);
        put_text(canvas, side == LEFT ? LEFT_POLE : RIGHT_POLE, 71, "middle", "f", tap.text);
    }
    put_text(canvas, (LEFT_POLE + RIGHT_POLE) / 2, 71, "middle", "f", "path");
}

static void paint_nothing(struct canvas *canvas)
{
    begin(canvas, TOP, "no connection");
    put_text(canvas, 10, 22, "start", "t", "No such connection in the capture.");
}

static enum status paint_ladder(struct canvas *canvas, const struct ladder *ladder)
{
    char left[LADDER_END_NAME], right[LADDER_END_NAME], title[2 * LADDER_END_NAME + 32];
    struct ladder_rows rows = ladder_rows_make(ladder);
    ladder_name_end(ladder, LEFT, left);
    ladder_name_end(ladder, RIGHT, right);
    snprintf(title, sizeof title, "TCP connection of %s and %s", left, right);
    struct cut cut = decide_cut(&rows, canvas->inside);
    begin(canvas, measure(&rows, &cut), title);
    paint_heading(canvas, ladder, left, right);
    paint_rows(canvas, &rows, &cut);
    enum status status = rows.status;
    ladder_rows_clear(&rows);
    return status;
}

static enum status write_svg(struct canvas *canvas, const struct ladder *ladder)
{
    enum status status = STATUS_OK;
    if (ladder == NULL)
        paint_nothing(canvas);
    else
        status = paint_ladder(canvas, ladder);
    const struct line end = {.text = "</svg>", .length = 6};
    put(canvas, &end);
    return status == STATUS_OK ? canvas->status : status;
}

enum status ladder_svg_write(struct output *output, const struct ladder *ladder, bool nano)
{
    struct canvas canvas = {.output = output, .status = STATUS_OK, .nano = nano, .y = TOP};
    return write_svg(&canvas, ladder);
}

enum status ladder_svg_write_inside(struct output *output, const struct ladder *ladder, bool nano)
{
    struct canvas canvas = {.output = output, .nano = nano, .inside = true, .y = TOP};
    return write_svg(&canvas, ladder);
}
