/* connection_state: see connection_state.h. */
#include "connection_state.h"

#include <stdlib.h>
#include <string.h>

#include "../base/carry_rows.h"
#include "course.h"
#include "zeek_letters.h"
#include "zeek_trail.h"

/* Structs with members of a few bits each, as they are carried: a table names whole members only.
 */
struct plain_entry {
    nanotime t;
    uint64_t packet, by;
    uint8_t state, fact, basis, side, before;
    bool revoked, crossed;
};

struct plain_zeek_end {
    seq start, last, acked;
    uint32_t delivered, island, island_end, syn_at, fin_at, rst_at;
    uint32_t retransmissions, checksums, gaps, windows;
    uint8_t seen, hidden, state, previous, wraps, ack_wraps;
    bool fin, heard, given_up;
};

#include "connection_state.def"

static void carry_entry(struct carry *carry, struct history_entry *entry)
{
    struct plain_entry plain = {
        .t = entry->t,
        .packet = entry->packet,
        .by = entry->by,
        .state = entry->state,
        .fact = entry->fact,
        .basis = entry->basis,
        .side = entry->side,
        .before = entry->before,
        .revoked = entry->revoked,
        .crossed = entry->crossed,
    };
    carry_fields(carry, plain_entry_fields, &plain);
    *entry = (struct history_entry){
        .t = plain.t,
        .packet = plain.packet,
        .by = plain.by,
        .state = plain.state,
        .fact = plain.fact,
        .basis = plain.basis,
        .side = plain.side,
        .before = plain.before,
        .revoked = plain.revoked,
        .crossed = plain.crossed,
    };
}

/* Both sides' entries at most stand in one history. */
static void carry_history(struct carry *carry, struct history *history)
{
    uint16_t count = (uint16_t)carry_count(carry, history->count, SIDES * HISTORY_MAX);
    for (int i = 0; i < count; i++) {
        struct history_entry entry = {0};
        if (!carry_is_reading(carry))
            entry = *history_at(history, i);
        carry_entry(carry, &entry);
        if (entry.t == NANOTIME_UNKNOWN) /* of each it is known when it came to be */
            carry_fail(carry, STATUS_UNREADABLE);
        if (!carry_is_sound(carry))
            return;
        if (carry_is_reading(carry) && history_push(history, &entry) < 0)
            carry_fail(carry, STATUS_NO_MEMORY);
    }
    carry_fields(carry, history_fields, history);
}

static void carry_zeek_end(struct carry *carry, struct zeek_end *end)
{
    struct plain_zeek_end plain = {
        .start = end->start,
        .last = end->last,
        .acked = end->acked,
        .delivered = end->delivered,
        .island = end->island,
        .island_end = end->island_end,
        .syn_at = end->syn_at,
        .fin_at = end->fin_at,
        .rst_at = end->rst_at,
        .retransmissions = end->retransmissions,
        .checksums = end->checksums,
        .gaps = end->gaps,
        .windows = end->windows,
        .seen = (uint8_t)end->seen,
        .hidden = (uint8_t)end->hidden,
        .state = (uint8_t)end->state,
        .previous = (uint8_t)end->previous,
        .wraps = (uint8_t)end->wraps,
        .ack_wraps = (uint8_t)end->ack_wraps,
        .fin = end->fin,
        .heard = end->heard,
        .given_up = end->given_up,
    };
    carry_fields(carry, plain_zeek_end_fields, &plain);
    *end = (struct zeek_end){
        .start = plain.start,
        .last = plain.last,
        .acked = plain.acked,
        .delivered = plain.delivered,
        .island = plain.island,
        .island_end = plain.island_end,
        .syn_at = plain.syn_at,
        .fin_at = plain.fin_at,
        .rst_at = plain.rst_at,
        .retransmissions = plain.retransmissions,
        .checksums = plain.checksums,
        .gaps = plain.gaps,
        .windows = plain.windows,
        .seen = plain.seen,
        .hidden = plain.hidden,
        .state = plain.state,
        .previous = plain.previous,
        .wraps = plain.wraps,
        .ack_wraps = plain.ack_wraps,
        .fin = plain.fin,
        .heard = plain.heard,
        .given_up = plain.given_up,
    };
}

static void carry_zeek(struct carry *carry, struct zeek_view *zeek)
{
    carry_fields(carry, zeek_view_fields, zeek);
    if (!zeek_letters_are_letters(zeek))
        carry_fail(carry, STATUS_UNREADABLE);
    for (int i = 0; i < ZEEK_ENDS; i++)
        carry_zeek_end(carry, &zeek->end[i]);
}

static void carry_bits(struct carry *carry, struct connection *connection)
{
    uint64_t bits;
#define BITS(owner, member, most)                                                                  \
    bits = owner->member;                                                                          \
    carry_number(carry, &bits, most);                                                              \
    owner->member = (uint8_t)bits;
#include "connection_bits.def"
#undef BITS
}

void connection_carry(struct carry *carry, struct connection *connection)
{
    if (!carry_is_reading(carry))
        zeek_trail_end(connection);
    carry_fields(carry, connection_fields, connection);
    if (!rtt_is_sound(&connection->side[0].rtt) || !rtt_is_sound(&connection->side[1].rtt))
        carry_fail(carry, STATUS_UNREADABLE);
    carry_bits(carry, connection);
    carry_history(carry, &connection->history);
    carry_zeek(carry, &connection->zeek);
    connection->closing =
        carry_optional(carry, connection->closing, sizeof(*connection->closing), closing_fields);
    connection->course = course_find(connection);
}
