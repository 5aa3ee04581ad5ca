/* copies: see copies.h. */
#include "copies.h"

/* us: a path takes no longer, and no host repeats a segment so soon for want of an answer. */
static const uint32_t path_reach = 190 * 1000; /* Linux TCP_RTO_MIN is 200 ms */

/* Whether the two were captured at two places of the path. */
static bool is_elsewhere(const struct recent_packet *recent, const struct segment *segment)
{
    uint8_t first = recent->origin >> 1, now = segment->around.seen_on;
    return first >= SEEN_ON_CALLERS && now >= SEEN_ON_CALLERS && first != now;
}

static bool is_copy(const struct recent_packet *recent, const struct segment *segment)
{
    if (is_elsewhere(recent, segment))
        return recent->ip_id == segment->ip_id;
    int apart = (int)recent->ttl - (int)segment->ttl;
    if (apart < -1 || apart > 1)
        return false;
    if (recent->ip_id != segment->ip_id)
        return false;
    if (segment->ip_id != 0 || apart != 0)
        return true;
    uint8_t seen_on = recent->origin >> 1;
    return seen_on != 0 && segment->around.seen_on != 0 && seen_on != segment->around.seen_on;
}

/* Whether one of the packets with that fingerprint is the segment's original. */
static bool has_original(const struct connection *connection, const struct segment *segment,
                         int from, uint32_t print, nanotime window)
{
    uint32_t micros = copies_micros(segment);
    uint32_t reach = (uint32_t)(window / NANO_PER_MICRO);
    for (int i = 0; i < RECENT_PACKETS; i++) {
        if (connection->recent_print[i] != print)
            continue;
        const struct recent_packet *recent = &connection->recent[i];
        uint32_t within = is_elsewhere(recent, segment) ? path_reach : reach;
        bool near = micros - recent->micros <= within || recent->micros - micros <= within;
        if ((recent->origin & 1) == from && near && is_copy(recent, segment))
            return true;
    }
    return false;
}

bool copies_seen(struct connection *connection, const struct segment *segment, int from,
                 nanotime window)
{
    uint32_t print = copies_print(segment);
    if (copies_know(connection, print) && has_original(connection, segment, from, print, window))
        return true;
    copies_remember(connection, segment, from, print);
    return false;
}
