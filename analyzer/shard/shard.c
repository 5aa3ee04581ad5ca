/* shard: see shard.h. */
#include "shard.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../engine_state.h"
#include "ledger.h"

enum { EPOCH = 1024, RING = 8, MOST_SHARDS = CONFIG_MOST_THREADS };

/* What the workers are asked to do with an epoch. */
enum task {
    TASK_ANALYSE,
    TASK_SNAPSHOT_BEGIN,
    TASK_SNAPSHOT_UNTIL,
    TASK_FINISH_BEGIN,
    TASK_FINISH_UNTIL,
    TASK_STOP
};

/* Segments of an epoch, in capture order, and what is to be done. */
struct epoch {
    enum task task;
    nanotime advance; /* deadlines up to here are applied after the items */
    uint32_t losses;  /* of the capture, told up to here */
    uint64_t until;   /* with TASK_SNAPSHOT_UNTIL and TASK_FINISH_UNTIL */
    uint32_t count;
    struct engine_item item[EPOCH];
};

/* A worker's part of an epoch: the items that are its own, and what came of them. */
struct share {
    struct ledger ledger; /* first: a full ledger leads to its share */
    struct worker *worker;
    const struct engine_item *item[EPOCH];
    uint32_t count;
    bool full; /* the worker waits until the ledger was delivered; under the lock */
    enum status status;
    size_t delivered; /* entries of the ledger that went out */
};

struct worker {
    struct shards *shards;
    pthread_t thread;
    pthread_cond_t drained; /* a full ledger was delivered */
    bool started;
    uint64_t done; /* epochs; under the lock */
    struct engine engine;
    struct share share[RING]; /* as the ring of epochs */
};

/*
 * Epochs stand in a ring: the caller fills number `given`, the workers are at those before it, each
 * at its own pace, and the oldest are delivered once all have done them, or have no room for more.
 */
struct shards {
    struct sink *sink;
    const struct moments *losses;
    uint32_t workers;
    struct hash_key secret; /* the engines' own lies where they write */
    nanotime clock;
    uint64_t last_packet; /* number of the latest segment */
    struct epoch *epoch[RING];
    uint64_t given;     /* epochs; written under the lock */
    uint64_t delivered; /* epochs; the caller's */
    enum status status;
    pthread_mutex_t lock;
    pthread_cond_t more, done;
    struct worker *worker[MOST_SHARDS];
};

/* Items come from where another thread wrote them: the next batch is fetched during this one. */
static void fetch_items(const struct share *share, uint32_t from)
{
    enum { LINE = 64 };
    for (uint32_t i = from; i < share->count && i < from + ENGINE_BATCH; i++) {
        const char *item = (const char *)share->item[i];
        for (size_t octet = 0; octet < offsetof(struct engine_item, icmp); octet += LINE)
            __builtin_prefetch(item + octet);
    }
}

static void analyse(struct engine *engine, const struct epoch *epoch, const struct share *share)
{
    fetch_items(share, 0);
    for (uint32_t i = 0; i < share->count; i += ENGINE_BATCH) {
        uint32_t left = share->count - i;
        fetch_items(share, i + ENGINE_BATCH);
        engine_batch(engine, share->item + i, left < ENGINE_BATCH ? left : ENGINE_BATCH);
    }
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
        engine_snapshot_begin(engine);
        break;
    case TASK_SNAPSHOT_UNTIL:
        engine_snapshot_until(engine, epoch->until);
        break;
    case TASK_FINISH_BEGIN:
        engine_finish_begin(engine);
        break;
    case TASK_FINISH_UNTIL:
        engine_finish_until(engine, epoch->until);
        break;
    case TASK_STOP:
        break;
    }
    share->status = engine->status;
    engine->status = STATUS_OK;
}

static void await_epoch(struct shards *shards, uint64_t number)
{
    pthread_mutex_lock(&shards->lock);
    while (shards->given == number)
        pthread_cond_wait(&shards->more, &shards->lock);
    pthread_mutex_unlock(&shards->lock);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct shards *shards = worker->shards;
    enum task task;
    uint64_t number = 0;
    do {
        await_epoch(shards, number);
        const struct epoch *epoch = shards->epoch[number % RING];
        task = epoch->task;
        do_task(&worker->engine, epoch, &worker->share[number % RING]);
        pthread_mutex_lock(&shards->lock);
        worker->done = ++number;
        pthread_cond_signal(&shards->done);
        pthread_mutex_unlock(&shards->lock);
    } while (task != TASK_STOP);
    return NULL;
}

/* A ledger's drain: the worker waits until the caller's thread has delivered what stands in it. */
static void await_delivery(struct ledger *ledger)
{
    struct share *share = (struct share *)ledger;
    struct shards *shards = share->worker->shards;
    pthread_mutex_lock(&shards->lock);
    share->full = true;
    pthread_cond_signal(&shards->done);
    while (share->full)
        pthread_cond_wait(&share->worker->drained, &shards->lock);
    pthread_mutex_unlock(&shards->lock);
}

/* The worker's share of the oldest epoch that is not delivered. */
static struct share *oldest_share(const struct shards *shards, uint32_t worker)
{
    return &shards->worker[worker]->share[shards->delivered % RING];
}

/* Whether the records of a worker stand still: it is done with the oldest epoch, or has no room. */
static bool stands_still(const struct shards *shards, uint32_t worker)
{
    return shards->worker[worker]->done > shards->delivered || oldest_share(shards, worker)->full;
}

/* Whether the oldest epoch's records can be merged: those of all workers stand still; waits for
 * that when asked. */
static bool can_merge(struct shards *shards, bool wait)
{
    bool still = true;
    pthread_mutex_lock(&shards->lock);
    for (uint32_t i = 0; i < shards->workers && still; i++) {
        while (wait && !stands_still(shards, i))
            pthread_cond_wait(&shards->done, &shards->lock);
        still = stands_still(shards, i);
    }
    pthread_mutex_unlock(&shards->lock);
    return still;
}

static void note_status(struct shards *shards, enum status status)
{
    if (status != STATUS_OK && shards->status == STATUS_OK)
        shards->status = status;
}

/* The share whose next record stands first; NULL when all are delivered. */
static struct share *first_share(const struct shards *shards)
{
    struct share *first = NULL;
    for (uint32_t i = 0; i < shards->workers; i++) {
        struct share *share = oldest_share(shards, i);
        if (share->delivered == share->ledger.count)
            continue;
        if (first == NULL || ledger_before(&share->ledger.entry[share->delivered],
                                           &first->ledger.entry[first->delivered]))
            first = share;
    }
    return first;
}

static void reset_ledger(struct share *share)
{
    share->delivered = 0;
    ledger_reset(&share->ledger);
}

/* Lets a worker go on whose full ledger is delivered; false when it did not wait. */
static bool resume(struct shards *shards, struct share *share)
{
    pthread_mutex_lock(&shards->lock);
    bool waits = share->full;
    if (waits) {
        reset_ledger(share);
        share->full = false;
        pthread_cond_signal(&share->worker->drained);
    }
    pthread_mutex_unlock(&shards->lock);
    return waits;
}

/* Merges the records of the oldest epoch and hands them on; false when there are more to come, as a
 * ledger was full. */
static bool merge(struct shards *shards)
{
    for (struct share *share = first_share(shards); share != NULL; share = first_share(shards)) {
        if (share->delivered % LEDGER_AHEAD == 0)
            ledger_foresee(&share->ledger, share->delivered, shards->sink);
        const struct ledger_entry *entry = &share->ledger.entry[share->delivered++];
        note_status(shards, ledger_deliver(&share->ledger, entry, shards->sink));
        if (share->delivered == share->ledger.count && resume(shards, share))
            return false; /* what it writes next may stand before what others hold */
    }
    return true;
}

/* Makes the place of the oldest epoch free, all of whose records are delivered. */
static void close_epoch(struct shards *shards)
{
    for (uint32_t i = 0; i < shards->workers; i++) {
        struct share *share = oldest_share(shards, i);
        note_status(shards, share->status);
        share->count = 0;
        reset_ledger(share);
    }
    shards->epoch[shards->delivered++ % RING]->count = 0;
}

/* Delivers what of the oldest epoch can be; false when its workers are not so far. */
static bool deliver(struct shards *shards, bool wait)
{
    if (!can_merge(shards, wait))
        return false;
    if (merge(shards))
        close_epoch(shards);
    return true;
}

/* Waits for all epochs and writes their records. */
static void collect(struct shards *shards)
{
    while (shards->delivered < shards->given)
        deliver(shards, true);
}

/* The epoch that is filled. */
static struct epoch *filling(const struct shards *shards)
{
    return shards->epoch[shards->given % RING];
}

/* Gives the filled epoch to the workers, and delivers what is done until the next one is free. */
static void give(struct shards *shards, enum task task)
{
    filling(shards)->task = task;
    filling(shards)->advance = shards->clock;
    filling(shards)->losses = shards->losses->count;
    pthread_mutex_lock(&shards->lock);
    shards->given++;
    pthread_cond_broadcast(&shards->more);
    pthread_mutex_unlock(&shards->lock);
    while (shards->delivered < shards->given &&
           deliver(shards, shards->given - shards->delivered == RING))
        continue;
}

struct engine_item *shards_next(struct shards *shards)
{
    struct epoch *epoch = filling(shards);
    return &epoch->item[epoch->count];
}

static enum status take_status(struct shards *shards)
{
    enum status status = shards->status;
    shards->status = STATUS_OK;
    return status;
}

enum status shards_take(struct shards *shards)
{
    struct epoch *epoch = filling(shards);
    struct engine_item *item = &epoch->item[epoch->count];
    engine_identify(shards->secret, item);
    shards->clock = time_later_of(shards->clock, item->segment.time);
    item->clock = shards->clock;
    shards->last_packet = item->segment.packet;
    uint32_t owner = engine_owner(item->hash, shards->workers);
    struct share *share = &shards->worker[owner]->share[shards->given % RING];
    share->item[share->count++] = item;
    if (++epoch->count == EPOCH)
        give(shards, TASK_ANALYSE);
    return take_status(shards);
}

enum status shards_advance(struct shards *shards, nanotime now)
{
    shards->clock = time_later_of(shards->clock, now);
    give(shards, TASK_ANALYSE);
    collect(shards);
    return take_status(shards);
}

static void give_piece(struct shards *shards, enum task task, uint64_t until)
{
    filling(shards)->until = until;
    give(shards, task);
}

/* Writes what lives a piece of the packet numbers at a time, so that the records are not all held.
 */
static void write_in_pieces(struct shards *shards, enum task begin, enum task piece)
{
    uint64_t living = 0;
    give(shards, begin);
    collect(shards);
    for (uint32_t i = 0; i < shards->workers; i++)
        living += shards->worker[i]->engine.survivor_count;
    uint64_t pieces = living / EPOCH + 1;
    uint64_t step = shards->last_packet / pieces + 1;
    for (uint64_t until = step; until <= shards->last_packet; until += step)
        give_piece(shards, piece, until);
    give_piece(shards, piece, UINT64_MAX);
    collect(shards);
}

uint32_t shards_engines(struct shards *shards, struct engine **engines, uint32_t room)
{
    for (uint32_t i = 0; i < shards->workers && i < room; i++)
        engines[i] = &shards->worker[i]->engine;
    return shards->workers;
}

void shards_carry(struct shards *shards, struct carry *carry)
{
    struct engine *engine[MOST_SHARDS];
    if (!carry_is_reading(carry)) {
        give(shards, TASK_ANALYSE);
        collect(shards);
        if (take_status(shards) == STATUS_NO_MEMORY) /* the last epoch is not all there */
            carry_fail(carry, STATUS_NO_MEMORY);
    }
    /* idle: they wait for the next epoch */
    engines_carry(carry, engine, shards_engines(shards, engine, MOST_SHARDS));
    carry_number(carry, &shards->last_packet, UINT64_MAX);
    shards->clock = engine[0]->clock;
}

nanotime shards_clock(const struct shards *shards)
{
    return shards->clock;
}

enum status shards_snapshot(struct shards *shards)
{
    write_in_pieces(shards, TASK_SNAPSHOT_BEGIN, TASK_SNAPSHOT_UNTIL);
    return take_status(shards);
}

void shards_count(const struct shards *shards, struct engine_stock *ret_stock,
                  struct engine_counts *ret_counts)
{
    memset(ret_stock, 0, sizeof(*ret_stock));
    memset(ret_counts, 0, sizeof(*ret_counts));
    for (uint32_t i = 0; i < shards->workers; i++) {
        engine_count_stock(&shards->worker[i]->engine, ret_stock);
        engine_add_counts(ret_counts, &shards->worker[i]->engine.counts);
    }
}

enum status shards_finish(struct shards *shards, nanotime now, struct engine_counts *ret_counts)
{
    note_status(shards, shards_advance(shards, now));
    write_in_pieces(shards, TASK_FINISH_BEGIN, TASK_FINISH_UNTIL);
    memset(ret_counts, 0, sizeof(*ret_counts));
    for (uint32_t i = 0; i < shards->workers; i++)
        engine_add_counts(ret_counts, &shards->worker[i]->engine.counts);
    return take_status(shards);
}

static enum status start_worker(struct shards *shards, uint32_t number,
                                const struct shards_options *options)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return STATUS_NO_MEMORY;
    shards->worker[number] = worker;
    worker->shards = shards;
    pthread_cond_init(&worker->drained, NULL);
    for (int i = 0; i < RING; i++) {
        worker->share[i].worker = worker;
        ledger_init(&worker->share[i].ledger, &worker->engine.now, await_delivery);
    }
    enum status status =
        engine_init(&worker->engine, options->config, &worker->share[0].ledger.sink);
    if (status != STATUS_OK)
        return status;
    worker->engine.room = options->room / options->workers;
    worker->engine.losses = options->losses;
    worker->engine.trace_segments = options->segments;
    worker->engine.trace_transitions = options->transitions;
    /* one secret: the hash that routes a tuple is the one that finds it */
    if (number == 0)
        shards->secret = worker->engine.table.secret;
    worker->engine.table.secret = shards->secret;
    worker->started = pthread_create(&worker->thread, NULL, work, worker) == 0;
    return worker->started ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status make_ring(struct shards *shards)
{
    for (int i = 0; i < RING; i++) {
        shards->epoch[i] = calloc(1, sizeof(*shards->epoch[i]));
        if (shards->epoch[i] == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status shards_new(const struct shards_options *options, struct shards **ret_shards)
{
    struct shards *shards = calloc(1, sizeof(*shards));
    if (shards == NULL)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&shards->lock, NULL);
    pthread_cond_init(&shards->more, NULL);
    pthread_cond_init(&shards->done, NULL);
    shards->sink = options->sink;
    shards->losses = options->losses;
    shards->clock = INT64_MIN + 1;
    enum status status = make_ring(shards);
    for (uint32_t i = 0; i < options->workers && i < MOST_SHARDS && status == STATUS_OK; i++) {
        status = start_worker(shards, i, options);
        shards->workers += status == STATUS_OK;
    }
    if (status != STATUS_OK) {
        shards_free(shards);
        return status;
    }
    *ret_shards = shards;
    return STATUS_OK;
}

static void free_worker(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    engine_clear(&worker->engine);
    for (int i = 0; i < RING; i++)
        ledger_clear(&worker->share[i].ledger);
    pthread_cond_destroy(&worker->drained);
    free(worker);
}

void shards_free(struct shards *shards)
{
    if (shards == NULL)
        return;
    collect(shards);
    if (shards->workers > 0)
        give(shards, TASK_STOP);
    for (int i = 0; i < MOST_SHARDS && shards->worker[i] != NULL; i++)
        free_worker(shards->worker[i]);
    for (int i = 0; i < RING; i++)
        free(shards->epoch[i]);
    pthread_cond_destroy(&shards->done);
    pthread_cond_destroy(&shards->more);
    pthread_mutex_destroy(&shards->lock);
    free(shards);
}
