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
    OCCASION_DEADLINE,  /* a deadline of watches.def passed */
    OCCASION_END,       /* the incarnation ended, or the capture did */
    OCCASION_REPLACED,  /* a SYN with another number came before any answer */
    OCCASION_KINDS
};

/* What a step has, or an incarnation at its end, that a detector may wait for; a row of
 * detectors.def names those it looks at. */
enum feature {
    FEATURE_ANY = 0,    /* every occasion shown; no row has it for an end */
    FEATURE_SYN = 0x01, /* SYN, with or without ACK */
    FEATURE_FIN = 0x02,
    FEATURE_RST = 0x04,
    FEATURE_DATA = 0x08,    /* payload */
    FEATURE_AGAIN = 0x10,   /* a repetition, a keep-alive or a window probe */
    FEATURE_ACK = 0x20,     /* neither SYN, FIN, RST nor payload */
    FEATURE_STRAY = 0x40,   /* answers a connection before this one (step.stray) */
    FEATURE_REVOKED = 0x80, /* shows that a presumed state never was */
    /* at the end: */
    FEATURE_STORY = 0x100,    /* incarnation.story */
    FEATURE_RESET = 0x200,    /* a reset that closing.rst remembers */
    FEATURE_TWO_FINS = 0x400, /* of one side */
    FEATURE_ICMP = 0x800,     /* incarnation.icmp */
};

enum { FEATURES = 12 }; /* bits */

struct occasion {
    enum occasion_kind kind;
    const struct config *config;
    const struct tuple *tuple;
    const struct incarnation *incarnation; /* whose event it would be */
    const struct step *step;               /* STEP; else NULL */
    unsigned features;                     /* STEP, END: enum feature */
    bool ended;                            /* END: the incarnation did; false: only the capture */
    const struct segment *segment;         /* the deciding one; NULL for a deadline or the end */
    int from;                              /* its side */
    const struct stray *stray;             /* STRAY */
    bool delivered, refuted;               /* HAZARD: acknowledged, or shown to be rejected */
    const struct incarnation *old; /* COLLISION: the old incarnation, if still held; else NULL */
    nanotime now;                  /* capture time of the decision */
    uint64_t collision_uid;        /* of the incarnation_collision reported on it; 0: none */
    void (*emit)(void *context, struct event_record *event);
    void *context;
};

/* One row of detectors.def. */
struct detector {
    const char *name;
    enum occasion_kind kind;
    unsigned features; /* STEP, END: only those with one of these; 0 every one */
    void (*hook)(struct occasion *occasion);
};

/* What an incarnation must have for a deadline to be, a bit each. */
enum watch_need {
    NEEDS_STORY = 0x1,      /* incarnation.story */
    NEEDS_RESET = 0x2,      /* a reset that closing.rst remembers */
    NEEDS_CLOSE_WAIT = 0x4, /* a side in CLOSE_WAIT that acknowledged the FIN */
    NEEDS_WAITING = 0x8,    /* a story, or a side in CLOSING */
};

/*
 * One row of watches.def: a deadline that a detector waits for.  due() looks at the incarnation's
 * facts and says when the hook is to look again if nothing comes before: NANOTIME_UNKNOWN for
 * never, as it is without what the row needs.  The hook is called once for each such time; a
 * segment of the incarnation may bring it again, so it asks whether it has raised its event
 * already.
 */
struct watch {
    const char *name;
    unsigned needs; /* enum watch_need; all of it */
    nanotime (*due)(const struct incarnation *incarnation, const struct config *config);
    void (*hook)(struct occasion *occasion);
};

/* Which rows of detectors.def look at what, a bit each: nearly every step concerns one or two. */
struct detect_index {
    uint64_t kind[OCCASION_KINDS];
    uint64_t feature[FEATURES], any;
};

/* Reads the rows. */
void detect_index_init(struct detect_index *index);

/* Shows the occasion to every detector that it may concern, in the order of the rows. */
void detect(const struct detect_index *index, struct occasion *occasion);

/* The earliest deadline of an incarnation, NANOTIME_UNKNOWN for none. */
nanotime detect_due(const struct incarnation *incarnation, const struct config *config);

/* Shows the occasion (DEADLINE) to the watches that are due; returns their bits for `watched`. */
uint32_t detect_overdue(struct occasion *occasion);

#endif
