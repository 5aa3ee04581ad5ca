/*
 * journeys: what became of each connection's segments on their way between the taps, gathered until
 * its record is written (RECORDS, lastack.path).
 */
#ifndef LASTACK_PATH_JOURNEYS_H
#define LASTACK_PATH_JOURNEYS_H

#include "../base/pool.h"
#include "../event/sink.h"
#include "../tcp/rtt.h"
#include "crossing.h"
#include "fates.h"
#include "finder.h"
#include "pair.h"

enum { SIDE_COUNT = 2 };

/* Sets of events, a bit each. */
enum { EVENT_WORDS = (EVENT_IDS + 63) / 64 };

/* Of one side's segments, between one pair of taps. */
struct way {
    uint64_t fate[PATH_FATES];
    uint64_t missed_by[2];
    uint64_t delayed, reordered, changed;
    struct rtt delays;
};

/* A connection between one pair of taps. */
struct leg {
    bool known;                    /* the next ones hold */
    bool flipped;                  /* the first tap's end 0 is end 1 at the second of the pair */
    uint8_t join;                  /* enum path_join */
    bool counted;                  /* and told: by `way` */
    bool by_hops;                  /* delays do not tell the direction; hop limits do */
    bool shown[SIDE_COUNT];        /* a segment of that side was seen at both */
    uint8_t direction[SIDE_COUNT]; /* enum path_direction_known, of that side's segments */
    bool far_known;                /* the second tap shows it, under this key: */
    struct flow_key far;
    uint32_t shift[ENDS]; /* second tap's sequence numbers less the pair's first's */
    uint32_t told;        /* events */
    uint8_t changed;      /* kinds of changes told; bits of enum crossing_change */
    struct way way[SIDE_COUNT];
    struct fates fates;
    uint32_t steps; /* how often a clock had been set when it began */
};

struct journey {
    struct flow_identity who;
    struct flow_key key;
    uint32_t hash;
    uint64_t first_packet;
    nanotime start, end;
    nanotime due; /* when its record is written; NANOTIME_UNKNOWN: it lives */
    bool iss_known[SIDE_COUNT];
    seq iss[SIDE_COUNT];
    enum tcp_state state[SIDE_COUNT];
    uint8_t client_end;
    uint8_t distant_pair;            /* by what that pair shows */
    bool distant;                    /* the first tap does not show it: distant.h */
    uint64_t withdrawn[EVENT_WORDS]; /* events of the engine that another tap contradicts */
    uint64_t heard[EVENT_WORDS];     /* and those that stand; bits by enum event_id */
    struct moment reset;             /* that ended its end reset_end, as another tap proves */
    uint8_t reset_end;
    uint32_t waiting; /* records of it that wait to be heard (hearing.h) */
    uint64_t raised;  /* events of it, by their order in path_events */
    struct leg *leg;  /* one a pair; owned, NULL until the first crossing */
    uint32_t legs;    /* as many, if so */
    uint32_t next;    /* that is due after this one */
};

struct journeys {
    struct pool pool;
    struct finder by_key;
    struct finder by_uid;
    struct hash_key secret;
    uint32_t legs;                /* pairs */
    uint32_t distant;             /* journeys that are */
    uint32_t due_first, due_last; /* queue of those that wait to be written */
    uint32_t due, due_most;       /* in it; and as many may be */
    bool starved;                 /* memory ran out; who asks sets it back */
};

void journeys_init(struct journeys *journeys, uint32_t pairs, uint32_t due_most);

/* A connection begins, or changes; false when memory ran out. */
bool journeys_note(struct journeys *journeys, const struct delta *delta);

/* Its last record was written; the journey's own is due at `due`. */
struct journey *journeys_end(struct journeys *journeys, const struct flow_record *flow,
                             nanotime due);

struct journey *journeys_find(const struct journeys *journeys, uint64_t flow_uid);

/*
 * The connection that a crossing is of, with room for what it says: that which began last before
 * the segment.  t is by the first tap's clock.  NULL where there is none, or no memory
 * (starved).
 */
struct journey *journeys_of(struct journeys *journeys, const struct crossing *crossing, nanotime t);

/* The connection that began on the same ports after `journey` and before t, if any. */
const struct journey *journeys_after(const struct journeys *journeys, const struct journey *journey,
                                     nanotime t);

/* The connection on the same ports of that incarnation; NULL. */
struct journey *journeys_incarnation(const struct journeys *journeys, const struct journey *journey,
                                     uint32_t incarnation);

/* The first connection of those ends that the first tap shows, of those that are kept; NULL. */
struct journey *journeys_first(const struct journeys *journeys, const struct flow_key *key);

/* Adds a connection of those ends, of which nothing else is known yet; NULL when memory ran out. */
struct journey *journeys_enter(struct journeys *journeys, const struct flow_key *key,
                               uint64_t flow_uid);

/* Room for what pairs say of it; false when memory ran out. */
bool journeys_give_legs(struct journeys *journeys, struct journey *journey);

/* It is written at `due`, once, and not before those whose moment was set earlier. */
void journeys_set_due(struct journeys *journeys, struct journey *journey, nanotime due);

/* The next one to be written, due at `now` or earlier, or one too many; NULL: none.  It stays valid
 * until journeys_drop; or it becomes the last of them. */
struct journey *journeys_next_due(struct journeys *journeys, nanotime now);
void journeys_put_off(struct journeys *journeys);
void journeys_drop(struct journeys *journeys, struct journey *journey);

/* Counts a crossing that is told. */
void journey_count(struct journey *journey, uint32_t number, const struct crossing *crossing,
                   nanotime slow);

/*
 * Keeps what the pair knows of the crossing's connection as a whole, which it may forget before.
 * turned: end 0 of the pair's first tap is end 1 of the first one of all.
 */
void journey_keep(struct journey *journey, uint32_t number, const struct pair *pair,
                  const struct crossing *crossing, bool turned);

/* Whether the first tap's packet is known for certain to have been lost; or to have arrived. */
bool journey_has_arrival(const struct journey *journey, uint64_t packet);
bool journey_has_loss(const struct journey *journey, uint64_t packet);

/*
 * What a pair knows of a packet that an event of the journey rests on, and what the second tap
 * alone shows (fates.h): in this incarnation or in another one of the same ports.
 */
struct seen journeys_seen(const struct journeys *journeys, const struct journey *journey,
                          uint32_t number, uint64_t packet);
const struct fate_note *journeys_unseen(const struct journeys *journeys,
                                        const struct journey *journey, uint32_t number,
                                        const struct fate_wanted *wanted);

static inline int journey_side(const struct journey *journey, int end)
{
    return end == journey->client_end ? CLIENT : SERVER;
}

void journeys_clear(struct journeys *journeys);

#endif
