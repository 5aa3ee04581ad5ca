/* course_parts: what the files of course tell each other (course_lead.h is one of them). */
#ifndef LASTACK_TCP_COURSE_PARTS_H
#define LASTACK_TCP_COURSE_PARTS_H

#include "course.h"

/* Of a side that sent its SYN. */
enum { BEGUN = SIDE_HEARD | SIDE_ISS_KNOWN | SIDE_SYN_SEEN };

/* Entries of the history after each of the segments. */
enum {
    AFTER_SYN = 1,
    AFTER_SYNACK = 3,
    AFTER_THIRD = 4,
    AFTER_FIN = 6,
    AFTER_ACK = 7,
    AFTER_FINS = 9,
};

/* Which entry is which; of FIN_WAIT_2 course_fin_acked() tells. */
enum {
    SERVER_ANSWERED = 1,
    CLIENT_OPENED = 2,
    SERVER_OPENED = 3,
    FIN_SENT = 4,
    FIN_CAME = 5,
    FIN_ACKED_ALONE = 6,
    FIN_TOO_LATER = 7, /* then */
    FIN_TOO = 6,       /* or all at once */
    FIN_ACKED_BY_FIN = 7,
    FIN_TOO_CAME = 8,
};

/* Once parted: where FIN_WAIT_2 stands, before the second FIN's entry or behind it. */
static inline int course_fin_acked(const struct history_entry *entry)
{
    return entry[FIN_ACKED_ALONE].fact == FACT_FIN_ACKED ? FIN_ACKED_ALONE : FIN_ACKED_BY_FIN;
}

/* What one segment does; the last of them false without memory: it was counted and moves nobody. */
void course_take_synack(struct connection *connection, const struct segment *segment);
void course_take_third(struct connection *connection, const struct segment *segment);
void course_take_word(struct connection *connection, const struct segment *segment);
bool course_take_parting(struct connection *connection, const struct segment *segment, int from);

#endif
