/*
 * worst_events: the worst of the connections behind an event of a host: kept as they come, named
 * when the event is told, as evidence, in numbers and in a sentence.
 *
 * What is worst, at most WORST_TOLD of them:
 *
 *     close_wait_leak            longest in CLOSE_WAIT, of those that are still there
 *     port_exhaustion_suspected, most attempts (SYNs), then longest at it; then those whose port
 * was tw_accumulation,           taken again soonest within 2MSL; then those that held theirs
 * longest connection_churn           before they closed.  From when as many ports are in use as
 *                                ports_least says, until there are fewer
 *     syn_flood                  addresses with most SYNs, from a hundredth of all on
 */
#ifndef LASTACK_HOST_WORST_EVENTS_H
#define LASTACK_HOST_WORST_EVENTS_H

#include "host_events.h"
#include "sources.h"

/* Whether the occasion's delta may say something of the worst: of the ports of a pair, or of a
 * socket in CLOSE_WAIT where some were forgotten. */
static inline bool worst_concerns(const struct host_occasion *occasion)
{
    const struct delta *delta = occasion->delta;
    const struct census_entry *pair = occasion->place.pair;
    bool of_ports =
        (delta->what & (DELTA_OPENED | DELTA_CLOSED)) != 0 && pair != NULL && pair->more != NULL;
    bool of_leaks = occasion->census->leaks && (delta->before[CLIENT] == HOLDING_CLOSE_WAIT ||
                                                delta->before[SERVER] == HOLDING_CLOSE_WAIT);
    return of_ports || of_leaks || (delta->what & DELTA_SYN_AGAIN) != 0;
}

/* Keeps what such a delta, already counted, says of the worst.  NO_MEMORY is the only failure. */
enum status worst_note_delta(const struct host_occasion *occasion);

/* Keeps a socket that is forgotten in CLOSE_WAIT on an entry's host: the event is of it, and its
 * trigger the ACK that began it.  NO_MEMORY is the only failure. */
enum status worst_note_leak(struct census_more *more, const struct event_record *event,
                            const struct evidence_record *trigger);

/* Names the worst in an event about to be told, behind what it explains. */
void worst_tell_leaks(struct event_record *event, const struct census_more *more);
void worst_tell_ports(struct event_record *event, const struct census_entry *pair);
void worst_tell_sources(struct event_record *event, const struct sources *sources, uint64_t syns);

#endif
