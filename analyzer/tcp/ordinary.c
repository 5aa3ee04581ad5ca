/* ordinary: see ordinary.h; what is asked and done stands in ordinary_steps.h. */
#include "ordinary_steps.h"

bool ordinary_may_come_once_proven(const struct connection *connection, int from)
{
    const struct side *x = connection->side + from, *y = connection->side + side_other(from);
    const unsigned spoken = SIDE_HEARD | SIDE_ACKED;
    bool third_awaited =
        from == 0 && !connection->acknowledged && connection->synack_t != NANOTIME_UNKNOWN;
    return x->state == STATE_ESTABLISHED && y->state == STATE_ESTABLISHED &&
           connection->closing == NULL && !connection->corrupted &&
           (x->flags & y->flags & spoken) == spoken && !third_awaited && y->holes == 0;
}

bool ordinary_may_come(const struct connection *connection, int from)
{
    return connection->side[from].basis != BASIS_PRESUMED &&
           ordinary_may_come_once_proven(connection, from);
}

bool ordinary_follows(const struct connection *connection, const struct segment *segment, int from)
{
    return ordinary_is_next(connection->side + from, connection->side + side_other(from), segment);
}

void ordinary_segment(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = connection->side + from, *y = connection->side + side_other(from);
    nanotime trip = ordinary_take(connection, x, y, segment, segment->payload > 0);
    if (trip != NANOTIME_UNKNOWN)
        rtt_add(&connection->side[side_other(from)].rtt, trip);
}
