/*
 * pair: two taps, and what became of every segment between them.
 *
 * Segments come in the order in which they are read; what the one tap has shown and the other not
 * yet is a `lone` segment and is held, until the other shows it, or a wait is over (tap_wait), or
 * the captures end.  Then a crossing says what became of it.  What is held is bounded by the delay
 * between the taps, by what is lost within the wait, and by tap_segments.
 *
 * Everything is held in the first tap's sequence numbers; ends are those of the tap that showed the
 * connection first, and put into the first tap's terms when a crossing leaves.
 */
#ifndef LASTACK_PATH_PAIR_H
#define LASTACK_PATH_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "../../dissect/dissect.h"
#include "../base/pool.h"
#include "../base/status.h"
#include "../config.h"
#include "clocks.h"
#include "crossing.h"
#include "finder.h"
#include "path_room.h"

enum { ENDS = 2, TAPS = 2, RECENT_CROSSINGS = 8, RECENT_STAMPS = 4 };

/* What is remembered of a packet, to know it again. */
struct print {
    seq sequence, acknowledgment;
    uint32_t payload, payload_hash;
    uint32_t tsval, tsecr;
    uint16_t ip_id, window;
    uint8_t flags, hashed;
    bool stamped;
};

/* What became known of a lone segment since; bits. */
enum lone_flag {
    LONE_ACKED = 0x01,      /* its receiver acknowledged it, and no other copy had come */
    LONE_REPEATED = 0x02,   /* another transmission of its octets arrived */
    LONE_DENIED = 0x04,     /* its receiver showed, when it was due, that it had not come */
    LONE_SUPERSEDED = 0x08, /* a later acknowledgment arrived: nothing will tell of this one */
    LONE_PARTLY = 0x10,     /* a part of its octets arrived */
    LONE_ECHOED = 0x20,     /* its receiver echoes its timestamp: it arrived */
    LONE_TWIN = 0x40,       /* one that looks the same arrived */
    LONE_SPLIT = 0x80,      /* a piece of what one tap shows whole */
    LONE_VOUCHED = 0x100,   /* a third tap shows that it passed the other one */
    LONE_COPY = 0x200,      /* the packet had arrived before: the path made a copy of it */
};

/* A segment that one tap has shown and the other has not. */
struct lone {
    struct print print; /* in the first tap's numbers; what is left of it */
    struct sighting seen;
    struct sighting part; /* with LONE_PARTLY: the other tap's first piece */
    struct sighting copy; /* the latest further sighting at the same tap */
    uint64_t order;       /* in which it was taken */
    nanotime reached;     /* up to where both captures were read then; NANOTIME_UNKNOWN */
    uint32_t joint;
    uint32_t older, newer;  /* of the same end and tap, while evidence is looked for */
    uint32_t before, after; /* of the tap, in the order they were taken */
    uint32_t hash;
    uint16_t options, mss;
    uint8_t window_scale;
    uint8_t tap, end;
    uint8_t copies;    /* further sightings at the same tap */
    uint16_t flags;    /* enum lone_flag */
    uint8_t opening;   /* of its tap (joint.opening) when it was taken */
    bool listed, late; /* in the list of its end; in that of those nothing tells of any more */
    uint8_t offered;   /* bits: found by these keys of introduce.c */
    bool needless;     /* by all that is known, its octets had come before */
    bool repeats;      /* its sender had given the same acknowledgment before */
    bool goes_on;      /* with the next octet, or acknowledging more: it was not there before */
    bool ambiguous;    /* what arrived may have been this one, by all that tells them apart */
};

/* Lone segments, the oldest first; indices. */
struct lone_list {
    uint32_t oldest, newest;
};

/* What a tap has shown of one end of a connection. */
struct end_view {
    seq high;             /* highest END */
    nanotime last;        /* latest segment that is no reset; by the tap's clock */
    uint64_t last_order;  /* the same, in the order of reading */
    uint64_t first_order; /* its first segment of any kind; 0: none */
    uint8_t ttl;
    seq acked;            /* highest acknowledgment it gave */
    bool heard, numbered; /* numbered: high holds */
    bool acks;            /* acked holds */
    bool acks_move;       /* it acknowledged more than at first: its peer is heard somewhere */
    uint16_t held;        /* lone segments */
    nanotime let_go;      /* its latest segment that there was no room to hold, by the tap's clock;
                             0: none */
    struct lone_list lones;
    struct lone_list late; /* octets that nothing tells of any more; pieces of them may come */
};

/* A SYN, as far as no translation of addresses changes it. */
struct syn_print {
    seq sequence;
    uint32_t tsval;
    nanotime t; /* by its tap's clock */
    uint16_t ip_id;
    uint8_t window_scale;
    bool stamped;
};

/* How much later the second tap's clock stood when a segment passed it, and when by the first's. */
struct difference {
    nanotime t, x;
};

/* Timestamps of segments that arrived: the latest, and the highest of those before them. */
struct stamps {
    uint32_t latest[RECENT_STAMPS];
    uint32_t before;
    uint32_t count; /* noted so far, modulo 2^32; beyond RECENT_STAMPS `before` holds */
};

/* A segment that arrived. */
struct recent {
    struct print print;
    struct moment at[TAPS];
    uint8_t copies[TAPS]; /* that each tap has shown since */
    uint8_t spared;       /* how often it was kept, as one tap has shown more of them */
};

/* What arrived of a connection, by end. */
struct joint_past {
    struct recent recent[ENDS][RECENT_CROSSINGS]; /* the latest, a ring */
    struct recent last_reset[ENDS];               /* kernels' resets look all the same */
    uint8_t next[ENDS];
};

/* The list a connection is in (usage.h). */
enum joint_usage { JOINT_WITHOUT_PAST, JOINT_WITH_PAST, JOINT_AT_REST, JOINT_USAGES };

/* Of those that arrived, the latest that are like no other (arrivals.h). */
struct arrivals {
    struct arrival *ring;  /* owned; NULL: nothing arrived yet */
    struct bucket *bucket; /* owned; by hash */
    uint32_t kept;         /* at most; a power of two */
    uint32_t next;         /* number of the next one, modulo 2^32 */
};

/* A connection as both taps show it. */
struct joint {
    struct flow_key key[TAPS];
    uint32_t hash[TAPS];
    bool known[TAPS];      /* key holds */
    bool flipped[TAPS];    /* that tap's end 0 is end 1 here */
    bool reset;            /* a reset passed: a host may be gone in silence */
    bool closed;           /* that, or FINs of both ends */
    uint8_t fins;          /* bits by end */
    uint8_t join;          /* enum path_join */
    uint8_t opening[TAPS]; /* how many SYNs with numbers of their own each has shown, modulo 256:
                              what one incarnation says is no evidence of another's segments */
    seq opened_at[TAPS];   /* the number of the latest, by that tap */
    bool offered;          /* its SYN can be found by number and timestamp: */
    struct syn_print syn;
    uint8_t direction[ENDS]; /* enum path_direction_known, of that end's segments */
    uint32_t shift[ENDS];    /* second tap's numbers less the first's */
    bool shifted;            /* one of them is not 0 */
    bool shown[ENDS];        /* a segment of the end was matched: its shift is known */
    int8_t client_end;       /* -1: unknown */
    struct difference least[ENDS], most[ENDS]; /* while no way is known */
    bool differs[ENDS];                        /* these hold */
    uint32_t steps;                            /* and no clock was set since */
    uint64_t matched;
    uint32_t untold;       /* crossings of it that are not told yet: it is asked for then */
    uint8_t ids_kept;      /* matches with the same IP identification, up to a few */
    bool ids_changed;      /* one with another: it tells nothing here */
    nanotime last;         /* latest segment, by the first tap's clock */
    uint32_t older, newer; /* by use */
    struct end_view view[TAPS][ENDS];
    uint32_t past; /* index; 0: nothing arrived, or it is forgotten */
    uint8_t usage; /* enum joint_usage */
    struct stamps stamps[ENDS];
    uint64_t arrived_order[ENDS]; /* highest order of departure among what arrived */
    nanotime arrived_at[ENDS];    /* and when that came, by its receiver's tap */
};

/* A tap showed nothing between these, by its clock. */
struct silence {
    nanotime from, until;
};

/* Those from head on are open. */
struct crossing_queue {
    struct crossing *crossing; /* owned */
    uint32_t head, count, capacity;
};

struct pair {
    const struct config *config;                  /* not owned */
    uint32_t joints_most, pasts_most, lones_most; /* held at once */
    struct clocks clocks;
    struct pool joints, pasts, lones;
    struct finder by_key[TAPS], by_number, by_syn, by_content;
    struct hash_key secret;
    struct arrivals arrivals;
    struct lone_list all[TAPS];            /* every lone segment of that tap */
    struct lone_list in_use[JOINT_USAGES]; /* joints, the one used last at the newest end */
    nanotime let_go[TAPS];                 /* as in end_view, of what was forgotten since */
    uint64_t order;                        /* segments taken */
    uint64_t segments[TAPS];               /* likewise, by tap */
    nanotime first[TAPS], latest[TAPS];    /* by each tap's clock */
    uint64_t matched, missed[TAPS];
    uint64_t sampled[CLOCK_SIDES]; /* latest of these: its number at the tap that it left */
    bool rematch;                  /* a clock was set: what was out of order may not be */
    uint64_t held;                 /* of these: for longer than a queue takes */
    uint64_t latest_order[TAPS];   /* when the latest came */
    struct silence silence[TAPS];  /* the latest that was long, while the other tap spoke */
    uint64_t ids_same, ids_other;  /* matches by the IP identifications of both taps */
    uint64_t left[TAPS]; /* the latest segment that had left that tap and came to the other */
    bool ended[TAPS];    /* its capture is read */
    bool begins_late[TAPS], stops_early[TAPS]; /* shown by what passed it unseen */
    int8_t first_near_client; /* 1: by what was seen, the first tap is nearer to clients; 0: not;
                                 -1: unknown */
    struct crossing_queue queue;
    enum status status;
};

void pair_init(struct pair *pair, const struct config *config, const struct path_room *room);

/* Takes a segment that tap 0 or 1 of the pair has shown.  What it decides is put in the queue. */
void pair_take(struct pair *pair, int tap, const struct segment *segment);

/* Keeps a segment, or what is left of it, until the other tap shows it. */
void pair_hold(struct pair *pair, struct lone *new);

/* Up to where both captures are read, by the first tap's clock. */
nanotime pair_reached(const struct pair *pair);

/* Decides what was waited for long enough. */
void pair_expire(struct pair *pair);

/* Nothing more comes from that tap. */
void pair_end(struct pair *pair, int tap);

/* Decides everything that is still open. */
void pair_finish(struct pair *pair);

/* A moment of the second tap's clock as the first one shows it. */
nanotime pair_time(const struct pair *pair, int tap, nanotime t);

/* When it was seen, by the first tap's clock as far as that is known by now. */
static inline nanotime pair_sighting_time(const struct pair *pair, int tap,
                                          const struct sighting *seen)
{
    return tap == 0 ? seen->t : clocks_to_first(&pair->clocks, seen->t, seen->steps);
}

static inline nanotime pair_lone_time(const struct pair *pair, const struct lone *lone)
{
    return pair_sighting_time(pair, lone->tap, &lone->seen);
}

/* Which way that end's segments go, as far as it is known or follows from other connections. */
enum path_direction_known pair_direction(const struct pair *pair, const struct joint *joint,
                                         int end);

/* Whether nothing but hop limits tells that direction. */
bool pair_direction_is_by_hops(const struct pair *pair, const struct joint *joint, int end);

/* Which way the segments of clients go, or of servers, by all connections. */
enum path_direction_known pair_direction_of_side(const struct pair *pair, bool from_client);

/* An end as the first tap has it, from that of the joint; and the other way round. */
static inline int joint_first_end(const struct joint *joint, int end)
{
    return joint->flipped[0] ? 1 - end : end;
}

/* Whether a segment of it is held. */
static inline bool joint_holds(const struct joint *joint)
{
    return joint->view[0][0].held + joint->view[0][1].held + joint->view[1][0].held +
               joint->view[1][1].held >
           0;
}

/*
 * The first tap's segment of that number, which begins with that octet, if it is alone by now; NULL
 * if not.  key is the connection's at the first tap.
 */
const struct lone *pair_find_lone(const struct pair *pair, const struct flow_key *key, seq sequence,
                                  uint64_t packet);

/*
 * A third tap, beyond the other one of this pair, shows the segment as well: that it passed there
 * is certain.  key, and seen, are as the tap of this pair has them that shows it.
 */
void pair_vouch(struct pair *pair, int tap, const struct flow_key *key,
                const struct sighting *seen);

/* Measures the delay of a crossing that arrived, with what is known of the clocks by now. */
void pair_measure(const struct pair *pair, struct crossing *crossing);

static inline struct joint *pair_joint(const struct pair *pair, uint32_t index)
{
    return pool_at(&pair->joints, index);
}

/* NULL: nothing arrived, or it is forgotten. */
static inline struct joint_past *pair_past(const struct pair *pair, const struct joint *joint)
{
    return joint->past == 0 ? NULL : pool_at(&pair->pasts, joint->past);
}

static inline struct lone *pair_lone(const struct pair *pair, uint32_t index)
{
    return pool_at(&pair->lones, index);
}

void pair_clear(struct pair *pair);

#endif
