/* delivery: the records of all shards merged into one order, and handed to the sink. */
#include "shard_parts.h"

void shards_note_status(struct shards *shards, enum status status)
{
    if (status != STATUS_OK && shards->status == STATUS_OK)
        shards->status = status;
}

static const struct ledger_entry *next_of(const struct share *share)
{
    return &share->ledger.entry[share->delivered];
}

/* The share whose next record stands first, and in *ret_rival the first of the others' records, or
 * NULL; NULL when all are delivered. */
static struct share *first_share(const struct shards *shards, const struct ledger_entry **ret_rival)
{
    struct share *first = NULL;
    *ret_rival = NULL;
    for (uint32_t i = 0; i < shards->count; i++) {
        struct share *share = shards_oldest_share(shards, i);
        if (share->delivered == share->ledger.count)
            continue;
        if (first == NULL) {
            first = share;
        } else if (ledger_before(next_of(share), next_of(first))) {
            *ret_rival = next_of(first);
            first = share;
        } else if (*ret_rival == NULL || ledger_before(next_of(share), *ret_rival)) {
            *ret_rival = next_of(share);
        }
    }
    return first;
}

/* Hands on the records of a share that stand before the others': several of a packet, or of a
 * deadline, come one behind the other. */
static void deliver_run(struct shards *shards, struct share *share,
                        const struct ledger_entry *rival)
{
    do {
        if (shards->sink != NULL && share->delivered % LEDGER_AHEAD == 0)
            ledger_foresee(&share->ledger, share->delivered, shards->sink);
        const struct ledger_entry *entry = &share->ledger.entry[share->delivered++];
        if (shards->sink != NULL)
            shards_note_status(shards, ledger_deliver(&share->ledger, entry, shards->sink));
    } while (share->delivered < share->ledger.count &&
             (rival == NULL || ledger_before(next_of(share), rival)));
}

/* The texts of what was handed on go: whoever has yet to write them does so. */
static void settle(struct shards *shards)
{
    if (shards->sink != NULL && shards->sink->ops->settle != NULL)
        shards_note_status(shards, shards->sink->ops->settle(shards->sink));
}

/* Merges the records of the oldest epoch and hands them on; false when there are more to come, as a
 * ledger was full. */
static bool merge(struct shards *shards)
{
    const struct ledger_entry *rival;
    struct share *share;
    while ((share = first_share(shards, &rival)) != NULL) {
        deliver_run(shards, share, rival);
        if (share->delivered == share->ledger.count && crew_waits(shards, share)) {
            settle(shards);
            crew_resume(shards, share);
            return false; /* what it writes next may stand before what others hold */
        }
    }
    settle(shards);
    return true;
}

/* Makes the place of the oldest epoch free, all of whose records are delivered. */
static void close_epoch(struct shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        struct share *share = shards_oldest_share(shards, i);
        shards_note_status(shards, share->status);
        share->count = 0;
        share->delivered = 0;
        ledger_reset(&share->ledger);
    }
    shards->epoch[shards->delivered++ % RING]->count = 0;
}

bool shards_deliver(struct shards *shards, uint32_t wait_for)
{
    if (!crew_await(shards, wait_for))
        return false;
    if (merge(shards))
        close_epoch(shards);
    return true;
}

void shards_collect(struct shards *shards)
{
    uint32_t left;
    while ((left = shards_under_way(shards)) > 0)
        shards_deliver(shards, left < LEAD ? left : LEAD);
}
