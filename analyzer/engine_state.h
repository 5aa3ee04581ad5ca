/* engine_state: engines into a state file, and out of one; in other numbers than they were. */
#ifndef LASTACK_ENGINE_STATE_H
#define LASTACK_ENGINE_STATE_H

#include "base/carry.h"
#include "engine.h"

/*
 * Writes what all engines hold as that of one, or fills engines that have taken nothing yet, a
 * tuple each with engine_owner().  The engines are idle, and share their secret.  One engine that
 * was written by one has its room as well, so that memory runs short at the same packet.
 */
void engines_carry(struct carry *carry, struct engine *const *engines, uint32_t count);

#endif
