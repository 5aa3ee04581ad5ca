/* census: see census.h. */
#include "census.h"

#include <stdlib.h>
#include <string.h>

/* A surge of SYNs from which new sources get no entry before they are answered. */
enum { CROWD = 200, CROWD_SECONDS = 2 };

/* --- entries --- */

struct census_key census_key_of(enum host_scope scope, uint8_t ip_version, const uint8_t *source,
                                const uint8_t *destination, uint16_t port)
{
    struct census_key key;
    memset(&key, 0, sizeof(key));
    if (scope != HOST_SERVICE)
        memcpy(key.source, source, sizeof(key.source));
    if (scope != HOST_SOURCE) {
        memcpy(key.destination, destination, sizeof(key.destination));
        key.port = port;
    }
    key.ip_version = ip_version;
    key.scope = (uint8_t)scope;
    return key;
}

static struct census_entry *entry_at(const struct census *census, uint32_t index)
{
    return index == 0 ? NULL : pool_at(&census->pool, index);
}

/* A keyed hash of an address and what belongs to it. */
static uint64_t hash_of(const struct census *census, const uint8_t *address, uint64_t other)
{
    uint64_t words[3];
    memcpy(words, address, 2 * sizeof(words[0]));
    words[2] = other;
    return hash_words(census->secret, words, 3);
}

/* The hashes of both ends make the pair's: three entries cost two of them. */
static uint32_t tag_of_pair(uint64_t source, uint64_t destination)
{
    return (uint32_t)((source ^ (destination << 1 | destination >> 63)) >> 16);
}

static uint32_t tag_of(const struct census *census, const struct census_key *key)
{
    uint64_t source = hash_of(census, key->source, key->ip_version);
    uint64_t destination =
        hash_of(census, key->destination, (uint64_t)key->port << 8 | key->ip_version);
    if (key->scope == HOST_PAIR)
        return tag_of_pair(source, destination);
    return (uint32_t)(key->scope == HOST_SOURCE ? source : destination);
}

/* The place of a pair among those that came.  Without the secret: which pairs share one decides
 * what is written, and the same capture is to give the same.  Who forges pairs that share a place
 * gains entries, and of those there are only so many. */
static uint32_t knock_of(const struct census_key *key)
{
    uint64_t words[sizeof(*key) / sizeof(uint64_t)];
    memcpy(words, key, sizeof(words));
    return (uint32_t)(hash_identity(words, sizeof(words) / sizeof(words[0])) % CENSUS_KNOCKS);
}

/*
 * Whether a pair came before, when there are many: one that never comes again, as most do, is not
 * worth an entry.  The memory of who came is emptied when a quarter of it is used.
 */
static bool knocks_again(struct census *census, const struct census_key *pair)
{
    if (census->queue[HOST_PAIR].count < CENSUS_EASY)
        return true;
    uint32_t bit = knock_of(pair);
    uint64_t *word = &census->knock[bit / 64], mask = UINT64_C(1) << bit % 64;
    if ((*word & mask) != 0)
        return true;
    if (++census->knocks > CENSUS_KNOCKS / 4) {
        memset(census->knock, 0, sizeof(census->knock));
        census->knocks = 1;
    }
    *word |= mask;
    census->left_out++;
    return false;
}

static struct census_entry *find(const struct census *census, const struct census_key *key,
                                 uint32_t tag)
{
    for (uint32_t i = tag & census->mask; census->slot[i].index != 0; i = (i + 1) & census->mask) {
        if (census->slot[i].tag != tag)
            continue;
        struct census_entry *entry = entry_at(census, census->slot[i].index);
        if (memcmp(&entry->key, key, sizeof(*key)) == 0)
            return entry;
    }
    return NULL;
}

struct census_entry *census_find(const struct census *census, const struct census_key *key)
{
    return find(census, key, tag_of(census, key));
}

static void enter(struct census *census, const struct census_entry *entry)
{
    uint32_t i = entry->tag & census->mask;
    while (census->slot[i].index != 0)
        i = (i + 1) & census->mask;
    census->slot[i] = (struct census_slot){entry->tag, entry->index};
}

/* Takes an entry out of the index; those behind it move up. */
static void leave(struct census *census, const struct census_entry *entry)
{
    uint32_t mask = census->mask, gap = entry->tag & mask;
    while (census->slot[gap].index != entry->index)
        gap = (gap + 1) & mask;
    for (uint32_t i = (gap + 1) & mask; census->slot[i].index != 0; i = (i + 1) & mask) {
        uint32_t home = census->slot[i].tag & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue; /* it stands between its home and the gap */
        census->slot[gap] = census->slot[i];
        gap = i;
    }
    census->slot[gap].index = 0;
}

/* --- the queues --- */

static void unlink_entry(struct census *census, struct census_entry *entry)
{
    struct census_queue *queue = &census->queue[entry->key.scope];
    struct census_entry *newer = entry_at(census, entry->newer);
    struct census_entry *older = entry_at(census, entry->older);
    *(newer != NULL ? &newer->older : &queue->newest[entry->heeded]) = entry->older;
    *(older != NULL ? &older->newer : &queue->oldest[entry->heeded]) = entry->newer;
    entry->newer = entry->older = 0;
}

static void link_entry(struct census *census, struct census_entry *entry)
{
    struct census_queue *queue = &census->queue[entry->key.scope];
    struct census_entry *before = entry_at(census, queue->newest[entry->heeded]);
    entry->older = queue->newest[entry->heeded];
    *(before != NULL ? &before->newer : &queue->oldest[entry->heeded]) = entry->index;
    queue->newest[entry->heeded] = entry->index;
}

static void touch(struct census *census, struct census_entry *entry)
{
    bool heeded = entry->opened > 1 && entry->closed > 0;
    if (census->queue[entry->key.scope].newest[heeded] == entry->index)
        return;
    unlink_entry(census, entry);
    entry->heeded = heeded;
    link_entry(census, entry);
}

static void clear_entry(struct census *census, struct census_entry *entry)
{
    struct census_more *more = entry->more;
    census->queue[entry->key.scope].drawn -= entry->drawn;
    if (more == NULL)
        return;
    series_clear(&more->series);
    free(more->cohorts);
    free(more->time_wait_delta);
    census->dwells -= more->dwell != NULL;
    dwell_free(more->dwell);
    free(more);
}

static void give_way(struct census *census, enum host_scope scope)
{
    struct census_queue *queue = &census->queue[scope];
    struct census_entry *entry = entry_at(census, queue->oldest[queue->oldest[0] == 0]);
    unlink_entry(census, entry);
    leave(census, entry);
    clear_entry(census, entry);
    pool_give(&census->pool, entry->index);
    queue->count--;
    census->left_out++;
}

static struct census_entry *make(struct census *census, const struct census_key *key, uint32_t tag,
                                 nanotime t)
{
    struct census_queue *queue = &census->queue[key->scope];
    if (queue->count >= census->config->census_pairs)
        give_way(census, (enum host_scope)key->scope);
    uint32_t index = pool_take(&census->pool);
    if (index == 0)
        return NULL;
    struct census_entry *entry = entry_at(census, index);
    entry->key = *key;
    entry->index = index;
    entry->tag = tag;
    entry->first = entry->last = t;
    for (int side = 0; side < 2; side++) {
        entry->alive[side] = NANOTIME_UNKNOWN;
        entry->time_wait[side].most_at = entry->close_wait[side].most_at = NANOTIME_UNKNOWN;
    }
    entry->held.most_at = NANOTIME_UNKNOWN;
    queue->count++;
    enter(census, entry);
    link_entry(census, entry);
    return entry;
}

/* --- counting --- */

static void move_stock(struct level_of *stock, bool had, bool has, nanotime t)
{
    if (had == has)
        return;
    if (had) {
        stock->now -= stock->now > 0;
        return;
    }
    stock->now++;
    if (stock->now > stock->most) {
        stock->most = stock->now;
        stock->most_at = t;
    }
}

static void keep_ref(struct census_more *more, const struct delta *delta)
{
    struct census_ref ref = {
        .t = delta->t,
        .packet = delta->packet,
        .seq_abs = delta->seq_abs,
        .ack_abs = delta->ack_abs,
        .incarnation = delta->incarnation,
        .port = delta->end[CLIENT].port,
        .flags = delta->flags,
        .from = delta->from,
    };
    if (more->refs == 0)
        more->first_ref = ref;
    more->ref[more->refs++ % CENSUS_REFS] = ref;
}

/* What the first connection left is carried over. */
static bool make_more(struct census_entry *entry, nanotime two_msl)
{
    struct census_more *more = calloc(1, sizeof(*more));
    if (more == NULL)
        return false;
    more->reuse_least = more->first_leak = more->answered_syn = NANOTIME_UNKNOWN;
    entry->more = more;
    if (entry->opened == 0)
        return true;
    rate_add(&more->opened_rate, entry->first);
    if (entry->closed > 0)
        rate_add(&more->closed_rate, entry->last);
    if (entry->key.scope == HOST_PAIR)
        ports_add(&more->ports, entry->first_port, entry->first, two_msl);
    return true;
}

static struct host_point held_of(const struct census_entry *entry)
{
    struct host_point held = {.ports = (uint32_t)entry->held.now};
    for (int side = 0; side < 2; side++) {
        held.time_wait[side] = (uint32_t)entry->time_wait[side].now;
        held.close_wait[side] = (uint32_t)entry->close_wait[side].now;
    }
    return held;
}

static uint32_t more_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void count_openings(const struct census *census, struct census_entry *entry,
                           const struct delta *delta)
{
    struct census_more *more = entry->more;
    bool opened = (delta->what & DELTA_OPENED) != 0, closed = (delta->what & DELTA_CLOSED) != 0;
    entry->opened += opened;
    entry->closed += closed;
    if (more == NULL)
        return;
    if (closed)
        rate_add(&more->closed_rate, delta->t);
    if (!opened)
        return;
    rate_add(&more->opened_rate, delta->t);
    keep_ref(more, delta);
    if (entry->key.scope == HOST_PAIR)
        ports_add(&more->ports, delta->end[CLIENT].port, delta->t, census_two_msl(census));
    if (delta->reuse == NANOTIME_UNKNOWN)
        return;
    bool least = more->reuses++ == 0 || delta->reuse < more->reuse_least;
    more->reuse_least = least ? delta->reuse : more->reuse_least;
}

/* What is known of a connection when its record is written. */
static void count_ending(struct census_entry *entry, const struct delta *delta)
{
    entry->answered += delta->answered;
    entry->established += delta->established;
    entry->by_close[delta->close_kind]++;
    entry->by_initiator[delta->initiator]++;
}

static void count_stocks(struct census_entry *entry, const struct delta *delta)
{
    const uint8_t *before = delta->before, *after = delta->after;
    for (int side = 0; side < 2; side++) {
        move_stock(&entry->time_wait[side], before[side] == HOLDING_TIME_WAIT,
                   after[side] == HOLDING_TIME_WAIT, delta->t);
        move_stock(&entry->close_wait[side], before[side] == HOLDING_CLOSE_WAIT,
                   after[side] == HOLDING_CLOSE_WAIT, delta->t);
    }
    move_stock(&entry->held, before[0] != HOLDING_NOTHING, after[0] != HOLDING_NOTHING, delta->t);
}

/* What the delta adds to the series: sums, and the most that was held at once. */
static bool draw(struct census_entry *entry, const struct delta *delta,
                 const struct host_point *before)
{
    struct host_point *point = series_at(&entry->more->series, delta->t, before);
    if (point == NULL)
        return false;
    struct host_point held = held_of(entry);
    point->opened += (delta->what & DELTA_OPENED) != 0;
    point->closed += (delta->what & DELTA_CLOSED) != 0;
    for (int side = 0; side < 2; side++) {
        point->time_wait[side] = more_of(point->time_wait[side], held.time_wait[side]);
        point->close_wait[side] = more_of(point->close_wait[side], held.close_wait[side]);
    }
    point->ports = more_of(point->ports, held.ports);
    return true;
}

static bool count(struct census *census, struct census_entry *entry, const struct delta *delta)
{
    struct census_queue *queue = &census->queue[entry->key.scope];
    struct host_point before = held_of(entry);
    if ((delta->what & DELTA_GONE) != 0)
        count_ending(entry, delta);
    if ((delta->what & DELTA_CUT) != 0)
        return true; /* nothing happened */
    bool again = (delta->what & DELTA_OPENED) != 0 && entry->opened > 0;
    bool needed = entry->more == NULL && (again || entry->key.scope == HOST_SERVICE);
    if (needed && !make_more(entry, census_two_msl(census)))
        return false;
    if (entry->opened == 0)
        entry->first_port = delta->end[CLIENT].port;
    count_openings(census, entry, delta);
    count_stocks(entry, delta);
    entry->last = delta->t;
    if (delta->packet != 0)
        entry->alive[delta->from] = delta->t;
    if ((delta->what & DELTA_OPENED) != 0)
        touch(census, entry);
    if (!entry->drawn && entry->opened >= CENSUS_SERIES && queue->drawn < CENSUS_SERIES_MOST) {
        entry->drawn = true;
        queue->drawn++;
    }
    return !entry->drawn || draw(entry, delta, &before);
}

/* The second connection makes it worth while; the first is told from what the entry kept. */
static bool begin_cohorts(struct census_entry *service)
{
    struct cohorts *cohorts = service->more->cohorts = calloc(1, sizeof(*cohorts));
    if (cohorts == NULL)
        return false;
    struct cohort *first = cohorts_at(cohorts, service->first);
    first->opened = 1;
    first->established = service->up_once;
    if (service->more->answered_syn != NANOTIME_UNKNOWN)
        cohorts_answer(cohorts, service->more->answered_syn);
    return true;
}

/* Before the delta is counted. */
static bool count_cohort(struct census_entry *service, const struct delta *delta)
{
    service->up_once |= (delta->what & DELTA_ESTABLISHED) != 0;
    if ((delta->what & DELTA_ANSWERED) != 0)
        service->more->answered_syn = delta->opened;
    bool second = service->opened > 0 && (delta->what & DELTA_OPENED) != 0;
    struct census_more *more = service->more;
    if (more->cohorts == NULL && second && !begin_cohorts(service))
        return false;
    unsigned counted = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    if (more->cohorts == NULL || (delta->what & counted) == 0)
        return true;
    struct cohort *cohort = cohorts_at(more->cohorts, delta->opened);
    if (cohort == NULL)
        return true;
    cohort->opened += (delta->what & (DELTA_OPENED | DELTA_MIDSTREAM)) == DELTA_OPENED;
    cohort->established += (delta->what & DELTA_ESTABLISHED) != 0;
    if ((delta->what & DELTA_ANSWERED) != 0)
        cohorts_answer(more->cohorts, delta->opened);
    return true;
}

/* Keeps the latest delta that left the service in TIME_WAIT. */
static bool keep_time_wait(struct census_entry *service, const struct delta *delta)
{
    bool enters = delta->after[1] == HOLDING_TIME_WAIT && delta->before[1] != HOLDING_TIME_WAIT;
    if (!enters || delta->packet == 0)
        return true;
    if (service->more->time_wait_delta == NULL)
        service->more->time_wait_delta = malloc(sizeof(*service->more->time_wait_delta));
    if (service->more->time_wait_delta == NULL)
        return false;
    *service->more->time_wait_delta = *delta;
    return true;
}

/* Whether so many SYNs that never come to anything arrive that each may be of another source. */
static bool is_crowded(const struct census_entry *service, nanotime t)
{
    if (service->more->cohorts == NULL ||
        rate_sum(&service->more->opened_rate, t, CROWD_SECONDS) < CROWD)
        return false;
    struct cohort sum = cohorts_sum(service->more->cohorts, t, CROWD_SECONDS);
    return sum.established < sum.opened / 10;
}

/* What an entry that is made late has not been told: the delta begins with nothing. */
static struct delta from_nothing(const struct delta *delta)
{
    struct delta whole = *delta;
    whole.what |= DELTA_OPENED;
    whole.before[0] = whole.before[1] = HOLDING_NOTHING;
    return whole;
}

/* Where a delta counts: the key of a scope, and its entry. */
struct target {
    struct census_key key;
    uint32_t tag;
    struct census_entry *entry; /* NULL: there is none */
};

/*
 * Finds the entries of all scopes, or the service's.  Most of them are far away in memory: what is
 * needed of all is fetched before any is looked at.
 */
static void aim(const struct census *census, const struct delta *delta, struct target *target,
                bool all)
{
    enum { LINE = 64, LINES = 4 };
    int first = all ? 0 : HOST_SERVICE, last = all ? HOST_SCOPES - 1 : HOST_SERVICE;
    const struct endpoint_record *end = delta->end;
    uint64_t destination =
        hash_of(census, end[SERVER].address, (uint64_t)end[SERVER].port << 8 | delta->ip_version);
    uint64_t source = all ? hash_of(census, end[CLIENT].address, delta->ip_version) : 0;
    target[HOST_SERVICE].tag = (uint32_t)destination;
    target[HOST_SOURCE].tag = (uint32_t)source;
    target[HOST_PAIR].tag = tag_of_pair(source, destination);
    for (int scope = first; scope <= last; scope++) {
        target[scope].key =
            census_key_of((enum host_scope)scope, delta->ip_version, delta->end[CLIENT].address,
                          delta->end[SERVER].address, delta->end[SERVER].port);
        __builtin_prefetch(&census->slot[target[scope].tag & census->mask]);
    }
    for (int scope = first; scope <= last; scope++) {
        uint32_t index = census->slot[target[scope].tag & census->mask].index;
        const char *entry = index == 0 ? NULL : pool_at(&census->pool, index);
        for (int line = 0; entry != NULL && line < LINES; line++)
            __builtin_prefetch(entry + line * LINE);
    }
    for (int scope = first; scope <= last; scope++)
        target[scope].entry = find(census, &target[scope].key, target[scope].tag);
}

/* Makes the entry for a connection that begins, or one that is whole where many that never are
 * begin.  NULL with *failed: memory ran out. */
static struct census_entry *admit(struct census *census, const struct target *target,
                                  const struct delta *delta, bool crowded, bool *failed)
{
    unsigned enough = crowded ? DELTA_ESTABLISHED : DELTA_OPENED | DELTA_ESTABLISHED;
    if ((delta->what & enough) == 0)
        return NULL;
    if (target->key.scope == HOST_PAIR && !knocks_again(census, &target->key))
        return NULL;
    struct delta whole = from_nothing(delta);
    struct census_entry *entry = make(census, &target->key, target->tag, delta->t);
    *failed = entry == NULL || !count(census, entry, &whole);
    return entry;
}

static enum status count_at(struct census *census, struct target *target, const struct delta *delta,
                            bool crowded)
{
    bool failed = false;
    if (target->entry != NULL)
        failed = !count(census, target->entry, delta);
    else
        target->entry = admit(census, target, delta, crowded, &failed);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status count_service(struct census *census, struct target *target,
                                 const struct delta *delta)
{
    if (target->entry != NULL && !count_cohort(target->entry, delta))
        return STATUS_NO_MEMORY;
    enum status status = count_at(census, target, delta, false);
    if (status != STATUS_OK || target->entry == NULL)
        return status;
    return keep_time_wait(target->entry, delta) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Whether a delta changes what sources and pairs count: a handshake that goes on does not. */
static bool concerns_all(const struct delta *delta)
{
    const uint8_t *before = delta->before, *after = delta->after;
    bool goes_on = before[0] >= HOLDING_OPENING && before[0] <= HOLDING_OPEN &&
                   after[0] >= HOLDING_OPENING && after[0] <= HOLDING_OPEN &&
                   before[1] <= HOLDING_OPEN && after[1] <= HOLDING_OPEN;
    return !goes_on || (delta->what & (DELTA_OPENED | DELTA_GONE | DELTA_CLOSED)) != 0;
}

enum status census_take(struct census *census, const struct delta *delta,
                        struct census_place *place)
{
    struct target target[HOST_SCOPES];
    *place = (struct census_place){NULL, NULL, NULL};
    bool all = concerns_all(delta);
    aim(census, delta, target, all);
    enum status status = count_service(census, &target[HOST_SERVICE], delta);
    struct census_entry *service = place->service = target[HOST_SERVICE].entry;
    bool syn = (delta->what & (DELTA_OPENED | DELTA_ESTABLISHED)) != 0;
    bool crowded = service != NULL && syn && is_crowded(service, delta->t);
    if (crowded && !all)
        aim(census, delta, target, true);
    if (!all && !crowded)
        return status;
    if (status == STATUS_OK)
        status = count_at(census, &target[HOST_SOURCE], delta, crowded);
    if (status == STATUS_OK)
        status = count_at(census, &target[HOST_PAIR], delta, crowded);
    place->source = target[HOST_SOURCE].entry;
    place->pair = target[HOST_PAIR].entry;
    return status;
}

/* --- flows --- */

static enum status add_dwell(struct census *census, struct census_entry *service,
                             const struct flow_record *flow)
{
    enum { EXACT = 1024 };
    struct census_more *more = service->more;
    if (more->dwell == NULL && census->dwells < CENSUS_DWELLS) {
        more->dwell = dwell_new(EXACT);
        if (more->dwell == NULL)
            return STATUS_NO_MEMORY;
        census->dwells++;
    }
    return more->dwell == NULL ? STATUS_OK : dwell_add_flow(more->dwell, flow);
}

/* Whether it is one whose dwell times count: most connections close, but not all. */
static bool has_closed(const struct flow_record *flow)
{
    return flow->side[CLIENT].fin_packet != 0 || flow->side[SERVER].fin_packet != 0;
}

enum status census_flow(struct census *census, const struct flow_record *flow)
{
    const struct flow_identity *who = &flow->who;
    if (!flow->final || !has_closed(flow))
        return STATUS_OK;
    struct census_key key = census_key_of(HOST_SERVICE, who->ip_version, NULL,
                                          who->end[SERVER].address, who->end[SERVER].port);
    struct census_entry *service = census_find(census, &key);
    return service == NULL ? STATUS_OK : add_dwell(census, service, flow);
}

/* --- what came of it --- */

nanotime census_two_msl(const struct census *census)
{
    return census->config->msl * 2;
}

static int compare_entries(const void *a, const void *b)
{
    const struct census_entry *x = *(struct census_entry *const *)a;
    const struct census_entry *y = *(struct census_entry *const *)b;
    if (x->key.scope != y->key.scope)
        return x->key.scope < y->key.scope ? -1 : 1;
    if (x->opened != y->opened)
        return x->opened > y->opened ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

struct census_entry **census_sorted(const struct census *census, uint32_t *ret_count)
{
    *ret_count = 0;
    struct census_entry **sorted = malloc((census->pool.taken + 1) * sizeof(struct census_entry *));
    if (sorted == NULL)
        return NULL;
    for (uint32_t i = 0; i <= census->mask; i++) {
        if (census->slot[i].index != 0)
            sorted[(*ret_count)++] = entry_at(census, census->slot[i].index);
    }
    qsort(sorted, *ret_count, sizeof(struct census_entry *), compare_entries);
    return sorted;
}

static struct stock stock_of(const struct level_of *level)
{
    return (struct stock){.now = level->now, .most = level->most, .most_at = level->most_at};
}

static void copy_counts(const struct census_entry *entry, struct host_record *record)
{
    record->opened = entry->opened;
    record->answered = entry->answered;
    record->established = entry->established;
    record->closed = entry->closed;
    for (int kind = 0; kind < CLOSE_KINDS; kind++)
        record->by_close[kind] = entry->by_close[kind];
    for (int initiator = 0; initiator <= INITIATOR_BOTH; initiator++)
        record->by_initiator[initiator] = entry->by_initiator[initiator];
    for (int side = 0; side < 2; side++) {
        record->time_wait[side] = stock_of(&entry->time_wait[side]);
        record->close_wait[side] = stock_of(&entry->close_wait[side]);
    }
    record->ports = stock_of(&entry->held);
    record->opened_per_second_most = entry->opened;
    record->closed_per_second_most = entry->closed;
    record->ports_low = record->ports_high = entry->key.scope == HOST_PAIR ? entry->first_port : 0;
}

/* The same for what only entries of several connections have. */
static void copy_more(const struct census *census, const struct census_entry *entry, nanotime now,
                      struct host_record *record)
{
    struct census_more *more = entry->more;
    record->opened_per_second_most = more->opened_rate.most;
    record->closed_per_second_most = more->closed_rate.most;
    record->reuses = more->reuses;
    record->reuse_least = more->reuse_least;
    record->step = more->series.step;
    record->points = more->series.point;
    record->point_count = more->series.count;
    record->dwell_known = more->dwell != NULL;
    for (enum dwell_state state = 0; more->dwell != NULL && state < DWELL_STATES; state++)
        record->dwell[state] = dwell_summarise(more->dwell, state);
    if (record->scope != HOST_PAIR)
        return;
    struct port_range range = ports_range(&more->ports, now, census_two_msl(census));
    record->ports_low = range.low;
    record->ports_high = range.high;
    record->runs_out = census_runs_out(census, entry, now);
}

uint32_t census_usable_ports(const struct census *census, const struct census_entry *pair,
                             nanotime now)
{
    const struct config *config = census->config;
    struct port_range range = ports_range(&pair->more->ports, now, census_two_msl(census));
    bool walked =
        range.span >= config->ports_least && pair->held.now >= config->ports_least &&
        (uint64_t)pair->held.now * UINT64_C(100) >= (uint64_t)range.span * config->ports_share;
    bool comes_round =
        pair->more->reuses > 0 || ports_wrapped(&pair->more->ports, now, census_two_msl(census));
    return walked && comes_round && range.span < config->usable_ports ? range.span
                                                                      : config->usable_ports;
}

nanotime census_runs_out(const struct census *census, const struct census_entry *pair, nanotime now)
{
    enum { SECONDS = 10 };
    uint64_t usable = census_usable_ports(census, pair, now);
    uint64_t opened = rate_sum(&pair->more->opened_rate, now, SECONDS);
    uint64_t held = pair->held.now;
    uint64_t kept = pair->time_wait[CLIENT].now * 2 >= held ? census_two_msl(census) : 0;
    if (opened == 0 || (held < usable && opened * (kept / NANO_PER_SECOND) < usable * SECONDS))
        return NANOTIME_UNKNOWN; /* as many come back as are taken */
    uint64_t left = held < usable ? usable - held : 0;
    return (nanotime)(left * SECONDS / opened) * NANO_PER_SECOND;
}

struct host_record census_record(const struct census *census, const struct census_entry *entry,
                                 nanotime now)
{
    struct host_record record = {
        .scope = (enum host_scope)entry->key.scope,
        .ip_version = entry->key.ip_version,
        .port = entry->key.port,
        .first = entry->first,
        .last = entry->last,
        .runs_out = NANOTIME_UNKNOWN,
        .reuse_least = NANOTIME_UNKNOWN,
    };
    memcpy(record.source, entry->key.source, sizeof(record.source));
    memcpy(record.destination, entry->key.destination, sizeof(record.destination));
    copy_counts(entry, &record);
    if (entry->more != NULL)
        copy_more(census, entry, now, &record);
    return record;
}

struct census *census_new(const struct config *config)
{
    struct census *census = calloc(1, sizeof(*census));
    if (census == NULL)
        return NULL;
    uint64_t slots = 1; /* at most half of them in use */
    while (slots < (uint64_t)config->census_pairs * HOST_SCOPES * 2)
        slots *= 2;
    census->slot = calloc(slots, sizeof(*census->slot));
    if (census->slot == NULL) {
        free(census);
        return NULL;
    }
    census->mask = (uint32_t)(slots - 1);
    census->config = config;
    census->secret = hash_key_draw();
    pool_init(&census->pool, sizeof(struct census_entry));
    return census;
}

void census_free(struct census *census)
{
    if (census == NULL)
        return;
    for (uint32_t i = 0; i <= census->mask; i++) {
        if (census->slot[i].index != 0)
            clear_entry(census, entry_at(census, census->slot[i].index));
    }
    pool_clear(&census->pool);
    free(census->slot);
    free(census);
}
