/* census_busiest: see census_busiest.h. */
#include "census_busiest.h"

#include <stdlib.h>
#include <string.h>

#include "census_table.h"

static int compare_entries(const void *a, const void *b)
{
    const struct census_entry *x = *(struct census_entry *const *)a;
    const struct census_entry *y = *(struct census_entry *const *)b;
    if (x->opened != y->opened)
        return x->opened > y->opened ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* Entries of a kind: what is gathered is cut to the busiest whenever there is no more room, and
 * from then on only what is busier than the last of them is gathered. */
struct chosen {
    struct census_entry **entry;
    uint32_t count, room, most;
    const struct census_entry *last; /* NULL: none was cut yet */
};

static bool chosen_init(struct chosen *chosen, uint32_t entries, uint32_t most)
{
    uint32_t room = most > entries / 2 ? entries : 2 * most;
    *chosen = (struct chosen){.room = room, .most = most};
    chosen->entry = malloc((room + (size_t)1) * sizeof(struct census_entry *));
    return chosen->entry != NULL;
}

static void cut(struct chosen *chosen)
{
    qsort(chosen->entry, chosen->count, sizeof(struct census_entry *), compare_entries);
    if (chosen->count < chosen->most)
        return;
    chosen->count = chosen->most;
    chosen->last = chosen->most > 0 ? chosen->entry[chosen->most - 1] : NULL;
}

static void choose(struct chosen *chosen, struct census_entry *entry)
{
    if (chosen->last != NULL && compare_entries(&entry, &chosen->last) > 0)
        return;
    if (chosen->count == chosen->room)
        cut(chosen);
    if (chosen->count < chosen->room)
        chosen->entry[chosen->count++] = entry;
}

static int compare_newcomers(const void *a, const void *b)
{
    const struct newcomer *x = *(const struct newcomer *const *)a;
    const struct newcomer *y = *(const struct newcomer *const *)b;
    if (x->opened != y->opened)
        return x->opened < y->opened ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* The earliest of a list in the order of time, and those as early as the last of them. */
static uint32_t earliest(const struct newcomer **list, uint32_t count, uint32_t most)
{
    uint32_t kept = most < count ? most : count;
    while (kept > 0 && kept < count && list[kept]->opened == list[kept - 1]->opened)
        kept++;
    return kept;
}

/* The newcomers of a row, so many at least, in compare_entries()'s order; they nearly always stand
 * in that of time. */
static uint32_t order_newcomers(const struct census_row *row, uint32_t most,
                                const struct newcomer **list)
{
    const struct newcomer *place;
    uint32_t count = 0;
    bool ordered = true;
    for (uint32_t number = row->begin; (place = census_row_next(row, &number)) != NULL; number++) {
        if (place->is != PLACE_OF_NEWCOMER)
            continue;
        ordered = ordered && (count == 0 || list[count - 1]->opened <= place->opened);
        list[count++] = place;
    }
    count = ordered ? earliest(list, count, most) : count;
    qsort(list, count, sizeof(*list), compare_newcomers);
    return count;
}

/* As many as may be among the busiest, as entries; false when memory ran out. */
static bool choose_newcomers(const struct census_queue *queue, struct chosen *chosen,
                             struct census_entry **ret_newcomer)
{
    const struct newcomer **list = malloc((queue->count + (size_t)1) * sizeof(*list));
    if (list == NULL)
        return false;
    uint32_t count = order_newcomers(&queue->row, chosen->most, list);
    count = count < chosen->most ? count : chosen->most;
    struct census_entry *newcomer = malloc((count + (size_t)1) * sizeof(*newcomer));
    for (uint32_t i = 0; newcomer != NULL && i < count; i++) {
        newcomer_become(list[i], &newcomer[i]);
        choose(chosen, &newcomer[i]);
    }
    free(list);
    *ret_newcomer = newcomer;
    return newcomer != NULL;
}

enum status census_find_busiest(const struct census *census, const uint32_t *most,
                                struct census_busiest *ret_busiest)
{
    struct chosen chosen[HOST_SCOPES];
    uint32_t number = 1;
    bool starved = false;
    for (int scope = 0; scope < HOST_SCOPES; scope++)
        starved |= !chosen_init(&chosen[scope], census->queue[scope].count, most[scope]);
    for (struct census_entry *entry; !starved && (entry = census_next(census, &number)) != NULL;)
        choose(&chosen[entry->key.scope], entry);
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        ret_busiest->newcomer[scope] = NULL;
        starved = starved || !choose_newcomers(&census->queue[scope], &chosen[scope],
                                               &ret_busiest->newcomer[scope]);
    }
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        if (!starved)
            cut(&chosen[scope]);
        ret_busiest->entry[scope] = chosen[scope].entry;
        ret_busiest->count[scope] = chosen[scope].count;
    }
    if (starved)
        census_busiest_clear(ret_busiest);
    return starved ? STATUS_NO_MEMORY : STATUS_OK;
}

void census_busiest_clear(struct census_busiest *busiest)
{
    for (int scope = 0; scope < HOST_SCOPES; scope++)
        free(busiest->entry[scope]);
    for (int scope = 0; scope < HOST_SCOPES; scope++)
        free(busiest->newcomer[scope]);
    *busiest = (struct census_busiest){.count = {0}};
}
