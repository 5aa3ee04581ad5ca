/* evict: see evict.h. */
#include "evict.h"

#include "crowd.h"
#include "flow/park.h"
#include "lives.h"
#include "stow.h"

enum {
    SURVIVOR = 48, /* octets of a tuple in the list of those that live at the end, and to sort it */
    LOOSE = 2,     /* slabs of parked connections that gaps in others may come to uncounted */
};

uint64_t evict_most_tuples(const struct engine *engine)
{
    uint64_t had = engine->table.most;
    return had > engine->most_tuples ? had : engine->most_tuples;
}

/* Gaps that stand open among parked connections: a few come of packets that wake one up, many of
 * someone who wants them. */
static uint64_t gaps(const struct engine *engine)
{
    const struct chunks *room = &engine->table.parking.room;
    uint64_t fair =
        engine->parked_octets + engine->parked_octets / 8 + LOOSE * chunks_at_once(room);
    uint64_t octets = room->octets;
    return octets > fair ? octets - fair : 0;
}

uint64_t evict_held(const struct engine *engine)
{
    const struct flow_table *table = &engine->table;
    uint64_t incarnation = table->incarnations.slot_size + sizeof(struct closing);
    return evict_most_tuples(engine) * table->tuples.slot_size +
           table->count * (SURVIVOR + engine->beside) + table->incarnations.taken * incarnation +
           table->beside + (uint64_t)table->transcripts.next * table->transcripts.slot_size +
           engine->tombstones * sizeof(struct tombstone) + engine->parked_octets + gaps(engine) +
           table->parking.stowed_octets +
           table->parking.open.taken * table->parking.open.slot_size +
           ((uint64_t)table->mask + 1) * sizeof(*table->slot) +
           engine->agenda.capacity * sizeof(struct agenda_entry);
}

static enum tuple_queue parked_queue(enum parked_form form)
{
    if (form == PARKED_OPEN)
        return QUEUE_STOWED;
    return form > PARKED_OPEN ? QUEUE_PACKED : QUEUE_CLOSED;
}

static enum tuple_queue fitting_queue(const struct tuple *tuple)
{
    if (tuple->embryonic)
        return QUEUE_EMBRYOS;
    if (tuple->is_parked)
        return parked_queue((enum parked_form)tuple->parked->form);
    if (tuple->is_transcribed)
        return QUEUE_NOTED;
    if (tuple->resting)
        return QUEUE_GRAVES;
    if (tuple->current == NULL && tuple->candidate == NULL && tuple->retiring == NULL)
        return tuple->tombstones != NULL ? QUEUE_GRAVES : QUEUE_NONE;
    bool closed = tuple->current != NULL && tuple->candidate == NULL &&
                  tuple->current->connection.closed_at != NANOTIME_UNKNOWN;
    return closed ? QUEUE_CLOSED : QUEUE_LIVE;
}

void evict_dequeue(struct engine *engine, struct tuple *tuple)
{
    if (tuple->queue == QUEUE_NONE)
        return;
    if (tuple->queue == QUEUE_NEST) {
        nest_leave(&engine->table.nest, tuple->previous);
        tuple->previous = 0;
        tuple->queue = QUEUE_NONE;
        return;
    }
    struct tuple_list *list = &engine->queue[tuple->queue];
    if (tuple->previous != 0)
        flow_table_tuple(&engine->table, tuple->previous)->next = tuple->next;
    else
        list->first = tuple->next;
    if (tuple->next != 0)
        flow_table_tuple(&engine->table, tuple->next)->previous = tuple->previous;
    else
        list->last = tuple->previous;
    list->count--;
    tuple->next = tuple->previous = 0;
    tuple->queue = QUEUE_NONE;
}

static void append(struct engine *engine, struct tuple *tuple, enum tuple_queue queue)
{
    struct tuple_list *list = &engine->queue[queue];
    tuple->queue = (unsigned)queue & 0xf;
    tuple->previous = list->last;
    if (list->last != 0)
        flow_table_tuple(&engine->table, list->last)->next = tuple->index;
    else
        list->first = tuple->index;
    list->last = tuple->index;
    list->count++;
}

void evict_enqueue(struct engine *engine, struct tuple *tuple)
{
    enum tuple_queue queue = fitting_queue(tuple);
    if (tuple->queue == (unsigned)queue)
        return;
    if (queue == QUEUE_EMBRYOS && engine->table.nest.count > 0 && crowd_enqueue(engine, tuple))
        return;
    evict_dequeue(engine, tuple);
    if (queue != QUEUE_NONE)
        append(engine, tuple, queue);
}

void evict_requeue(struct engine *engine, struct tuple *tuple)
{
    evict_dequeue(engine, tuple);
    append(engine, tuple, QUEUE_EMBRYOS);
}

void evict_turn(struct engine *engine, struct tuple *tuple)
{
    const enum tuple_queue queue = (enum tuple_queue)tuple->queue;
    evict_dequeue(engine, tuple);
    append(engine, tuple, queue);
}

/*
 * The queues of what is open are clocks: a tuple that spoke since it was looked at last goes to the
 * end.  So packets never touch a queue, and what goes is idle for at least one turn of it.
 */
static bool spoke_since(struct engine *engine, struct tuple *tuple)
{
    struct incarnation *incarnation = tuple->current != NULL ? tuple->current : tuple->candidate;
    if (incarnation == NULL)
        return false;
    nanotime *seen_t =
        tuple->is_transcribed ? &tuple->transcript->head.seen_t : &incarnation->seen_t;
    nanotime last_t =
        tuple->is_transcribed ? tuple->progress.last_t : incarnation->connection.last_t;
    if (*seen_t == last_t)
        return false;
    *seen_t = last_t;
    evict_turn(engine, tuple);
    return true;
}

/* The same by time: whether a tuple spoke of late, less than so long ago. */
static bool spoke_within(struct engine *engine, struct tuple *tuple, nanotime silence)
{
    const struct incarnation *current = tuple->current;
    if (current != NULL && time_since(engine->clock, current->connection.last_t) >= silence)
        return false;
    evict_turn(engine, tuple);
    return true;
}

static uint64_t embryos_room(const struct engine *engine)
{
    return crowd_embryos(engine) * (uint64_t)engine->table.tuples.slot_size;
}

/* Whether lone SYNs take more than a quarter of the room: then it is a flood. */
static bool embryos_flood(const struct engine *engine)
{
    return embryos_room(engine) >= engine->room / 4;
}

/* A SYN whose answer may be under way is no lone SYN yet: it is spared for so long, but not in a
 * flood. */
static nanotime least_age(const struct engine *engine)
{
    return embryos_flood(engine) ? 0 : NANO_PER_SECOND;
}

static bool is_young_embryo(const struct engine *engine, const struct tuple *tuple)
{
    return tuple->embryonic && time_since(engine->clock, tuple->embryo.time) < least_age(engine);
}

/* The tuple of some queues to go; NULL when none may. */
static struct tuple *choose(struct engine *engine, const struct tuple *busy, int first, int last)
{
    for (int queue = first; queue <= last; queue++) {
        uint32_t index = engine->queue[queue].first;
        uint64_t turns = 2 * (uint64_t)engine->queue[queue].count; /* the busy one may be alone */
        bool young = false;
        while (index != 0 && turns-- > 0) {
            struct tuple *tuple = flow_table_tuple(&engine->table, index);
            uint32_t next = tuple->next;
            young = is_young_embryo(engine, tuple);
            if (young)
                break; /* and so are all behind it */
            bool is_clock = queue == QUEUE_LIVE || queue == QUEUE_NOTED;
            bool stays = tuple == busy || (is_clock && spoke_since(engine, tuple));
            if (!stays)
                return tuple;
            index = next != 0 ? next : engine->queue[queue].first;
        }
        struct tuple *nested =
            queue == QUEUE_EMBRYOS && !young ? crowd_choose(engine, busy, least_age(engine)) : NULL;
        if (nested != NULL)
            return nested;
    }
    return NULL;
}

/* The slots of the lone SYNs that go next, one with each that comes: those of so many together.
 * Those that go then are likely to stand behind them in memory: they came one after the other. */
static void fetch_next_embryos(const struct engine *engine)
{
    enum { TOGETHER = 16 };
    const struct flow_table *table = &engine->table;
    uint32_t index = engine->queue[QUEUE_EMBRYOS].first;
    if (engine->counts.evictions % TOGETHER != 0)
        return;
    for (int i = 0; i < TOGETHER && index != 0; i++) {
        const struct tuple *tuple = flow_table_tuple(table, index);
        if (index + TOGETHER < flow_table_end(table))
            tuple_fetch(flow_table_tuple(table, index + TOGETHER));
        flow_table_fetch_removal(table, tuple);
        index = tuple->next;
    }
}

/* In a flood the oldest goes before the limit is reached: the rest of the room is for connections,
 * and that of a flood is not worth having. */
static void evict_flood(struct engine *engine, const struct tuple *busy)
{
    while (embryos_flood(engine)) {
        const uint32_t first = engine->queue[QUEUE_EMBRYOS].first;
        if (first == 0 && crowd_evict(engine, busy))
            continue;
        struct tuple *oldest = first != 0 ? flow_table_tuple(&engine->table, first) : NULL;
        if (oldest == NULL || oldest == busy)
            return;
        fetch_next_embryos(engine);
        lives_evict(engine, oldest);
    }
}

bool evict_is_due(const struct engine *engine)
{
    return embryos_flood(engine) || evict_held(engine) > engine->room;
}

/* Of what grows by doubling each may do so once; the rest grows by less than two small slabs at a
 * time, or by a large one once. */
bool evict_is_far(const struct engine *engine, uint32_t takings)
{
    const uint64_t lone = takings * (uint64_t)engine->table.tuples.slot_size;
    const uint64_t rest = takings * (uint64_t)(2 * CHUNKS_SLAB);
    return embryos_room(engine) + lone < engine->room / 4 &&
           2 * evict_held(engine) + rest < engine->room;
}

/* What is kept as its segments gives nothing back that counts, but room for the next of its kind:
 * so one goes for one that comes, and only where there is nothing else. */
static void evict_noted(struct engine *engine, const struct tuple *busy)
{
    struct tuple *tuple = choose(engine, busy, QUEUE_STOWED, QUEUE_STOWED);
    if (tuple == NULL)
        tuple = choose(engine, busy, QUEUE_NOTED, QUEUE_NOTED);
    if (tuple != NULL)
        lives_evict(engine, tuple);
}

bool evict_pack(struct engine *engine, const struct tuple *busy, nanotime silence)
{
    const int tries = silence > 0 ? 2 : 8;
    uint32_t index = engine->queue[QUEUE_LIVE].first;
    for (int i = 0; i < tries && index != 0; i++) {
        struct tuple *tuple = flow_table_tuple(&engine->table, index);
        index = tuple->next;
        const bool spoke = silence > 0 ? spoke_within(engine, tuple, silence)
                                       : tuple != busy && spoke_since(engine, tuple);
        if (!spoke && tuple != busy && stow_incarnation(engine, tuple))
            return true;
    }
    return false;
}

/* Makes room by an open connection: packs one, or where none can be, lets the one go that is idle
 * longest, one that is packed.  false: there is none. */
static bool give_up_open(struct engine *engine, const struct tuple *busy)
{
    struct tuple *live = choose(engine, busy, QUEUE_LIVE, QUEUE_LIVE);
    if (live != NULL && stow_incarnation(engine, live))
        return true;
    struct tuple *idle = choose(engine, busy, QUEUE_PACKED, QUEUE_PACKED);
    if (idle == NULL)
        idle = live;
    if (idle != NULL)
        lives_evict(engine, idle);
    return idle != NULL;
}

static bool give_up_other(struct engine *engine, const struct tuple *busy)
{
    struct tuple *tuple = choose(engine, busy, QUEUE_GRAVES, QUEUE_CLOSED);
    if (tuple != NULL)
        lives_evict(engine, tuple);
    return tuple != NULL;
}

void evict_to_limit(struct engine *engine, const struct tuple *busy)
{
    evict_flood(engine, busy);
    while (evict_held(engine) > engine->room && engine->status == STATUS_OK) {
        if (evict_pack(engine, busy, 0) || give_up_other(engine, busy) ||
            give_up_open(engine, busy))
            continue;
        evict_noted(engine, busy);
        return;
    }
}
