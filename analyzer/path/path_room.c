/* path_room: see path_room.h. */
#include "path_room.h"

#include "../event/record.h"
#include "arrivals.h"
#include "journeys.h"
#include "waiting.h"

enum {
    FINDER_ENTRY = 16, /* octets of one of a finder that is half full */
    FOUND = 96,        /* octets of what finds a connection, or a segment; of its slot's rest */
    QUEUE_ROOM = 3, /* that a queue takes for one in it: it grows by doubling, and is moved late */
    FEW = 64,       /* records that wait, however little there is */
};

static uint32_t pairs_of(uint32_t taps)
{
    return taps * (taps - 1) / 2;
}

static uint32_t at_most(uint64_t octets, uint64_t size, uint32_t most)
{
    uint64_t count = octets / size;
    return count > most ? most : count < FEW ? FEW : (uint32_t)count;
}

/* --- what depends on the limit alone --- */

static uint32_t arrivals_room(const struct config *config, uint32_t taps)
{
    enum { SHARE = 32 };
    uint64_t each = config->max_memory / SHARE / pairs_of(taps);
    uint32_t kept = ARRIVALS_MOST;
    while (kept > ARRIVALS_LEAST && arrivals_octets(kept) > each)
        kept /= 2;
    return kept;
}

static uint64_t hearing_octets(uint32_t taps)
{
    return sizeof(struct flow_record) + taps * sizeof(struct seen) * RECORD_EVIDENCE;
}

static uint32_t hearings_room(const struct config *config, uint32_t taps)
{
    enum { SHARE = 64 };
    return at_most(config->max_memory / SHARE, hearing_octets(taps), config->tap_hearings);
}

static uint32_t segments_room(const struct config *config)
{
    enum { SHARE = 8 };
    return at_most(config->max_memory / SHARE, sizeof(struct waiting) + FINDER_ENTRY, WAITING_MOST);
}

uint64_t path_room_fixed(const struct config *config, uint32_t taps, bool segments)
{
    if (taps < 2)
        return 0;
    uint64_t waiting = segments_room(config) * (sizeof(struct waiting) + FINDER_ENTRY);
    return pairs_of(taps) * arrivals_octets(arrivals_room(config, taps)) +
           hearings_room(config, taps) * hearing_octets(taps) + (segments ? waiting : 0);
}

/* --- what is shared out --- */

struct path_room path_room_share(const struct config *config, uint32_t taps, uint64_t octets)
{
    const uint32_t pairs = pairs_of(taps);
    const uint64_t each =
        sizeof(struct journey) + 2 * FINDER_ENTRY + pairs * (uint64_t)sizeof(struct leg);
    const uint32_t most_lones =
        config->tap_segments > UINT32_MAX ? UINT32_MAX : (uint32_t)config->tap_segments;
    const uint64_t engine = pairs > 1 ? octets / 3 : octets / 2, rest = octets - engine;
    const uint64_t further = pairs > 1 ? rest / 8 : 0; /* for taps beside the first two */
    const uint64_t queue = sizeof(struct crossing) * QUEUE_ROOM;
    return (struct path_room){
        .engine = engine,
        .each = each,
        .joints = at_most(rest / 3 / pairs, sizeof(struct joint) + FOUND, UINT32_MAX),
        .pasts = at_most(rest / 4 / pairs, sizeof(struct joint_past), UINT32_MAX),
        .lones =
            at_most((rest / 4 - further * 2 / 3) / pairs, sizeof(struct lone) + FOUND, most_lones),
        .arrivals = arrivals_room(config, taps),
        .hearings = hearings_room(config, taps),
        .ended = at_most(rest / 6 - further / 3, each, UINT32_MAX),
        .unclaimed = at_most(further / 2, queue, UINT32_MAX),
        .untold = at_most(further / 2 / pairs, queue, UINT32_MAX),
        .segments = segments_room(config),
    };
}
