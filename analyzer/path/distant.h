/*
 * distant: connections that the first tap does not show: a SYN that was lost before it came there,
 * or what takes another way.  The engine knows nothing of them; what another tap shows is told all
 * the same, in events and in the record of their path.
 */
#ifndef LASTACK_PATH_DISTANT_H
#define LASTACK_PATH_DISTANT_H

#include "journeys.h"

/*
 * The connection of a crossing that is of none which the first tap shows, begun if need be.  t is
 * when the segment passed, by the first tap's clock; a new one is written at `due`.  matched: the
 * first tap shows a connection of these ends, and the two were joined; what is earlier than that is
 * its own.  NULL where too many are kept, or memory ran out.
 */
struct journey *distant_of(struct journeys *journeys, const struct crossing *crossing, nanotime t,
                           nanotime due, bool matched);

#endif
