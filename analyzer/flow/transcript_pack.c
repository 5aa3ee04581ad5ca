/* transcript_pack: see transcript_pack.h. */
#include "transcript_pack.h"

/* What of a segment is as foretold, a bit each, and then left out. */
enum as_foretold {
    SECOND_SIDE = 0x001, /* not foretold: the server sent it */
    SAME_ACK = 0x002,    /* all that the peer sent is acknowledged */
    SAME_WINDOW = 0x004, /* as in the side's last */
    NEXT_ID = 0x008,     /* one more than in that */
    SAME_PATH = 0x010,   /* path_of(), as in that */
    NO_PAYLOAD = 0x020,  /* nor a hash of one */
    SAME_ECHO = 0x040,   /* the peer's last TSval */
    SAME_STAMP = 0x080,  /* the side's last TSval */
    NEAR_STAMP = 0x100,  /* less than 256 after that: an octet, or none */
    IS_WIDE = 0x200,     /* not foretold, and rare: struct wide follows in place of struct narrow */
};

enum { HASHED_MOST = 128, PATH = offsetof(struct transcript_entry, headers) };

/* What foretells the next segment of a side. */
struct voice {
    uint64_t path; /* path_of() */
    seq next;      /* SND.NXT */
    uint32_t tsval;
    uint16_t window, ip_id;
};

struct foretelling {
    struct voice voice[2];
    uint64_t since; /* of the last segment of either */
    uint32_t packets;
};

/*
 * What stands first of every segment, in two words: made by shifting, as words that were just
 * written in parts would be waited for.
 *
 *      0                 16                32                               64
 *     | enum as_foretold | checksum       | ns since the segment before, below |
 *     | packets since it, below   | flags |
 *      0                           24      32
 */
enum {
    CHECKSUM_AT = 16,
    SINCE_AT = 32,
    FLAGS_AT = 24,
    PACKETS = (1 << FLAGS_AT) - 1,
    FIRST = sizeof(uint64_t),
    SECOND = sizeof(uint32_t)
};

/* What of the same, and of a payload, is too much for it. */
struct wide {
    uint32_t since_above, packets, payload;
    uint8_t payload_hashed;
};

static struct foretelling foretelling_of(const struct transcript_head *head)
{
    return (struct foretelling){
        .voice = {{.next = head->iss[0]}, {.next = head->iss[1]}},
    };
}

/* What seldom differs between the segments of a side: from `headers` on, without the IP ID. */
static inline uint64_t path_of(const struct transcript_entry *entry)
{
    _Static_assert(offsetof(struct transcript_entry, cut) + 1 - PATH == sizeof(uint64_t), "a word");
    static const uint8_t kept[] = {0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint64_t word, mask;
    memcpy(&word, (const char *)entry + PATH, sizeof(word));
    memcpy(&mask, kept, sizeof(mask));
    return word & mask;
}

static inline uint64_t since_of(const struct transcript_entry *entry)
{
    return (uint64_t)entry->since_high << 32 | entry->since_low;
}

static inline uint8_t usual_hashed(uint32_t payload)
{
    return (uint8_t)(payload < HASHED_MOST ? payload : HASHED_MOST);
}

/* The segment passed. */
static inline void go_on(struct foretelling *known, struct voice *x,
                         const struct transcript_entry *entry, uint64_t path)
{
    x->path = path;
    x->next += transcript_occupies(entry->flags, entry->payload);
    x->tsval = entry->tsval;
    x->window = entry->window;
    x->ip_id = entry->ip_id;
    known->since = since_of(entry);
    known->packets = entry->packets;
}

/* --- writing --- */

/*
 * Writes `size` octets, which stay where `stays`: else what comes next is written over them.  So
 * there is no branch: what is foretold of a segment, the processor does not foretell.
 */
static inline uint8_t *put(uint8_t *to, const void *octets, size_t size, bool stays)
{
    memcpy(to, octets, size);
    return to + (stays ? size : 0);
}

static inline unsigned bit_if(bool holds, unsigned bit)
{
    return holds ? bit : 0;
}

static __attribute__((noinline)) uint8_t *put_wide(uint8_t *to, const struct foretelling *known,
                                                   const struct transcript_entry *entry)
{
    struct wide wide;
    memset(&wide, 0, sizeof(wide));
    wide.since_above = (uint32_t)((since_of(entry) - known->since) >> 32);
    wide.packets = entry->packets - known->packets;
    wide.payload = entry->payload;
    wide.payload_hashed = entry->payload_hashed;
    return put(to, &wide, sizeof(wide), true);
}

static inline uint8_t *put_entry(uint8_t *to, struct foretelling *known,
                                 const struct transcript_entry *entry)
{
    const int side = transcript_side(entry);
    struct voice *x = &known->voice[side];
    const struct voice *y = &known->voice[1 - side];
    const uint64_t since = since_of(entry) - known->since, path = path_of(entry);
    const uint32_t packets = entry->packets - known->packets, stamp = entry->tsval - x->tsval;
    const uint16_t payload = (uint16_t)entry->payload;
    const uint8_t near = (uint8_t)stamp;
    const bool is_wide = (since >> 32 | packets >> FLAGS_AT | entry->payload >> 16) != 0 ||
                         entry->payload_hashed != usual_hashed(entry->payload);
    const bool no_payload = (entry->payload | entry->payload_hash) == 0;
    const bool same_ack = entry->acknowledgment == y->next, same_echo = entry->tsecr == y->tsval;
    const bool same_window = entry->window == x->window, same_path = path == x->path;
    const bool next_id = entry->ip_id == (uint16_t)(x->ip_id + 1);
    const unsigned what = bit_if(side == 1, SECOND_SIDE) | bit_if(same_ack, SAME_ACK) |
                          bit_if(same_window, SAME_WINDOW) | bit_if(next_id, NEXT_ID) |
                          bit_if(same_path, SAME_PATH) | bit_if(no_payload, NO_PAYLOAD) |
                          bit_if(same_echo, SAME_ECHO) | bit_if(stamp == 0, SAME_STAMP) |
                          bit_if(stamp <= UINT8_MAX, NEAR_STAMP) | bit_if(is_wide, IS_WIDE);
    const uint64_t first = since << SINCE_AT | (uint32_t)entry->checksum << CHECKSUM_AT | what;
    const uint32_t second = (uint32_t)entry->flags << FLAGS_AT | (packets & PACKETS);
    to = put(to, &first, FIRST, true);
    to = put(to, &second, SECOND, true);
    if (is_wide)
        to = put_wide(to, known, entry);
    to = put(to, &entry->payload_hash, 4, !no_payload);
    to = put(to, &payload, 2, !no_payload);
    to = put(to, &near, 1, stamp - 1 < UINT8_MAX);
    to = put(to, &entry->tsval, 4, stamp > UINT8_MAX);
    to = put(to, &entry->tsecr, 4, !same_echo);
    to = put(to, &entry->acknowledgment, 4, !same_ack);
    to = put(to, &entry->window, 2, !same_window);
    to = put(to, &entry->ip_id, 2, !next_id);
    to = put(to, &path, 8, !same_path);
    go_on(known, x, entry, path);
    return to;
}

size_t transcript_pack(const struct transcript_head *head, const struct transcript_entry *entry,
                       uint8_t packed[TRANSCRIPT_PACKED_MOST])
{
    struct foretelling known = foretelling_of(head);
    uint8_t *to = packed;
    for (uint32_t left = transcript_count(head); left > 0; left--, entry++)
        to = put_entry(to, &known, entry);
    return (size_t)(to - packed);
}

/* --- reading --- */

/* Reads as many octets where they are there, and else leaves what was foretold. */
static inline void get(const uint8_t **from, void *octets, size_t size, bool is_there)
{
    if (!is_there)
        return;
    memcpy(octets, *from, size);
    *from += size;
}

/* What foretells it is gone on with. */
static void get_entry(const uint8_t **from, struct foretelling *known,
                      struct transcript_entry *entry)
{
    uint64_t first;
    uint32_t second;
    get(from, &first, FIRST, true);
    get(from, &second, SECOND, true);
    const unsigned what = (uint16_t)first;
    const int side = (what & SECOND_SIDE) != 0;
    struct voice *x = &known->voice[side];
    const struct voice *y = &known->voice[1 - side];
    struct wide wide = {.packets = second & PACKETS};
    uint64_t path = x->path;
    uint32_t acknowledgment = y->next, hash = 0;
    uint16_t payload = 0, window = x->window, ip_id = (uint16_t)(x->ip_id + 1);
    uint8_t near = 0;
    get(from, &wide, sizeof(wide), (what & IS_WIDE) != 0);
    get(from, &hash, 4, (what & NO_PAYLOAD) == 0);
    get(from, &payload, 2, (what & NO_PAYLOAD) == 0);
    uint32_t tsval = x->tsval, tsecr = y->tsval;
    get(from, &near, 1, (what & (NEAR_STAMP | SAME_STAMP)) == NEAR_STAMP);
    get(from, &tsval, 4, (what & NEAR_STAMP) == 0);
    get(from, &tsecr, 4, (what & SAME_ECHO) == 0);
    get(from, &acknowledgment, 4, (what & SAME_ACK) == 0);
    get(from, &window, 2, (what & SAME_WINDOW) == 0);
    get(from, &ip_id, 2, (what & NEXT_ID) == 0);
    get(from, &path, 8, (what & SAME_PATH) == 0);
    const uint64_t since = known->since + ((uint64_t)wide.since_above << 32 | first >> SINCE_AT);
    memcpy((char *)entry + PATH, &path, sizeof(path));
    entry->packets = known->packets + wide.packets;
    entry->acknowledgment = acknowledgment;
    entry->payload = (what & IS_WIDE) != 0 ? wide.payload : payload;
    entry->payload_hash = hash;
    entry->tsval = tsval + near;
    entry->tsecr = tsecr;
    entry->window = window;
    entry->checksum = (uint16_t)(first >> CHECKSUM_AT);
    entry->since_high = (uint16_t)(since >> 32);
    entry->flags = (uint8_t)(second >> FLAGS_AT);
    entry->ip_id = ip_id;
    entry->payload_hashed =
        (what & IS_WIDE) != 0 ? wide.payload_hashed : usual_hashed(entry->payload);
    entry->since_low = (uint32_t)since;
    go_on(known, x, entry, path);
}

void transcript_unpack(const struct transcript_head *head, const uint8_t *packed,
                       struct transcript_entry ret_entry[TRANSCRIPT_MOST])
{
    struct foretelling known = foretelling_of(head);
    const uint32_t count = transcript_count(head);
    for (uint32_t i = 0; i < count; i++)
        get_entry(&packed, &known, &ret_entry[i]);
}
