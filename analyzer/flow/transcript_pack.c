/*
 * transcript_pack: see transcript_pack.h.
 *
 *     | which segments are less foretold, 16 bits | how many there are, and the unit, 8 | words |
 *
 * The words, of which the octets that are zero are left out:
 *
 *      0                16               32               48       56       64
 *     | which segments the server sent | told: client, server | once, client, vlans, parts | the
 * head | mss: client's  | server's: XOR  | options, the same               | | vlan           |
 * window scale: client's, server's                 | | seen_t |
 *
 *     | time since the segment before   | packets since it                |  of each segment
 *     | window: XOR    | checksum       | TSval: since   | flags, headers: XOR |
 *     | payload                         | payload_hash                    |
 *
 *     | acknowledgment: since           | TSecr: since                    |  of one less foretold
 *     | IP ID, interface, TTL, verdict, stamped, cut, payload_hashed: XOR |
 *     | time: above                     | TSval: above                    |
 *
 * XOR and since: as against the side's last, or what that foretells.  Nothing of it is a branch:
 * what is foretold of a segment, the processor does not foretell.
 */
#include "transcript_pack.h"

#include <endian.h>

enum {
    HASHED_MOST = 128,
    FRONT = offsetof(struct transcript_entry, window), /* two words of an entry, as they lie */
    BACK = offsetof(struct transcript_entry, ip_id),
};

enum { COUNT_AT = sizeof(uint16_t), WORDS_AT };

/* Bits of the octet at COUNT_AT. */
enum { COUNT = 0x1f, IN_MICROSECONDS = 0x20 };

/* Where members stand in the two words. */
enum { STAMP_AT = 32, FLAGS_AT = 48, HASHED_AT = 56 };

static const uint64_t front_kept = UINT64_C(0xffff0000ffffffff), /* no part of the time */
    front_lasts = UINT64_C(0xff0000000000ffff), /* window and headers: the next has the same */
    back_side = UINT64_C(1) << 16, back_ip_id = UINT64_C(0xffff),
                      since_mask = UINT64_C(0xffffffffffff); /* as much of a time as an entry has */

_Static_assert(FRONT + sizeof(uint64_t) == BACK, "they lie one behind the other");
_Static_assert(offsetof(struct transcript_entry, since_high) == FRONT + 4, "as front_kept has it");
_Static_assert(offsetof(struct transcript_entry, origin) == BACK + 2, "as back_side has it");
_Static_assert(offsetof(struct transcript_entry, payload_hashed) == BACK + 7, "as has that");

/* What foretells the next segment of a side; no two of a kind side by side, as compilers store them
 * as one, and make that from memory. */
struct voice {
    uint64_t front;
    seq next; /* what follows its last octet */
    uint64_t back;
    uint32_t tsval;
};

struct foretelling {
    struct voice voice[2]; /* what the first segment shows, foretells that of the other side */
    uint64_t since;        /* of the last segment of either */
    uint32_t packets;
};

/* What times are counted in: nanoseconds, or microseconds where all are whole ones, as most
 * captures have them.  A difference that is a multiple is divided by its inverse modulo 2^64. */
struct unit {
    uint64_t nanoseconds, inverse;
    unsigned zeros; /* that the multiple has at its end, and the inverse does not undo */
};

static const struct unit units[] = {
    {1, 1, 0}, {1000, UINT64_C(0x1cac083126e978d5), 3}, /* of 125 */
};

static inline uint64_t since_of(const struct transcript_entry *entry)
{
    return (uint64_t)entry->since_high << 32 | entry->since_low;
}

/* Eight members as they lie, the first lowest. */
static inline uint64_t word_at(const struct transcript_entry *entry, size_t place)
{
    uint64_t word;
    memcpy(&word, (const char *)entry + place, sizeof(word));
    return le64toh(word);
}

static inline void put_word_at(struct transcript_entry *entry, size_t place, uint64_t word)
{
    word = htole64(word);
    memcpy((char *)entry + place, &word, sizeof(word));
}

/* What the payload tells of a segment, which acknowledges: that it is pushed, and how much of it is
 * hashed. */
static inline uint64_t front_by_payload(uint32_t payload)
{
    return (uint64_t)(TCP_ACK | (payload != 0 ? TCP_PSH : 0)) << FLAGS_AT;
}

static inline uint64_t back_by_payload(uint32_t payload)
{
    return (uint64_t)(payload < HASHED_MOST ? payload : HASHED_MOST) << HASHED_AT;
}

/* The next has the next IP ID; or again none, as many who never let a packet be taken apart. */
static inline uint64_t back_foretold(uint64_t back)
{
    const uint16_t ip_id = (uint16_t)back;
    return (back & ~back_ip_id) | (uint16_t)(ip_id + (ip_id != 0));
}

/* After the first segment, which acknowledged nothing: the numbers of both sides begin there. */
static inline void foretell_answer(struct foretelling *known, int side, const seq iss[2])
{
    struct voice *x = &known->voice[side], *y = &known->voice[1 - side];
    y->front = x->front;
    y->back = x->back & ~back_ip_id;
    x->next += iss[side];
    y->next += iss[1 - side];
}

/* --- writing --- */

/* What is found out by packing, beside the words. */
struct found {
    size_t words;
    uint64_t inexact; /* bits of a time that is no multiple of the unit */
    uint64_t second, less_foretold;
};

/* Writes the words of a segment; whether it is less foretold.  Inline for certain: what it knows
 * then is known to lie elsewhere than the words. */
static inline __attribute__((always_inline)) bool put_entry(struct foretelling *known,
                                                            const struct unit *unit,
                                                            const struct transcript_entry *entry,
                                                            uint64_t *word, uint64_t *inexact)
{
    const int side = transcript_side(entry);
    struct voice *x = &known->voice[side];
    const struct voice *y = &known->voice[1 - side];
    const uint32_t payload = entry->payload, packets = entry->packets - known->packets,
                   stamp = entry->tsval - x->tsval;
    const uint64_t since = since_of(entry), ago = since - known->since;
    const uint64_t units_ago = (uint64_t)((int64_t)ago >> unit->zeros) * unit->inverse;
    const uint64_t front = (word_at(entry, FRONT) & front_kept) ^ front_by_payload(payload);
    const uint64_t back = (word_at(entry, BACK) & ~back_side) ^ back_by_payload(payload);
    word[0] = (uint32_t)units_ago | (uint64_t)packets << 32;
    word[1] = front ^ x->front ^ (uint64_t)(uint16_t)stamp << STAMP_AT;
    word[2] = payload | (uint64_t)entry->payload_hash << 32;
    word[3] = (entry->acknowledgment - y->next) | (uint64_t)(entry->tsecr - y->tsval) << 32;
    word[4] = back ^ x->back;
    word[5] = units_ago >> 32 | (uint64_t)(stamp >> 16) << 32;
    const bool less = (word[3] | word[4] | word[5]) != 0;
    *inexact |= units_ago * unit->nanoseconds ^ ago;
    x->front = front & front_lasts;
    x->back = back_foretold(back);
    x->next += transcript_occupies(entry->flags, payload);
    x->tsval = entry->tsval;
    known->since = since;
    known->packets = entry->packets;
    return less;
}

static inline void put_head(const struct transcript_head *head, uint16_t second, uint64_t *word)
{
    word[0] = second | (uint64_t)head->told[0] << 16 | (uint64_t)head->told[1] << 24 |
              (uint64_t)head->told_once << 32 | (uint64_t)head->client_end << 40 |
              (uint64_t)head->vlans << 48 | (uint64_t)head->parts << 56;
    word[1] = head->mss[0] | (uint64_t)(head->mss[1] ^ head->mss[0]) << 16 |
              (uint64_t)head->options[0] << 32 |
              (uint64_t)(head->options[1] ^ head->options[0]) << 48;
    word[2] =
        head->vlan | (uint64_t)head->window_scale[0] << 16 | (uint64_t)head->window_scale[1] << 24;
    word[3] = (uint64_t)head->seen_t;
}

static struct found put_words(const struct transcript *transcript, const struct unit *unit,
                              uint64_t first[TRANSCRIPT_WORDS])
{
    const struct transcript_head *head = &transcript->head;
    const struct transcript_entry *entry = transcript->entry;
    const uint32_t count = transcript_count(head);
    struct foretelling known = {0};
    struct found found = {0};
    uint64_t *word = first + TRANSCRIPT_HEAD_WORDS;
    for (uint32_t i = 0; i < count; i++, entry++) {
        const bool less = put_entry(&known, unit, entry, word, &found.inexact);
        word += less ? TRANSCRIPT_ENTRY_WORDS : TRANSCRIPT_ENTRY_WORDS / 2;
        found.less_foretold |= (uint64_t)less << i;
        found.second |= (uint64_t)transcript_side(entry) << i;
        if (i == 0)
            foretell_answer(&known, transcript_side(entry), head->iss);
    }
    put_head(head, (uint16_t)found.second, first);
    found.words = (size_t)(word - first);
    return found;
}

size_t transcript_pack(bool vectors, const struct transcript *transcript,
                       uint8_t packed[TRANSCRIPT_PACKED_MOST])
{
    const struct transcript_head *head = &transcript->head;
    uint64_t word[TRANSCRIPT_WORDS];
    bool in_microseconds = head->started % (nanotime)units[1].nanoseconds == 0;
    struct found found = put_words(transcript, &units[in_microseconds], word);
    if (found.inexact != 0) {
        in_microseconds = false;
        found = put_words(transcript, &units[0], word);
    }
    const uint16_t less_foretold = (uint16_t)found.less_foretold;
    memcpy(packed, &less_foretold, sizeof(less_foretold));
    packed[COUNT_AT] = (uint8_t)(transcript_count(head) | (in_microseconds ? IN_MICROSECONDS : 0));
    return WORDS_AT + octets_pack(vectors, word, found.words, packed + WORDS_AT);
}

/* --- reading --- */

struct unpacking {
    struct foretelling known; /* as if the first number of each side were 0 */
    const uint64_t *word;
    uint32_t second, less_foretold;
};

static inline void get_entry(struct unpacking *unpacking, const struct unit *unit,
                             struct transcript_entry *entry, uint32_t i)
{
    static const uint64_t all_foretold[TRANSCRIPT_ENTRY_WORDS / 2];
    struct foretelling *known = &unpacking->known;
    const bool less = (unpacking->less_foretold >> i & 1) != 0;
    const unsigned side = unpacking->second >> i & 1;
    struct voice *x = &known->voice[side];
    const struct voice *y = &known->voice[1 - side];
    const uint64_t *word = unpacking->word;
    const uint64_t *more = less ? word + TRANSCRIPT_ENTRY_WORDS / 2 : all_foretold;
    const uint32_t payload = (uint32_t)word[2];
    const uint64_t units_ago = (uint32_t)word[0] | more[2] << 32;
    const uint64_t since = known->since + units_ago * unit->nanoseconds;
    const uint64_t front = (word[1] & front_kept) ^ x->front, back = more[1] ^ x->back;
    const uint32_t stamp = (uint16_t)(word[1] >> STAMP_AT) | (uint32_t)(more[2] >> 32) << 16;
    unpacking->word += less ? TRANSCRIPT_ENTRY_WORDS : TRANSCRIPT_ENTRY_WORDS / 2;
    put_word_at(entry, FRONT, front ^ front_by_payload(payload));
    put_word_at(entry, BACK, (back ^ back_by_payload(payload)) | (side != 0 ? back_side : 0));
    entry->packets = known->packets + (uint32_t)(word[0] >> 32);
    entry->acknowledgment = (uint32_t)more[0] + y->next;
    entry->payload = payload;
    entry->payload_hash = (uint32_t)(word[2] >> 32);
    entry->tsval = x->tsval + stamp;
    entry->tsecr = y->tsval + (uint32_t)(more[0] >> 32);
    entry->since_high = (uint16_t)(since >> 32);
    entry->since_low = (uint32_t)since;
    x->front = front & front_lasts;
    x->back = back_foretold(back);
    x->next += transcript_occupies(entry->flags, payload);
    x->tsval = entry->tsval;
    known->since = since & since_mask;
    known->packets = entry->packets;
}

static inline void get_head(const uint64_t *word, struct transcript_head *head)
{
    for (int side = 0; side < 2; side++) {
        head->ip_bytes[side] = head->packets[side] = 0;
        head->told[side] = (uint8_t)(word[0] >> (16 + 8 * side));
        head->window_scale[side] = (uint8_t)(word[2] >> (16 + 8 * side));
    }
    head->told_once = (uint8_t)(word[0] >> 32);
    head->client_end = (uint8_t)(word[0] >> 40);
    head->vlans = (uint8_t)(word[0] >> 48);
    head->parts = (uint8_t)(word[0] >> 56);
    head->mss[0] = (uint16_t)word[1];
    head->mss[1] = (uint16_t)(word[1] >> 16) ^ head->mss[0];
    head->options[0] = (uint16_t)(word[1] >> 32);
    head->options[1] = (uint16_t)(word[1] >> 48) ^ head->options[0];
    head->vlan = (uint16_t)word[2];
    head->seen_t = (nanotime)word[3];
}

/* What follows from all segments: the sums, and where the numbers of both sides begin. */
static inline void sum_up(const struct foretelling *known, const seq snd_nxt[2], uint32_t count,
                          struct transcript_head *head, struct transcript_entry *entry)
{
    for (int side = 0; side < 2; side++)
        head->iss[side] = snd_nxt[side] - known->voice[side].next;
    for (uint32_t i = 0; i < count; i++, entry++) {
        const int side = transcript_side(entry);
        head->packets[side]++;
        head->ip_bytes[side] += entry->headers + entry->payload;
        if (i > 0)
            entry->acknowledgment += head->iss[1 - side];
    }
}

void transcript_unpack(bool vectors, const uint8_t *packed, const seq snd_nxt[2],
                       struct transcript_head *head,
                       struct transcript_entry ret_entry[TRANSCRIPT_MOST])
{
    static const seq from_zero[2];
    uint64_t word[TRANSCRIPT_WORDS];
    uint16_t less_foretold;
    memcpy(&less_foretold, packed, sizeof(less_foretold));
    const uint32_t count = packed[COUNT_AT] & COUNT,
                   less = (uint32_t)__builtin_popcount(less_foretold);
    const struct unit *unit = &units[(packed[COUNT_AT] & IN_MICROSECONDS) != 0];
    octets_unpack(vectors, packed + WORDS_AT,
                  TRANSCRIPT_HEAD_WORDS + (size_t)(count + less) * (TRANSCRIPT_ENTRY_WORDS / 2),
                  word);
    get_head(word, head);
    struct unpacking unpacking = {.word = word + TRANSCRIPT_HEAD_WORDS,
                                  .second = (uint16_t)word[0],
                                  .less_foretold = less_foretold};
    for (uint32_t i = 0; i < count; i++) {
        get_entry(&unpacking, unit, &ret_entry[i], i);
        if (i == 0)
            foretell_answer(&unpacking.known, transcript_side(&ret_entry[0]), from_zero);
    }
    sum_up(&unpacking.known, snd_nxt, count, head, ret_entry);
}
