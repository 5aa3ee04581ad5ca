/* course: see course.h.  How far a connection has come. */
#include "course.h"

#include "course_parts.h"

enum {
    SPOKEN = BEGUN | SIDE_ACKED,
    ENTANGLED = SIDE_FIN_SENT | SIDE_SYN_CUT,
};

static bool is_silent(const struct side *x)
{
    return x->flags == 0 && x->state == STATE_CLOSED && x->tally.packets == 0 && x->holes == 0;
}

/* What the side sent passed from its SYN on without a hole, and it reset nothing. */
static bool is_whole(const struct side *x)
{
    return x->holes == 0 && !x->sack_edge_known && x->tally.rsts == 0;
}

/* The side is there, how that is known, and of its handshake no more than these flags. */
static bool stands(const struct side *x, enum tcp_state state, enum basis basis, unsigned flags)
{
    return x->state == state && x->basis == basis && (x->flags & (SPOKEN | ENTANGLED)) == flags &&
           is_whole(x);
}

static bool has_begun(const struct connection *connection)
{
    const struct side *client = &connection->side[0];
    return stands(client, STATE_SYN_SENT, BASIS_SENT, BEGUN) &&
           client->snd_nxt == seq_add(client->iss, 1) && connection->synack_t == NANOTIME_UNKNOWN &&
           is_silent(&connection->side[1]);
}

static bool is_answered(const struct connection *connection)
{
    const struct side *client = &connection->side[0], *server = &connection->side[1];
    const struct history_entry *opened = &connection->history.first[CLIENT_OPENED];
    return stands(client, STATE_ESTABLISHED, BASIS_PRESUMED, BEGUN) &&
           stands(server, STATE_SYN_RCVD, BASIS_SENT, SPOKEN) &&
           server->snd_nxt == seq_add(server->iss, 1) && connection->synack_t != NANOTIME_UNKNOWN &&
           !connection->acknowledged && opened->side == 0 && opened->fact == FACT_GOT_SYNACK;
}

/* Both sides, whose SYNs were seen whole and acknowledged. */
static bool are_whole(const struct connection *connection)
{
    const struct side *x = &connection->side[0], *y = &connection->side[1];
    return connection->acknowledged && (x->flags & y->flags & SPOKEN) == SPOKEN &&
           ((x->flags | y->flags) & SIDE_SYN_CUT) == 0 && is_whole(x) && is_whole(y);
}

/* An entry of that side, for that fact, is presumed, or known. */
static bool tells(const struct history_entry *entry, int side, enum fact fact, bool presumed)
{
    return entry->side == (unsigned)side && entry->fact == (unsigned)fact &&
           (entry->basis == BASIS_PRESUMED) == presumed;
}

/* The entries of the handshake are the usual ones, and known but for the last. */
static bool has_shaken_hands(const struct history_entry *entry, bool proven)
{
    return tells(&entry[0], 0, FACT_SND_SYN, false) &&
           tells(&entry[SERVER_ANSWERED], 1, FACT_SND_SYNACK, false) &&
           tells(&entry[CLIENT_OPENED], 0, FACT_GOT_SYNACK, false) &&
           tells(&entry[SERVER_OPENED], 1, FACT_SYN_ACKED, !proven);
}

static enum course find_open(const struct connection *connection)
{
    const struct side *client = &connection->side[0], *server = &connection->side[1];
    const struct history_entry *entry = connection->history.first;
    bool open = client->state == STATE_ESTABLISHED && server->state == STATE_ESTABLISHED &&
                ((client->flags | server->flags) & SIDE_FIN_SENT) == 0;
    if (!open || !are_whole(connection))
        return COURSE_NONE;
    if (has_shaken_hands(entry, true))
        return COURSE_PROVEN;
    return has_shaken_hands(entry, false) ? COURSE_OPEN : COURSE_NONE;
}

/* One FIN of the side, which is in that state, ends what it sends. */
static bool has_left(const struct connection *connection, int side, enum tcp_state state)
{
    const struct side *x = &connection->side[side];
    return x->state == state && side_has(x, SIDE_FIN_SENT) &&
           x->snd_nxt == seq_add(x->fin_seq, 1) && connection->closing->fins[side] == 1;
}

static bool is_parting(const struct connection *connection, int first)
{
    const struct side *x = &connection->side[first], *y = &connection->side[side_other(first)];
    return has_left(connection, first, STATE_FIN_WAIT_1) && y->state == STATE_CLOSE_WAIT &&
           seq_before(y->rcv_nxt, x->snd_nxt) &&
           tells(&connection->history.first[FIN_CAME], side_other(first), FACT_GOT_FIN, true);
}

static bool is_left(const struct connection *connection, int first)
{
    const struct side *x = &connection->side[first], *y = &connection->side[side_other(first)];
    const struct history_entry *entry = connection->history.first;
    return has_left(connection, first, STATE_FIN_WAIT_2) && y->state == STATE_CLOSE_WAIT &&
           !side_has(y, SIDE_FIN_SENT) && y->rcv_nxt == x->snd_nxt && x->snd_una == x->snd_nxt &&
           tells(&entry[FIN_CAME], side_other(first), FACT_GOT_FIN, false) &&
           tells(&entry[FIN_ACKED_ALONE], first, FACT_FIN_ACKED, true);
}

static bool are_parted(const struct connection *connection, int first)
{
    const int second = side_other(first);
    const struct side *x = &connection->side[first], *y = &connection->side[second];
    const struct history_entry *entry = connection->history.first;
    return has_left(connection, first, STATE_TIME_WAIT) &&
           has_left(connection, second, STATE_LAST_ACK) && seq_before(x->rcv_nxt, y->snd_nxt) &&
           connection->closing->carrier[first] &&
           seq_at_or_after(y->snd_nxt, connection->closing->carrier_end[first]) &&
           tells(&entry[FIN_CAME], second, FACT_GOT_FIN, false) &&
           tells(&entry[course_fin_acked(entry)], first, FACT_FIN_ACKED, true) &&
           tells(&entry[FIN_TOO_CAME], first, FACT_GOT_FIN, true);
}

static enum course find_parting(const struct connection *connection)
{
    const struct history *history = &connection->history;
    const int first = (int)history->first[FIN_SENT].side;
    if (!are_whole(connection) || !has_shaken_hands(history->first, true) ||
        !tells(&history->first[FIN_SENT], first, FACT_SND_FIN, false))
        return COURSE_NONE;
    switch (history->count) {
    case AFTER_FIN:
        return is_parting(connection, first) ? COURSE_PARTING : COURSE_NONE;
    case AFTER_ACK:
        return is_left(connection, first) ? COURSE_LEFT : COURSE_NONE;
    case AFTER_FINS:
        return are_parted(connection, first) ? COURSE_PARTED : COURSE_NONE;
    default:
        return COURSE_NONE;
    }
}

static bool is_straight(const struct connection *connection)
{
    const struct history *history = &connection->history;
    unsigned revoked = 0;
    for (int i = 0; i < history->count && i < HISTORY_INLINE; i++)
        revoked |= history->first[i].revoked;
    return revoked == 0 && history->dropped[0] + history->dropped[1] == 0 &&
           !connection->midstream && !connection->simultaneous_open;
}

enum course course_find(const struct connection *connection)
{
    const int count = connection->history.count;
    if (count > AFTER_FINS || !is_straight(connection) ||
        (connection->closing != NULL) != (count > AFTER_THIRD))
        return COURSE_NONE;
    switch (count) {
    case AFTER_SYN:
        return has_begun(connection) ? COURSE_BEGUN : COURSE_NONE;
    case AFTER_SYNACK:
        return is_answered(connection) ? COURSE_ANSWERED : COURSE_NONE;
    case AFTER_THIRD:
        return find_open(connection);
    default:
        return count > AFTER_THIRD ? find_parting(connection) : COURSE_NONE;
    }
}
