/* host_state: the census and what stands beside it, into a state file and out of one (host.h). */
#include <stdlib.h>
#include <string.h>

#include "../base/carry_rows.h"
#include "../event/told.h"
#include "census_table.h"
#include "host_parts.h"

#include "host_state.def"

/* --- what an entry of several connections has --- */

static void carry_points(struct carry *carry, struct series *series)
{
    uint32_t count = carry_count(carry, series->count, HOST_POINTS);
    carry_fields(carry, series_fields, series);
    if (carry_is_reading(carry) && count > 0) {
        series->point = calloc(HOST_POINTS, sizeof(*series->point));
        series->room = HOST_POINTS;
        if (series->point == NULL) {
            carry_fail(carry, STATUS_NO_MEMORY);
            return;
        }
        if (series->step <= 0 || series->step > INT64_MAX / HOST_POINTS)
            carry_fail(carry, STATUS_UNREADABLE);
    }
    series->count = count;
    for (uint32_t i = 0; i < count; i++)
        carry_fields(carry, host_point_fields, &series->point[i]);
    series->newest = count == 0 ? 0 : series->point[count - 1].t;
}

static void carry_dwell(struct carry *carry, struct census *census, struct census_more *more)
{
    bool has_dwell = more->dwell != NULL;
    carry_flag(carry, &has_dwell);
    if (!has_dwell)
        return;
    if (carry_is_reading(carry)) {
        more->dwell = dwell_new(CENSUS_DWELL_EXACT);
        census->dwells++;
    }
    if (more->dwell == NULL)
        carry_fail(carry, STATUS_NO_MEMORY);
    else
        dwell_carry(carry, more->dwell);
}

/* Seconds and parts are of a nanotime: from one to the next, a loop ends and nothing overflows. */
static bool is_of_time(int64_t second)
{
    return second >= INT64_MIN / NANO_PER_MILLI && second <= INT64_MAX / NANO_PER_MILLI;
}

static bool is_more_of_time(const struct census_more *more)
{
    const struct cohorts *cohorts = more->cohorts;
    bool sound = is_of_time(more->opened_rate.second) && is_of_time(more->closed_rate.second) &&
                 is_of_time(more->ports.part);
    for (int i = 0; cohorts != NULL && sound && i < COHORTS; i++)
        sound = is_of_time(cohorts->second[i].second);
    return sound && (cohorts == NULL || is_of_time(cohorts->newest));
}

static void carry_cohorts(struct carry *carry, struct census *census, struct census_more *more)
{
    bool has_cohorts = more->cohorts != NULL;
    carry_flag(carry, &has_cohorts);
    if (has_cohorts && carry_is_reading(carry))
        more->cohorts = census_new_cohorts(census);
    if (has_cohorts && more->cohorts == NULL)
        carry_fail(carry, STATUS_NO_MEMORY);
    else if (has_cohorts)
        carry_fields(carry, cohorts_fields, more->cohorts);
}

static void carry_more(struct carry *carry, struct census *census, struct census_entry *entry)
{
    bool has_more = entry->more != NULL;
    carry_flag(carry, &has_more);
    if (!has_more)
        return;
    if (carry_is_reading(carry))
        entry->more = census_new_more(census);
    struct census_more *more = entry->more;
    if (more == NULL) {
        carry_fail(carry, STATUS_NO_MEMORY);
        return;
    }
    carry_fields(carry, census_more_fields, more);
    carry_points(carry, &more->series);
    carry_cohorts(carry, census, more);
    more->time_wait_delta =
        carry_optional(carry, more->time_wait_delta, sizeof(*more->time_wait_delta), delta_fields);
    more->worst_leaks =
        carry_optional(carry, more->worst_leaks, sizeof(*more->worst_leaks), worst_fields);
    census->leaks |= more->worst_leaks != NULL;
    more->worst_ports =
        carry_optional(carry, more->worst_ports, sizeof(*more->worst_ports), worst_fields);
    if (!is_more_of_time(more))
        carry_fail(carry, STATUS_UNREADABLE);
    carry_dwell(carry, census, more);
}

/* --- entries, those that give way first before the others --- */

static void carry_entry(struct carry *carry, struct census *census, struct census_entry *entry)
{
    carry_fields(carry, census_entry_fields, entry);
    carry_more(carry, census, entry);
    bool needs_more = entry->key.scope == HOST_SERVICE || entry->drawn || entry->opened > 1;
    if (needs_more && entry->more == NULL)
        carry_fail(carry, STATUS_UNREADABLE);
}

static void write_entry(struct carry *carry, struct census *census, struct census_entry *entry)
{
    carry_fields(carry, census_key_fields, &entry->key);
    carry_entry(carry, census, entry);
}

/* Newcomers as the entries that they would be. */
static void write_row(struct carry *carry, struct census *census, int scope)
{
    const struct census_row *row = &census->queue[scope].row;
    const struct newcomer *place;
    uint32_t count = 0;
    for (uint32_t number = row->begin; census_row_next(row, &number) != NULL; number++)
        count++;
    carry_count(carry, count, UINT32_MAX);
    for (uint32_t number = row->begin; (place = census_row_next(row, &number)) != NULL; number++) {
        struct census_entry room;
        if (place->is == PLACE_OF_NEWCOMER)
            newcomer_become(place, &room);
        write_entry(carry, census,
                    place->is == PLACE_OF_NEWCOMER ? &room : census_at(census, place->entry));
    }
}

static void write_list(struct carry *carry, struct census *census, int scope, int heeded)
{
    uint32_t count = 0, oldest = census->queue[scope].oldest[heeded];
    for (uint32_t index = oldest; index != 0; index = census->link[index].newer)
        count++;
    carry_count(carry, count, UINT32_MAX);
    for (uint32_t index = oldest; index != 0; index = census->link[index].newer)
        write_entry(carry, census, census_at(census, index));
}

static void read_queue(struct carry *carry, struct census *census, int scope, bool heeded)
{
    uint32_t count = carry_count(carry, 0, UINT32_MAX);
    for (uint32_t i = 0; i < count && carry_is_sound(carry); i++) {
        struct census_key key;
        memset(&key, 0, sizeof(key));
        carry_fields(carry, census_key_fields, &key);
        if (!carry_is_sound(carry) || key.scope != scope || census_find(census, &key) != NULL) {
            carry_fail(carry, STATUS_UNREADABLE);
            return;
        }
        struct census_entry *entry = census_restore(census, &key, heeded);
        if (entry == NULL) {
            carry_fail(carry, STATUS_NO_MEMORY);
            return;
        }
        carry_entry(carry, census, entry);
        census->queue[scope].drawn += entry->drawn;
    }
}

/* Of the memory of who came, nearly always empty: all bits, or none. */
static void carry_knocks(struct carry *carry, struct census *census)
{
    enum { WORDS = sizeof(census->knock) / sizeof(census->knock[0]) };
    for (int i = 0; census->knocks > 0 && i < WORDS; i++)
        carry_number(carry, &census->knock[i], UINT64_MAX);
}

static void census_carry(struct carry *carry, struct census *census)
{
    carry_fields(carry, census_fields, census);
    carry_knocks(carry, census);
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        if (carry_is_reading(carry)) {
            read_queue(carry, census, scope, false);
            read_queue(carry, census, scope, true);
        } else {
            if (scope == HOST_SERVICE)
                write_list(carry, census, scope, false);
            else
                write_row(carry, census, scope);
            write_list(carry, census, scope, true);
        }
    }
}

static void floods_carry(struct carry *carry, struct floods *floods)
{
    carry_fields(carry, floods_fields, floods);
    for (uint32_t i = 0; i < floods->watched; i++) {
        carry_fields(carry, flood_fields, &floods->flood[i]);
        if (!flood_is_sound(&floods->flood[i]))
            carry_fail(carry, STATUS_UNREADABLE);
    }
    floods_name(floods);
}

static void carry_renamed(struct carry *carry, struct renamed *renamed)
{
    uint32_t kept = renamed->count < COMPLETED_RENAMED ? renamed->count : COMPLETED_RENAMED;
    for (uint32_t i = 0; i < kept; i++)
        carry_number(carry, &renamed->flow_uid[i], UINT64_MAX);
}

void host_carry(struct carry *carry, struct host *host)
{
    carry_fields(carry, host_fields, host);
    carry_renamed(carry, &host->renamed);
    floods_carry(carry, &host->floods);
    census_carry(carry, host->census);
}
