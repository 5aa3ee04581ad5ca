/* copies: see copies.h. */
#include "copies.h"

static uint32_t mix(uint32_t hash, uint32_t value)
{
    hash ^= value;
    hash *= 0x9E3779B1U;
    return hash ^ (hash >> 15);
}

static uint32_t fingerprint(const struct segment *segment)
{
    uint32_t hash = mix(segment->sequence, segment->acknowledgment);
    hash = mix(hash, ((uint32_t)segment->window << 16) | segment->checksum);
    hash = mix(hash, segment->payload);
    hash = mix(hash, segment->tsval);
    hash = mix(hash, segment->tsecr);
    hash = mix(hash, segment->payload_hash);
    return mix(hash, ((uint32_t)segment->flags << 16) | segment->options);
}

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

bool copies_seen(struct connection *connection, const struct segment *segment, int from,
                 nanotime window)
{
    uint32_t print = fingerprint(segment);
    uint32_t micros = (uint32_t)(segment->time / NANO_PER_MICRO);
    uint32_t reach = (uint32_t)(window / NANO_PER_MICRO);
    for (int i = 0; i < RECENT_PACKETS; i++) {
        if (connection->recent_print[i] != print)
            continue;
        const struct recent_packet *recent = &connection->recent[i];
        bool near = micros - recent->micros <= reach || recent->micros - micros <= reach;
        if ((recent->origin & 1) == from && near && is_copy(recent, segment))
            return true;
    }
    uint8_t origin = (uint8_t)(segment->around.seen_on << 1 | from);
    int next = connection->recent_next;
    connection->recent_print[next] = print;
    connection->recent[next] = (struct recent_packet){micros, segment->ip_id, segment->ttl, origin};
    connection->recent_next = (uint8_t)(next + 1) % RECENT_PACKETS;
    return false;
}
