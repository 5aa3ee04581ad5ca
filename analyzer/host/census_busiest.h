/* census_busiest: the entries of the census with most connections, of each kind. */
#ifndef LASTACK_HOST_CENSUS_BUSIEST_H
#define LASTACK_HOST_CENSUS_BUSIEST_H

#include "../base/status.h"
#include "census.h"

/* By enum host_scope, in a fixed order: the busiest first, and of equals the earliest. */
struct census_busiest {
    struct census_entry **entry[HOST_SCOPES]; /* owned; the entries are the census's */
    uint32_t count[HOST_SCOPES];
    struct census_entry *newcomer[HOST_SCOPES]; /* owned: what they are as entries */
};

/* Finds so many of each kind at most; empty after NO_MEMORY, the only failure. */
enum status census_find_busiest(const struct census *census, const uint32_t *most,
                                struct census_busiest *ret_busiest);

void census_busiest_clear(struct census_busiest *busiest);

#endif
