/* copies: see copies.h. */
#include "copies.h"

static bool is_copy(const struct recent_packet *recent, const struct segment *segment)
{
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
        bool near = micros - recent->micros <= reach || recent->micros - micros <= reach;
        if ((recent->origin & 1) == from && near && is_copy(recent, segment))
            return true;
    }
    return false;
}

bool copies_seen(struct connection *connection, const struct segment *segment, int from,
                 nanotime window)
{
    uint32_t print = copies_print(segment);
    if (has_original(connection, segment, from, print, window))
        return true;
    copies_remember(connection, segment, from, print);
    return false;
}
