/* transcript_pack: see transcript_pack.h. */
#include "transcript_pack.h"

/* What of a segment is as foretold, a bit each, and then left out or short. */
enum as_foretold {
    SECOND_SIDE = 0x001,    /* not foretold: the server sent it */
    SAME_ACK = 0x002,       /* all that the peer sent is acknowledged */
    SAME_WINDOW = 0x004,    /* as in the side's last */
    NEXT_ID = 0x008,        /* one more than in that */
    SAME_PATH = 0x010,      /* struct path, as in that */
    NO_PAYLOAD = 0x020,     /* nor a hash of one */
    USUAL_HASH = 0x040,     /* of as many octets as are hashed of a whole payload */
    SAME_ECHO = 0x080,      /* the peer's last TSval */
    SAME_STAMP = 0x100,     /* the side's last TSval */
    NEAR_STAMP = 0x200,     /* less than 256 after that: an octet */
    SHORT_WHILE = 0x400,    /* since the segment before: 32 bits of ns, in place of 48 */
    FEW_PACKETS = 0x800,    /* since then: 16 bits in place of 32 */
    SHORT_PAYLOAD = 0x1000, /* 16 bits in place of 32 */
};

enum { HASHED_MOST = 128 };

/* What seldom differs between the segments of a side. */
struct path {
    uint8_t headers, origin, ttl, checksum_verdict, stamped, cut;
};

/* What foretells the next segment. */
struct foretelling {
    struct path path[2];
    seq next[2]; /* SND.NXT */
    uint32_t tsval[2];
    uint16_t window[2], ip_id[2];
    uint64_t since;
    uint32_t packets;
};

static struct foretelling foretelling_of(const struct transcript_head *head)
{
    return (struct foretelling){.next = {head->iss[0], head->iss[1]}};
}

static struct path path_of(const struct transcript_entry *entry)
{
    return (struct path){.headers = entry->headers,
                         .origin = entry->origin,
                         .ttl = entry->ttl,
                         .checksum_verdict = entry->checksum_verdict,
                         .stamped = entry->stamped,
                         .cut = entry->cut};
}

static uint64_t since_of(const struct transcript_entry *entry)
{
    return (uint64_t)entry->since_high << 32 | entry->since_low;
}

static uint8_t usual_hashed(const struct transcript_entry *entry)
{
    return (uint8_t)(entry->payload < HASHED_MOST ? entry->payload : HASHED_MOST);
}

/* The segment passed. */
static void go_on(struct foretelling *known, const struct transcript_entry *entry, int side)
{
    known->path[side] = path_of(entry);
    known->next[side] += transcript_occupies(entry->flags, entry->payload);
    known->tsval[side] = entry->tsval;
    known->window[side] = entry->window;
    known->ip_id[side] = entry->ip_id;
    known->since = since_of(entry);
    known->packets = entry->packets;
}

/* --- writing --- */

static inline void put(uint8_t **to, const void *octets, size_t count)
{
    memcpy(*to, octets, count);
    *to += count;
}

static unsigned what_is_foretold(const struct foretelling *known,
                                 const struct transcript_entry *entry, int side)
{
    const struct path path = path_of(entry);
    const uint64_t since = since_of(entry) - known->since;
    const uint32_t stamp = entry->tsval - known->tsval[side];
    return (side == 1 ? SECOND_SIDE : 0) |
           (entry->acknowledgment == known->next[1 - side] ? SAME_ACK : 0) |
           (entry->window == known->window[side] ? SAME_WINDOW : 0) |
           (entry->ip_id == (uint16_t)(known->ip_id[side] + 1) ? NEXT_ID : 0) |
           (memcmp(&path, &known->path[side], sizeof(path)) == 0 ? SAME_PATH : 0) |
           ((entry->payload | entry->payload_hash | entry->payload_hashed) == 0 ? NO_PAYLOAD : 0) |
           (entry->payload_hashed == usual_hashed(entry) ? USUAL_HASH : 0) |
           (entry->tsecr == known->tsval[1 - side] ? SAME_ECHO : 0) |
           (stamp == 0           ? SAME_STAMP
            : stamp <= UINT8_MAX ? NEAR_STAMP
                                 : 0) |
           (since >> 32 == 0 ? SHORT_WHILE : 0) |
           (entry->packets - known->packets <= UINT16_MAX ? FEW_PACKETS : 0) |
           (entry->payload <= UINT16_MAX ? SHORT_PAYLOAD : 0);
}

static void put_payload(uint8_t **to, const struct transcript_entry *entry, unsigned what)
{
    if ((what & NO_PAYLOAD) != 0)
        return;
    put(to, &entry->payload_hash, sizeof(entry->payload_hash));
    const uint16_t payload = (uint16_t)entry->payload;
    if ((what & SHORT_PAYLOAD) != 0)
        put(to, &payload, sizeof(payload));
    else
        put(to, &entry->payload, sizeof(entry->payload));
    if ((what & USUAL_HASH) == 0)
        put(to, &entry->payload_hashed, 1);
}

static void put_stamps(uint8_t **to, const struct foretelling *known,
                       const struct transcript_entry *entry, unsigned what, int side)
{
    const uint8_t near = (uint8_t)(entry->tsval - known->tsval[side]);
    if ((what & NEAR_STAMP) != 0)
        put(to, &near, 1);
    else if ((what & SAME_STAMP) == 0)
        put(to, &entry->tsval, sizeof(entry->tsval));
    if ((what & SAME_ECHO) == 0)
        put(to, &entry->tsecr, sizeof(entry->tsecr));
}

static void put_place(uint8_t **to, const struct foretelling *known,
                      const struct transcript_entry *entry, unsigned what)
{
    const uint32_t packets = entry->packets - known->packets;
    const uint64_t since = since_of(entry) - known->since;
    const uint16_t few = (uint16_t)packets, above = (uint16_t)(since >> 32);
    const uint32_t low = (uint32_t)since;
    put(to, &low, sizeof(low));
    if ((what & SHORT_WHILE) == 0)
        put(to, &above, sizeof(above));
    if ((what & FEW_PACKETS) != 0)
        put(to, &few, sizeof(few));
    else
        put(to, &packets, sizeof(packets));
}

static void put_entry(uint8_t **to, const struct foretelling *known,
                      const struct transcript_entry *entry, int side)
{
    const unsigned what = what_is_foretold(known, entry, side);
    const uint16_t bits = (uint16_t)what;
    const struct path path = path_of(entry);
    put(to, &bits, sizeof(bits));
    put(to, &entry->flags, 1);
    put(to, &entry->checksum, sizeof(entry->checksum));
    put_place(to, known, entry, what);
    if ((what & SAME_ACK) == 0)
        put(to, &entry->acknowledgment, sizeof(entry->acknowledgment));
    if ((what & SAME_WINDOW) == 0)
        put(to, &entry->window, sizeof(entry->window));
    if ((what & NEXT_ID) == 0)
        put(to, &entry->ip_id, sizeof(entry->ip_id));
    if ((what & SAME_PATH) == 0)
        put(to, &path, sizeof(path));
    put_payload(to, entry, what);
    put_stamps(to, known, entry, what, side);
}

size_t transcript_pack(const struct transcript_head *head, const struct transcript_entry *entry,
                       uint8_t packed[TRANSCRIPT_PACKED_MOST])
{
    struct foretelling known = foretelling_of(head);
    uint8_t *to = packed;
    for (uint32_t left = transcript_count(head); left > 0; left--, entry++) {
        const int side = transcript_side(entry);
        put_entry(&to, &known, entry, side);
        go_on(&known, entry, side);
    }
    return (size_t)(to - packed);
}

/* --- reading --- */

static inline void get(const uint8_t **from, void *octets, size_t count)
{
    memcpy(octets, *from, count);
    *from += count;
}

static void get_payload(const uint8_t **from, struct transcript_entry *entry, unsigned what)
{
    uint16_t payload = 0;
    if ((what & NO_PAYLOAD) != 0)
        return;
    get(from, &entry->payload_hash, sizeof(entry->payload_hash));
    if ((what & SHORT_PAYLOAD) != 0) {
        get(from, &payload, sizeof(payload));
        entry->payload = payload;
    } else {
        get(from, &entry->payload, sizeof(entry->payload));
    }
    entry->payload_hashed = usual_hashed(entry);
    if ((what & USUAL_HASH) == 0)
        get(from, &entry->payload_hashed, 1);
}

static void get_stamps(const uint8_t **from, const struct foretelling *known,
                       struct transcript_entry *entry, unsigned what, int side)
{
    uint8_t near = 0;
    entry->tsval = known->tsval[side];
    entry->tsecr = known->tsval[1 - side];
    if ((what & NEAR_STAMP) != 0) {
        get(from, &near, 1);
        entry->tsval += near;
    } else if ((what & SAME_STAMP) == 0) {
        get(from, &entry->tsval, sizeof(entry->tsval));
    }
    if ((what & SAME_ECHO) == 0)
        get(from, &entry->tsecr, sizeof(entry->tsecr));
}

static void get_place(const uint8_t **from, const struct foretelling *known,
                      struct transcript_entry *entry, unsigned what)
{
    uint16_t few = 0, above = 0;
    uint32_t low = 0, packets = 0;
    get(from, &low, sizeof(low));
    if ((what & SHORT_WHILE) == 0)
        get(from, &above, sizeof(above));
    if ((what & FEW_PACKETS) != 0) {
        get(from, &few, sizeof(few));
        packets = few;
    } else {
        get(from, &packets, sizeof(packets));
    }
    const uint64_t since = known->since + ((uint64_t)above << 32 | low);
    entry->packets = known->packets + packets;
    entry->since_low = (uint32_t)since;
    entry->since_high = (uint16_t)(since >> 32);
}

static int get_entry(const uint8_t **from, const struct foretelling *known,
                     struct transcript_entry *entry)
{
    uint16_t what = 0;
    get(from, &what, sizeof(what));
    const int side = (what & SECOND_SIDE) != 0;
    struct path path = known->path[side];
    memset(entry, 0, sizeof(*entry));
    get(from, &entry->flags, 1);
    get(from, &entry->checksum, sizeof(entry->checksum));
    get_place(from, known, entry, what);
    entry->acknowledgment = known->next[1 - side];
    if ((what & SAME_ACK) == 0)
        get(from, &entry->acknowledgment, sizeof(entry->acknowledgment));
    entry->window = known->window[side];
    if ((what & SAME_WINDOW) == 0)
        get(from, &entry->window, sizeof(entry->window));
    entry->ip_id = (uint16_t)(known->ip_id[side] + 1);
    if ((what & NEXT_ID) == 0)
        get(from, &entry->ip_id, sizeof(entry->ip_id));
    if ((what & SAME_PATH) == 0)
        get(from, &path, sizeof(path));
    entry->headers = path.headers;
    entry->origin = path.origin;
    entry->ttl = path.ttl;
    entry->checksum_verdict = path.checksum_verdict;
    entry->stamped = path.stamped;
    entry->cut = path.cut;
    get_payload(from, entry, what);
    get_stamps(from, known, entry, what, side);
    return side;
}

void transcript_unpack(const struct transcript_head *head, const uint8_t *packed,
                       struct transcript_entry ret_entry[TRANSCRIPT_MOST])
{
    struct foretelling known = foretelling_of(head);
    const uint32_t count = transcript_count(head);
    for (uint32_t i = 0; i < count; i++) {
        int side = get_entry(&packed, &known, &ret_entry[i]);
        go_on(&known, &ret_entry[i], side);
    }
}
