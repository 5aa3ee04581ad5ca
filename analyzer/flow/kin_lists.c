/* kin_lists: see kin_lists.h. */
#include "kin_lists.h"

#include <stddef.h>
#include <string.h>

/* The moments that move sides, in pairs: of side 0, of side 1. */
enum moment_of {
    NONE, /* its last one alone, and no packet */
    OWN_SYN = 2,
    PEER_SYN,
    OWN_END, /* its last segment that takes numbers: the FIN of one that closed */
    PEER_END,
    OWN_ACK, /* where it first sent its last acknowledgment */
    PEER_ACK,
    THIRD, /* of the handshake */
    MOMENTS = THIRD + 2
};

/* By which segment a fact became known, and which one proves it. */
struct likely {
    uint8_t own, proof;
};

/*
 * An entry of a history as words:
 *
 *     | t | packet, 48 bits | before, revoked | side | basis, 2 bits | fact, 4 bits | state | by |
 *
 * The lower bits of the second word tell what it is likely to be; they are not changed.
 */
struct entry_words {
    uint64_t t, what, by;
};

enum { STATE_BITS = 4, FACT_BITS = 4, BASIS_BITS = 2, BELOW_PACKET = 16 };
enum { FACT_ROWS = 1 << FACT_BITS, BASIS_ROWS = 1 << BASIS_BITS };

_Static_assert(sizeof(struct entry_words) == sizeof(struct history_entry), "the same octets");

static const struct likely likely_of[BASIS_ROWS][FACT_ROWS] = {
    /* clang-format off */
    [BASIS_PRESUMED] = { /* nothing proves it */
        [FACT_SND_SYN]    = {OWN_SYN,  NONE},
        [FACT_SND_SYNACK] = {OWN_SYN,  NONE},
        [FACT_GOT_SYN]    = {PEER_SYN, NONE},
        [FACT_GOT_SYNACK] = {PEER_SYN, NONE},
        [FACT_SYN_ACKED]  = {THIRD,    NONE},
        [FACT_SND_FIN]    = {OWN_END,  NONE},
        [FACT_GOT_FIN]    = {PEER_END, NONE},
        [FACT_FIN_ACKED]  = {PEER_ACK, NONE},
    },
    [BASIS_ACKED] = { /* what the side acknowledged then does */
        [FACT_GOT_SYN]    = {PEER_SYN, OWN_SYN},
        [FACT_GOT_SYNACK] = {PEER_SYN, THIRD},
        [FACT_SYN_ACKED]  = {THIRD,    THIRD},
        [FACT_GOT_FIN]    = {PEER_END, OWN_ACK},
        [FACT_FIN_ACKED]  = {PEER_ACK, OWN_ACK},
    },
    [BASIS_SENT] = { /* it does itself */
        [FACT_SND_SYN]    = {OWN_SYN,  OWN_SYN},
        [FACT_SND_SYNACK] = {OWN_SYN,  OWN_SYN},
        [FACT_SND_FIN]    = {OWN_END,  OWN_END},
    },
    /* clang-format on */
};

static struct entry_words moment(nanotime t, uint64_t packet)
{
    const uint64_t what = packet << BELOW_PACKET;
    return (struct entry_words){(uint64_t)t, what, what >> BELOW_PACKET};
}

static void moments_of(const struct connection *connection, struct entry_words moments[MOMENTS])
{
    for (int i = 0; i < SIDES; i++) {
        const struct side *side = &connection->side[i];
        moments[OWN_SYN + i] = moment(side->syn_t, side->syn_packet);
        moments[OWN_END + i] = moment(side->last_data_t, side->last_data_packet);
        moments[OWN_ACK + i] = moment(side->rcv_nxt_t, side->rcv_nxt_packet);
        moments[THIRD + i] = moment(connection->ack_t, connection->third_packet);
        moments[NONE + i] = moment(connection->last_t, 0);
    }
}

/* By words: as members of few bits, and as structs, compilers take twice as long. */
static inline void change_word(void *word, uint64_t by)
{
    uint64_t value;
    memcpy(&value, word, sizeof(value));
    value ^= by;
    memcpy(word, &value, sizeof(value));
}

void kin_history(struct connection *connection)
{
    struct entry_words moments[MOMENTS];
    const struct likely *rows = &likely_of[0][0];
    moments_of(connection, moments);
    char *entry = (char *)connection->history.first;
    for (int i = 0; i < connection->history.count; i++, entry += sizeof(struct entry_words)) {
        uint64_t what;
        memcpy(&what, entry + offsetof(struct entry_words, what), sizeof(what));
        what >>= STATE_BITS;
        const uint64_t side = what >> (FACT_BITS + BASIS_BITS) & 1;
        const struct likely *likely = &rows[what & (FACT_ROWS * BASIS_ROWS - 1)];
        const struct entry_words *own = &moments[likely->own ^ side];
        change_word(entry, own->t);
        change_word(entry + offsetof(struct entry_words, what), own->what);
        change_word(entry + offsetof(struct entry_words, by), moments[likely->proof ^ side].by);
    }
}

static uint32_t bits_of(float height)
{
    uint32_t bits;
    memcpy(&bits, &height, sizeof(bits));
    return bits;
}

/* Changes a height by what it most likely is. */
static void height_and(float *height, nanotime likely)
{
    uint32_t bits = bits_of(*height) ^ bits_of((float)likely);
    memcpy(height, &bits, sizeof(bits));
}

/* The few samples there are stand in order; the outermost are the least and the greatest. */
void kin_rtt(struct rtt *rtt)
{
    if (rtt->samples == 0)
        return;
    uint32_t kept = rtt->samples < RTT_MARKERS ? rtt->samples : RTT_MARKERS;
    for (uint32_t i = 0; i < kept && i < RTT_MARKERS - 1; i++)
        rtt->position[i] ^= i + 1;
    height_and(&rtt->height[0], rtt->least);
    if (kept > 1)
        height_and(&rtt->height[kept - 1], rtt->greatest);
    if (kept == 3)
        height_and(&rtt->height[1],
                   (nanotime)((uint64_t)rtt->sum - (uint64_t)rtt->least - (uint64_t)rtt->greatest));
}

/* The last segments in the order in which they came. */
struct lasts {
    struct last_segment *ring;
    uint32_t count, first;
};

static struct lasts lasts_of(struct incarnation *incarnation)
{
    struct lasts lasts = {.ring = incarnation->last};
    while (lasts.count < LAST_SEGMENTS && last_segment_packet(&lasts.ring[lasts.count]) != 0)
        lasts.count++;
    lasts.first = lasts.count == LAST_SEGMENTS ? incarnation->last_next : 0;
    return lasts;
}

static inline struct last_segment *last_at(const struct lasts *lasts, uint32_t i)
{
    return &lasts->ring[(lasts->first + i) % LAST_SEGMENTS];
}

/* The handshake, as what comes before the first one. */
static struct last_segment before_first(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    return (struct last_segment){
        .t = connection->started,
        .sequence = connection->side[0].iss + 1,
        .acknowledgment = connection->side[1].iss + 1,
        .marks = last_segment_marks(0, incarnation->client_end, 0, TCP_ACK | TCP_PSH),
    };
}

/* One follows another of its end, or answers one. */
static inline void last_and_former(struct last_segment *last, const struct last_segment *former)
{
    bool follows = last_segment_end(last) == last_segment_end(former);
    seq next = former->sequence + former->payload;
    last->t ^= former->t;
    last->sequence ^= follows ? next : former->acknowledgment;
    last->acknowledgment ^= follows ? former->acknowledgment : next;
    last->payload ^= follows ? former->payload : 0;
    last->marks ^= (uint64_t)last_segment_flags(former) << LAST_FLAGS_AT;
}

/* Where there were no more, they are all of the octets that the sides sent. */
static void sides_and_last(struct incarnation *incarnation, const struct lasts *lasts)
{
    struct side *side = incarnation->connection.side;
    uint32_t octets[SIDES] = {0}, pshs[SIDES] = {0};
    seq acked[SIDES] = {0};
    for (uint32_t i = 0; i < lasts->count; i++) {
        const struct last_segment *last = last_at(lasts, i);
        int from = incarnation_side(incarnation, last_segment_end(last));
        octets[from] += last->payload;
        pshs[from] += (last_segment_flags(last) & TCP_PSH) != 0;
        acked[from] = last->acknowledgment;
    }
    for (int i = 0; i < SIDES; i++) {
        side[i].acked_with_data ^= acked[i];
        if (lasts->count == LAST_SEGMENTS)
            continue;
        side[i].tally.payload_bytes ^= octets[i];
        side[i].tally.pshs ^= pshs[i];
    }
}

void kin_last_apart(struct incarnation *incarnation)
{
    const struct lasts lasts = lasts_of(incarnation);
    const struct last_segment first = before_first(incarnation);
    sides_and_last(incarnation, &lasts);
    for (uint32_t i = lasts.count; i > 0; i--)
        last_and_former(last_at(&lasts, i - 1), i > 1 ? last_at(&lasts, i - 2) : &first);
}

void kin_last_together(struct incarnation *incarnation)
{
    const struct lasts lasts = lasts_of(incarnation);
    const struct last_segment first = before_first(incarnation);
    const struct last_segment *former = &first;
    for (uint32_t i = 0; i < lasts.count; i++) {
        last_and_former(last_at(&lasts, i), former);
        former = last_at(&lasts, i);
    }
    sides_and_last(incarnation, &lasts);
}
