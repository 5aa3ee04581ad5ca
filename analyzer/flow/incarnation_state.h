/* incarnation_state: what a tuple holds, into a state file and out of one. */
#ifndef LASTACK_FLOW_INCARNATION_STATE_H
#define LASTACK_FLOW_INCARNATION_STATE_H

#include "../base/carry.h"
#include "incarnation.h"

extern const struct carry_field flow_key_fields[], encapsulation_fields[], icmp_error_fields[];

/*
 * Writes an incarnation, or fills a zeroed one but for its index; read, what it owns is new memory,
 * and flow_table_free_incarnation() frees it, also after a failure.
 */
void incarnation_carry(struct carry *carry, struct incarnation *incarnation);

/* Writes the list, or makes it, newest first; returns how many they are. */
uint32_t tombstones_carry(struct carry *carry, struct tombstone **list);

void embryo_carry(struct carry *carry, struct embryo *embryo);

#endif
