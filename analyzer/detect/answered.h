/*
 * answered: the segment that a reset answers, found among the last ones that the incarnation
 * remembers: data, FINs, and the probes of a silent peer.  And what stood when it passed.
 */
#ifndef LASTACK_DETECT_ANSWERED_H
#define LASTACK_DETECT_ANSWERED_H

#include "detect.h"

/*
 * The newest segment of the reset's peer that the reset answers: it passed before the reset, soon
 * enough, bears the acknowledgment that is the reset's SEQ, and was not acknowledged.  Packet 0:
 * none is remembered.
 */
struct packet_ref answered_by_reset(const struct incarnation *incarnation,
                                    const struct packet_ref *reset);

/* Whether `later` comes so soon after `earlier` that side `from` may be answering it. */
bool answered_in_time(const struct connection *connection, int from,
                      const struct packet_ref *earlier, const struct packet_ref *later);

/* The first data of the reset's peer that came after the FIN of the reset's side, or crossed it,
 * and bears the acknowledgment which is the reset's SEQ, of those remembered; packet 0: none. */
struct packet_ref answered_late_data(const struct incarnation *incarnation,
                                     const struct packet_ref *fin, const struct packet_ref *reset);

/* The last segment with payload before that packet, of either side; packet 0: none remembered. */
struct packet_ref answered_last_data_before(const struct incarnation *incarnation, uint64_t packet);

/* Whether both sides stood in a connection when the side's first reset passed. */
bool answered_in_connection(const struct aftermath *aftermath);

#endif
