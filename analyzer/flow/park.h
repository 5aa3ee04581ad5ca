/*
 * park: a closed connection that waits for the end of 2MSL, in a sixth of its room.
 *
 * Nearly every connection spends most of its life in the table in TIME_WAIT, in silence.  Parked,
 * members that others foretell are told by what they differ by (kin.h), and of it all those 32-bit
 * lanes are kept that are not zero (base/lanes.h), and then those of its closing block.  A packet
 * or a deadline brings it back unchanged.
 */
#ifndef LASTACK_FLOW_PARK_H
#define LASTACK_FLOW_PARK_H

#include "../base/berths.h"
#include "../base/chunks.h"
#include "../base/lanes.h"
#include "../base/pool.h"
#include "incarnation.h"

enum {
    PARK_STEP = 64,                     /* octets: what is stowed takes a multiple of it */
    PARK_SIZES = 1024 / (int)PARK_STEP, /* it is no larger */
};

/* What parking needs: where parked connections lie, and how they are packed. */
struct parking {
    struct chunks room;
    struct pool stowed[PARK_SIZES]; /* those that are open, by size: they go in any order */
    uint64_t stowed_octets;         /* that these hold */
    struct lanes_table lanes;
    bool vectors;       /* octets_have_vectors() */
    struct berths open; /* incarnations that are open; they may move */
};

enum parked_form {
    PARKED_ALONE,        /* the incarnation */
    PARKED_WITH_CLOSING, /* its closing block follows it */
    PARKED_TRANSCRIPT,   /* transcript_pack.h */
    PARKED_OPEN,         /* the same of one that is not over; and here these begin */
    PARKED_OPEN_ALONE,   /* the incarnation of such a one */
    PARKED_OPEN_WITH_CLOSING,
};

struct parked {
    uint64_t first_packet; /* of the incarnation: what the end of the capture sorts by */
    nanotime started;      /* of the connection */
    seq snd_nxt[SIDES];
    uint16_t octets; /* in packed[] */
    uint8_t form;    /* enum parked_form */
    uint8_t states;  /* enum tcp_state of each side, four bits each: park_state() */
    uint8_t packed[];
};

/* Prepares an empty one. */
void parking_init(struct parking *parking);

/* Whether an incarnation can be parked: nothing of it is open, nothing stands beside it. */
bool park_fits(const struct incarnation *incarnation);

/*
 * The parked form of a tuple's incarnation, to be given back with park_free(); NULL when memory ran
 * out.  Of the incarnation only the older half of the memory against copies is forgotten, if there
 * is one; else it can be read no more, and is the caller's to free.
 */
struct parked *park_incarnation(struct parking *parking, struct incarnation *incarnation,
                                const struct tuple *tuple);

/* Fills *incarnation (all but its pool index and its owner) from the parked form, which stays, and
 * what of it stands in its tuple, as it was; false: no memory, nothing is changed. */
bool park_restore(const struct parking *parking, const struct parked *parked,
                  const struct tuple *tuple, struct incarnation *incarnation);

/* The same of a connection that is kept as its segments, and over; what park_restore() can not
 * restore: retrace_parked().  NULL when memory ran out.  The transcript stays the caller's. */
struct parked *park_transcript(struct parking *parking, const struct transcript *transcript,
                               const struct progress *progress, const uint8_t state[SIDES]);

/* The transcript again, but for its slot in a pool, which is 0. */
void park_read_transcript(const struct parking *parking, const struct parked *parked,
                          struct transcript_head *ret_head,
                          struct transcript_entry ret_entry[TRANSCRIPT_MOST]);

/* Whether it is not over. */
static inline bool park_is_open(const struct parked *parked)
{
    return parked->form >= PARKED_OPEN;
}

/* The same of one that is open and kept as its segments, in a slot of its own, to be given back
 * with park_free_stowed(); *ret_index leads there.  NULL when memory ran out. */
struct parked *park_stow(struct parking *parking, const struct transcript *transcript,
                         const struct progress *progress, const uint8_t state[SIDES],
                         uint32_t *ret_index);

void park_free_stowed(struct parking *parking, const struct parked *parked, uint32_t index);

/*
 * The parked form of a tuple's incarnation that is open and whose history is short, to be given
 * back with park_free_open(); *ret_index leads there.  What stands beside the incarnation, but for
 * its closing block, is the parked form's until that is restored.  NULL where it does not fit, or
 * memory ran out: then the incarnation stays as it is.
 */
struct parked *park_open(struct parking *parking, struct incarnation *incarnation,
                         const struct tuple *tuple, uint32_t *ret_index);

void park_free_open(struct parking *parking, uint32_t index);

/* The pool index of the tuple whose incarnation stands in a slot of parking->open. */
uint32_t park_owner(const void *slot);

/* What parking forgets: of the memory against copies the latest half is enough, since a copy comes
 * within milliseconds. */
void park_forget_recent(struct connection *connection);

/* The state that a side was left in. */
static inline enum tcp_state park_state(const struct parked *parked, int side)
{
    return (enum tcp_state)(parked->states >> 4 * side & 15);
}

/* Octets of memory that it takes. */
size_t park_room(const struct parked *parked);

void park_free(struct parking *parking, struct parked *parked);

/* Frees all that is parked. */
void parking_clear(struct parking *parking);

#endif
