/* line: appending. */
#include "line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"

void line_add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof(line->text) - line->length;
    int written = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (written > 0)
        line->length += (size_t)written < room ? (size_t)written : room - 1;
}

void line_add_moment(struct line *line, nanotime moment, bool with_date, bool nano)
{
    char text[TEXT_DATE + 1 + TEXT_CLOCK + 1];
    char *end = text;
    struct day_time split = text_split_time(moment);
    if (with_date) {
        end = text_put_date(end, split.day);
        *end++ = ' ';
    }
    *text_put_clock(end, split.nanos, nano ? 9 : 6) = '\0';
    line_add(line, "%s", text);
}

void line_add_duration(struct line *line, nanotime duration)
{
    char text[TEXT_DURATION + 1];
    *text_put_duration(text, duration) = '\0';
    line_add(line, "%s", text);
}

void line_add_address(struct line *line, uint8_t ip_version, const uint8_t *address)
{
    char text[TEXT_ADDRESS + 1];
    *text_put_address(text, ip_version, address) = '\0';
    line_add(line, "%s", text);
}

void line_add_span(struct line *line, nanotime first, nanotime last, bool nano)
{
    bool same_day = text_split_time(first).day == text_split_time(last).day;
    line_add_moment(line, first, true, nano);
    if (first != last) {
        line_add(line, " to ");
        line_add_moment(line, last, !same_day, nano);
    }
    line_add(line, " UTC");
    if (first == last)
        return;
    line_add(line, " (");
    line_add_duration(line, time_since(last, first));
    line_add(line, ")");
}

void line_add_if_any(struct line *line, uint64_t count, const char *words)
{
    if (count > 0)
        line_add(line, "%s%" PRIu64 " %s", line->length > 0 ? ", " : "", count, words);
}
