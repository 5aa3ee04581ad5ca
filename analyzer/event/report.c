/* report: see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/format.h"
#include "../base/text.h"

enum { WHOLE_SECONDS = 1000000 }; /* of less than that, a double's quotient errs by below a ns */

/*
 * Spells duration / unit with so many digits behind the point, rounded as printf() rounds that
 * quotient as a double.  Returns the end; NULL midway between two, where the double's error counts.
 */
static char *put_rounded(char *out, nanotime duration, nanotime unit, int digits)
{
    static const uint32_t powers[] = {1, 10, 100};
    const uint64_t power = powers[digits], whole = (uint64_t)unit;
    uint64_t value = (uint64_t)duration * power / whole, rest = (uint64_t)duration * power % whole;
    if (duration >= WHOLE_SECONDS * (nanotime)NANO_PER_SECOND || 2 * rest == whole)
        return NULL;
    value += 2 * rest > whole;
    out = text_put_decimal(out, value / power);
    if (digits > 0)
        *out++ = '.';
    if (digits > 1)
        *out++ = (char)('0' + value / 10 % 10);
    if (digits > 0)
        *out++ = (char)('0' + value % 10);
    return out;
}

struct duration_text report_duration(nanotime duration)
{
    static const struct {
        nanotime unit;
        char name[4];
    } scales[] = {{NANO_PER_SECOND, " s"}, {NANO_PER_MILLI, " ms"}, {NANO_PER_MICRO, " us"}};
    struct duration_text text;
    if (duration == NANOTIME_UNKNOWN) {
        snprintf(text.text, sizeof(text.text), "an unknown time");
        return text;
    }
    for (unsigned i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        const nanotime unit = scales[i].unit;
        if (time_is_before(duration, unit))
            continue;
        int digits = duration < 10 * unit ? 2 : duration < 100 * unit ? 1 : 0;
        char *end = put_rounded(text.text, duration, unit, digits);
        if (end == NULL)
            end = text.text + snprintf(text.text, sizeof(text.text), "%.*f", digits,
                                       (double)duration / (double)unit);
        memcpy(end, scales[i].name, sizeof(scales[i].name));
        return text;
    }
    snprintf(text.text, sizeof(text.text), "%lld ns", (long long)duration);
    return text;
}

const char *report_side(int side)
{
    return side == CLIENT ? "client" : "server";
}

void report_begin(struct event_record *event, enum event_id id, nanotime t,
                  enum confidence confidence, enum blame blame)
{
    memset(event, 0, sizeof(*event));
    event->id = id;
    event->level = event_row(id)->level;
    event->confidence = confidence;
    event->blame = blame;
    event->outcome = -1;
    event->t = t;
}

/*
 * Where the capture holds packets in another order than their times, what lies between two of them
 * may be less than nothing: a length of time is 0 then.  delta_ns says by its sign which was first.
 */
static bool is_length_of_time(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, "_ns") == 0 && strcmp(name, "delta_ns") != 0;
}

void report_number(struct event_record *event, const char *name, int64_t value)
{
    if (value < 0 && is_length_of_time(name))
        value = 0;
    if (event->number_count < RECORD_NUMBERS)
        event->numbers[event->number_count++] = (struct number_record){name, value};
}

void report_detail(struct event_record *event, const char *name, const char *value)
{
    if (event->detail_count < RECORD_DETAILS)
        event->details[event->detail_count++] = (struct detail_record){name, value};
}

void report_change(struct event_record *event, int side, uint32_t incarnation,
                   enum tcp_state before, enum tcp_state after)
{
    event->change[side] = (struct side_change){incarnation, before, after};
}

void report_explain(struct event_record *event, const char *format, ...)
{
    size_t used = strlen(event->explanation);
    va_list arguments;
    va_start(arguments, format);
    format_put(event->explanation + used, sizeof(event->explanation) - used, format, arguments);
    va_end(arguments);
}

void report_remedy(struct event_record *event, const char *format, ...)
{
    size_t used = strlen(event->remedy);
    va_list arguments;
    va_start(arguments, format);
    format_put(event->remedy + used, sizeof(event->remedy) - used, format, arguments);
    va_end(arguments);
}
