/* newcomer: see newcomer.h. */
#include "newcomer.h"

#include <string.h>

/* Whether a connection ended of which there was one SYN. */
static bool is_of_lone_end(const struct delta *delta)
{
    return delta->close_kind == CLOSE_UNANSWERED && delta->initiator == INITIATOR_NONE &&
           !delta->answered && !delta->established;
}

bool newcomer_take(struct newcomer *newcomer, const struct census_change *change)
{
    const struct delta *delta = change->delta;
    if (newcomer->stage != NEWCOMER_OPENING || !is_of_lone_end(delta))
        return false;
    if (change->what == (DELTA_GONE | DELTA_CUT)) {
        newcomer->stage = NEWCOMER_CUT;
        return true;
    }
    bool ends = change->what == DELTA_GONE && change->enters == 0 &&
                change->leaves == 1 << STOCK_HELD && delta->packet == 0;
    if (!ends)
        return false;
    newcomer->stage = NEWCOMER_ENDED;
    newcomer->last = delta->t;
    return true;
}

void newcomer_become(const struct newcomer *newcomer, struct census_entry *entry)
{
    const nanotime opened = newcomer->opened;
    memset(entry, 0, sizeof(*entry));
    entry->key = newcomer->key;
    entry->tag = newcomer->tag;
    entry->opened = 1;
    entry->first_port = newcomer->first_port;
    entry->first = entry->alive[CLIENT] = opened;
    entry->last = newcomer->last;
    entry->alive[SERVER] = NANOTIME_UNKNOWN;
    for (int kind = 0; kind < STOCKS; kind++)
        entry->most_at[kind] = kind == STOCK_HELD ? opened : NANOTIME_UNKNOWN;
    entry->held.most = 1;
    entry->held.now = newcomer->stage != NEWCOMER_ENDED;
    if (newcomer->stage == NEWCOMER_OPENING)
        return;
    entry->by_close[CLOSE_UNANSWERED] = 1;
    entry->by_initiator[INITIATOR_NONE] = 1;
}
