/* table_lives: the incarnations that tuples hold, where these stand and what stands beside them;
 * see table.h. */
#include "table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/zero.h"
#include "icmp_story.h"

struct incarnation *flow_table_new_unclear(struct flow_table *table, const struct tuple *tuple)
{
    uint32_t index = berths_take(&table->incarnations);
    if (index == 0)
        return NULL;
    struct incarnation *incarnation = berths_at(&table->incarnations, index);
    incarnation->index = index;
    incarnation->owner = tuple->index;
    return incarnation;
}

struct incarnation *flow_table_new_incarnation(struct flow_table *table, const struct tuple *tuple)
{
    struct incarnation *incarnation = flow_table_new_unclear(table, tuple);
    if (incarnation == NULL)
        return NULL;
    uint32_t index = incarnation->index;
    memset(incarnation, 0, sizeof(*incarnation));
    incarnation->index = index;
    incarnation->owner = tuple->index;
    return incarnation;
}

struct incarnation *flow_table_new_unstarted(struct flow_table *table, const struct tuple *tuple)
{
    struct incarnation *incarnation = flow_table_new_unclear(table, tuple);
    if (incarnation == NULL)
        return NULL;
    uint32_t index = incarnation->index;
    const size_t begin = offsetof(struct incarnation, vlan); /* which stands behind it */
    memset(incarnation, 0, offsetof(struct incarnation, connection));
    zero((char *)incarnation + begin, sizeof(*incarnation) - begin);
    incarnation->index = index;
    incarnation->owner = tuple->index;
    return incarnation;
}

static uint32_t beside(const struct incarnation *incarnation)
{
    return (incarnation->collision != NULL ? (uint32_t)sizeof(*incarnation->collision) : 0) +
           (incarnation->story != NULL ? (uint32_t)sizeof(*incarnation->story) : 0) +
           (incarnation->doubts != NULL ? (uint32_t)sizeof(*incarnation->doubts) : 0) +
           (incarnation->icmp != NULL ? (uint32_t)sizeof(*incarnation->icmp) : 0) +
           (incarnation->around != NULL ? (uint32_t)sizeof(*incarnation->around) : 0) +
           incarnation->connection.history.capacity * (uint32_t)sizeof(struct history_entry);
}

void flow_table_count_beside(struct flow_table *table, const struct tuple *tuple)
{
    if (tuple->embryonic || tuple->is_parked || tuple->is_transcribed)
        return;
    struct incarnation *held[] = {tuple->current, tuple->candidate, tuple->retiring};
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        if (held[i] == NULL)
            continue;
        table->beside -= held[i]->beside;
        held[i]->beside = beside(held[i]);
        table->beside += held[i]->beside;
    }
}

/* An incarnation stands somewhere else: its tuple is told. */
static void follow(void *context, void *slot, uint32_t index)
{
    struct flow_table *table = context;
    struct incarnation *incarnation = slot;
    struct tuple *tuple = flow_table_tuple(table, incarnation->owner);
    const struct incarnation *old = berths_at(&table->incarnations, incarnation->index);
    struct incarnation **link[] = {&tuple->current, &tuple->candidate, &tuple->retiring};
    for (size_t i = 0; i < sizeof(link) / sizeof(link[0]); i++) {
        if (*link[i] == old)
            *link[i] = incarnation;
    }
    incarnation->index = index;
}

void flow_table_move_together(struct flow_table *table)
{
    berths_draw_in(&table->incarnations, follow, table);
}

/* What is parked and open stands somewhere else. */
static void follow_parked(void *context, void *slot, uint32_t index)
{
    struct tuple *tuple = flow_table_tuple(context, park_owner(slot));
    tuple->parked = slot;
    tuple->stowed_index = index;
}

void flow_table_draw_in_parked(struct flow_table *table)
{
    if (berths_are_wide(&table->parking.open))
        berths_draw_in(&table->parking.open, follow_parked, table);
}

/* The next connection that closes is spared malloc(). */
static void keep_closing(struct flow_table *table, struct connection *connection)
{
    if (connection->closing == NULL || table->spares == SPARE_CLOSINGS)
        return;
    table->spare[table->spares++] = connection->closing;
    connection->closing = NULL;
}

void flow_table_give_closing(struct flow_table *table, struct incarnation *incarnation)
{
    if (table->spares == 0)
        return;
    incarnation->connection.closing = table->spare[--table->spares];
    zero(incarnation->connection.closing, sizeof(*incarnation->connection.closing));
}

static void free_beside(struct incarnation *incarnation)
{
    free(incarnation->collision);
    free(incarnation->story);
    free(incarnation->doubts);
    free(incarnation->icmp);
    free(incarnation->around);
}

void flow_table_free_incarnation(struct flow_table *table, struct incarnation *incarnation)
{
    bool plain = incarnation->collision == NULL && incarnation->story == NULL &&
                 incarnation->doubts == NULL && incarnation->icmp == NULL &&
                 incarnation->around == NULL;
    table->beside -= incarnation->beside;
    keep_closing(table, &incarnation->connection);
    if (incarnation->connection.closing != NULL || incarnation->connection.history.more != NULL)
        connection_clear(&incarnation->connection);
    if (!plain)
        free_beside(incarnation);
    berths_give(&table->incarnations, incarnation->index);
}

void flow_table_release_incarnation(struct flow_table *table, struct incarnation *incarnation)
{
    keep_closing(table, &incarnation->connection);
    connection_clear(&incarnation->connection);
    berths_give(&table->incarnations, incarnation->index);
}

/* What stands beside an incarnation that is packed: the rest of it is not its own. */
static void clear_packed(struct flow_table *table, const struct tuple *tuple)
{
    struct incarnation incarnation = {.index = 0};
    const struct parked *parked = tuple->parked;
    if (!park_is_open(parked) || parked->form == PARKED_OPEN ||
        !park_restore(&table->parking, parked, tuple, &incarnation))
        return;
    connection_clear(&incarnation.connection);
    free_beside(&incarnation);
}

void flow_table_clear_tuple(struct flow_table *table, struct tuple *tuple)
{
    if (!tuple->embryonic && tuple->is_parked)
        clear_packed(table, tuple);
    if (tuple->embryonic || tuple->is_parked || tuple->is_transcribed)
        return;
    struct incarnation *held[] = {tuple->current, tuple->candidate, tuple->retiring};
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        if (held[i] != NULL)
            flow_table_free_incarnation(table, held[i]);
    }
    tombstone_list_free(tuple->tombstones);
}
