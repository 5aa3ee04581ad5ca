/* copies: see copies.h. */
#include "copies.h"

/* Of all that a copy has in common with its original in the TCP header, and of its payload. */
static uint32_t fingerprint(const struct segment *segment)
{
    const uint64_t first = UINT64_C(0x9E3779B97F4A7C15), second = UINT64_C(0xC2B2AE3D27D4EB4F);
    uint64_t numbers = (uint64_t)segment->sequence << 32 | segment->acknowledgment;
    uint64_t fields = (uint64_t)segment->window << 48 | (uint64_t)segment->checksum << 32 |
                      (uint32_t)(segment->payload ^ (uint32_t)segment->flags << 24);
    uint64_t stamps = (uint64_t)segment->tsval << 32 | segment->tsecr;
    uint64_t rest = (uint64_t)segment->payload_hash << 32 | segment->options;
    uint64_t hash = (numbers ^ (fields * first)) * second;
    hash = ((hash ^ hash >> 32) + stamps) * first;
    hash = ((hash ^ hash >> 32) + rest) * second;
    return (uint32_t)(hash >> 32);
}

static uint32_t micros_of(const struct segment *segment)
{
    return (uint32_t)(segment->time / NANO_PER_MICRO);
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

/* Whether one of the packets with that fingerprint is the segment's original. */
static bool has_original(const struct connection *connection, const struct segment *segment,
                         int from, uint32_t print, nanotime window)
{
    uint32_t micros = micros_of(segment);
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

static void remember(struct connection *connection, const struct segment *segment, int from,
                     uint32_t print)
{
    uint8_t origin = (uint8_t)(segment->around.seen_on << 1 | from);
    int next = connection->recent_next;
    connection->recent_print[next] = print;
    connection->recent[next] =
        (struct recent_packet){micros_of(segment), segment->ip_id, segment->ttl, origin};
    connection->recent_next = (uint8_t)(next + 1) % RECENT_PACKETS;
}

bool copies_new(struct connection *connection, const struct segment *segment, int from)
{
    uint32_t print = fingerprint(segment);
    uint32_t known = 0;
    for (int i = 0; i < RECENT_PACKETS; i++)
        known |= connection->recent_print[i] == print; /* all at once: they are one vector */
    if (known != 0)
        return false;
    remember(connection, segment, from, print);
    return true;
}

bool copies_seen(struct connection *connection, const struct segment *segment, int from,
                 nanotime window)
{
    uint32_t print = fingerprint(segment);
    if (has_original(connection, segment, from, print, window))
        return true;
    remember(connection, segment, from, print);
    return false;
}
