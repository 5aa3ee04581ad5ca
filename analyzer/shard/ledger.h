/*
 * ledger: the records of one engine during an epoch, with the key that restores their order.
 */
#ifndef LASTACK_SHARD_LEDGER_H
#define LASTACK_SHARD_LEDGER_H

#include "../event/sink.h"

enum ledger_kind {
    LEDGER_FLOW,
    LEDGER_PLAIN,
    LEDGER_EVENT,
    LEDGER_TRANSITION,
    LEDGER_SEGMENT,
    LEDGER_DELTA
};

/* Where a record stands: decided when, by which packet (0: a deadline), by what of it (a frame may
 * hold several), which deadline, which in turn. */
struct ledger_key {
    nanotime decided;
    uint64_t packet;
    uint64_t part;
    uint64_t deadline;
};

struct ledger_entry {
    struct ledger_key key;
    enum ledger_kind kind;
    size_t offset; /* of the record in the store */
};

enum { LEDGER_AHEAD = 16 };

/* Deltas among as many entries, which the sink is shown. */
struct foreseen {
    struct delta *delta[LEDGER_AHEAD];
    size_t count;
};

/*
 * A sink that keeps what it is given; its key is set by the engine's thread before each call. Full,
 * it asks its reader to take what it holds: one packet may end any number of connections, when its
 * time stamp is far ahead.
 */
struct ledger {
    struct sink sink;             /* first: it is a sink */
    const struct ledger_key *now; /* key of what the engine is doing; not owned */
    struct ledger_entry *entry;
    size_t count, capacity;
    char *store;
    size_t used, size;
    size_t room; /* octets of records that it holds at most, but for one longer by itself */
    void (*drain)(struct ledger *ledger);    /* comes back once all entries were delivered, reset */
    struct speller *speller;                 /* of flow records; NULL: none; not owned */
    bool plain;                              /* of ordinary flows a plain_flow suffices */
    struct flow_record flow;                 /* what a packed flow is unfolded into */
    struct spelled spelled;                  /* its text */
    struct foreseen foreseen[FORESEE_STEPS]; /* of groups of entries, by turns */
};

/* Prepares an empty ledger of records whose key is *now, with room for so many octets of them. */
void ledger_init(struct ledger *ledger, const struct ledger_key *now, size_t room,
                 void (*drain)(struct ledger *ledger));

/* What the reader needs of flows: their text, made by the speller (NULL: none), and where they were
 * ordinary, no more than their plain_flow. */
void ledger_serve(struct ledger *ledger, struct speller *speller, bool plain);

/* Whether entry a stands before entry b of another ledger. */
bool ledger_before(const struct ledger_entry *a, const struct ledger_entry *b);

/*
 * Shows deltas to a sink that wants to know them early; asked when entry `next` is about to be
 * delivered, every LEDGER_AHEAD entries.  The first step is that of entries some groups ahead, the
 * last one that of those that come now: what a step asks for has the time of a group to come.
 */
void ledger_foresee(struct ledger *ledger, size_t next, struct sink *sink);

/* Hands an entry to a sink, a flow with its text. */
enum status ledger_deliver(struct ledger *ledger, const struct ledger_entry *entry,
                           struct sink *sink);

/* Forgets the entries, keeps the memory. */
void ledger_reset(struct ledger *ledger);

void ledger_clear(struct ledger *ledger);

#endif
