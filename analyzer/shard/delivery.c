/* delivery: the records of all shards merged into one order, and handed to the sink. */
#include "shard_parts.h"

static void note(enum status *first, enum status status)
{
    if (status != STATUS_OK && *first == STATUS_OK)
        *first = status;
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
static void deliver_run(const struct shards *shards, struct share *share,
                        const struct ledger_entry *rival, enum status *status)
{
    do {
        if (shards->sink != NULL && share->delivered % LEDGER_AHEAD == 0)
            ledger_foresee(&share->ledger, share->delivered, shards->sink);
        const struct ledger_entry *entry = &share->ledger.entry[share->delivered++];
        if (shards->sink != NULL)
            note(status, ledger_deliver(&share->ledger, entry, shards->sink));
    } while (share->delivered < share->ledger.count &&
             (rival == NULL || ledger_before(next_of(share), rival)));
}

/* The texts of what was handed on go: whoever has yet to write them does so. */
static void settle(const struct shards *shards, enum status *status)
{
    if (shards->sink != NULL && shards->sink->ops->settle != NULL)
        note(status, shards->sink->ops->settle(shards->sink));
}

/* Makes the place of the oldest epoch ready for another. */
static void close_epoch(const struct shards *shards, enum status *status)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        struct share *share = shards_oldest_share(shards, i);
        note(status, share->status);
        share->count = 0;
        share->delivered = 0;
        ledger_reset(&share->ledger);
    }
    shards->epoch[shards->delivered % RING]->count = 0;
}

bool delivery_merge(struct shards *shards, enum status *ret_status)
{
    const struct ledger_entry *rival;
    struct share *share;
    *ret_status = STATUS_OK;
    while ((share = first_share(shards, &rival)) != NULL) {
        deliver_run(shards, share, rival, ret_status);
        if (share->delivered == share->ledger.count && crew_waits(shards, share)) {
            settle(shards, ret_status);
            crew_resume(shards, share);
            return false; /* what it writes next may stand before what others hold */
        }
    }
    settle(shards, ret_status);
    close_epoch(shards, ret_status);
    return true;
}
