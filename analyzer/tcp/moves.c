/* moves: see moves.h. */
#include "moves.h"

static void step_add_change(struct step *step, enum change_kind kind, int side,
                            const struct history_entry *entry)
{
    if (step->changes == STEP_CHANGES)
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
    if (step->cells == STEP_CELLS)
        return;
    step->cell[step->cells++] =
        (struct cell){(uint8_t)side, (uint8_t)state, (uint8_t)fact, unexpected};
}

/* What stands in the history of a move; entries of a side stand in time order, though the capture's
 * clock be set back: `newest` is the one before, NULL for none. */
static struct history_entry entry_of(const struct side *x, int side, enum tcp_state next,
                                     const struct motive *motive,
                                     const struct history_entry *newest)
{
    return (struct history_entry){
        .t = newest != NULL ? time_later_of(motive->t, newest->t) : motive->t,
        .packet = motive->packet,
        .state = next,
        .fact = motive->fact,
        .basis = motive->basis,
        .side = (unsigned)side,
        .by = motive->proof,
        .before = x->state,
    };
}

/* Writes a move into the history, where there is room in place. */
static void enter(struct connection *connection, int side, enum tcp_state next,
                  const struct motive *motive)
{
    struct history *history = &connection->history;
    struct history_entry *entry = &history->first[history->count];
    const struct history_entry *newest = entry - 1;
    while (newest >= history->first && (newest->side != (unsigned)side || newest->revoked))
        newest--;
    *entry = entry_of(&connection->side[side], side, next, motive,
                      newest >= history->first ? newest : NULL);
    history->count++;
}

/* Where the entries in place are taken: it may be dropped. */
static void move_beyond(struct connection *connection, int side, enum tcp_state next,
                        const struct motive *motive, struct step *step)
{
    struct history *history = &connection->history;
    int newest = history_newest(history, side, history->count - 1);
    struct history_entry entry = entry_of(&connection->side[side], side, next, motive,
                                          newest >= 0 ? history_peek(history, newest) : NULL);
    history_push(history, &entry);
    step_add_change(step, CHANGE_MOVED, side, &entry);
}

static inline void move(struct connection *connection, int side, enum tcp_state next,
                        const struct motive *motive, struct step *step)
{
    struct side *x = &connection->side[side];
    if (connection->history.count >= HISTORY_INLINE) {
        move_beyond(connection, side, next, motive, step);
    } else {
        enter(connection, side, next, motive);
        step_add_change(step, CHANGE_MOVED, side,
                        &connection->history.first[connection->history.count - 1]);
    }
    x->state = (uint8_t)next;
    x->basis = (uint8_t)motive->basis;
}

void side_move(struct connection *connection, int side, enum tcp_state next,
               const struct motive *motive, struct step *step)
{
    move(connection, side, next, motive, step);
}

bool side_apply(struct connection *connection, int side, const struct motive *motive,
                struct step *step)
{
    const struct side *x = &connection->side[side];
    const struct fsm_cell *cell = fsm_lookup((enum tcp_state)x->state, motive->fact);
    step_add_cell(step, side, (enum tcp_state)x->state, motive->fact, cell->kind == FSM_UNEXPECTED);
    if (cell->kind != FSM_ARROW)
        return false;
    move(connection, side, cell->next, motive, step);
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
    bool last = index == history->count - 1 && !entry->revoked;
    if (last || history_newest(history, side, history->count - 1) == index)
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
