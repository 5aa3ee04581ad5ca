/*
 * census: who opens how many connections to whom, and what each end holds of them.
 *
 * Three kinds of entries are counted from the same deltas: a source, a service (a destination's
 * port), and the pair of both.  A pair keeps the other two alive.  Pairs are capped; the one that
 * was quiet longest gives way, those that were never answered first, so that a flood from invented
 * addresses does not push out the hosts that matter.
 */
#ifndef LASTACK_HOST_CENSUS_H
#define LASTACK_HOST_CENSUS_H

#include "../base/hash.h"
#include "../base/pool.h"
#include "../config.h"
#include "../event/delta.h"
#include "../event/host_record.h"
#include "cohorts.h"
#include "ports.h"
#include "series.h"

enum {
    CENSUS_REFS = 4, /* of the latest openings, kept as evidence */
    CENSUS_BUCKETS = 1 << 15,
    CENSUS_DWELLS = 512, /* services with a distribution of dwell times */
};

/* Compared as octets: zeroed before it is filled. */
struct census_key {
    uint8_t source[16], destination[16]; /* zero where the scope has none */
    uint16_t port;
    uint8_t ip_version, scope; /* enum host_scope */
    uint32_t none;
};

/* A packet that a deduction may name. */
struct census_ref {
    nanotime t;
    uint64_t packet; /* 0: none */
    uint32_t seq_abs, ack_abs, incarnation;
    uint16_t port; /* of the source */
    uint8_t flags, from;
};

/* What a detector of hosts is at with an entry: one event an episode. */
struct episode {
    bool open;
    uint8_t level; /* the highest told in it */
    nanotime since, last;
};

enum episode_kind { EPISODE_TIME_WAIT, EPISODE_PORTS, EPISODE_CHURN, EPISODES };

struct census_entry {
    struct census_key key;
    uint32_t index, next_in_bucket;
    uint32_t newer, older;    /* in the queue of pairs; 0 none */
    uint32_t source, service; /* PAIR: its other two entries */
    uint32_t pairs;           /* of the others: how many keep it */
    bool heeded;              /* PAIR: answered once, and in that queue */
    nanotime first, last;
    uint64_t opened, answered, established, closed;
    uint64_t by_close[CLOSE_KINDS], by_initiator[INITIATOR_BOTH + 1];
    struct stock time_wait[2], close_wait[2], held;
    struct rate opened_rate, closed_rate;
    struct series series;
    struct ports ports; /* PAIR */
    uint64_t reuses;
    nanotime reuse_least;
    nanotime answered_syn; /* when the SYN passed that was answered last */
    nanotime alive[2];     /* when the side was last seen to act */
    uint64_t leaks;        /* sockets forgotten in CLOSE_WAIT, of its host */
    nanotime first_leak;
    struct census_ref first_ref, ref[CENSUS_REFS]; /* ref: the latest openings, a ring */
    uint32_t refs;                                 /* so far */
    struct episode episode[EPISODES];
    struct delta *time_wait_delta; /* SERVICE: the latest that left its host in TIME_WAIT; owned */
    struct cohorts *cohorts;       /* SERVICE; owned */
    struct dwell *dwell;           /* SERVICE; NULL: none; owned */
};

struct census {
    const struct config *config; /* not owned */
    struct pool pool;            /* of entries */
    struct hash_key secret;
    uint32_t bucket[CENSUS_BUCKETS];
    uint32_t newest[2], oldest[2]; /* queues of pairs: never answered, answered */
    uint32_t pairs, dwells;
    uint64_t left_out; /* pairs that gave way */
};

struct census *census_new(const struct config *config); /* NULL when out of memory */

/* The three entries that a delta counts for; made if need be.  A NULL pair: it found no place. */
struct census_place {
    struct census_entry *source, *service, *pair;
};

/* Counts a delta, and says where.  NO_MEMORY is the only failure. */
enum status census_take(struct census *census, const struct delta *delta,
                        struct census_place *ret_place);

/* Counts a flow that ended. */
enum status census_flow(struct census *census, const struct flow_record *flow);

/* Finds an entry; NULL when there is none. */
struct census_entry *census_find(const struct census *census, const struct census_key *key);
struct census_key census_key_of(enum host_scope scope, uint8_t ip_version, const uint8_t *source,
                                const uint8_t *destination, uint16_t port);

/* Every entry in a fixed order: scope, then the busiest, then the first.  Owned by the caller; NULL
 * when out of memory or empty. */
struct census_entry **census_sorted(const struct census *census, uint32_t *ret_count);

/* The entry as record at a moment; what it points to lives as long as the entry is not changed. */
struct host_record census_record(const struct census *census, const struct census_entry *entry,
                                 nanotime now);

nanotime census_two_msl(const struct census *census);

/* The ports that the pair's source has for the service: those it walks through, where it was seen
 * to come round and to hold most of them; else the configured number. */
uint32_t census_usable_ports(const struct census *census, const struct census_entry *pair,
                             nanotime now);

/* How long until the pair's source has no port left at the rate of the last seconds;
 * NANOTIME_UNKNOWN: never, as many come back as are taken. */
nanotime census_runs_out(const struct census *census, const struct census_entry *pair,
                         nanotime now);

void census_free(struct census *census); /* accepts NULL */

#endif
