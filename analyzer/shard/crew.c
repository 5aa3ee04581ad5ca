/*
 * crew: the threads that work on shards.
 *
 * A thread takes the shard that is furthest behind and that none works on, and does its next epoch.
 * The caller's does so too instead of waiting, and where the sink bears it, a thread that has no
 * epoch to do delivers, or does what the caller has set for it: with as many threads as cores none
 * stands idle while there is something to do, and none waits for a core.
 */
#include "../engine_state.h"
#include "shard_parts.h"

static void analyse(struct engine *engine, const struct epoch *epoch, const struct share *share)
{
    engine_batch(engine, epoch->item, share->turn, share->count, false);
    engine->losses_known = epoch->losses;
    engine_advance(engine, epoch->advance);
}

static void do_task(struct engine *engine, const struct epoch *epoch, struct share *share)
{
    engine->sink = &share->ledger.sink;
    switch (epoch->task) {
    case TASK_ANALYSE:
        analyse(engine, epoch, share);
        break;
    case TASK_SNAPSHOT_BEGIN:
        engine->shares_frames |= epoch->shares_frames;
        engine_snapshot_begin(engine);
        break;
    case TASK_SNAPSHOT_UNTIL:
        engine_snapshot_until(engine, epoch->until);
        break;
    case TASK_FINISH_BEGIN:
        engine->shares_frames |= epoch->shares_frames;
        engine_finish_begin(engine);
        break;
    case TASK_FINISH_UNTIL:
        engine_finish_until(engine, epoch->until);
        break;
    }
    share->status = engine->status;
    engine->status = STATUS_OK;
}

/* The shard that is furthest behind of those that no thread works on; NULL: none has anything to
 * do. Under the lock. */
static struct shard *next_shard(const struct shards *shards)
{
    struct shard *next = NULL;
    for (uint32_t i = 0; i < shards->count; i++) {
        struct shard *shard = shards->shard[i];
        if (shard->busy || shard->done == shards->given)
            continue;
        if (next == NULL || shard->done < next->done)
            next = shard;
    }
    return next;
}

/* Begins and ends under the lock. */
static void do_next_epoch(struct shards *shards, struct shard *shard)
{
    const uint64_t number = shard->done;
    shard->busy = true;
    pthread_mutex_unlock(&shards->lock);
    do_task(&shard->engine, shards->epoch[number % RING], &shard->share[number % RING]);
    pthread_mutex_lock(&shards->lock);
    shard->done++;
    shard->held = shard->engine.agenda.count;
    shard->busy = false;
    if (shards->awaited > 0 && shard->done >= shards->awaited)
        pthread_cond_signal(&shards->done);
}

/* --- deliveries: of one thread at a time, all under the lock --- */

/* Whether the records of all shards stand still: they have done the oldest epoch, or have no room
 * for what comes of it. */
static bool stand_still(const struct shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        const struct shard *shard = shards->shard[i];
        if (shard->done == shards->delivered && !shard->share[shard->done % RING].full)
            return false;
    }
    return true;
}

/* Whether there is something to deliver, and nobody who does. */
static bool is_due(const struct shards *shards)
{
    return !shards->delivers && shards->delivered < shards->given && stand_still(shards);
}

/* Delivers as long as the oldest records stand still, up to that epoch. */
static void deliver(struct shards *shards, uint64_t end)
{
    shards->delivers = true;
    while (shards->delivered < end && stand_still(shards)) {
        enum status status;
        pthread_mutex_unlock(&shards->lock);
        bool all = delivery_merge(shards, &status);
        pthread_mutex_lock(&shards->lock);
        shards->delivered += all;
        if (shards->found == STATUS_OK)
            shards->found = status;
    }
    shards->delivers = false;
}

/* The end of the oldest epochs, as many as there are. */
static uint64_t end_of_oldest(const struct shards *shards, uint32_t epochs)
{
    uint64_t end = shards->delivered + epochs;
    return end < shards->given ? end : shards->given;
}

/* Another thread than the caller's has nothing else to do; the caller may wait for what it did. */
static void deliver_aside(struct shards *shards)
{
    deliver(shards, end_of_oldest(shards, LEAD));
    if (shards->awaited > 0)
        pthread_cond_signal(&shards->done);
}

/* Does something of what is set for it; false: there was nothing, nor came anything else to do
 * meanwhile, of which this thread was not told.  Begins and ends under the lock. */
static bool work_aside(struct shards *shards)
{
    const struct shards_aside aside = shards->aside;
    const uint64_t given = shards->given, offered = shards->offered;
    if (aside.work == NULL)
        return false;
    shards->aside_within++;
    pthread_mutex_unlock(&shards->lock);
    bool did = aside.work(aside.context);
    pthread_mutex_lock(&shards->lock);
    if (--shards->aside_within == 0 && shards->aside.work == NULL)
        pthread_cond_signal(&shards->done);
    return did || shards->given != given || shards->offered != offered || shards->stops;
}

static void *work(void *context)
{
    struct shards *shards = context;
    pthread_mutex_lock(&shards->lock);
    while (!shards->stops) {
        struct shard *shard = next_shard(shards);
        if (shard != NULL)
            do_next_epoch(shards, shard);
        else if (shards->anywhere && is_due(shards))
            deliver_aside(shards);
        else if (!work_aside(shards))
            pthread_cond_wait(&shards->more, &shards->lock);
    }
    pthread_mutex_unlock(&shards->lock);
    return NULL;
}

enum status crew_add(struct shards *shards)
{
    pthread_t *thread = &shards->thread[shards->threads];
    if (pthread_create(thread, NULL, work, shards) != 0)
        return STATUS_NO_MEMORY;
    shards->threads++;
    return STATUS_OK;
}

void crew_end(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    shards->stops = true;
    pthread_cond_broadcast(&shards->more);
    pthread_mutex_unlock(&shards->lock);
    for (uint32_t i = 0; i < shards->threads; i++)
        pthread_join(shards->thread[i], NULL);
}

uint64_t crew_held(struct shards *shards)
{
    uint64_t held = 0;
    pthread_mutex_lock(&shards->lock);
    for (uint32_t i = 0; i < shards->count; i++)
        held += shards->shard[i]->held;
    pthread_mutex_unlock(&shards->lock);
    return held;
}

/* --- the caller --- */

/* Whether the caller's thread is within an epoch of a shard, whose ledger is full. */
static bool is_within(const struct shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        if (shards->shard[i]->by_caller)
            return true;
    }
    return false;
}

/* Delivers, does an epoch that no other thread is at, or waits for the others until so many epochs
 * are done.  Under the lock. */
static void deliver_help_or_wait(struct shards *shards, uint64_t end)
{
    struct shard *shard;
    if (is_due(shards)) {
        deliver(shards, shards->anywhere ? end : shards->given);
    } else if (!is_within(shards) && (shard = next_shard(shards)) != NULL) {
        shard->by_caller = true;
        do_next_epoch(shards, shard);
        shard->by_caller = false;
    } else {
        shards->awaited = end;
        pthread_cond_wait(&shards->done, &shards->lock);
        shards->awaited = 0;
    }
}

/* Sees to it that so many of the oldest epochs, or all, are delivered.  Under the lock. */
static void make_room(struct shards *shards, uint32_t epochs)
{
    const uint64_t end = end_of_oldest(shards, epochs);
    pthread_cond_broadcast(&shards->more);
    while (shards->delivered < end)
        deliver_help_or_wait(shards, end);
}

void crew_set_aside(struct shards *shards, struct shards_aside aside)
{
    pthread_mutex_lock(&shards->lock);
    shards->aside.work = NULL;
    while (shards->aside_within > 0)
        pthread_cond_wait(&shards->done, &shards->lock);
    shards->aside = aside;
    pthread_mutex_unlock(&shards->lock);
}

void crew_offer_aside(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    shards->offered++;
    pthread_cond_signal(&shards->more);
    pthread_mutex_unlock(&shards->lock);
}

/* What deliveries met is the caller's to tell. */
static void note_found(struct shards *shards)
{
    if (shards->status == STATUS_OK)
        shards->status = shards->found;
    shards->found = STATUS_OK;
}

/* Where another thread may deliver, the caller reads on as long as there is room, and delivers no
 * more than it needs: so each has something to do. */
void crew_give(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    shards->given++;
    for (uint32_t i = 0; i < shards->count; i++) {
        if (shards->given - shards->shard[i]->done == LEAD)
            pthread_cond_signal(&shards->more);
    }
    if ((!shards->anywhere || shards->full > 0) && is_due(shards))
        deliver(shards, shards->given);
    if (shards->given - shards->delivered == RING)
        make_room(shards, LEAD);
    if (shards->anywhere && is_due(shards))
        pthread_cond_signal(&shards->more);
    note_found(shards);
    pthread_mutex_unlock(&shards->lock);
}

void crew_collect(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    make_room(shards, RING);
    note_found(shards);
    pthread_mutex_unlock(&shards->lock);
}

void crew_keep_deliveries(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    shards->anywhere = false;
    shards->awaited = UINT64_MAX;
    while (shards->delivers)
        pthread_cond_wait(&shards->done, &shards->lock);
    shards->awaited = 0;
    pthread_mutex_unlock(&shards->lock);
}

/* --- full ledgers --- */

bool crew_waits(struct shards *shards, const struct share *share)
{
    pthread_mutex_lock(&shards->lock);
    bool waits = share->full;
    pthread_mutex_unlock(&shards->lock);
    return waits;
}

void crew_resume(struct shards *shards, struct share *share)
{
    pthread_mutex_lock(&shards->lock);
    share->delivered = 0;
    ledger_reset(&share->ledger);
    share->full = false;
    shards->full--;
    pthread_cond_signal(&share->shard->drained);
    pthread_mutex_unlock(&shards->lock);
}

/* There is one shard a thread: while the caller's is within one, each of the others has a thread
 * that works on it or will.  Under the lock. */
static void deliver_for_room(struct shards *shards, const struct share *share)
{
    while (share->full)
        deliver_help_or_wait(shards, end_of_oldest(shards, 1));
}

void crew_drain(struct ledger *ledger)
{
    struct share *share = (struct share *)ledger;
    struct shard *shard = share->shard;
    struct shards *shards = shard->shards;
    pthread_mutex_lock(&shards->lock);
    share->full = true;
    shards->full++;
    if (shard->by_caller)
        deliver_for_room(shards, share);
    else
        pthread_cond_signal(&shards->done);
    while (share->full)
        pthread_cond_wait(&shard->drained, &shards->lock);
    pthread_mutex_unlock(&shards->lock);
}
