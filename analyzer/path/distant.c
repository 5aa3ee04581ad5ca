/* distant: see distant.h. */
#include "distant.h"

#include <string.h>

enum { DISTANT_MOST = 1 << 16 }; /* kept at once, some 4 KiB each with its ways */

/* Who opened it: by the SYN, else the end with the higher port. */
static uint8_t client_end_of(const struct crossing *crossing, const struct sighting *seen)
{
    if ((seen->flags & TCP_SYN) != 0)
        return (seen->flags & TCP_ACK) != 0 ? 1 - crossing->end : crossing->end;
    return crossing->key.port[1] > crossing->key.port[0];
}

static bool opens_anew(const struct journey *journey, const struct crossing *crossing,
                       const struct sighting *seen)
{
    int side = journey_side(journey, crossing->end);
    return (seen->flags & TCP_SYN) != 0 && journey->iss_known[side] &&
           journey->iss[side] != seen->sequence;
}

static void name_ends(struct journey *journey)
{
    for (int end = 0; end < ENDS; end++) {
        struct endpoint_record *is = &journey->who.end[journey_side(journey, end)];
        memcpy(is->address, journey->key.address[end], sizeof(is->address));
        is->port = journey->key.port[end];
    }
}

static struct journey *begin(struct journeys *journeys, const struct crossing *crossing,
                             const struct sighting *seen, nanotime t)
{
    uint8_t client_end = client_end_of(crossing, seen);
    uint32_t isn = (seen->flags & TCP_SYN) != 0 ? seen->sequence : 0;
    uint64_t uid = flow_key_uid(&crossing->key, client_end, isn, t);
    if (journeys->distant == DISTANT_MOST || journeys_find(journeys, uid) != NULL)
        return NULL;
    struct journey *journey = journeys_enter(journeys, &crossing->key, uid);
    if (journey == NULL)
        return NULL;
    journeys->distant++;
    journey->distant = true;
    journey->distant_pair = crossing->pair;
    journey->client_end = client_end;
    journey->who.incarnation = 1;
    journey->start = journey->end = t;
    journey->state[CLIENT] = journey->state[SERVER] = STATE_UNKNOWN;
    name_ends(journey);
    return journey;
}

/* What the other tap shows of it is all that is known. */
static void note(struct journey *journey, const struct crossing *crossing,
                 const struct sighting *seen, nanotime t)
{
    int side = journey_side(journey, crossing->end);
    bool counts = crossing->pair == journey->distant_pair; /* others tell of the same segments */
    journey->end = time_later_of(journey->end, t);
    journey->who.end[side].packets += counts;
    journey->who.end[side].ip_bytes += counts ? seen->ip_bytes : 0;
    if ((seen->flags & TCP_SYN) != 0) {
        journey->iss[side] = seen->sequence;
        journey->iss_known[side] = true;
    }
}

/* The distant connection of those ends that began last. */
static struct journey *find(const struct journeys *journeys, const struct flow_key *key)
{
    struct journey *best = NULL;
    struct finder_cursor cursor;
    uint32_t hash = (uint32_t)flow_key_hash(journeys->secret, key);
    for (uint32_t i = finder_first(&journeys->by_key, hash, &cursor); i != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        struct journey *journey = pool_at(&journeys->pool, i);
        if (flow_key_equal(&journey->key, key) && journey->distant &&
            (best == NULL || time_is_before(best->start, journey->start)))
            best = journey;
    }
    return best;
}

struct journey *distant_of(struct journeys *journeys, const struct crossing *crossing, nanotime t,
                           nanotime due, bool matched)
{
    const struct sighting *seen = &crossing->at[crossing->at[0].packet != 0 ? 0 : 1];
    bool opens = (seen->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    struct journey *journey = matched && !opens ? journeys_first(journeys, &crossing->key) : NULL;
    if (journey != NULL)
        return journeys_give_legs(journeys, journey) ? journey : NULL;
    journey = find(journeys, &crossing->key);
    if (journey == NULL || opens_anew(journey, crossing, seen)) {
        journey = begin(journeys, crossing, seen, t);
        if (journey == NULL)
            return NULL;
        journeys_set_due(journeys, journey, due);
    }
    note(journey, crossing, seen, t);
    return journeys_give_legs(journeys, journey) ? journey : NULL;
}
