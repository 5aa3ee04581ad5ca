/* ends: between whom a connection is: two records may speak of it from either end. */
#ifndef LASTACK_SINK_ENDS_H
#define LASTACK_SINK_ENDS_H

#include <stdbool.h>

#include "../base/hash.h"
#include "../event/record.h"

bool ends_is_same(const struct endpoint_record *a, const struct endpoint_record *b);

/* Whether both are between the same two ends, on the same VLANs and in the same tunnel. */
bool ends_match(const struct flow_identity *a, const struct flow_identity *b);

/* Alike for all that match. */
uint64_t ends_hash(struct hash_key key, const struct flow_identity *who);

#endif
