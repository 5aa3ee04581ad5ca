/* census_record: what came of the census: its entries as records. */
#include <string.h>

#include "census_table.h"

static struct stock stock_of(const struct census_entry *entry, int kind)
{
    const struct level_of *level = &entry->stock[kind];
    return (struct stock){.now = level->now, .most = level->most, .most_at = entry->most_at[kind]};
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
        record->time_wait[side] = stock_of(entry, STOCK_TIME_WAIT + side);
        record->close_wait[side] = stock_of(entry, STOCK_CLOSE_WAIT + side);
    }
    record->ports = stock_of(entry, STOCK_HELD);
    record->opened_per_second_most = entry->opened;
    record->closed_per_second_most = entry->closed;
    record->ports_low = record->ports_high = entry->key.scope == HOST_PAIR ? entry->first_port : 0;
}

/* The same for what only entries of several connections have. */
static void copy_more(const struct census *census, const struct census_entry *entry, nanotime now,
                      struct host_record *record)
{
    struct census_more *more = entry->more;
    record->opened_per_second_most =
        record->scope == HOST_SOURCE ? more->opened_pace.most : more->opened_rate.most;
    record->closed_per_second_most =
        record->scope == HOST_PAIR ? more->closed_rate.most : more->closed_pace.most;
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

static void raise_to(uint64_t *most, uint64_t value)
{
    if (value > *most)
        *most = value;
}

/* The pair that has used up the largest share of its ports. */
static void raise_ports(const struct census *census, const struct census_entry *pair, nanotime now,
                        struct stock_peaks *peaks)
{
    uint64_t usable =
        pair->more != NULL ? census_usable_ports(census, pair, now) : census->config->usable_ports;
    if (pair->held.now * peaks->ports_usable <= peaks->ports * usable)
        return;
    peaks->ports = pair->held.now;
    peaks->ports_usable = usable;
}

/* Newcomers hold a port, or nothing: one of those that hold one stands for all. */
static void raise_newcomers(const struct census *census, nanotime now, struct stock_peaks *peaks)
{
    const struct census_row *row = &census->queue[HOST_PAIR].row;
    const struct newcomer *place;
    for (uint32_t number = row->begin; (place = census_row_next(row, &number)) != NULL; number++) {
        if (place->is != PLACE_OF_NEWCOMER || place->stage == NEWCOMER_ENDED)
            continue;
        struct census_entry pair;
        newcomer_become(place, &pair);
        raise_ports(census, &pair, now, peaks);
        return;
    }
}

struct stock_peaks census_peaks(const struct census *census, nanotime now)
{
    struct stock_peaks peaks = {.ports_usable = census->config->usable_ports};
    uint32_t number = 1;
    for (const struct census_entry *entry; (entry = census_next(census, &number)) != NULL;) {
        if (entry->key.scope == HOST_PAIR) {
            raise_ports(census, entry, now, &peaks);
            continue;
        }
        int side = entry->key.scope == HOST_SOURCE ? CLIENT : SERVER;
        raise_to(&peaks.time_wait[side], entry->time_wait[side].now);
        raise_to(&peaks.close_wait[side], entry->close_wait[side].now);
    }
    raise_newcomers(census, now, &peaks);
    return peaks;
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
