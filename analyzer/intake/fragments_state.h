/* fragments_state: the fragments that wait for others, into a state file and out of one. */
#ifndef LASTACK_INTAKE_FRAGMENTS_STATE_H
#define LASTACK_INTAKE_FRAGMENTS_STATE_H

#include "../base/carry.h"
#include "fragments.h"

/* Writes what is held between two packets, or fills a buffer that has taken nothing yet. */
void fragments_carry(struct carry *carry, struct fragments *fragments);

#endif
