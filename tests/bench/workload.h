/*
 * workload: the kinds of traffic that can be generated, as scripts of who sends what.
 *
 * A connection is its opening, then a body as many times as it has rounds, then a closing; body and
 * closing are drawn from those that the workload has.  Every workload is a row of workload.c.
 */
#ifndef LASTACK_BENCH_WORKLOAD_H
#define LASTACK_BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum side { CLIENT, SERVER, SIDES };

enum payload { NOTHING, REQUEST, RESPONSE };

/* How long before a step: the way through the network, or what a person or program takes. */
enum wait { WIRE, THINK };

struct step {
    enum side from;
    uint8_t flags;
    enum payload payload;
    enum wait wait;
};

enum { STEPS_MAX = 6, SCRIPTS_MAX = 4, SIZES = 4 };

struct script {
    uint32_t steps; /* 0: none */
    struct step step[STEPS_MAX];
};

/* What the command line can change, each with an option of that name. */
struct amounts {
    uint64_t connections;
    uint64_t live;    /* connections that are open at once, about */
    uint64_t span;    /* seconds of capture time in which connections begin */
    uint64_t packets; /* of the whole capture; 0: as many as the connections take */
    uint64_t payload; /* octets of every segment that has any; 0: sizes of the workload */
    uint64_t snaplen;
    uint64_t reuse; /* percent of the connections that take the tuple of a closed one */
    uint64_t seed;  /* 0: drawn */
};

struct workload {
    const char *name;
    const char *says;
    const struct script *opening;
    const struct script *bodies;              /* up to the first without steps */
    const struct script *closings;            /* the same */
    uint16_t request[SIZES], response[SIZES]; /* octets, equally likely */
    uint32_t rounds; /* on average; 0: as amounts.packets asks, the same for each connection */
    int64_t wire;    /* ns, on average */
    bool spoofed;    /* clients are from anywhere */
    bool tail;       /* rounds are drawn from a heavy tail */
    struct amounts amounts;
};

/* The rows, ended by one without a name. */
extern const struct workload workloads[];

/* NULL when no workload has that name. */
const struct workload *workload_find(const char *name);

uint32_t workload_count_scripts(const struct script *scripts);

#endif
