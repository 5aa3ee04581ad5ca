/*
 * worst: of the many connections that an event of a host is about, the few that are worst.
 *
 * A list in order, of bounded length.  What it holds depends on what was offered, in the order of
 * the records, and on nothing else: it is the same in every run.
 */
#ifndef LASTACK_HOST_WORST_H
#define LASTACK_HOST_WORST_H

#include "../event/delta.h"

enum {
    WORST_TOLD = 8, /* named by an event */
    WORST_KEPT = 16 /* so that some can leave */
};

/* A packet that a deduction may name. */
struct census_ref {
    nanotime t;
    uint64_t packet; /* 0: none */
    uint32_t seq_abs, ack_abs, incarnation;
    uint16_t port; /* of the source */
    uint8_t flags, from;
};

struct worst_one {
    uint64_t flow_uid;
    int64_t rank[2]; /* more is worse; the second decides where the first is equal */
    uint8_t ip_version, address[16];
    struct census_ref ref; /* the packet to look at; of equals the first is worse */
};

struct worst {
    struct worst_one one[WORST_KEPT]; /* the worst first */
    uint32_t count;
};

/* Takes one in, or the same connection once it is worse; without room the least gives way. */
void worst_offer(struct worst *worst, const struct worst_one *one);

/* The one of that connection; NULL: it is none of them. */
const struct worst_one *worst_find(const struct worst *worst, uint64_t flow_uid);

/* It is one of them no longer; nothing when it was none. */
void worst_forget(struct worst *worst, uint64_t flow_uid);

#endif
