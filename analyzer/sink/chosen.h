/*
 * chosen: which packets belong to connections that had problems, and what events say of them.
 *
 * Two looks at the same packets.  During the first, chosen_events() remembers which connections the
 * selected events concern and which packets they name.  During the second, chosen_segments() marks
 * every packet of these connections.  Then chosen_has() and chosen_remarks() answer by packet.
 */
#ifndef LASTACK_SINK_CHOSEN_H
#define LASTACK_SINK_CHOSEN_H

#include "sinks.h"

struct chosen;

enum { CHOSEN_REMARKS = 8, CHOSEN_REMARK = 256 }; /* a packet's remarks, octets of one */

struct chosen_remarks {
    uint32_t count;
    char text[CHOSEN_REMARKS][CHOSEN_REMARK]; /* "event_id (role): what the packet says" */
};

/* Events are selected as options say; without a level, from notice on.  NO_MEMORY only. */
enum status chosen_new(const struct sink_options *options, struct chosen **ret_chosen);

/* The sinks of the two looks; owned by chosen, their free operations do nothing. */
struct sink *chosen_events(struct chosen *chosen);
struct sink *chosen_segments(struct chosen *chosen);

/* Whether any connection is concerned: without one the second look is not needed. */
bool chosen_any(const struct chosen *chosen);

/* Whether the packet (its number in the whole input) belongs to a connection that is concerned. */
bool chosen_has(const struct chosen *chosen, uint64_t packet);

/* What the events say of the packet, in the order of the events. */
void chosen_remarks(const struct chosen *chosen, uint64_t packet,
                    struct chosen_remarks *ret_remarks);

/* Connections and remarks for which there was no room. */
uint64_t chosen_left_out(const struct chosen *chosen);

void chosen_free(struct chosen *chosen); /* accepts NULL */

#endif
