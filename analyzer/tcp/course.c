/* course: see course.h.  How far a connection has come, and whether a segment leads it on. */
#include "course.h"

#include "course_parts.h"
#include "ordinary_steps.h"

enum {
    CONTROL = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK,
    SPOKEN = BEGUN | SIDE_ACKED,
    ENTANGLED = SIDE_FIN_SENT | SIDE_SYN_CUT,
    LONG_STREAM = 1 << 30, /* octets: its numbers may have come round */
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

/* Of the handshake: nothing beside it. */
static bool is_bare(const struct segment *segment, unsigned control)
{
    return (segment->flags & CONTROL) == control && segment->payload == 0 && segment->sacks == 0 &&
           (segment->options & OPTION_CUT) == 0 && segment->checksum_verdict != CHECKSUM_BAD;
}

static bool fits_third(const struct connection *connection, const struct segment *segment)
{
    return is_bare(segment, TCP_ACK) && segment->window != 0 &&
           segment->sequence == connection->side[0].snd_nxt &&
           segment->acknowledgment == connection->side[1].snd_nxt;
}

/* An ordinary segment, but that it proves the server's ESTABLISHED. */
static bool fits_word(const struct connection *connection, const struct segment *segment)
{
    const struct side *client = &connection->side[0];
    bool proves =
        segment->payload > 0 || seq_after(segment->acknowledgment, seq_add(client->iss, 1));
    return proves && ordinary_is_next(&connection->side[1], client, segment);
}

/* A FIN, or a pure ACK. */
static bool is_plain(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK && segment->window != 0 &&
           (segment->payload == 0 || (segment->flags & TCP_FIN) != 0) &&
           (segment->options & ~OPTION_TIMESTAMPS) == 0 &&
           segment->checksum_verdict != CHECKSUM_BAD;
}

/* What was never sent before, and acknowledges what was sent: the numbers go on. */
static bool is_in_order(const struct side *x, const struct side *y, const struct segment *segment)
{
    return segment->sequence == x->snd_nxt && !seq_before(segment->sequence, x->iss) &&
           !seq_before(segment->acknowledgment, y->iss) &&
           !seq_after(segment->acknowledgment, y->snd_nxt) &&
           !seq_before(segment->acknowledgment, x->rcv_nxt) &&
           segment->sequence - y->rcv_nxt < LONG_STREAM && /* a wild ACK is half the space away */
           (x->tally.payload_bytes | y->tally.payload_bytes) < LONG_STREAM; /* a power of 2 */
}

/* Whether it acknowledges all of the other side, as nothing but the first FIN need not. */
static bool fits_parting(const struct connection *connection, const struct segment *segment,
                         int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    const bool fin = (segment->flags & TCP_FIN) != 0, all = segment->acknowledgment == y->snd_nxt;
    const bool first = connection->history.first[FIN_SENT].side == (unsigned)from;
    if (!is_plain(segment) || !is_in_order(x, y, segment))
        return false;
    switch ((enum course)connection->course) {
    case COURSE_OPEN:
    case COURSE_PROVEN:
        return fin && x->basis != BASIS_PRESUMED;
    case COURSE_PARTING:
        return all && !first;
    case COURSE_LEFT:
        return all && !first && fin;
    case COURSE_PARTED:
        return all && first && !fin;
    case COURSE_NONE:
    case COURSE_BEGUN:
    case COURSE_ANSWERED:
        break;
    }
    return false;
}

bool course_begins(const struct segment *segment)
{
    return is_bare(segment, TCP_SYN);
}

bool course_fits(const struct connection *connection, const struct segment *segment, int from)
{
    const enum course course = (enum course)connection->course;
    if (course == COURSE_NONE || connection->corrupted)
        return false;
    if (course == COURSE_BEGUN)
        return from == 1 && is_bare(segment, TCP_SYN | TCP_ACK) &&
               segment->acknowledgment == connection->side[0].snd_nxt;
    if (course == COURSE_ANSWERED)
        return from == 0 && fits_third(connection, segment);
    if (course == COURSE_OPEN && from == 1)
        return fits_word(connection, segment);
    return fits_parting(connection, segment, from);
}

bool course_take(struct connection *connection, const struct segment *segment, int from)
{
    const enum course course = (enum course)connection->course;
    if (course > COURSE_OPEN || (course == COURSE_OPEN && from == 0))
        return course_take_parting(connection, segment, from);
    if (course == COURSE_BEGUN)
        course_take_synack(connection, segment);
    else if (course == COURSE_ANSWERED)
        course_take_third(connection, segment);
    else
        course_take_word(connection, segment);
    return true;
}
