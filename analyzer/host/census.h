/*
 * census: who opens how many connections to whom, and what each end holds of them.
 *
 * Three kinds of entries are counted from the same deltas: a source, a service (a destination's
 * port), and the pair of both.  Each kind is capped; the entry that was quiet longest gives way,
 * those with a single connection, or none that was established, first: so a flood from invented
 * addresses does not push out the hosts that matter.
 */
#ifndef LASTACK_HOST_CENSUS_H
#define LASTACK_HOST_CENSUS_H

#include <stddef.h>

#include "../base/hash.h"
#include "../base/pool.h"
#include "../config.h"
#include "../event/delta.h"
#include "../event/host_record.h"
#include "../event/told.h"
#include "census_index.h"
#include "cohorts.h"
#include "ports.h"
#include "series.h"
#include "worst.h"

enum {
    CENSUS_REFS = 4,           /* of the latest openings, kept as evidence */
    CENSUS_DWELL_EXACT = 1024, /* stays of a service that are kept one by one */
    CENSUS_DWELLS = 512,       /* services with a distribution of dwell times */
    CENSUS_SERIES = 16,        /* connections from which an entry has a series */
    CENSUS_SERIES_MOST = 2048, /* entries of a kind with one */
    CENSUS_EASY = 4096,        /* pairs that need one connection for an entry; others need two */
    CENSUS_KNOCKS = 1 << 16,
};

/* Compared as octets: zeroed before it is filled. */
struct census_key {
    uint8_t source[16], destination[16]; /* zero where the scope has none */
    uint16_t port;
    uint8_t ip_version, scope; /* enum host_scope */
};

/* The stocks of an entry, by number: of a state, those of the client come before the server's. */
enum stock_kind { STOCK_TIME_WAIT, STOCK_CLOSE_WAIT = 2, STOCK_HELD = 4, STOCKS };

/* A stock as it is kept; when it was largest stands apart, being seldom written. */
struct level_of {
    uint32_t now, most;
};

/* Names the packet of a delta. */
void census_refer(const struct delta *delta, struct census_ref *ret_ref);

/* What a detector of hosts is at with an entry: one event an episode. */
struct episode {
    bool open;
    uint8_t level; /* the highest told in it */
};

enum episode_kind { EPISODE_TIME_WAIT, EPISODE_PORTS, EPISODE_CHURN, EPISODES };

/*
 * What an entry has that is not for a single connection: from the second on, and of services.  Line
 * by line of cache: what most deltas of a service look at, the counts of its rate, what openings
 * and closings do, the latest openings; then what is of pairs, and the rest.  Sources have of it
 * what is drawn, paces, and reuses.
 */
struct census_more {
    _Alignas(64) struct series series; /* from the CENSUS_SERIES-th connection on */
    struct cohorts *cohorts;           /* SERVICE, from the second connection on; in its pool */
    struct dwell *dwell;               /* SERVICE; NULL: none; owned */
    struct rate opened_rate;           /* not of a SOURCE: its opened_pace is enough */
    struct pace opened_pace;           /* SOURCE */
    struct pace closed_pace;           /* SOURCE, SERVICE */
    uint64_t reuses;
    struct delta *time_wait_delta; /* SERVICE: the latest that left its host in TIME_WAIT; owned */
    uint32_t index;                /* its own slot in its pool */
    uint32_t refs;                 /* openings so far */
    bool up_once;                  /* SERVICE: a connection of it was whole, until cohorts */
    struct episode episode[EPISODES];
    _Alignas(64) struct census_ref ref[CENSUS_REFS]; /* the latest openings, a ring */
    struct census_ref first_ref;
    struct rate closed_rate;   /* PAIR */
    struct ports ports;        /* PAIR */
    struct worst *worst_ports; /* PAIR: of its connections; NULL: none; owned */
    struct worst *worst_leaks; /* of its host's sockets in CLOSE_WAIT; NULL: none; owned */
    uint64_t leaks;            /* sockets forgotten in CLOSE_WAIT, of its host */
    nanotime first_leak;
    nanotime reuse_least;
    nanotime answered_syn; /* SERVICE: when the SYN passed that was answered last, until cohorts */
};

/*
 * What every delta touches, and all that a source needs.  Lines of cache: two for what finds it and
 * what every delta changes, then when most was held, which is seldom written once there were many,
 * and what is known at the end.
 */
struct census_entry {
    struct census_key key;
    uint32_t opened;
    struct census_more *more; /* NULL: a single connection so far; in its pool */
    uint32_t index, tag;      /* its own slot in the pool; of its key's hash */
    uint32_t closed;
    uint16_t first_port; /* of the source */
    bool heeded;         /* which queue: of those that came again */
    bool drawn;          /* it has a series */

    union {
        struct level_of stock[STOCKS];
        struct {
            struct level_of time_wait[2], close_wait[2], held;
        };
    };
    nanotime last;
    nanotime alive[2]; /* when the side was last seen to act */

    nanotime first;
    nanotime most_at[STOCKS]; /* NANOTIME_UNKNOWN: nothing was ever held */

    _Alignas(64) uint32_t answered;
    uint32_t established, by_close[CLOSE_KINDS], by_initiator[INITIATOR_BOTH + 1];
};

_Static_assert(sizeof(struct census_entry) == 256, "four cache lines, as in its pool");
_Static_assert(offsetof(struct census_entry, stock) == 64, "begins a line");
_Static_assert(offsetof(struct census_entry, first) == 128, "begins a line");
_Static_assert(offsetof(struct census_more, opened_rate.count) == 64, "fills a line");
_Static_assert(offsetof(struct census_more, opened_pace) == 128, "begins a line");
_Static_assert(offsetof(struct census_more, ref) == 192, "behind that line");

/* The neighbours of an entry in its list; 0: none; or, where it stands in a row, the number of its
 * place as `newer`.  Apart from the entries, so that those of all lie close together. */
struct census_link {
    uint32_t newer, older;
};

struct newcomer;

/* Who came once, or was never seen to close, in the order of the last opening (census_queue.h). */
struct census_row {
    struct newcomer *place; /* a power of two of them, or NULL; owned */
    uint32_t mask;
    uint32_t begin, end; /* numbers of places; they go round */
};

/* Those of a kind: entries, and newcomers, which stand in the row. */
struct census_queue {
    struct census_row row;
    uint32_t newest[2], oldest[2]; /* other entries, in the order of their last change; by heeded */
    uint32_t count, drawn;         /* all; entries with a series */
};

struct census {
    const struct config *config; /* not owned */
    uint32_t most;               /* entries of a kind: census_most() */
    struct pool pool;            /* of entries */
    struct pool mores, cohorts;  /* of what some have, and of what some services have */
    struct hash_key secret;
    struct census_index index[HOST_SCOPES];
    struct census_link *link; /* of the entries, by index: as many as the indices take; owned */
    struct census_queue queue[HOST_SCOPES];
    uint32_t dwells;
    uint64_t left_out;                  /* entries that gave way, and pairs that got none */
    uint64_t knock[CENSUS_KNOCKS / 64]; /* bits of the hashes of pairs that came once */
    uint32_t knocks;
    bool leaks;   /* some entry has worst_leaks */
    bool starved; /* memory ran out: for an entry, what it has, or a list of the worst */
};

/* How many entries of a kind there may be: census_pairs, or as many as, with the other kinds, take
 * an eighth of max_memory; and what all take then. */
uint32_t census_most(const struct config *config);
uint64_t census_octets(const struct config *config);

struct census *census_new(const struct config *config); /* NULL when out of memory */

/* The three entries that a delta counts for; NULL: it has none, or is a newcomer. */
struct census_place {
    struct census_entry *source, *service, *pair;
};

/* Fetches what census_take() will need for deltas that come soon, and notes their places; what a
 * step (FORESEE_STEPS) asks for, the next one looks at. */
void census_foresee(const struct census *census, struct delta *const *deltas, size_t count,
                    int step);

/* Counts a delta, and says where.  Where memory runs out, the census starves. */
void census_take(struct census *census, const struct delta *delta, struct census_place *ret_place);

/* Counts the dwell times of a flow that closed and whose record was written, to that service (NULL:
 * none); or of one that another run told of.  NO_MEMORY is the only failure. */
enum status census_flow(struct census *census, struct census_entry *service,
                        const struct flow_record *flow);
enum status census_closed_flow(struct census *census, struct census_entry *service,
                               const struct closed_flow *flow);
enum status census_told_flow(struct census *census, const struct closed_flow *flow);

/* Finds an entry; NULL when there is none, or no more than a newcomer. */
struct census_entry *census_find(const struct census *census, const struct census_key *key);

/* The same, but a newcomer is shown as the entry that it would be, in *room. */
const struct census_entry *census_look(const struct census *census, const struct census_key *key,
                                       struct census_entry *room);

struct census_key census_key_of(enum host_scope scope, uint8_t ip_version, const uint8_t *source,
                                const uint8_t *destination, uint16_t port);

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

/* The largest stocks of all entries. */
struct stock_peaks census_peaks(const struct census *census, nanotime now);

void census_free(struct census *census); /* accepts NULL */

#endif
