/* lives: see lives.h. */
#include "lives.h"

#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "evict.h"
#include "expand.h"
#include "flow/embryo.h"
#include "tcp/copies.h"
#include "trace.h"

enum { WELL_KNOWN = 1024, REGISTERED = 32768 };

static nanotime two_msl(const struct engine *engine)
{
    return engine->config.msl * 2;
}

/* Which end is the client, and how that is known (PEERS: SYN, SYN-ACK, ports, first packet). */
static int find_client(const struct tuple *tuple, const struct segment *segment, int end,
                       uint8_t *ret_direction)
{
    if ((segment->flags & TCP_SYN) != 0) {
        bool synack = (segment->flags & TCP_ACK) != 0;
        *ret_direction = synack ? DIRECTION_SYNACK : DIRECTION_SYN;
        return synack ? 1 - end : end;
    }
    const uint16_t limits[] = {WELL_KNOWN, REGISTERED};
    for (int i = 0; i < 2; i++) {
        bool low0 = tuple->key.port[0] < limits[i], low1 = tuple->key.port[1] < limits[i];
        if (low0 == low1)
            continue;
        *ret_direction = DIRECTION_PORTS;
        return low0 ? 1 : 0;
    }
    *ret_direction = DIRECTION_FIRST_PACKET;
    return end;
}

static uint32_t client_isn(const struct segment *segment)
{
    if ((segment->flags & TCP_SYN) == 0)
        return 0;
    return (segment->flags & TCP_ACK) != 0 ? segment->acknowledgment - 1 : segment->sequence;
}

struct incarnation *lives_begin(struct engine *engine, struct tuple *tuple,
                                const struct segment *segment, int end)
{
    struct incarnation *incarnation = flow_table_new_incarnation(&engine->table);
    if (incarnation == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return NULL;
    }
    uint8_t direction;
    incarnation->client_end = (uint8_t)find_client(tuple, segment, end, &direction);
    connection_start(&incarnation->connection, segment, incarnation_side(incarnation, end));
    incarnation->connection.direction = direction;
    incarnation->number = ++tuple->numbers;
    incarnation->uid = flow_key_uid(&tuple->key, incarnation->client_end, client_isn(segment),
                                    segment->time);
    incarnation->previous = tuple->last_uid;
    incarnation->first_packet = segment->packet;
    incarnation->vlans = segment->vlans;
    memcpy(incarnation->vlan, segment->vlan, sizeof(incarnation->vlan));
    tuple->last_uid = incarnation->uid;
    return incarnation;
}

/* What the candidate's case keeps of the old incarnation, by the candidate's roles. */
static void collide_with(struct collision *collision, const struct incarnation *candidate,
                         const struct incarnation *old)
{
    const struct connection *connection = &old->connection;
    collision->old_uid = old->uid;
    collision->old_number = old->number;
    collision->old_last_t = connection->last_t;
    for (int role = 0; role < SIDES; role++) {
        int side = incarnation_side(old, incarnation_end(candidate, role));
        collision->old_side_of[role] = side;
        collision->old[role] = incarnation_keep_side(old, side);
        collision->state_before[role] = (enum tcp_state)connection->side[side].state;
        collision->basis_before[role] = (enum basis)connection->side[side].basis;
    }
    int responder = collision->old_side_of[1];
    const struct side *y = &connection->side[responder];
    collision->state_after = collision->state_before[1];
    collision->responder_ts_recent = y->ts_recent;
    collision->responder_right_edge = y->right_edge;
    if (connection->closing == NULL)
        return;
    collision->old_fin = connection->closing->fin[responder];
    if (connection->closing->fin_again[responder].packet != 0)
        collision->old_fin = connection->closing->fin_again[responder];
    collision->old_final_ack = connection->closing->fin_ack_last[responder];
    collision->old_time_wait_since = connection->closing->time_wait_started[responder];
}

static void collide_with_tombstone(struct collision *collision,
                                   const struct incarnation *candidate,
                                   const struct tombstone *old)
{
    collision->old_uid = old->uid;
    collision->old_number = old->incarnation;
    collision->old_last_t = old->closed_at;
    for (int role = 0; role < SIDES; role++) {
        int end = incarnation_end(candidate, role);
        collision->old_side_of[role] = end == old->client_end ? 0 : 1;
        collision->old[role] = old->end[end];
        collision->state_before[role] = STATE_CLOSED;
        collision->basis_before[role] = (enum basis)old->end[end].basis;
    }
    collision->state_after = STATE_CLOSED;
}

/* Attaches the case of a SYN to its incarnation, when there was a connection to collide with. */
static void attach_collision(struct incarnation *candidate, const struct incarnation *old,
                             const struct tombstone *tombstone, const struct segment *segment)
{
    bool there_was = old != NULL ? (old->flags & INCARNATION_SYNCHRONIZED) != 0
                                 : tombstone != NULL && tombstone->synchronized;
    if (!there_was || (segment->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return;
    struct collision *collision = calloc(1, sizeof(*collision));
    if (collision == NULL)
        return;
    candidate->collision = collision;
    collision->deadline = NANOTIME_UNKNOWN;
    if (old != NULL)
        collide_with(collision, candidate, old);
    else
        collide_with_tombstone(collision, candidate, tombstone);
    collision->syn = collision->syn_last = packet_ref_of(segment, 0);
    collision->syn_timestamps = (segment->options & OPTION_TIMESTAMPS) != 0;
    collision->syn_tsval = segment->tsval;
    collision->syn_tsecr = segment->tsecr;
}

void lives_collide_after_end(struct tuple *tuple, struct incarnation *fresh,
                             const struct segment *segment)
{
    const struct tombstone *old = tuple->tombstones;
    while (old != NULL && (!old->synchronized || old->rested))
        old = old->next;
    attach_collision(fresh, NULL, old, segment);
}

void lives_replace(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end)
{
    struct incarnation *fresh = lives_begin(engine, tuple, segment, end);
    if (fresh == NULL)
        return;
    attach_collision(fresh, tuple->current, NULL, segment);
    struct step step;
    connection_forget(&tuple->current->connection, incarnation_side(tuple->current, end),
                      FACT_SND_SYN, BASIS_PRESUMED, segment, &step);
    if (tuple->candidate != NULL)
        lives_end_candidate(engine, tuple, true);
    lives_bury_current(engine, tuple, segment->time);
    tuple->current = fresh;
}

/* Another SYN takes the candidate's place; from the same host it shows that attempt abandoned. */
static void replace_candidate(struct engine *engine, struct tuple *tuple,
                              const struct segment *segment, int end)
{
    struct step step;
    if (end == tuple->candidate->client_end)
        connection_forget(&tuple->candidate->connection, 0, FACT_SND_SYN, BASIS_PRESUMED, segment,
                          &step);
    lives_end_candidate(engine, tuple, true);
}

struct incarnation *lives_compete(struct engine *engine, struct tuple *tuple,
                                  const struct segment *segment, int end)
{
    if (tuple->candidate != NULL)
        replace_candidate(engine, tuple, segment, end);
    struct incarnation *candidate = lives_begin(engine, tuple, segment, end);
    if (candidate == NULL)
        return NULL;
    struct incarnation *old = tuple->current;
    attach_collision(candidate, old, NULL, segment);
    tuple->candidate = candidate;
    struct step step;
    connection_forget(&old->connection, incarnation_side(old, end), FACT_SND_SYN, BASIS_PRESUMED,
                      segment, &step);
    return candidate;
}

static void write_flow(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                       bool ended)
{
    struct flow_record flow;
    expand_flow(tuple, incarnation, ended, two_msl(engine), &flow);
    struct engine_counts *counts = &engine->counts;
    counts->flows++;
    counts->flows_by_kind[flow.close_kind]++;
    for (int side = 0; side < SIDES; side++) {
        counts->left[side][flow.side[side].state]++;
        counts->left_presumed[side][flow.side[side].state] +=
            flow.side[side].basis == BASIS_PRESUMED && flow.side[side].history_count > 0;
        counts->history_dropped += flow.side[side].history_dropped;
    }
    if (engine->sink == NULL || engine->sink->ops->flow == NULL)
        return;
    enum status status = engine->sink->ops->flow(engine->sink, &flow);
    if (status != STATUS_OK && engine->status == STATUS_OK)
        engine->status = status;
}

static void free_incarnation(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, bool ended)
{
    decide_remaining(engine, tuple, incarnation);
    write_flow(engine, tuple, incarnation, ended);
    flow_table_free_incarnation(&engine->table, incarnation);
}

/* Whether a side's TIME_WAIT ran out: 2MSL have passed since its last segment. */
static bool had_time_wait(const struct incarnation *incarnation)
{
    const struct history *history = &incarnation->connection.history;
    for (int side = 0; side < SIDES; side++) {
        int newest = history_newest(history, side, history->count - 1);
        if (newest >= 0 && history_peek(history, newest)->fact == FACT_TWO_MSL)
            return true;
    }
    return false;
}

/* Frees the tombstones from *link on; returns how many they were. */
static uint64_t drop_tombstones(struct engine *engine, struct tombstone **link)
{
    uint64_t dropped = 0;
    for (const struct tombstone *old = *link; old != NULL; old = old->next)
        dropped++;
    engine->tombstones -= dropped;
    tombstone_list_free(*link);
    *link = NULL;
    return dropped;
}

static void bury(struct engine *engine, struct tuple *tuple, const struct incarnation *incarnation,
                 nanotime closed_at)
{
    if ((incarnation->flags & INCARNATION_SYNCHRONIZED) == 0)
        return;
    struct tombstone *tombstone = incarnation_bury(incarnation, closed_at);
    if (tombstone == NULL)
        return;
    engine->tombstones++;
    tombstone->rested = had_time_wait(incarnation);
    tombstone->next = tuple->tombstones;
    tuple->tombstones = tombstone;
    struct tombstone **link = &tuple->tombstones;
    for (uint32_t kept = 0; *link != NULL && kept < engine->config.tombstones; kept++)
        link = &(*link)->next;
    engine->counts.tombstones_evicted += drop_tombstones(engine, link);
}

void lives_bury_old(struct engine *engine, struct tuple *tuple, nanotime now)
{
    struct tombstone **link = &tuple->tombstones;
    while (*link != NULL && time_since(now, (*link)->closed_at) < two_msl(engine))
        link = &(*link)->next;
    drop_tombstones(engine, link);
}

void lives_adopt(struct engine *engine, struct tuple *tuple, const struct segment *segment, int end)
{
    struct incarnation *old = tuple->current, *fresh = tuple->candidate;
    int responder = incarnation_end(fresh, 1);
    int responder_side = incarnation_side(old, responder);
    if (tuple->retiring != NULL)
        lives_end_retiring(engine, tuple, NULL);
    old->superseded = old->connection.side[responder_side].state != STATE_CLOSED;
    if (end == responder) {
        struct step step;
        connection_forget(&old->connection, responder_side, FACT_SND_SYNACK, BASIS_SENT, segment,
                          &step);
    }
    bury(engine, tuple, old, segment->time);
    tuple->retiring = old;
    tuple->current = fresh;
    tuple->candidate = NULL;
}

void lives_end_current(struct engine *engine, struct tuple *tuple, bool ended)
{
    struct incarnation *current = tuple->current;
    if (tuple->retiring != NULL)
        lives_end_retiring(engine, tuple, NULL);
    tuple->current = NULL;
    free_incarnation(engine, tuple, current, ended);
}

void lives_bury_current(struct engine *engine, struct tuple *tuple, nanotime closed_at)
{
    bury(engine, tuple, tuple->current, closed_at);
    lives_end_current(engine, tuple, true);
}

void lives_end_candidate(struct engine *engine, struct tuple *tuple, bool ended)
{
    struct incarnation *candidate = tuple->candidate;
    decide_remaining(engine, tuple, candidate);
    tuple->candidate = NULL;
    free_incarnation(engine, tuple, candidate, ended);
}

void lives_end_retiring(struct engine *engine, struct tuple *tuple, const struct segment *proof)
{
    struct incarnation *old = tuple->retiring;
    if (proof != NULL) {
        int end = incarnation_end(tuple->current, 0);
        struct step step = {0};
        connection_confirm_end(&old->connection, incarnation_side(old, end), proof, &step);
    }
    tuple->retiring = NULL;
    free_incarnation(engine, tuple, old, true);
}

/* When the current incarnation is written at the latest, if nothing else comes. */
static nanotime end_of_current(const struct engine *engine, const struct incarnation *current)
{
    const struct connection *connection = &current->connection;
    if (connection->closed_at == NANOTIME_UNKNOWN)
        return NANOTIME_UNKNOWN;
    if (had_time_wait(current))
        return connection->closed_at;
    return time_after(connection->closed_at, two_msl(engine));
}

static nanotime sooner(nanotime a, nanotime b)
{
    if (a == NANOTIME_UNKNOWN || b == NANOTIME_UNKNOWN)
        return a == NANOTIME_UNKNOWN ? b : a;
    return time_earlier_of(a, b);
}

static nanotime incarnation_deadline(const struct engine *engine,
                                     const struct incarnation *incarnation)
{
    nanotime due = NANOTIME_UNKNOWN;
    if (incarnation == NULL)
        return due;
    for (int side = 0; side < SIDES; side++)
        due = sooner(due, connection_time_wait_end(&incarnation->connection, side,
                                                   two_msl(engine)));
    if (incarnation->collision != NULL && !incarnation->collision->decided)
        due = sooner(due, incarnation->collision->deadline);
    if (incarnation->final_ack.open)
        due = sooner(due, incarnation->final_ack.deadline);
    return due;
}

static nanotime tuple_deadline(const struct engine *engine, const struct tuple *tuple)
{
    nanotime due = incarnation_deadline(engine, tuple->current);
    due = sooner(due, incarnation_deadline(engine, tuple->candidate));
    if (tuple->current != NULL && tuple->candidate == NULL)
        due = sooner(due, end_of_current(engine, tuple->current));
    if (tuple->candidate != NULL && tuple->candidate->connection.closed_at != NANOTIME_UNKNOWN)
        due = sooner(due, time_after(tuple->candidate->connection.closed_at, two_msl(engine)));
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next)
        due = sooner(due, time_after(old->closed_at, two_msl(engine)));
    return due;
}

static void remove_tuple(struct engine *engine, struct tuple *tuple)
{
    drop_tombstones(engine, &tuple->tombstones);
    evict_dequeue(engine, tuple);
    tuple->armed = NANOTIME_UNKNOWN;
    flow_table_remove(&engine->table, tuple);
}

void lives_schedule(struct engine *engine, struct tuple *tuple)
{
    bool empty = tuple->current == NULL && tuple->candidate == NULL && tuple->retiring == NULL &&
                 tuple->tombstones == NULL;
    if (empty) {
        remove_tuple(engine, tuple);
        return;
    }
    evict_enqueue(engine, tuple);
    nanotime due = tuple_deadline(engine, tuple);
    if (due == NANOTIME_UNKNOWN) {
        tuple->armed = NANOTIME_UNKNOWN;
        return;
    }
    if (tuple->armed != NANOTIME_UNKNOWN && tuple->armed <= due)
        return; /* the entry on the agenda fires first and looks again */
    tuple->armed = due;
    struct agenda_entry entry = {due, tuple->last_uid, tuple->index};
    if (!agenda_add(&engine->agenda, entry))
        engine->status = STATUS_NO_MEMORY;
}

/* TIME_WAIT of an incarnation's sides that is over. */
static void expire_time_wait(struct engine *engine, const struct tuple *tuple,
                             struct incarnation *incarnation, nanotime now)
{
    for (int side = 0; incarnation != NULL && side < SIDES; side++) {
        nanotime end =
            connection_time_wait_end(&incarnation->connection, side, two_msl(engine));
        struct step step;
        if (end == NANOTIME_UNKNOWN || end > now)
            continue;
        connection_two_msl(&incarnation->connection, side, end, &step);
        trace_step(engine, tuple, incarnation, &step);
    }
}

void lives_deadline(struct engine *engine, struct tuple *tuple, nanotime now)
{
    tuple->armed = NANOTIME_UNKNOWN;
    if (tuple->candidate != NULL)
        decide_overdue(engine, tuple, tuple->candidate, now);
    if (tuple->current != NULL)
        decide_overdue(engine, tuple, tuple->current, now);
    expire_time_wait(engine, tuple, tuple->current, now);
    if (tuple->candidate != NULL && tuple->candidate->connection.closed_at != NANOTIME_UNKNOWN &&
        time_since(now, tuple->candidate->connection.closed_at) >= two_msl(engine))
        lives_end_candidate(engine, tuple, true);
    if (tuple->current != NULL && tuple->candidate == NULL) {
        nanotime end = end_of_current(engine, tuple->current);
        if (end != NANOTIME_UNKNOWN && end <= now)
            lives_bury_current(engine, tuple, tuple->current->connection.closed_at);
    }
    lives_bury_old(engine, tuple, now);
    lives_schedule(engine, tuple);
}

void lives_hatch(struct engine *engine, struct tuple *tuple)
{
    struct segment segment;
    struct step step;
    int end = embryo_hatch(tuple, &segment);
    tuple->current = lives_begin(engine, tuple, &segment, end);
    if (tuple->current == NULL)
        return;
    struct connection *connection = &tuple->current->connection;
    copies_seen(connection, &segment, 0, engine->config.copy_window);
    connection_segment(connection, &segment, 0, &step);
    engine->counts.segments++;
    decide_step(engine, tuple, tuple->current, &step);
}

void lives_finish(struct engine *engine, struct tuple *tuple)
{
    if (tuple->embryonic)
        lives_hatch(engine, tuple);
    if (tuple->retiring != NULL)
        lives_end_retiring(engine, tuple, NULL);
    if (tuple->candidate != NULL)
        decide_remaining(engine, tuple, tuple->candidate);
    if (tuple->current != NULL)
        lives_end_current(engine, tuple, false);
    if (tuple->candidate != NULL)
        lives_end_candidate(engine, tuple, false);
}

void lives_evict(struct engine *engine, struct tuple *tuple)
{
    if (tuple->embryonic)
        lives_hatch(engine, tuple);
    struct incarnation *kept[] = {tuple->current, tuple->candidate, tuple->retiring};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i] == NULL)
            continue;
        kept[i]->notes |= UINT64_C(1) << NOTE_memory_eviction;
        engine->counts.evictions++;
    }
    lives_finish(engine, tuple);
    engine->counts.tombstones_evicted += drop_tombstones(engine, &tuple->tombstones);
    remove_tuple(engine, tuple);
}
