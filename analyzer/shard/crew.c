/*
 * crew: the threads that work on shards.
 *
 * A thread takes the shard that is furthest behind and that none works on, and does its next epoch.
 * The caller's does so too instead of waiting: with as many threads as cores none stands idle while
 * there is something to do, and none waits for a core.
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

static void *work(void *context)
{
    struct shards *shards = context;
    pthread_mutex_lock(&shards->lock);
    while (!shards->stops) {
        struct shard *shard = next_shard(shards);
        if (shard != NULL)
            do_next_epoch(shards, shard);
        else
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

void crew_give(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    shards->given++;
    for (uint32_t i = 0; i < shards->count; i++) {
        if (shards->given - shards->shard[i]->done == LEAD)
            pthread_cond_signal(&shards->more);
    }
    pthread_mutex_unlock(&shards->lock);
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

/* The end of the oldest epochs, as many as there are. */
static uint64_t end_of_oldest(const struct shards *shards, uint32_t epochs)
{
    uint64_t end = shards->delivered + epochs;
    return end < shards->given ? end : shards->given;
}

/* Whether the records of all shards stand still: they have done the oldest epochs, or have no room
 * for what comes of the one they are at. */
static bool stand_still(const struct shards *shards, uint32_t epochs)
{
    uint64_t end = end_of_oldest(shards, epochs);
    for (uint32_t i = 0; i < shards->count; i++) {
        const struct shard *shard = shards->shard[i];
        if (shard->done < end && !shard->share[shard->done % RING].full)
            return false;
    }
    return true;
}

/* Whether the caller's thread is within an epoch of a shard, whose ledger is full. */
static bool is_within(const struct shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        if (shards->shard[i]->by_caller)
            return true;
    }
    return false;
}

/* Does an epoch that no other thread is at, or waits for the others.  Under the lock. */
static void help_or_wait(struct shards *shards, uint32_t epochs)
{
    struct shard *shard = is_within(shards) ? NULL : next_shard(shards);
    if (shard != NULL) {
        shard->by_caller = true;
        do_next_epoch(shards, shard);
        shard->by_caller = false;
        return;
    }
    shards->awaited = end_of_oldest(shards, epochs);
    pthread_cond_wait(&shards->done, &shards->lock);
    shards->awaited = 0;
}

bool crew_await(struct shards *shards, uint32_t epochs)
{
    pthread_mutex_lock(&shards->lock);
    if (epochs > 0)
        pthread_cond_broadcast(&shards->more);
    while (epochs > 0 && !stand_still(shards, epochs))
        help_or_wait(shards, epochs);
    bool still = stand_still(shards, 1);
    pthread_mutex_unlock(&shards->lock);
    return still;
}

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
    pthread_cond_signal(&share->shard->drained);
    pthread_mutex_unlock(&shards->lock);
}

/* There is one shard a thread: while the caller's is within one, each of the others has a thread
 * that works on it or will. */
static void deliver_for_room(struct shards *shards, const struct share *share)
{
    while (share->full)
        shards_deliver(shards, 1);
}

void crew_drain(struct ledger *ledger)
{
    struct share *share = (struct share *)ledger;
    struct shard *shard = share->shard;
    struct shards *shards = shard->shards;
    pthread_mutex_lock(&shards->lock);
    share->full = true;
    bool by_caller = shard->by_caller;
    if (!by_caller) {
        pthread_cond_signal(&shards->done);
        while (share->full)
            pthread_cond_wait(&shard->drained, &shards->lock);
    }
    pthread_mutex_unlock(&shards->lock);
    if (by_caller)
        deliver_for_room(shards, share);
}
