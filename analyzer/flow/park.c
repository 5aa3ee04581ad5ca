/* park: see park.h. */
#include "park.h"

#include <stdlib.h>
#include <string.h>

enum {
    INCARNATION_GROUPS = sizeof(struct incarnation) / LANES_GROUP,
    CLOSING_GROUPS = sizeof(struct closing) / LANES_GROUP,
    MOST = LANES_MOST(INCARNATION_GROUPS) + LANES_MOST(CLOSING_GROUPS)
};

_Static_assert(sizeof(struct incarnation) % LANES_GROUP == 0, "parked by groups of lanes");
_Static_assert(sizeof(struct closing) % LANES_GROUP == 0, "parked by groups of lanes");
_Static_assert(sizeof(struct parked) + MOST + LANES_SLACK <= CHUNKS_MOST, "a chunk holds any");

bool park_fits(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    return connection->history.more == NULL && incarnation->story == NULL &&
           incarnation->icmp == NULL && incarnation->around == NULL &&
           !incarnation->final_ack.open && !incarnation->hazard.open &&
           (incarnation->collision == NULL || incarnation->collision->decided);
}

/* Of the memory against copies the latest half is enough: a copy comes within milliseconds. */
static void forget_recent(struct connection *connection)
{
    for (int i = 0; i < RECENT_PACKETS / 2; i++) {
        int oldest = (connection->recent_next + i) % RECENT_PACKETS;
        memset(&connection->recent[oldest], 0, sizeof(connection->recent[oldest]));
        connection->recent_print[oldest] = 0;
    }
}

/* Writes what is kept; returns octets.  What stands beside the incarnation is no part of it. */
static size_t pack(const struct lanes_table *lanes, struct incarnation *incarnation,
                   uint8_t packed[MOST])
{
    struct closing *closing = incarnation->connection.closing;
    struct collision *collision = incarnation->collision;
    incarnation->connection.closing = NULL;
    incarnation->collision = NULL;
    size_t octets = lanes_pack(lanes, incarnation, INCARNATION_GROUPS, packed);
    incarnation->connection.closing = closing;
    incarnation->collision = collision;
    if (closing != NULL)
        octets += lanes_pack(lanes, closing, CLOSING_GROUPS, packed + octets);
    return octets;
}

/* Octets of a parked form: what unpacking may read behind it counts. */
static size_t room_of(size_t octets)
{
    return sizeof(struct parked) + octets + LANES_SLACK;
}

struct parked *park_incarnation(struct parking *parking, struct incarnation *incarnation)
{
    uint8_t packed[MOST];
    forget_recent(&incarnation->connection);
    size_t octets = pack(&parking->lanes, incarnation, packed);
    struct parked *parked = chunks_take(&parking->room, room_of(octets));
    if (parked == NULL)
        return NULL;
    parked->first_packet = incarnation->first_packet;
    parked->octets = (uint32_t)octets;
    parked->closing = incarnation->connection.closing != NULL;
    for (int side = 0; side < SIDES; side++)
        parked->state[side] = (uint8_t)incarnation->connection.side[side].state;
    memcpy(parked->packed, packed, octets);
    return parked;
}

bool park_restore(const struct parking *parking, const struct parked *parked,
                  struct incarnation *incarnation)
{
    struct closing *closing = NULL;
    uint32_t index = incarnation->index;
    if (parked->closing) {
        closing = malloc(sizeof(*closing));
        if (closing == NULL)
            return false;
    }
    size_t read = lanes_unpack(&parking->lanes, parked->packed, INCARNATION_GROUPS, incarnation);
    if (closing != NULL)
        lanes_unpack(&parking->lanes, parked->packed + read, CLOSING_GROUPS, closing);
    incarnation->connection.closing = closing;
    incarnation->index = index;
    return true;
}

size_t park_room(const struct parked *parked)
{
    return chunks_room(room_of(parked->octets));
}

void park_free(struct parking *parking, struct parked *parked)
{
    chunks_give(&parking->room, parked);
}
