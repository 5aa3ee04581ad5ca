/*
 * life: a script of octets that becomes usual lives of connections, each bent in a few places.
 *
 * A life is what nearly every connection is: opened, some exchanges, closed, in right numbers.
 * Lives overlap in time and use tuples again.  What varies besides is small: one packet's field off
 * by a little, a packet doubled, lost, late or exchanged with the next one, an option more, an RST
 * where a FIN was.  There the short ways end and the long way begins.  A life takes six octets of
 * the script and three for each bend:
 *
 *      +-----------+-----------+------------+------------+----------+----------+
 *      | tuple,    | opening,  | exchange,  | payload,   | start,   | ISNs,    |  which, what,
 *      | close     | options   | how often  | round trip | host     | bends    |  how much ...
 *      +-----------+-----------+------------+------------+----------+----------+
 */
#ifndef LASTACK_TESTS_LIFE_H
#define LASTACK_TESTS_LIFE_H

#include "run.h"
#include "script.h"
#include "wire.h"

enum { LIFE_MOST = 80, LIVES_MOST = 16 };

/* A packet of a life. */
struct said {
    struct wire_segment segment;
    nanotime time;     /* it stands in the capture by this */
    nanotime backward; /* its stamp is so much earlier */
    uint8_t seen_on;
    bool padded; /* to the least that Ethernet carries */
};

struct life {
    struct said said[LIFE_MOST];
    size_t count;
};

/* One small change: see life_bends.c. */
void life_bend(struct life *life, struct script *script);

/* Appends the packets of the script's lives, in the order of their times. */
void lives_write(struct script script, struct packets *packets);

#endif
