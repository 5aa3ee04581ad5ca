/*
 * detect: detectors are const tables of hooks without state of their own.  What must be remembered
 * is a fact about a side, kept in flow/.  A detector looks at an occasion and reports events.
 */
#ifndef LASTACK_DETECT_DETECT_H
#define LASTACK_DETECT_DETECT_H

#include "../config.h"
#include "../event/record.h"
#include "../flow/incarnation.h"
#include "../flow/route.h"

/* What may give rise to an event. */
enum occasion_kind {
    OCCASION_STEP,      /* a segment was taken in */
    OCCASION_STRAY,     /* a segment of an earlier incarnation appeared */
    OCCASION_HAZARD,    /* whether an old segment was delivered is decided */
    OCCASION_COLLISION, /* a SYN into an old incarnation is decided */
    OCCASION_FINAL_ACK, /* the story of a final ACK is decided */
    OCCASION_KINDS
};

struct occasion {
    enum occasion_kind kind;
    const struct config *config;
    const struct tuple *tuple;
    const struct incarnation *incarnation; /* whose event it would be */
    const struct step *step;       /* STEP; else NULL */
    const struct segment *segment; /* the deciding one; NULL for a deadline or the end */
    int from;                      /* its side */
    const struct stray *stray;     /* STRAY */
    bool delivered, refuted;       /* HAZARD: acknowledged, or shown to be rejected */
    const struct incarnation *old; /* COLLISION: the old incarnation, if still held; else NULL */
    nanotime now;                  /* capture time of the decision */
    uint64_t event_uid[EVENT_IDS]; /* of events reported on this occasion; 0: none */
    void (*emit)(void *context, struct event_record *event);
    void *context;
};

/* One row of detectors.def. */
struct detector {
    const char *name;
    enum occasion_kind kind;
    void (*hook)(struct occasion *occasion);
};

/* Shows the occasion to every detector of its kind, in the order of the rows. */
void detect(struct occasion *occasion);

#endif
