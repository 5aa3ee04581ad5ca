/*
 * engine: one whole analysis of the tuples it is given: table, deadlines, detectors, records.
 *
 * It knows no capture format and no output format.  Each shard has one; nothing is shared.
 */
#ifndef LASTACK_ENGINE_H
#define LASTACK_ENGINE_H

#include <stddef.h>

#include "base/agenda.h"
#include "base/moments.h"
#include "base/ranked.h"
#include "base/status.h"
#include "config.h"
#include "detect/detect.h"
#include "event/sink.h"
#include "flow/table.h"
#include "shard/ledger.h"

/* What is summed up for the run's summary. */
struct engine_counts {
    uint64_t segments, copies, damaged, late;
    uint64_t icmp_matched, icmp_unmatched, icmp_copies;
    uint64_t flows, flows_by_kind[CLOSE_KINDS];
    uint64_t left[SIDES][TCP_STATES], left_presumed[SIDES][TCP_STATES];
    uint64_t events_dropped, tombstones_evicted, evictions, history_dropped;
};

/* How far those that live at the end were gone through: the list, and behind it, or instead, the
 * lone SYNs in their queue, and in the nest. */
struct survivors_at {
    uint64_t listed;
    uint32_t lone;   /* the next one, a tuple's index; 0: none, or those are listed, too */
    uint32_t nested; /* the next one's number */
};

/* Tuples in a queue, by index; 0 none. */
struct tuple_list {
    uint32_t first, last;
    uint32_t count;
};

struct tape;

struct engine {
    struct config config;
    struct sink *sink; /* not owned */
    uint64_t room;     /* octets that it may hold */
    uint64_t beside;   /* octets of these that its sink takes with each tuple (path/path_room.h) */
    struct flow_table table;
    struct agenda agenda;
    struct detect_index detectors;
    struct tuple_list queue[QUEUES];        /* what goes first when memory is short */
    uint64_t tombstones;                    /* held */
    uint64_t most_tuples;                   /* held at once before a state was read */
    uint64_t parked_octets;                 /* in parked connections */
    bool trace_segments, trace_transitions; /* the opt-in records are wanted */
    const struct moments *losses; /* when the capture lost packets; not owned, NULL: it tells not */
    uint32_t losses_known;        /* of these, up to what was analysed */
    uint64_t transcripts_part;    /* what part of the room they have before one is packed: stow.h */
    uint32_t crowd;               /* lone SYNs in their queue from which on there is a nest */
    bool finishing;               /* the capture is over */
    bool shares_frames;           /* tuples may have begun in the same frame */
    bool lone_disorder;           /* a lone SYN came with a lower number than one before it */
    uint64_t lone_packet;         /* that number of the latest */
    struct ledger_key now;        /* what is being done: the key of the records that come of it */
    nanotime clock;               /* capture clock: running maximum */
    enum status status;           /* first failure since it was last asked for */
    uint32_t ease; /* for brief.h: so often memory may be taken before it is asked anew whether no
                      more is held than the limits allow, and nobody watches every segment */
    struct engine_counts counts;
    struct ranked *survivors; /* tuples at the end, by first packet and tuple; owned */
    uint64_t survivor_count;
    struct survivors_at survivors_at;
    struct tape *tape; /* of a piece: what the other pieces need; owned; NULL: the whole */
    void (*probe)(void *context, const struct step *step); /* NULL, or sees every segment's step */
    void *probe_context;
};

/* Memory was taken, or may have been. */
static inline void engine_spend_ease(struct engine *engine)
{
    engine->ease -= engine->ease > 0;
}

/* Which of so many engines a tuple falls to, by its key's hash. */
static inline uint32_t engine_owner(uint64_t hash, uint32_t engines)
{
    return (uint32_t)((hash & UINT32_MAX) * engines >> 32); /* the lower half, as a share of 2^32 */
}

void engine_add_counts(struct engine_counts *sum, const struct engine_counts *counts);

/* Makes an empty engine; NO_MEMORY is the only failure. */
enum status engine_init(struct engine *engine, const struct config *config, struct sink *sink);

enum { ENGINE_LINE = 64 }; /* octets that a cache takes at once */

/* What an item is. */
enum item_kind {
    ITEM_SEGMENT,
    ITEM_ICMP, /* the segment is quoted: addresses, ports and sequence number alone have a meaning
                */
    ITEM_LOST, /* fragments of it never became whole: addresses and ports alone have a meaning */
    ITEM_EDGE, /* what follows of it is of another piece of the capture: the same */
};

/*
 * The key, the hash and the sending end of a segment, taken before a batch is processed; or of
 * something that is said of one, with the time and the number of the packet that says it.
 *
 * By cache lines: of an ordinary segment the third and the fourth are all that the engine reads.
 */
struct engine_item {
    _Alignas(ENGINE_LINE) struct segment segment;
    struct flow_key key;
    uint64_t hash;
    nanotime clock;  /* capture clock: the latest time stamp up to this packet */
    uint32_t part;   /* which item of its packet, from 0: set by the caller */
    uint16_t losses; /* of the capture that were told up to this packet: set by the caller */
    uint8_t end;
    uint8_t kind;           /* enum item_kind */
    uint32_t context;       /* flow_key_context(); where nobody wants it, never written to: 0 */
    struct icmp_error icmp; /* with ITEM_ICMP */
};

enum { ITEM_ORDINARY = offsetof(struct engine_item, segment.around.tunnels) };

_Static_assert(ITEM_ORDINARY % ENGINE_LINE == 0, "an ordinary segment begins with a line");
_Static_assert(offsetof(struct engine_item, context) - ITEM_ORDINARY == 2 * ENGINE_LINE,
               "and is two");

/* Fills key, hash and end from item->segment, which is of that context; the caller sets the rest.
 */
static inline void engine_identify(struct hash_key secret, uint32_t context,
                                   struct engine_item *item)
{
    item->end =
        (uint8_t)flow_key_identify(secret, &item->segment, context, &item->key, &item->hash);
}

enum { ENGINE_BATCH = 32 }; /* items worth gathering: what comes soon must be known */

/* Whose turn it is: which of the items, and what finds its tuple, before the item itself is here.
 */
struct engine_turn {
    uint32_t tag; /* flow_table_tag() of its hash */
    uint32_t place;
};

static inline struct engine_turn engine_turn_of(const struct engine_item *item, uint32_t place)
{
    return (struct engine_turn){flow_table_tag(item->hash), place};
}

/*
 * Analyses those of the items whose turn it is, in order, any number.  What those that come soon
 * need is fetched meanwhile, a step a time: the item and its slot, unless the caller has done that
 * (`fetched`), tuple, incarnation (a quarter of the time at a million live flows).
 */
void engine_batch(struct engine *engine, const struct engine_item *items,
                  const struct engine_turn *turns, uint32_t count, bool fetched);

/* Fetches the slot of an item that is taken next but some. */
static inline __attribute__((always_inline)) void engine_foresee(const struct engine *engine,
                                                                 const struct engine_item *item)
{
    flow_table_prefetch(&engine->table, flow_table_tag(item->hash));
}

/* Analyses one segment; deadlines that it shows to have passed come first.  likely: the tuple that
 * it seemed to be of when the batch began; NULL: not known. */
void engine_segment(struct engine *engine, const struct engine_item *item, struct tuple *likely);

/*
 * Takes an ICMP error to the connection that sent what it quotes; one that nobody had sent is
 * counted and ignored.  Deadlines that its time shows to have passed come first.
 */
void engine_icmp(struct engine *engine, const struct engine_item *item);

/*
 * ITEM_LOST and ITEM_EDGE: notes at what lives of the tuple that fragments of it never became
 * whole, or that it goes on in another piece.
 */
void engine_note(struct engine *engine, const struct engine_item *item);

/* Carries the capture clock on to `now` and applies the deadlines up to it. */
void engine_advance(struct engine *engine, nanotime now);

/*
 * The end of the capture: begin counts and orders what lives; until ends and writes, in the order
 * of first packets, what began at or before packet `last`.
 */
void engine_finish_begin(struct engine *engine);
void engine_finish_until(struct engine *engine, uint64_t last);

/* Writes, in the same way, what lives at this moment, as parts of connections that go on. */
void engine_snapshot_begin(struct engine *engine);
void engine_snapshot_until(struct engine *engine, uint64_t last);

/* Between begin and until: the packet numbers at which pieces of what lives end, each with what so
 * many connections have to write.  For free(); NULL: memory ran out, or there are few. */
uint64_t *engine_survivor_pieces(const struct engine *engine, uint32_t piece, uint64_t *ret_count);

/* Connections held now, by the state of each side, and the octets they take. */
struct engine_stock {
    uint64_t open, states[SIDES][TCP_STATES], octets;
};

/* Adds the engine's own. */
void engine_count_stock(const struct engine *engine, struct engine_stock *stock);

void engine_clear(struct engine *engine);

#endif
