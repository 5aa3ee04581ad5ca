/*
 * idle: how far the capture clock may go on while no packet comes.
 *
 * Only a source whose time stamps are those of the present is carried on, by the time that passed
 * here: a recorded capture that trickles through a pipe keeps its own time, so that pauses of the
 * pipe change nothing in its report.
 */
#ifndef LASTACK_IDLE_H
#define LASTACK_IDLE_H

#include <stdbool.h>

#include "base/time.h"

struct idle {
    bool waiting;         /* no packet since `since` */
    nanotime since;       /* when waiting began, on the clock of this host */
    nanotime last_packet; /* capture time; NANOTIME_UNKNOWN: none came yet */
    nanotime held_back;   /* packets this old may still come */
};

/* For a stream that somebody else writes, or for packets from this host's own interfaces. */
struct idle idle_begin(bool own_interfaces);

/* A packet came. */
void idle_note_packet(struct idle *idle, nanotime capture_time);

/*
 * Nothing came; now is this host's clock.  Returns the capture time that may be taken as reached,
 * or NANOTIME_UNKNOWN before the first packet.
 */
nanotime idle_capture_time(struct idle *idle, nanotime now);

#endif
