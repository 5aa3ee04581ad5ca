/* handshake: what the detectors of connections that begin have in common. */
#ifndef LASTACK_DETECT_HANDSHAKE_H
#define LASTACK_DETECT_HANDSHAKE_H

#include "detectors.h"

/* Whether the SYN meets an earlier incarnation: the one story of it is the collision's. */
static inline bool handshake_is_told_elsewhere(const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    return incarnation->collision != NULL || occasion->tuple->candidate == incarnation;
}

#endif
