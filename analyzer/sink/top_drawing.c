/* top_drawing: see top_drawing.h. */
#include "top_drawing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"

/* clang-format off */
const enum top_style top_level_styles[] = {
    [0]             = TOP_PLAIN,
    [LEVEL_INFO]    = TOP_PLAIN,
    [LEVEL_NOTICE]  = TOP_NOTICE,
    [LEVEL_WARNING] = TOP_WARNING,
    [LEVEL_ERROR]   = TOP_ERROR,
};
/* clang-format on */

struct top_line *top_next_line(struct top_drawing *drawing, enum top_style style)
{
    if (drawing->row >= drawing->last)
        return NULL;
    struct top_line *line = &drawing->page->line[drawing->row++];
    line->text[0] = '\0';
    line->style = style;
    line->selected = false;
    return line;
}

struct top_line *top_put(struct top_drawing *drawing, enum top_style style, const char *format, ...)
{
    char text[TOP_LINE_SIZE];
    struct top_line *line = top_next_line(drawing, style);
    if (line == NULL)
        return NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_copy_printable(line->text, (size_t)drawing->page->columns + 1, text);
    return line;
}

const char *top_spell_count(char text[TOP_COUNT_SIZE], uint64_t count)
{
    static const char units[] = {'K', 'M', 'G', 'T', 'P', 'E'};
    int unit = -1;
    for (uint64_t most = 9999999; count > most; most = 99999) {
        count /= 1000;
        unit++;
    }
    snprintf(text, TOP_COUNT_SIZE, unit < 0 ? "%" PRIu64 : "%" PRIu64 "%c", count,
             unit < 0 ? ' ' : units[unit]);
    return text;
}

const char *top_spell_rate(char text[TOP_COUNT_SIZE], double rate)
{
    if (rate < 0.05)
        text[0] = '\0';
    else if (rate < 10000)
        snprintf(text, TOP_COUNT_SIZE, "%.1f", rate);
    else
        top_spell_count(text, (uint64_t)rate);
    return text;
}

static void add_end(struct line *line, const struct flow_identity *who, int side)
{
    bool is_six = who->ip_version == 6;
    line_add(line, "%s", is_six ? "[" : "");
    line_add_address(line, who->ip_version, who->end[side].address);
    line_add(line, "%s:%u", is_six ? "]" : "", who->end[side].port);
}

void top_spell_ends(struct line *line, const struct flow_identity *who)
{
    add_end(line, who, CLIENT);
    line_add(line, " > ");
    add_end(line, who, SERVER);
}

void top_spell_clock(char text[TEXT_CLOCK + 1], nanotime moment)
{
    *text_put_clock(text, text_split_time(moment).nanos, 0) = '\0';
}
