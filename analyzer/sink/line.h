/* line: a sentence under construction, from numbers, moments and addresses. */
#ifndef LASTACK_SINK_LINE_H
#define LASTACK_SINK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/time.h"

enum { LINE_SIZE = 2048 };

/* Zeroed: empty.  What does not fit is cut off. */
struct line {
    char text[LINE_SIZE];
    size_t length;
};

void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 15:00:07.200140, with 2026-11-20 before it when with_date, and nine digits with nano. */
void line_add_moment(struct line *line, nanotime moment, bool with_date, bool nano);

/* 2026-11-20 15:00:00.000140 to 15:00:07.200140 UTC (7.2 s); the second date only if it differs. */
void line_add_span(struct line *line, nanotime first, nanotime last, bool nano);

void line_add_duration(struct line *line, nanotime duration);
void line_add_address(struct line *line, uint8_t ip_version, const uint8_t *address);

/* Appends "COUNT WORDS", after a comma where something stands before it; nothing for 0. */
void line_add_if_any(struct line *line, uint64_t count, const char *words);

#endif
