/* shard: see shard.h. */
#include "shard.h"

#include <stdlib.h>
#include <string.h>

#include "../base/fetch.h"
#include "../base/huge.h"
#include "../engine_state.h"
#include "shard_parts.h"

enum { FLOW = 8 << 10 }; /* octets of a flow's records on their way, with ease */

/*
 * Octets of the records that a ledger holds: enough for an epoch in which far more connections end
 * than begin, as who works on a full one has to wait; in all of them at most a share of the limit.
 */
static size_t ledger_room(uint64_t limit, uint32_t threads)
{
    enum { LEAST = 48 << 10, MOST = 384 << 10, SHARE = 48 };
    uint64_t room = limit / SHARE / RING / threads;
    return room < LEAST ? LEAST : room > MOST ? MOST : (size_t)room;
}

uint64_t shards_octets(uint64_t limit, uint32_t threads)
{
    uint64_t room = ledger_room(limit, threads);
    uint64_t entries = room / 4; /* the list of what stands where */
    return RING * (sizeof(struct epoch) + threads * (room + entries + sizeof(struct share)));
}

/* How far the clock may go on in an epoch: as many deadlines as there are pieces of records. */
static nanotime find_stride(struct shards *shards)
{
    enum { MOST = 16384 }; /* strides in 2MSL */
    uint64_t pieces = crew_held(shards) / shards->piece / shards->count;
    if (pieces < 2)
        return INT64_MAX;
    return shards->two_msl / (nanotime)(pieces < MOST ? pieces : MOST) + 1;
}

/* Gives the filled epoch to the threads, and goes on with the next one. */
static void give(struct shards *shards, enum task task)
{
    shards->filling->task = task;
    shards->filling->advance = shards->clock;
    shards->filling->losses = shards->losses->count;
    crew_give(shards);
    shards->filling = shards->epoch[shards->given % RING];
    shards->begun = shards->clock;
    shards->stride = find_stride(shards);
}

void shards_set_aside(struct shards *shards, struct shards_aside aside)
{
    crew_set_aside(shards, aside);
}

void shards_offer_aside(struct shards *shards)
{
    crew_offer_aside(shards);
}

struct engine_item *shards_next(struct shards *shards)
{
    struct epoch *epoch = shards->filling;
    return &epoch->item[epoch->count];
}

static void note_status(struct shards *shards, enum status status)
{
    if (status != STATUS_OK && shards->status == STATUS_OK)
        shards->status = status;
}

static enum status take_status(struct shards *shards)
{
    enum status status = shards->status;
    if (status != STATUS_OK) /* written only then: other threads read what lies beside it */
        shards->status = STATUS_OK;
    return status;
}

/*
 * When the clock goes on far within few packets, any number of connections ends at once, most of
 * them after 2MSL.  It goes there in strides, so that the records of each find room in the ledgers:
 * a shard whose ledger is full waits for the others.
 */
static void stride_to(struct shards *shards, nanotime to)
{
    const nanotime from = shards->begun, leap = time_since(to, from);
    if (leap <= shards->stride)
        return;
    const nanotime stride = shards->stride; /* another one, perhaps, once connections have ended */
    const nanotime most = time_earlier_of(leap, shards->two_msl);
    for (nanotime gone = stride; gone < most; gone += stride) {
        shards->clock = time_later_of(shards->clock, from + gone); /* and never beyond `to` */
        give(shards, TASK_ANALYSE);
    }
}

/* Whether the clock would go on to there within the epoch that is filled: nearly always. */
static inline bool is_near(const struct shards *shards, nanotime to)
{
    return time_since(to, shards->begun) <= shards->stride;
}

/* Of the item that was put at the end of the epoch that is filled: its place, once that is given.
 */
static __attribute__((noinline)) struct epoch *stride_to_item(struct shards *shards)
{
    const struct engine_item *item = shards_next(shards);
    stride_to(shards, item->segment.time);
    struct engine_item *place = shards_next(shards);
    if (place != item)
        memcpy(place, item, sizeof(*place));
    return shards->filling;
}

enum { WRITTEN_AHEAD = 4, TURNS_AHEAD = 16 /* two lines */ };

/* The lines of an item that an ordinary segment fills; another thread has read what was there. */
static inline __attribute__((always_inline)) void fetch_item(const struct engine_item *item)
{
    const char *ordinary = (const char *)item + ITEM_ORDINARY;
    fetch_to_write(item);
    fetch_to_write(ordinary);
    fetch_to_write(ordinary + ENGINE_LINE);
}

enum status shards_take(struct shards *shards, uint32_t context)
{
    struct epoch *epoch = shards->filling;
    if (!is_near(shards, epoch->item[epoch->count].segment.time))
        epoch = stride_to_item(shards);
    struct engine_item *item = &epoch->item[epoch->count];
    fetch_item(&epoch->item[(epoch->count + WRITTEN_AHEAD) % EPOCH]);
    engine_identify(shards->secret, context, item);
    shards->clock = time_later_of(shards->clock, item->segment.time);
    item->clock = shards->clock;
    shards->last_packet = item->segment.packet;
    shards->shares_frames |= item->part > 0;
    uint32_t owner = engine_owner(item->hash, shards->count);
    struct share *share = &shards->shard[owner]->share[shards->given % RING];
    fetch_to_write(&share->turn[(share->count + TURNS_AHEAD) % EPOCH]);
    share->turn[share->count++] = engine_turn_of(item, epoch->count);
    if (++epoch->count == EPOCH)
        give(shards, TASK_ANALYSE);
    return take_status(shards);
}

enum status shards_settle(struct shards *shards)
{
    give(shards, TASK_ANALYSE);
    crew_collect(shards);
    return take_status(shards);
}

enum status shards_advance(struct shards *shards, nanotime now)
{
    if (!is_near(shards, now))
        stride_to(shards, now);
    shards->clock = time_later_of(shards->clock, now);
    return shards_settle(shards);
}

static void give_piece(struct shards *shards, enum task task, uint64_t until)
{
    shards->filling->until = until;
    give(shards, task);
}

/* Writes what lives a piece of the packet numbers at a time, so that the records are not all held:
 * those of a piece find room in the ledgers. */
static void write_in_pieces(struct shards *shards, enum task begin, enum task piece)
{
    uint64_t count;
    shards->filling->shares_frames = shards->shares_frames;
    give(shards, begin);
    crew_collect(shards);
    /* by the connections of one shard, as those of the others are spread alike */
    uint64_t *ends = engine_survivor_pieces(&shards->shard[0]->engine, shards->piece, &count);
    for (uint64_t i = 0; i < count; i++)
        give_piece(shards, piece, ends[i]);
    give_piece(shards, piece, UINT64_MAX);
    free(ends);
    crew_collect(shards);
}

uint32_t shards_engines(struct shards *shards, struct engine **engines, uint32_t room)
{
    for (uint32_t i = 0; i < shards->count && i < room; i++)
        engines[i] = &shards->shard[i]->engine;
    return shards->count;
}

void shards_carry(struct shards *shards, struct carry *carry)
{
    struct engine *engine[MOST_SHARDS];
    if (!carry_is_reading(carry)) {
        if (shards_settle(shards) == STATUS_NO_MEMORY) /* the last epoch is not all there */
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
    for (uint32_t i = 0; i < shards->count; i++) {
        engine_count_stock(&shards->shard[i]->engine, ret_stock);
        engine_add_counts(ret_counts, &shards->shard[i]->engine.counts);
    }
}

enum status shards_finish(struct shards *shards, nanotime now, struct engine_counts *ret_counts)
{
    note_status(shards, shards_advance(shards, now));
    write_in_pieces(shards, TASK_FINISH_BEGIN, TASK_FINISH_UNTIL);
    memset(ret_counts, 0, sizeof(*ret_counts));
    for (uint32_t i = 0; i < shards->count; i++)
        engine_add_counts(ret_counts, &shards->shard[i]->engine.counts);
    return take_status(shards);
}

/* The records of a shard are spelled by whoever works on it. */
static void make_ledgers(struct shard *shard, struct sink *sink, size_t room)
{
    if (sink->ops->speller != NULL)
        shard->speller = sink->ops->speller(sink);
    bool has_text = sink->ops->speller == NULL || shard->speller != NULL;
    bool is_plain_enough = sink->ops->plain != NULL && has_text;
    for (int i = 0; i < RING; i++) {
        shard->share[i].shard = shard;
        ledger_init(&shard->share[i].ledger, &shard->engine.now, room, crew_drain);
        ledger_serve(&shard->share[i].ledger, shard->speller, is_plain_enough);
    }
}

static enum status add_shard(struct shards *shards, const struct shards_options *options)
{
    struct shard *shard = calloc(1, sizeof(*shard));
    if (shard == NULL)
        return STATUS_NO_MEMORY;
    bool is_first = shards->count == 0;
    shards->shard[shards->count++] = shard;
    shard->shards = shards;
    pthread_cond_init(&shard->drained, NULL);
    make_ledgers(shard, options->sink, ledger_room(options->config->max_memory, options->threads));
    enum status status = engine_init(&shard->engine, options->config, &shard->share[0].ledger.sink);
    if (status != STATUS_OK)
        return status;
    shard->engine.room = options->room / options->threads;
    shard->engine.losses = options->losses;
    shard->engine.trace_segments = options->segments;
    shard->engine.trace_transitions = options->transitions;
    /* one secret: the hash that routes a tuple is the one that finds it */
    if (is_first)
        shards->secret = shard->engine.table.secret;
    shard->engine.table.secret = shards->secret;
    return STATUS_OK;
}

/* Memory that nothing has touched costs none: zeros are calloc()'s, which knows no pages.  All of
 * it is written and read again in turn, and is more than fits a cache: it lies in large pages. */
static enum status make_ring(struct shards *shards)
{
    const size_t octets = (RING * sizeof(struct epoch) / HUGE_PAGE + 1) * HUGE_PAGE;
    shards->room = calloc(1, octets + HUGE_PAGE);
    if (shards->room == NULL)
        return STATUS_NO_MEMORY;
    struct epoch *first = huge_within(shards->room, octets);
    for (int i = 0; i < RING; i++)
        shards->epoch[i] = first + i;
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
    shards->anywhere = options->sink_anywhere;
    shards->losses = options->losses;
    shards->two_msl = 2 * options->config->msl;
    shards->clock = shards->begun = INT64_MIN + 1;
    shards->stride = INT64_MAX;
    shards->piece = (uint32_t)(ledger_room(options->config->max_memory, options->threads) / FLOW);
    enum status status = make_ring(shards);
    shards->filling = shards->epoch[0];
    for (uint32_t i = 0; i < options->threads && i < MOST_SHARDS && status == STATUS_OK; i++)
        status = add_shard(shards, options);
    for (uint32_t i = 1; i < shards->count && status == STATUS_OK; i++)
        status = crew_add(shards);
    if (status != STATUS_OK) {
        shards_free(shards);
        return status;
    }
    *ret_shards = shards;
    return STATUS_OK;
}

static void free_shard(struct shard *shard)
{
    engine_clear(&shard->engine);
    for (int i = 0; i < RING; i++)
        ledger_clear(&shard->share[i].ledger);
    if (shard->speller != NULL)
        shard->speller->ops->free(shard->speller);
    pthread_cond_destroy(&shard->drained);
    free(shard);
}

void shards_free(struct shards *shards)
{
    if (shards == NULL)
        return;
    crew_keep_deliveries(shards);
    shards->sink = NULL;
    crew_collect(shards);
    crew_end(shards);
    for (uint32_t i = 0; i < shards->count; i++)
        free_shard(shards->shard[i]);
    free(shards->room);
    pthread_cond_destroy(&shards->done);
    pthread_cond_destroy(&shards->more);
    pthread_mutex_destroy(&shards->lock);
    free(shards);
}
