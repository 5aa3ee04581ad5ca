/*
 * zeek_usual: the segments that open and end nearly every connection, as a view takes them, in one
 * go.  What they do is what the steps of zeek_view_packet_fully() do; a test compares the two.
 */
#ifndef LASTACK_TCP_ZEEK_USUAL_H
#define LASTACK_TCP_ZEEK_USUAL_H

#include "zeek.h"

/*
 * Takes a SYN, a SYN-ACK, a pure ACK or a FIN that end `from` sent, each without payload.  One that
 * is not where it belongs goes through all the steps.
 */
void zeek_usual_packet(struct zeek_view *view, const struct segment *segment, int from);

#endif
