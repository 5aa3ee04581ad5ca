/*
 * fates: what became of a connection's segments between one pair of taps, as far as an event or a
 * state may rest on it: those without data and with SYN, FIN or RST, the latest data, and all that
 * did not come through.  Bounded; what is old gives way.
 */
#ifndef LASTACK_PATH_FATES_H
#define LASTACK_PATH_FATES_H

#include <stdbool.h>
#include <stdint.h>

#include "crossing.h"

enum { FATES_ARRIVED = 32, FATES_DATA = 8, FATES_NOTES = 24 };

/* What the second tap knows of a packet of the first. */
enum sight {
    SIGHT_NONE,    /* it says nothing */
    SIGHT_ARRIVED, /* it saw it as well */
    SIGHT_LATE,    /* likewise, but held on the way for longer than a queue takes */
    SIGHT_LOST,    /* it stands behind the first on the way, and did not see it come */
    SIGHT_UNSENT,  /* it stands before the first on the way, and did not see it go */
};

/* How much that is worth. */
struct seen {
    enum sight sight;
    enum confidence confidence;
    bool ambiguous; /* it was this packet, or one that looks the same */
};

/* A segment that one of the taps alone has shown, or the second one long before the first. */
struct fate_note {
    uint64_t packet;              /* of that tap */
    nanotime t;                   /* by the first tap's clock */
    seq sequence, acknowledgment; /* in the first tap's numbers */
    uint32_t payload;
    uint8_t tap; /* of the pair: 0 or 1 */
    uint8_t end; /* who sent it, as the first tap counts */
    uint8_t flags;
    uint8_t fate;       /* enum path_fate: lost or injected; arrived: held on its way */
    uint8_t confidence; /* enum confidence */
    bool ambiguous;     /* it, or one that looks the same */
};

struct fates {
    uint64_t arrived[FATES_ARRIVED], data[FATES_DATA]; /* first tap's packets; bits as in fates.c */
    uint8_t arrived_next, data_next;
    uint8_t note_count, note_next;
    struct fate_note *note; /* owned; NULL until there is one */
};

/* Remembers a crossing, which passed at t by the first tap's clock; what was held for longer than
 * `slow` came late.  False when memory ran out. */
bool fates_note(struct fates *fates, const struct crossing *crossing, nanotime t, nanotime slow);

/* What became of the first tap's packet. */
struct seen fates_of(const struct fates *fates, uint64_t packet);

/* What is looked for among the segments that the second tap alone shows. */
struct fate_wanted {
    uint8_t end;
    uint8_t mask, flags; /* its flags under the mask */
    bool acknowledges;   /* it acknowledges this, or more: */
    seq acknowledgment;
    nanotime from, until; /* when it left */
};

/* The latest of them that did not come to the first tap; NULL: none. */
const struct fate_note *fates_unseen(const struct fates *fates, const struct fate_wanted *wanted);

/* Whether data, or a FIN, that this end sent is not known to have come. */
bool fates_lack_octets(const struct fates *fates, int end);

void fates_clear(struct fates *fates);

#endif
