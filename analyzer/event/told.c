/* told: see told.h. */
#include "told.h"

#include <string.h>

#include "../base/carry_rows.h"

#include "told_state.def"

/* --- a flow as the census counts it --- */

static void fill(struct closed_flow *closed, const struct flow_record *flow)
{
    const struct endpoint_record *service = &flow->who.end[SERVER];
    closed->flow_uid = flow->who.flow_uid;
    memcpy(closed->address, service->address, sizeof(closed->address));
    closed->port = service->port;
    closed->ip_version = flow->who.ip_version;
    closed->stays = dwell_stays(flow, closed->stay);
}

bool told_closed_flow(const struct flow_record *flow, struct closed_flow *ret_flow)
{
    if (!told_is_closed(flow))
        return false;
    fill(ret_flow, flow);
    return true;
}

/* Ended, and of the catalogue at most the event of every orderly close. */
static bool is_plain(const struct flow_record *flow)
{
    return flow->final && (flow->event_count == 0 ||
                           (flow->event_count == 1 && flow->events[0] == EVENT_close_graceful));
}

bool told_plain_flow(const struct flow_record *flow, struct plain_flow *ret_plain)
{
    if (!is_plain(flow))
        return false;
    ret_plain->spelled = (struct spelled){.reader = NULL};
    ret_plain->is_closed = told_is_closed(flow);
    fill(&ret_plain->flow, flow);
    return true;
}

/* --- octets --- */

/* Behind others; false: there is no room. */
static bool pack(const struct carry_field *fields, const void *object, uint8_t *octets, size_t room,
                 size_t *count)
{
    size_t more = carry_pack(fields, (void *)object, octets + *count, room - *count);
    *count += more;
    return more > 0;
}

size_t told_pack_delta(const struct delta *delta, uint8_t *octets, size_t room)
{
    size_t count = 0;
    const struct told head = {.is_flow = false};
    bool fits = pack(told_fields, &head, octets, room, &count) &&
                pack(delta_fields, delta, octets, room, &count);
    return fits ? count : 0;
}

size_t told_pack_flow(const struct closed_flow *flow, uint8_t *octets, size_t room)
{
    size_t count = 0;
    const struct told head = {.is_flow = true};
    bool fits = pack(told_fields, &head, octets, room, &count) &&
                pack(closed_flow_fields, flow, octets, room, &count);
    for (uint32_t i = 0; i < flow->stays && fits; i++)
        fits = pack(stay_fields, &flow->stay[i], octets, room, &count);
    return fits ? count : 0;
}

/* Behind what was read; false: it is none. */
static bool unpack(const struct carry_field *fields, void *object, const uint8_t *octets,
                   size_t count, size_t *at)
{
    size_t taken = carry_unpack(fields, object, octets + *at, count - *at);
    *at += taken;
    return taken > 0;
}

static bool is_version(unsigned version)
{
    return version == 4 || version == 6;
}

size_t told_unpack(const uint8_t *octets, size_t count, struct told *ret_told)
{
    size_t at = 0;
    struct closed_flow *flow = &ret_told->flow;
    if (!unpack(told_fields, ret_told, octets, count, &at))
        return 0;
    if (!ret_told->is_flow) {
        memset(ret_told->delta.place, 0, sizeof(ret_told->delta.place));
        bool sound = unpack(delta_fields, &ret_told->delta, octets, count, &at) &&
                     is_version(ret_told->delta.ip_version);
        return sound ? at : 0;
    }
    bool whole =
        unpack(closed_flow_fields, flow, octets, count, &at) && is_version(flow->ip_version);
    for (uint32_t i = 0; whole && i < flow->stays; i++) {
        const struct stay *stay = &flow->stay[i];
        whole = unpack(stay_fields, &flow->stay[i], octets, count, &at) &&
                (stay->length >= 0 || stay->length == NANOTIME_UNKNOWN);
    }
    return whole ? at : 0;
}
