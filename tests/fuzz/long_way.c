/* long_way: see long_way.h. */
#include "long_way.h"

#include <stdatomic.h>

#include "../../analyzer/tcp/connection.h"
#include "../../dissect/dissect.h"

/* A target is called without any context, and engines run on several threads. */
static atomic_bool long_only;
static atomic_uint_fast64_t asked[WAYS];

/* clang-format off */
static const char *const names[WAYS] = {
    [WAY_USUAL] = "connection_segment",
    [WAY_PLAIN] = "dissect_plain",
};
/* clang-format on */

/* The linker's names: __real_X is the program's X, and __wrap_X is called in its place. */
bool __real_connection_segment(struct connection *connection, const struct segment *segment,
                               int from, struct step *step);
bool __wrap_connection_segment(struct connection *connection, const struct segment *segment,
                               int from, struct step *step);
bool __real_dissect_plain(int link_type, const uint8_t *data, uint32_t captured,
                          struct segment *ret_segment);
bool __wrap_dissect_plain(int link_type, const uint8_t *data, uint32_t captured,
                          struct segment *ret_segment);

void long_way_take(bool only)
{
    long_only = only;
}

uint64_t long_way_asked(enum way way)
{
    return asked[way];
}

const char *long_way_name(enum way way)
{
    return names[way];
}

static bool is_closed(enum way way)
{
    asked[way] += long_only;
    return long_only;
}

bool __wrap_connection_segment(struct connection *connection, const struct segment *segment,
                               int from, struct step *step)
{
    return is_closed(WAY_USUAL) ? connection_segment_fully(connection, segment, from, step)
                                : __real_connection_segment(connection, segment, from, step);
}

bool __wrap_dissect_plain(int link_type, const uint8_t *data, uint32_t captured,
                          struct segment *ret_segment)
{
    return !is_closed(WAY_PLAIN) && __real_dissect_plain(link_type, data, captured, ret_segment);
}
