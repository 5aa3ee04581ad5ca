/* ports: see ports.h. */
#include "ports.h"

static int64_t part_of(nanotime t, nanotime two_msl)
{
    nanotime length = two_msl / PORTS_PARTS;
    return t / (length > 0 ? length : 1);
}

static uint32_t slot_of(int64_t part)
{
    return (uint32_t)((uint64_t)part % PORTS_PARTS);
}

struct port_range ports_range(const struct ports *ports, nanotime t, nanotime two_msl)
{
    struct port_range range = {0, 0, 0};
    int64_t now = part_of(t, two_msl);
    for (int64_t part = ports->part; part > ports->part - PORTS_PARTS; part--) {
        uint16_t low = ports->low[slot_of(part)], high = ports->high[slot_of(part)];
        if (now - part > PORTS_PARTS || high == 0)
            continue;
        range.low = range.low == 0 || low < range.low ? low : range.low;
        range.high = high > range.high ? high : range.high;
    }
    range.span = range.high == 0 ? 0 : (uint32_t)(range.high - range.low) + 1;
    return range;
}

/* A step down by more than half of what the walk covers is no step of the walk. */
static bool comes_round(const struct ports *ports, uint16_t port, nanotime t, nanotime two_msl)
{
    if (ports->last <= port)
        return false;
    uint32_t span = ports_range(ports, t, two_msl).span;
    return (uint32_t)(ports->last - port) > span / 2 && span > 1;
}

void ports_add(struct ports *ports, uint16_t port, nanotime t, nanotime two_msl)
{
    int64_t part = part_of(t, two_msl);
    if (ports->last == 0) {
        ports->part = part;
        ports->wrapped = NANOTIME_UNKNOWN;
    }
    if (comes_round(ports, port, t, two_msl))
        ports->wrapped = t;
    if (part - ports->part > PORTS_PARTS)
        ports->part = part - PORTS_PARTS;
    for (; ports->part < part; ports->part++)
        ports->low[slot_of(ports->part + 1)] = ports->high[slot_of(ports->part + 1)] = 0;
    uint32_t slot = slot_of(ports->part);
    ports->low[slot] = ports->low[slot] == 0 || port < ports->low[slot] ? port : ports->low[slot];
    ports->high[slot] = port > ports->high[slot] ? port : ports->high[slot];
    ports->last = port;
}

bool ports_wrapped(const struct ports *ports, nanotime t, nanotime two_msl)
{
    return ports->last != 0 && ports->wrapped != NANOTIME_UNKNOWN &&
           time_since(t, ports->wrapped) <= two_msl;
}
