/*
 * report: building an event about a connection: to whom it happened, with which packets.
 */
#ifndef LASTACK_DETECT_REPORT_H
#define LASTACK_DETECT_REPORT_H

#include "../event/report.h"
#include "detect.h"

/* Lengths of the texts below, NUL included. */
enum { ENDPOINT_TEXT = 72 };

struct endpoint_text {
    char text[ENDPOINT_TEXT];
};

/* "10.0.0.1:40000" or "[2001:db8::1]:443". */
struct endpoint_text report_endpoint(const struct occasion *occasion, int side);
/* The address alone. */
struct endpoint_text report_address(const struct occasion *occasion, int side);

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
