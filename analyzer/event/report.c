/* report: see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct duration_text report_duration(nanotime duration)
{
    static const struct {
        nanotime from;
        double unit;
        const char *name;
    } scales[] = {
        {NANO_PER_SECOND, 1e9, "s"}, {NANO_PER_MILLI, 1e6, "ms"}, {NANO_PER_MICRO, 1e3, "us"}};
    struct duration_text text;
    if (duration == NANOTIME_UNKNOWN) {
        snprintf(text.text, sizeof(text.text), "an unknown time");
        return text;
    }
    for (unsigned i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        if (time_is_before(duration, scales[i].from))
            continue;
        double value = (double)duration / scales[i].unit;
        int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
        snprintf(text.text, sizeof(text.text), "%.*f %s", digits, value, scales[i].name);
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
    vsnprintf(event->explanation + used, sizeof(event->explanation) - used, format, arguments);
    va_end(arguments);
}

void report_remedy(struct event_record *event, const char *format, ...)
{
    size_t used = strlen(event->remedy);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event->remedy + used, sizeof(event->remedy) - used, format, arguments);
    va_end(arguments);
}
