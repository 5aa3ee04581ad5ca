/*
 * report: building an event: what happened, to whom, with which packets, in plain words.
 *
 * An event_record is large and rare: it lives on the detector's stack and is begun, filled and
 * emitted in one function.  Texts that do not fit are cut, never overrun.
 */
#ifndef LASTACK_DETECT_REPORT_H
#define LASTACK_DETECT_REPORT_H

#include "detect.h"

/* Lengths of the texts below, NUL included. */
enum { ENDPOINT_TEXT = 56, DURATION_TEXT = 32 };

struct endpoint_text {
    char text[ENDPOINT_TEXT];
};

struct duration_text {
    char text[DURATION_TEXT];
};

/* "10.0.0.1:40000" or "[2001:db8::1]:443". */
struct endpoint_text report_endpoint(const struct occasion *occasion, int side);
/* The address alone. */
struct endpoint_text report_address(const struct occasion *occasion, int side);

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

/* The numbers that make a packet of an incarnation relative. */
struct evidence_base {
    uint32_t incarnation;
    bool known[SIDES]; /* whether the side's ISN is, by side_index in the event's own flow */
    seq iss[SIDES];    /* likewise */
};

struct evidence_base report_base(const struct incarnation *incarnation);

/* Adds a packet, sent by side `from` of the event's own flow, with what it says (printf). */
void report_evidence(struct event_record *event, const struct evidence_base *base,
                     const struct packet_ref *ref, int from, enum evidence_role role,
                     const char *format, ...) __attribute__((format(printf, 6, 7)));

void report_explain(struct event_record *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_remedy(struct event_record *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The side's SYN or SYN-ACK, its first copy; packet 0 where it was not captured. */
struct packet_ref report_syn(const struct incarnation *incarnation, int side);

/* Both sides' states before and after a step. */
void report_step_changes(struct event_record *event, const struct occasion *occasion);

/* The side as one to blame. */
enum blame report_blame(int side);

/* The weaker of two confidences; and what a doubtful capture leaves of one (EVENTS C0, G). */
enum confidence report_weaker(enum confidence a, enum confidence b);
enum confidence report_gated(const struct incarnation *incarnation, enum confidence confidence);

#endif
