/* lives: see lives.h. */
#include "lives.h"

#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "ending.h"
#include "evict.h"
#include "flow/collide.h"
#include "flow/embryo.h"
#include "foretold.h"
#include "lone.h"
#include "retrace.h"
#include "schedule.h"
#include "stow.h"
#include "tape.h"
#include "tcp/copies.h"
#include "tcp/course_lead.h"
#include "tell.h"
#include "trace.h"

enum { WELL_KNOWN = 1024, REGISTERED = 32768 };

/* Which end is the client, and how that is known (PEERS: SYN, SYN-ACK, ports, first packet). */
static int find_client(const struct tuple *tuple, const struct segment *segment, int end,
                       uint8_t *ret_direction)
{
    if (segment_opens(segment)) {
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
    if (!segment_opens(segment))
        return 0;
    return (segment->flags & TCP_ACK) != 0 ? segment->acknowledgment - 1 : segment->sequence;
}

/* A new incarnation, of which the census was not told.  uid: its identity, where that is known; 0:
 * it is not. */
static struct incarnation *start(struct engine *engine, struct tuple *tuple,
                                 const struct segment *segment, int end, uint64_t uid)
{
    tuple->resting = false;
    struct incarnation *incarnation = flow_table_new_unstarted(&engine->table, tuple);
    if (incarnation == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return NULL;
    }
    uint8_t direction;
    incarnation->client_end = (uint8_t)find_client(tuple, segment, end, &direction);
    connection_start(&incarnation->connection, segment, incarnation_side(incarnation, end));
    incarnation->connection.direction = direction;
    incarnation->number = ++tuple->numbers;
    incarnation->uid = uid != 0 ? uid
                                : flow_key_uid(&tuple->key, incarnation->client_end,
                                               client_isn(segment), segment->time);
    incarnation->previous = tuple->last_uid;
    incarnation->first_packet = segment->packet;
    incarnation->vlans = segment->vlans;
    memcpy(incarnation->vlan, segment->vlan, sizeof(incarnation->vlan));
    if (!incarnation_keep_tunnels(incarnation, segment, end))
        engine->status = STATUS_NO_MEMORY;
    tuple->last_uid = incarnation->uid;
    return incarnation;
}

struct incarnation *lives_begin(struct engine *engine, struct tuple *tuple,
                                const struct segment *segment, int end)
{
    struct incarnation *fresh = start(engine, tuple, segment, end, 0);
    if (fresh != NULL)
        tell_opened(engine, tuple, fresh, segment);
    return fresh;
}

/* The old one's end is part of the collision's story from here on. */
static void note_collision(struct incarnation *old, const struct incarnation *fresh)
{
    if (fresh->collision != NULL)
        old->flags |= INCARNATION_COLLIDED;
}

void lives_replace(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end)
{
    struct incarnation *fresh = lives_begin(engine, tuple, segment, end);
    if (fresh == NULL)
        return;
    if (!collide_attach(fresh, tuple->current, NULL, segment))
        engine->status = STATUS_NO_MEMORY;
    note_collision(tuple->current, fresh);
    decide_replaced(engine, tuple, tuple->current, segment);
    struct step step;
    connection_forget(&tuple->current->connection, incarnation_side(tuple->current, end),
                      FACT_SND_SYN, BASIS_PRESUMED, segment, &step);
    trace_step(engine, tuple, tuple->current, &step);
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
    if (end == tuple->candidate->client_end) {
        connection_forget(&tuple->candidate->connection, 0, FACT_SND_SYN, BASIS_PRESUMED, segment,
                          &step);
        trace_step(engine, tuple, tuple->candidate, &step);
    }
    lives_end_candidate(engine, tuple, true);
}

void lives_forget(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end)
{
    struct incarnation *old = tuple->current;
    struct step step;
    connection_forget(&old->connection, incarnation_side(old, end), FACT_SND_SYN, BASIS_PRESUMED,
                      segment, &step);
    trace_step(engine, tuple, old, &step);
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
    if (!collide_attach(candidate, old, NULL, segment))
        engine->status = STATUS_NO_MEMORY;
    note_collision(old, candidate);
    decide_replaced(engine, tuple, old, segment);
    tuple->candidate = candidate;
    lives_forget(engine, tuple, segment, end);
    return candidate;
}

static void free_incarnation(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, bool ended)
{
    decide_remaining(engine, tuple, incarnation);
    decide_end(engine, tuple, incarnation, ended);
    ending_write(engine, tuple, incarnation, ended);
    flow_table_free_incarnation(&engine->table, incarnation);
}

bool lives_had_time_wait(const struct incarnation *incarnation)
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
    if (tombstone == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return;
    }
    engine->tombstones++;
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
    while (*link != NULL && time_since(now, (*link)->closed_at) < lives_two_msl(engine))
        link = &(*link)->next;
    drop_tombstones(engine, link);
}

/* The responder gave the connection up for the new one only: by its answer, or a SYN of its own. */
static bool is_superseded(const struct connection *old, int responder)
{
    int newest = history_newest(&old->history, responder, old->history.count - 1);
    return old->side[responder].state != STATE_CLOSED ||
           (newest >= 0 && history_peek(&old->history, newest)->fact == FACT_SND_SYN);
}

void lives_adopt(struct engine *engine, struct tuple *tuple, const struct segment *segment, int end)
{
    struct incarnation *old = tuple->current, *fresh = tuple->candidate;
    int responder = incarnation_end(fresh, 1);
    int responder_side = incarnation_side(old, responder);
    if (tuple->retiring != NULL)
        lives_end_retiring(engine, tuple);
    old->superseded = is_superseded(&old->connection, responder_side);
    if (end == responder) {
        struct step step;
        connection_forget(&old->connection, responder_side, FACT_SND_SYNACK, BASIS_SENT, segment,
                          &step);
        trace_step(engine, tuple, old, &step);
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
        lives_end_retiring(engine, tuple);
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

void lives_confirm_retiring(struct engine *engine, struct tuple *tuple, const struct segment *proof,
                            int end)
{
    struct incarnation *old = tuple->retiring;
    struct step step = {0};
    connection_confirm_end(&old->connection, incarnation_side(old, end), proof, &step);
    trace_step(engine, tuple, old, &step);
}

void lives_end_retiring(struct engine *engine, struct tuple *tuple)
{
    struct incarnation *old = tuple->retiring;
    tuple->retiring = NULL;
    free_incarnation(engine, tuple, old, true);
}

void lives_remove(struct engine *engine, struct tuple *tuple)
{
    drop_tombstones(engine, &tuple->tombstones);
    evict_dequeue(engine, tuple);
    if (engine->tape != NULL)
        tape_settle(engine->tape, &tuple->key, flow_key_hash(engine->table.secret, &tuple->key));
    tuple->armed = NANOTIME_UNKNOWN;
    flow_table_remove(&engine->table, tuple);
}

/* The first segment of a connection, which nobody watches: as brief_moves.h has it. */
static void take_syn(struct engine *engine, struct tuple *tuple, const struct segment *segment)
{
    struct incarnation *fresh = tuple->current;
    struct step step;
    if (!course_begins(segment) || decide_least_idle(&engine->config) <= 0) {
        connection_segment(&fresh->connection, segment, 0, &step);
        decide_step(engine, tuple, fresh, &step);
        return;
    }
    course_begin(&fresh->connection, segment);
    if (decide_is_notable(fresh, &fresh->connection.side[1], segment))
        decide_note_packet(fresh, segment, 0);
}

/* The same of one whose census was told of it before there was an incarnation. */
static void take_hatched(struct engine *engine, struct tuple *tuple, const struct segment *segment)
{
    tell_hatched(tuple->current);
    copies_remember(&tuple->current->connection, segment, 0, copies_print(segment));
    take_syn(engine, tuple, segment);
}

void lives_hatch(struct engine *engine, struct tuple *tuple)
{
    struct segment segment;
    uint64_t uid = tuple->last_uid; /* its own: tell_embryo() */
    int end = embryo_hatch(tuple, &segment);
    tuple->last_uid = 0;
    tuple->current = start(engine, tuple, &segment, end, uid);
    if (tuple->current == NULL)
        return;
    take_hatched(engine, tuple, &segment);
    engine->counts.segments++;
}

bool lives_restart(struct engine *engine, struct tuple *tuple, const struct segment *syn, int end)
{
    const uint64_t uid = tuple->last_uid;
    tuple->last_uid = 0;
    tuple->numbers--;
    struct incarnation *fresh = start(engine, tuple, syn, end, uid);
    if (fresh == NULL) {
        tuple->last_uid = uid;
        tuple->numbers++;
        return false;
    }
    tuple->current = fresh;
    tuple->candidate = tuple->retiring = NULL;
    tuple->tombstones = NULL;
    take_hatched(engine, tuple, syn);
    return true;
}

void lives_finish(struct engine *engine, struct tuple *tuple)
{
    if (tuple->is_transcribed && !retrace(engine, tuple))
        return;
    if (tuple->is_parked && (foretold_finish(engine, tuple) || !schedule_unpark(engine, tuple)))
        return;
    if (tuple->embryonic && lone_end(engine, tuple, 0))
        return;
    if (tuple->embryonic)
        lives_hatch(engine, tuple);
    if (tuple->retiring != NULL)
        lives_end_retiring(engine, tuple);
    if (tuple->candidate != NULL)
        decide_remaining(engine, tuple, tuple->candidate);
    if (tuple->current != NULL)
        lives_end_current(engine, tuple, false);
    if (tuple->candidate != NULL)
        lives_end_candidate(engine, tuple, false);
}

/* The same of one that is kept as its segments, and stays so; false: it is to be an incarnation. */
static bool write_noted(struct engine *engine, struct tuple *tuple)
{
    const bool was_stowed = tuple_is_stowed(tuple);
    if (was_stowed && !stow_bring_back(engine, tuple))
        return false;
    if (!tuple->is_transcribed || tuple->transcript->head.parts == UINT8_MAX)
        return false;
    struct transcript *transcript = tuple->transcript;
    const struct progress progress = tuple->progress;
    if (!retrace_beside(engine, tuple))
        return false;
    ending_write_part(engine, tuple, tuple->current);
    flow_table_free_incarnation(&engine->table, tuple->current);
    tuple->transcript = transcript;
    tuple->progress = progress;
    tuple->calm = 0;
    transcript->head.parts++;
    if (was_stowed)
        stow_pack(engine, tuple);
    return true;
}

void lives_write_open(struct engine *engine, struct tuple *tuple)
{
    const bool was_stowed = tuple_is_stowed(tuple);
    if (write_noted(engine, tuple))
        return;
    if (tuple->embryonic || (tuple->is_parked && !schedule_unpark(engine, tuple)) ||
        (tuple->is_transcribed && !retrace(engine, tuple)))
        return;
    struct incarnation *open[] = {tuple->retiring, tuple->current, tuple->candidate};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (open[i] != NULL)
            ending_write_part(engine, tuple, open[i]);
    }
    schedule_tuple(engine, tuple);
    if (was_stowed)
        stow_incarnation(engine, tuple);
}

void lives_evict(struct engine *engine, struct tuple *tuple)
{
    if (tuple->embryonic && lone_end(engine, tuple, UINT64_C(1) << NOTE_memory_eviction)) {
        engine->counts.evictions++;
        lives_remove(engine, tuple);
        return;
    }
    if (tuple->embryonic)
        lives_hatch(engine, tuple);
    if ((tuple->is_parked && !schedule_unpark(engine, tuple)) ||
        (tuple->is_transcribed && !retrace(engine, tuple)))
        return;
    struct incarnation *kept[] = {tuple->current, tuple->candidate, tuple->retiring};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i] == NULL)
            continue;
        kept[i]->notes |= UINT64_C(1) << NOTE_memory_eviction;
        engine->counts.evictions++;
    }
    engine->counts.tombstones_evicted += tuple->resting; /* what is left of one */
    lives_finish(engine, tuple);
    engine->counts.tombstones_evicted += drop_tombstones(engine, &tuple->tombstones);
    lives_remove(engine, tuple);
}
