/*
 * shard: several engines on several threads, their records merged back into one order.
 *
 * Packets come in epochs, several of them under way: while the caller fills one, the engines
 * analyse those before it, each at its own pace and of each the tuples whose hash is its own.  Any
 * thread may do the next epoch of an engine, one at a time; the caller's does, too, where it would
 * have to wait.  When all engines have done an epoch its records are merged by (time of decision,
 * deciding packet or 0, deadline's key, order within the engine) and handed to the sink: on the
 * caller's thread, or, where the sink bears it, on any that has nothing else to do.  A tuple lives
 * in one engine, and the capture clock is set before sharding, so the records are those of one
 * engine, in the same order.
 */
#ifndef LASTACK_SHARD_SHARD_H
#define LASTACK_SHARD_SHARD_H

#include "../base/carry.h"
#include "../engine.h"

struct shards;

/* Octets that so many shards take, of what lastack may hold in all, beside their engines: packets
 * and records on their way. */
uint64_t shards_octets(uint64_t limit, uint32_t threads);

struct shards_options {
    const struct config *config;
    uint32_t threads;  /* and as many engines; the caller's is one of them; 2 or more */
    uint64_t room;     /* octets that all engines may hold */
    struct sink *sink; /* not owned */
    bool segments, transitions;
    bool sink_anywhere;           /* as in analyzer_options */
    const struct moments *losses; /* of the capture; not owned, written by the caller's thread */
};

/* What a thread does that has no epoch to do: some of it, and whether there was any. */
struct shards_aside {
    bool (*work)(void *context); /* NULL: nothing */
    void *context;
};

/* Makes the engines and starts the threads; NO_MEMORY when either cannot be had. */
enum status shards_new(const struct shards_options *options, struct shards **ret_shards);

/* From now on that; what was set before no thread does any more. */
void shards_set_aside(struct shards *shards, struct shards_aside aside);

/* There is something of it to do again. */
void shards_offer_aside(struct shards *shards);

/* The place for the next segment; fill item->segment, then call shards_take. */
struct engine_item *shards_next(struct shards *shards);

/* Takes the segment that was put at shards_next, of that context.  Returns the first failure since
 * the last call. */
enum status shards_take(struct shards *shards, uint32_t context);

/* Analyses all that was taken, and writes the records. */
enum status shards_settle(struct shards *shards);

/* Analyses all that was taken, applies the deadlines up to `now`, and writes the records. */
enum status shards_advance(struct shards *shards, nanotime now);

/*
 * Carries what all engines hold: written, once all that was taken is analysed; read, before the
 * first segment.  What could not be delivered meanwhile is told by the next call.
 */
void shards_carry(struct shards *shards, struct carry *carry);

/* The engines, of which there is room for so many; returns how many there are.  Between two calls
 * of the others they are idle only before the first segment, and after shards_finish(). */
uint32_t shards_engines(struct shards *shards, struct engine **ret_engines, uint32_t room);

/* The capture clock: the latest of the segments and of the calls of shards_advance. */
nanotime shards_clock(const struct shards *shards);

/* Writes all that lives, as parts of connections that go on.  Call shards_advance before. */
enum status shards_snapshot(struct shards *shards);

/* Adds up what the engines hold, and their counts.  Call shards_advance before. */
void shards_count(const struct shards *shards, struct engine_stock *ret_stock,
                  struct engine_counts *ret_counts);

/* Ends and writes everything that lives; sums the engines' counts into *ret_counts. */
enum status shards_finish(struct shards *shards, nanotime now, struct engine_counts *ret_counts);

/* Accepts NULL; stops the threads.  Records that are still under way, as after a failure, are not
 * delivered: their sink may be gone. */
void shards_free(struct shards *shards);

#endif
