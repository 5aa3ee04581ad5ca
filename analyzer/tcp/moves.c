/* moves: see moves.h. */
#include "moves.h"

#include "fsm.h"

static void step_add_change(struct step *step, enum change_kind kind, int side,
                            const struct history_entry *entry)
{
    if (step->untold || step->changes == STEP_CHANGES)
        return;
    step->change[step->changes++] = (struct change){
        .kind = kind,
        .side = (uint8_t)side,
        .before = (enum tcp_state)entry->before,
        .after = (enum tcp_state)entry->state,
        .fact = (enum fact)entry->fact,
        .packet = entry->packet,
        .t = entry->t,
    };
}

static void step_add_cell(struct step *step, int side, enum tcp_state state, enum fact fact,
                          bool unexpected)
{
    if (step->untold || step->cells == STEP_CELLS)
        return;
    step->cell[step->cells++] =
        (struct cell){(uint8_t)side, (uint8_t)state, (uint8_t)fact, unexpected};
}

void side_move(struct connection *connection, int side, enum tcp_state next,
               const struct motive *motive, struct step *step)
{
    struct side *x = &connection->side[side];
    int newest = history_newest(&connection->history, side, connection->history.count - 1);
    nanotime t =
        motive->t; /* entries stand in time order, though the capture's clock be set back */
    if (newest >= 0)
        t = time_later_of(t, history_peek(&connection->history, newest)->t);
    struct history_entry entry = {
        .t = t,
        .packet = motive->packet,
        .state = next,
        .fact = motive->fact,
        .basis = motive->basis,
        .side = (unsigned)side,
        .by = motive->proof,
        .before = x->state,
    };
    history_push(&connection->history, &entry);
    x->state = (uint8_t)next;
    x->basis = (uint8_t)motive->basis;
    step_add_change(step, CHANGE_MOVED, side, &entry);
}

bool side_apply(struct connection *connection, int side, const struct motive *motive,
                struct step *step)
{
    struct side *x = &connection->side[side];
    const struct fsm_cell *cell = fsm_lookup((enum tcp_state)x->state, motive->fact);
    step_add_cell(step, side, (enum tcp_state)x->state, motive->fact, cell->kind == FSM_UNEXPECTED);
    if (cell->kind != FSM_ARROW)
        return false;
    side_move(connection, side, cell->next, motive, step);
    return true;
}

int side_oldest_presumed(const struct connection *connection, int side)
{
    const struct history *history = &connection->history;
    int oldest = -1;
    for (int i = history_newest(history, side, history->count - 1); i >= 0;
         i = history_newest(history, side, i - 1)) {
        if (history_peek(history, i)->basis != BASIS_PRESUMED)
            break;
        oldest = i;
    }
    return oldest;
}

void side_confirm_alone(struct connection *connection, int side, int index, enum basis basis,
                        uint64_t proof, struct step *step)
{
    struct history *history = &connection->history;
    struct history_entry *entry = history_at(history, index);
    entry->basis = basis;
    entry->by = proof;
    step_add_change(step, CHANGE_CONFIRMED, side, entry);
    if (history_newest(history, side, history->count - 1) == index)
        connection->side[side].basis = (uint8_t)basis;
}

void side_confirm(struct connection *connection, int side, int index, enum basis basis,
                  uint64_t proof, struct step *step)
{
    int oldest = side_oldest_presumed(connection, side);
    for (int i = 0; i <= index; i++) {
        const struct history_entry *entry = history_peek(&connection->history, i);
        if (entry->side != (unsigned)side || entry->revoked || entry->basis != BASIS_PRESUMED)
            continue;
        bool left_since = i < oldest && entry->before == STATE_SYN_RCVD; /* figure 5: CLOSE there */
        if (!left_since)
            side_confirm_alone(connection, side, i, basis, proof, step);
    }
}

void side_revoke_alone(struct connection *connection, int side, int index, uint64_t by,
                       struct step *step)
{
    struct history *history = &connection->history;
    struct history_entry *entry = history_at(history, index);
    entry->revoked = 1;
    entry->by = by;
    step_add_change(step, CHANGE_REVOKED, side, entry);
    for (int i = index + 1; i < history->count; i++) {
        struct history_entry *next = history_at(history, i);
        if (next->side != (unsigned)side || next->revoked)
            continue;
        next->before = entry->before;
        return;
    }
    connection->side[side].state = entry->before;
}

void side_revoke(struct connection *connection, int side, int index, uint64_t by, bool crossed,
                 struct step *step)
{
    struct history *history = &connection->history;
    struct side *x = &connection->side[side];
    for (int i = history->count - 1; i >= index; i--) {
        struct history_entry *entry = history_at(history, i);
        if (entry->side != (unsigned)side || entry->revoked)
            continue;
        entry->revoked = 1;
        entry->crossed = crossed;
        entry->by = by;
        x->state = entry->before;
        step_add_change(step, crossed ? CHANGE_CROSSED : CHANGE_REVOKED, side, entry);
    }
    int left = history_newest(history, side, history->count - 1);
    x->basis = left < 0 ? (uint8_t)BASIS_PRESUMED : (uint8_t)history_peek(history, left)->basis;
}
