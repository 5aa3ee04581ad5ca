/*
 * report: building an event that belongs to no room in particular: begun, filled, emitted.
 *
 * An event_record is large and rare: it lives on the detector's stack and is begun, filled and
 * emitted in one function.  Texts that do not fit are cut, never overrun.
 */
#ifndef LASTACK_EVENT_REPORT_H
#define LASTACK_EVENT_REPORT_H

#include "record.h"

enum { DURATION_TEXT = 32 };

struct duration_text {
    char text[DURATION_TEXT];
};

/* "1.2 s", "10.6 ms", "350 us": three significant digits, the unit that reads best. */
struct duration_text report_duration(nanotime duration);

/* "client" or "server". */
const char *report_side(int side);

/* Starts an event at the catalogue's level; t is the trigger's time. */
void report_begin(struct event_record *event, enum event_id id, nanotime t,
                  enum confidence confidence, enum blame blame);

void report_number(struct event_record *event, const char *name, int64_t value);
void report_detail(struct event_record *event, const char *name, const char *value);

/* The states of one side before and after, in the incarnation they belong to. */
void report_change(struct event_record *event, int side, uint32_t incarnation,
                   enum tcp_state before, enum tcp_state after);

void report_explain(struct event_record *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_remedy(struct event_record *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
