/* connection_state: a connection into a state file, and out of one. */
#ifndef LASTACK_TCP_CONNECTION_STATE_H
#define LASTACK_TCP_CONNECTION_STATE_H

#include "../base/carry.h"
#include "connection.h"

extern const struct carry_field packet_ref_fields[];

/*
 * Writes the connection, or fills it; read, what it owns is new memory, and connection_clear()
 * frees it, also after a failure.
 */
void connection_carry(struct carry *carry, struct connection *connection);

#endif
