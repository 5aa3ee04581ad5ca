/* course_parts: what the files of course tell each other; known to them alone. */
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
    FIN_ACKED_BY_FIN = 7,
};

/* Once parted: where FIN_WAIT_2 stands, before the second FIN's entry or behind it. */
static inline int course_fin_acked(const struct history_entry *entry)
{
    return entry[FIN_ACKED_ALONE].fact == FACT_FIN_ACKED ? FIN_ACKED_ALONE : FIN_ACKED_BY_FIN;
}

#endif
