/* zeek_trail: see zeek_trail.h. */
#include "zeek_trail.h"

/* Gaps that are counted before one of them is a letter, which it is when there are 1, 10, 100, ...;
 * so many gaps were counted. */
static uint16_t silent_after(uint32_t gaps)
{
    uint32_t next = 1;
    while (next <= gaps)
        next *= 10;
    return (uint16_t)((next <= UINT16_MAX ? next - 1 : UINT16_MAX) - gaps);
}

/* What of zeek_trail_bit holds of a side; 0 where the view has other numbers. */
static uint8_t bits_of(const struct connection *connection, int of)
{
    const struct zeek_end *end = &connection->zeek.end[of];
    const struct side *side = &connection->side[of];
    const seq acked = connection->side[side_other(of)].rcv_nxt;
    const seq delivered = end->start + end->delivered;
    if (end->start != side->iss || end->last != side->snd_nxt || end->acked != acked)
        return 0;
    return (uint8_t)((delivered == side->snd_nxt ? TRAIL_SENT : 0) |
                     (delivered == acked ? TRAIL_ACKED : 0));
}

void zeek_trail_begin(struct connection *connection)
{
    const struct zeek_view *view = &connection->zeek;
    uint8_t bits[SIDES] = {bits_of(connection, 0), bits_of(connection, 1)};
    if (bits[0] == 0 || bits[1] == 0 || view->partial || view->letter_count < 2 ||
        !zeek_view_is_in_the_middle(view, 0) || !zeek_view_is_in_the_middle(view, 1))
        return;
    for (int i = 0; i < SIDES; i++) {
        const struct zeek_end *end = &view->end[i];
        connection->trail.follows[i] = bits[i] | (end->seen & (SEEN_DATA | SEEN_ACK));
        connection->trail.silent[i] = silent_after(end->gaps);
    }
}

static void bring_up_to_date(const struct connection *connection, struct zeek_view *view)
{
    for (int i = 0; i < SIDES; i++) {
        struct zeek_end *end = &view->end[i];
        end->last = connection->side[i].snd_nxt;
        end->acked = connection->side[side_other(i)].rcv_nxt;
        bool sent = (connection->trail.follows[i] & TRAIL_SENT) != 0;
        end->delivered = (sent ? end->last : end->acked) - end->start;
        end->gaps =
            (end->gaps + silent_after(end->gaps) - connection->trail.silent[i]) & UINT16_MAX;
    }
}

void zeek_trail_catch_up(struct connection *connection)
{
    bring_up_to_date(connection, &connection->zeek);
    connection->trail = (struct zeek_trail){{0, 0}, {0, 0}};
}

const struct zeek_view *zeek_trail_view(const struct connection *connection, struct zeek_view *room)
{
    if (!zeek_trail_is_behind(connection))
        return &connection->zeek;
    *room = connection->zeek;
    bring_up_to_date(connection, room);
    return room;
}
