/* shard: see shard.h. */
#include "shard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

enum { EPOCH = 4096, BUFFERS = 2, MOST_SHARDS = CONFIG_MOST_THREADS };

/* What the workers are asked to do with an epoch. */
enum task { TASK_ANALYSE, TASK_FINISH_BEGIN, TASK_FINISH_UNTIL, TASK_STOP };

/* Segments of an epoch, in capture order, each with the shard it belongs to. */
struct epoch {
    struct engine_item item[EPOCH];
    uint8_t owner[EPOCH];
    uint32_t count;
    nanotime advance; /* deadlines up to here are applied after the items */
};

struct worker {
    struct shards *shards;
    pthread_t thread;
    bool started;
    uint8_t number;
    struct engine engine;
    struct ledger ledger[BUFFERS]; /* [writing] is the engine's, the other the caller's */
    int writing;
    size_t delivered; /* entries of the caller's ledger that went out */
};

struct shards {
    struct sink *sink;
    uint32_t workers;
    nanotime clock;
    uint64_t last_packet; /* number of the latest segment */
    struct epoch *epoch[BUFFERS]; /* [filling] is the caller's, the other the workers' */
    int filling;
    bool busy; /* the workers have an epoch */
    enum task task;
    uint64_t finish_until; /* with TASK_FINISH_UNTIL */
    uint64_t round;   /* counts tasks given out */
    uint32_t pending; /* workers that are not done with this round */
    enum status status;
    pthread_mutex_t lock;
    pthread_cond_t given, done;
    struct worker worker[MOST_SHARDS];
};

static void analyse(struct worker *worker, const struct epoch *epoch)
{
    const struct engine_item *items[ENGINE_BATCH];
    uint32_t count = 0;
    for (uint32_t i = 0; i < epoch->count; i++) {
        if (epoch->owner[i] == worker->number)
            items[count++] = &epoch->item[i];
        if (count < ENGINE_BATCH)
            continue;
        engine_batch(&worker->engine, items, count);
        count = 0;
    }
    engine_batch(&worker->engine, items, count);
    engine_advance(&worker->engine, epoch->advance);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct shards *shards = worker->shards;
    uint64_t round = 0;
    for (;;) {
        pthread_mutex_lock(&shards->lock);
        while (shards->round == round)
            pthread_cond_wait(&shards->given, &shards->lock);
        round = shards->round;
        enum task task = shards->task;
        const struct epoch *epoch = shards->epoch[1 - shards->filling];
        pthread_mutex_unlock(&shards->lock);
        if (task == TASK_ANALYSE)
            analyse(worker, epoch);
        else if (task == TASK_FINISH_BEGIN)
            engine_finish_begin(&worker->engine);
        else if (task == TASK_FINISH_UNTIL)
            engine_finish_until(&worker->engine, shards->finish_until);
        pthread_mutex_lock(&shards->lock);
        if (--shards->pending == 0)
            pthread_cond_signal(&shards->done);
        pthread_mutex_unlock(&shards->lock);
        if (task == TASK_STOP)
            return NULL;
    }
}

static void give(struct shards *shards, enum task task)
{
    pthread_mutex_lock(&shards->lock);
    shards->task = task;
    shards->pending = shards->workers;
    shards->round++;
    shards->busy = true;
    pthread_cond_broadcast(&shards->given);
    pthread_mutex_unlock(&shards->lock);
}

static void wait_done(struct shards *shards)
{
    pthread_mutex_lock(&shards->lock);
    while (shards->pending > 0)
        pthread_cond_wait(&shards->done, &shards->lock);
    pthread_mutex_unlock(&shards->lock);
}

static void note_status(struct shards *shards, enum status status)
{
    if (status != STATUS_OK && shards->status == STATUS_OK)
        shards->status = status;
}

/* The ledger of a worker that the caller may read. */
static struct ledger *written(struct worker *worker)
{
    return &worker->ledger[1 - worker->writing];
}

/* The worker whose next record stands first; NULL when all are delivered. */
static struct worker *first_worker(struct shards *shards)
{
    struct worker *first = NULL;
    for (uint32_t i = 0; i < shards->workers; i++) {
        struct worker *worker = &shards->worker[i];
        if (worker->delivered == written(worker)->count)
            continue;
        if (first == NULL || ledger_before(&written(worker)->entry[worker->delivered],
                                           &written(first)->entry[first->delivered]))
            first = worker;
    }
    return first;
}

/* Merges the records of the round before and hands them on. */
static void deliver(struct shards *shards)
{
    for (struct worker *worker = first_worker(shards); worker != NULL;
         worker = first_worker(shards)) {
        const struct ledger_entry *entry = &written(worker)->entry[worker->delivered++];
        note_status(shards, ledger_deliver(written(worker), entry, shards->sink));
    }
    for (uint32_t i = 0; i < shards->workers; i++) {
        shards->worker[i].delivered = 0;
        ledger_reset(written(&shards->worker[i]));
    }
}

/* The workers are done with a round: their records are the caller's, the next go elsewhere. */
static void change_ledgers(struct shards *shards)
{
    for (uint32_t i = 0; i < shards->workers; i++) {
        struct worker *worker = &shards->worker[i];
        note_status(shards, worker->engine.status);
        worker->engine.status = STATUS_OK;
        worker->writing = 1 - worker->writing;
        worker->engine.sink = &worker->ledger[worker->writing].sink;
    }
}

/* Waits for the round that the workers are at, and writes its records. */
static void collect(struct shards *shards)
{
    if (!shards->busy)
        return;
    wait_done(shards);
    shards->busy = false;
    change_ledgers(shards);
    deliver(shards);
}

/* Gives the workers a task once they are done with the one before, whose records are written while
 * they are at it. */
static void next_round(struct shards *shards, enum task task)
{
    bool before = shards->busy;
    if (before) {
        wait_done(shards);
        change_ledgers(shards);
    }
    if (task == TASK_ANALYSE)
        shards->filling = 1 - shards->filling; /* what was filled is theirs, the other is free */
    give(shards, task);
    if (before)
        deliver(shards);
}

static void turn(struct shards *shards)
{
    shards->epoch[shards->filling]->advance = shards->clock;
    next_round(shards, TASK_ANALYSE);
    shards->epoch[shards->filling]->count = 0;
}

struct engine_item *shards_next(struct shards *shards)
{
    struct epoch *epoch = shards->epoch[shards->filling];
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
    struct epoch *epoch = shards->epoch[shards->filling];
    struct engine_item *item = &epoch->item[epoch->count];
    engine_identify(&shards->worker[0].engine, item);
    shards->clock = time_later_of(shards->clock, item->segment.time);
    item->clock = shards->clock;
    shards->last_packet = item->segment.packet;
    epoch->owner[epoch->count] = (uint8_t)((item->hash & UINT32_MAX) % shards->workers);
    if (++epoch->count == EPOCH)
        turn(shards);
    return take_status(shards);
}

enum status shards_advance(struct shards *shards, nanotime now)
{
    shards->clock = time_later_of(shards->clock, now);
    turn(shards);
    collect(shards);
    return take_status(shards);
}

static void add_counts(struct engine_counts *sum, const struct engine_counts *counts)
{
    const uint64_t *from = (const uint64_t *)(const void *)counts;
    uint64_t *to = (uint64_t *)(void *)sum;
    for (size_t i = 0; i < sizeof(*counts) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

static void finish_piece(struct shards *shards, uint64_t until)
{
    if (shards->busy)
        wait_done(shards); /* the limit is read by the workers */
    shards->finish_until = until;
    next_round(shards, TASK_FINISH_UNTIL);
}

/* Ends what lives a piece of the packet numbers at a time, so that the records are not all held. */
static void finish_in_pieces(struct shards *shards)
{
    uint64_t living = 0;
    give(shards, TASK_FINISH_BEGIN);
    collect(shards);
    for (uint32_t i = 0; i < shards->workers; i++)
        living += shards->worker[i].engine.survivor_count;
    uint64_t pieces = living / EPOCH + 1;
    uint64_t step = shards->last_packet / pieces + 1;
    for (uint64_t until = step; until <= shards->last_packet; until += step)
        finish_piece(shards, until);
    finish_piece(shards, UINT64_MAX);
    collect(shards);
}

enum status shards_finish(struct shards *shards, nanotime now, struct engine_counts *ret_counts)
{
    note_status(shards, shards_advance(shards, now));
    finish_in_pieces(shards);
    memset(ret_counts, 0, sizeof(*ret_counts));
    for (uint32_t i = 0; i < shards->workers; i++)
        add_counts(ret_counts, &shards->worker[i].engine.counts);
    return take_status(shards);
}

static enum status start_worker(struct shards *shards, uint32_t number,
                                const struct shards_options *options)
{
    struct worker *worker = &shards->worker[number];
    worker->shards = shards;
    worker->number = (uint8_t)number;
    for (int i = 0; i < BUFFERS; i++)
        ledger_init(&worker->ledger[i], &worker->engine.now);
    enum status status = engine_init(&worker->engine, options->config, &worker->ledger[0].sink);
    if (status != STATUS_OK)
        return status;
    worker->engine.config.max_memory /= options->workers;
    worker->engine.trace_segments = options->segments;
    worker->engine.trace_transitions = options->transitions;
    /* one secret: the hash that routes a tuple is the one that finds it */
    worker->engine.table.secret = shards->worker[0].engine.table.secret;
    worker->started = pthread_create(&worker->thread, NULL, work, worker) == 0;
    return worker->started ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status shards_new(const struct shards_options *options, struct shards **ret_shards)
{
    struct shards *shards = calloc(1, sizeof(*shards));
    if (shards == NULL)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&shards->lock, NULL);
    pthread_cond_init(&shards->given, NULL);
    pthread_cond_init(&shards->done, NULL);
    shards->sink = options->sink;
    shards->clock = INT64_MIN + 1;
    uint32_t wanted = options->workers;
    enum status status = STATUS_OK;
    for (int i = 0; i < BUFFERS; i++) {
        shards->epoch[i] = calloc(1, sizeof(*shards->epoch[i]));
        status = shards->epoch[i] == NULL ? STATUS_NO_MEMORY : status;
    }
    for (uint32_t i = 0; i < wanted && i < MOST_SHARDS && status == STATUS_OK; i++) {
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

void shards_free(struct shards *shards)
{
    if (shards == NULL)
        return;
    collect(shards);
    give(shards, TASK_STOP);
    for (uint32_t i = 0; i < MOST_SHARDS; i++) {
        struct worker *worker = &shards->worker[i];
        if (worker->started)
            pthread_join(worker->thread, NULL);
        engine_clear(&worker->engine);
        for (int j = 0; j < BUFFERS; j++)
            ledger_clear(&worker->ledger[j]);
    }
    for (int i = 0; i < BUFFERS; i++)
        free(shards->epoch[i]);
    pthread_cond_destroy(&shards->done);
    pthread_cond_destroy(&shards->given);
    pthread_mutex_destroy(&shards->lock);
    free(shards);
}
