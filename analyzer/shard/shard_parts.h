/* shard_parts: what shards are made of; known to the files of shard alone. */
#ifndef LASTACK_SHARD_SHARD_PARTS_H
#define LASTACK_SHARD_SHARD_PARTS_H

#include <pthread.h>

#include "ledger.h"
#include "shard.h"

/*
 * Threads that slept and woke for every epoch would wait for a core more than they sleep: they are
 * woken when LEAD epochs wait for them, and the caller, once it has to wait, makes room for LEAD.
 * The ring is four times as long, so that the others have enough to do while the caller delivers
 * the records of so many and reads as many anew.
 */
enum { EPOCH = 512, RING = 32, LEAD = RING / 4, MOST_SHARDS = CONFIG_MOST_THREADS };

/* What the engines are asked to do with an epoch. */
enum task {
    TASK_ANALYSE,
    TASK_SNAPSHOT_BEGIN,
    TASK_SNAPSHOT_UNTIL,
    TASK_FINISH_BEGIN,
    TASK_FINISH_UNTIL
};

/* Segments of an epoch, in capture order, and what is to be done. */
struct epoch {
    enum task task;
    nanotime advance;   /* deadlines up to here are applied after the items */
    uint32_t losses;    /* of the capture, told up to here */
    uint64_t until;     /* with TASK_SNAPSHOT_UNTIL and TASK_FINISH_UNTIL */
    bool shares_frames; /* with TASK_SNAPSHOT_BEGIN and TASK_FINISH_BEGIN: as in struct shards */
    uint32_t count;
    struct engine_item item[EPOCH];
};

/* A shard's part of an epoch: the items that are its own, and what came of them. */
struct share {
    struct ledger ledger; /* first: a full ledger leads to its share */
    struct shard *shard;
    struct engine_turn turn[EPOCH];
    uint32_t count;
    bool full; /* who works on it waits until the ledger was delivered; under the lock */
    enum status status;
    size_t delivered; /* entries of the ledger that went out; of who delivers */
};

/* An engine, on which one thread works at a time. */
struct shard {
    struct shards *shards;
    struct engine engine;
    struct speller *speller; /* owned; NULL: the sink wants none */
    pthread_cond_t drained;  /* a full ledger was delivered */
    uint64_t done;           /* epochs; under the lock, as the next two */
    bool busy;               /* a thread works on the next one */
    bool by_caller;          /* which is the caller's */
    uint64_t held;           /* deadlines that its engine keeps; under the lock */
    struct share share[RING];
};

/*
 * Epochs stand in a ring: the caller fills number `given`, the shards are at those before it, each
 * as far as the threads came with it, and the oldest are delivered once all shards have done them,
 * or have no room for more.
 */
struct shards {
    struct sink
        *sink; /* not owned; NULL at the end: what comes yet, after a failure, is for nobody */
    const struct moments *losses;
    nanotime two_msl;
    uint32_t count;         /* of shards: one a thread, the caller's included */
    uint32_t piece;         /* connections of a shard whose records find room in its ledger */
    struct hash_key secret; /* the engines' own lies where they write */
    nanotime clock;
    nanotime begun;        /* the clock when the epoch that is filled began */
    nanotime stride;       /* that it may go on within an epoch */
    uint64_t last_packet;  /* number of the latest segment */
    bool shares_frames;    /* a frame held several packets: engine.h */
    struct epoch *filling; /* the epoch that is filled: number `given` */
    struct epoch *epoch[RING];
    void *room;         /* owned; the epochs stand in it */
    uint64_t given;     /* epochs; written under the lock */
    uint64_t delivered; /* epochs; written under the lock by who delivers, as are epochs' places */
    uint64_t awaited;   /* the caller waits until so many epochs are done; 0: not; under the lock */
    bool anywhere;      /* another thread than the caller's may deliver; under the lock */
    bool delivers;      /* a thread does; under the lock */
    uint32_t full;      /* ledgers of shards that wait for room; under the lock */
    enum status found;  /* by who delivers; under the lock */
    enum status status; /* the caller's */
    pthread_mutex_t lock;
    pthread_cond_t more, done;
    struct shards_aside aside; /* under the lock */
    uint32_t aside_within;     /* threads; under the lock */
    uint64_t offered;          /* how often there was more of that; under the lock */
    bool stops;                /* under the lock */
    struct shard *shard[MOST_SHARDS];
    pthread_t thread[MOST_SHARDS];
    uint32_t threads; /* beside the caller's */
};

/* crew: the threads. */

/* Starts a thread more; NO_MEMORY when it cannot be had. */
enum status crew_add(struct shards *shards);

/* Ends all threads. */
void crew_end(struct shards *shards);

/* Gives the epoch that is filled to the threads, and sees to it that there is room for another. */
void crew_give(struct shards *shards);

/* Deadlines that all engines keep, as of the latest epoch that each has done. */
uint64_t crew_held(struct shards *shards);

/* Sees to it that all epochs are done and their records delivered. */
void crew_collect(struct shards *shards);

/* Waits until no other thread delivers; none will from then on. */
void crew_keep_deliveries(struct shards *shards);

/* What threads do that have nothing to do; none does what it was before. */
void crew_set_aside(struct shards *shards, struct shards_aside aside);

/* There is something of it to do again. */
void crew_offer_aside(struct shards *shards);

/* Whether who works on a share, whose ledger is full, waits until it is delivered. */
bool crew_waits(struct shards *shards, const struct share *share);

/* Lets them go on. */
void crew_resume(struct shards *shards, struct share *share);

/* A ledger's drain: waits until what stands in it has been delivered. */
void crew_drain(struct ledger *ledger);

/* delivery: the records of all shards, merged. */

/* The shard's share of the oldest epoch that is not delivered. */
static inline struct share *shards_oldest_share(const struct shards *shards, uint32_t shard)
{
    return &shards->shard[shard]->share[shards->delivered % RING];
}

/* Merges the records of the oldest epoch, which stand still, and hands them on; true when that were
 * all: its place is free then, but for `delivered`.  *ret_status: the first failure. */
bool delivery_merge(struct shards *shards, enum status *ret_status);

#endif
