/*
 * told: what the census of hosts is fed with, as octets: changes of connections, and the stays of
 * those that closed.
 *
 * A piece of a capture writes what its own census was told, in order, so that lastack merge can
 * tell the same to a census of the whole.  Octets that one build packed another may not read.
 */
#ifndef LASTACK_EVENT_TOLD_H
#define LASTACK_EVENT_TOLD_H

#include <stddef.h>

#include "../base/carry.h"
#include "delta.h"
#include "dwell.h"

enum {
    TOLD_OCTETS = 4096 /* that one takes at most */
};

/* A flow that closed, as far as the dwell times of its service need it. */
struct closed_flow {
    uint64_t flow_uid;
    uint8_t address[16]; /* of the service, network order */
    uint16_t port;
    uint8_t ip_version;
    uint32_t stays;
    struct stay stay[DWELL_STAYS];
};

/*
 * What is left of a flow that ended without anything remarkable, for those who count it or have its
 * text: a tenth of its record.
 */
struct plain_flow {
    struct spelled spelled;
    bool is_closed;          /* told_is_closed() */
    struct closed_flow flow; /* last: only as many stays are there as it has */
};

struct told {
    bool is_flow;
    struct delta delta;      /* unless it is one */
    struct closed_flow flow; /* if it is */
};

extern const struct carry_field delta_fields[];

/* Whether a flow closed, and does not go on. */
static inline bool told_is_closed(const struct flow_record *flow)
{
    return flow->final &&
           (flow->side[CLIENT].fin_packet != 0 || flow->side[SERVER].fin_packet != 0);
}

/* A flow record as one that closed; false: it did not, or goes on. */
bool told_closed_flow(const struct flow_record *flow, struct closed_flow *ret_flow);

/* A flow record as one that ended without any event but the usual one, with its stays; false: it
 * is none, or goes on. */
bool told_plain_flow(const struct flow_record *flow, struct plain_flow *ret_plain);

/* Its octets. */
static inline size_t told_plain_size(const struct plain_flow *plain)
{
    return offsetof(struct plain_flow, flow.stay) + plain->flow.stays * sizeof(struct stay);
}

/* Packs one; returns how many octets it took, 0 when there is no room for them. */
size_t told_pack_delta(const struct delta *delta, uint8_t *octets, size_t room);
size_t told_pack_flow(const struct closed_flow *flow, uint8_t *octets, size_t room);

/* Unpacks one; returns how many octets it took, 0 when they are none. */
size_t told_unpack(const uint8_t *octets, size_t count, struct told *ret_told);

#endif
