/*
 * generate: writes a capture to measure with.
 *
 *      generate [options] WORKLOAD [CAPTURE]
 *
 * Connections begin independently of each other at a constant mean rate; how long they think is
 * chosen so that about as many are open at once as asked for (Little's law).  The capture is in
 * time order, all checksums are right, nothing is lost.  One line on stderr tells the seed, with
 * which the same capture can be had again, and what was made.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "draw.h"
#include "frame.h"
#include "workload.h"

#define NANO_PER_SECOND INT64_C(1000000000)

enum { RETIRED = 4096, BUFFER_SIZE = 1 << 20 };
enum stage { OPENING, BODY, CLOSING, OVER };

static const int64_t beginning = INT64_C(1767225600) * 1000000000; /* 2026-01-01T00:00:00Z */

struct connection {
    struct frame_end end[SIDES];
    uint32_t rounds; /* of the body that remain */
    enum stage stage;
    uint32_t step; /* of the stage's script, next to be sent */
    const struct script *body, *closing;
};

/* When a connection sends next; the heap's order. */
struct turn {
    int64_t time;
    uint32_t connection;
};

struct generator {
    const struct workload *workload;
    struct amounts amounts;
    struct draw draw;
    struct frame_writer writer;
    double think;           /* ns, on average */
    uint64_t rounds;        /* of each connection, when the workload does not say */
    uint64_t begun;         /* connections */
    uint32_t live, most_live, capacity;
    struct connection *connections; /* `capacity` of them */
    uint32_t *unused;               /* the free ones' numbers; capacity - live of them */
    struct turn *turns;             /* a binary heap, the earliest first; `live` of them */
    struct connection retired[RETIRED]; /* the last that closed, a ring */
    uint64_t retirements, reuses;
    uint32_t first_tuple;
};

static const uint16_t server_ports[] = {443, 443, 80, 22, 25, 993, 5432, 8080};

static const struct option_row {
    const char *name;
    size_t at; /* in struct amounts */
    const char *says;
} option_rows[] = {
    {"connections", offsetof(struct amounts, connections), "how many connections"},
    {"live", offsetof(struct amounts, live), "how many are open at once, about"},
    {"span", offsetof(struct amounts, span), "seconds of capture time in which they begin"},
    {"packets", offsetof(struct amounts, packets), "packets of the capture (single, bulk)"},
    {"payload", offsetof(struct amounts, payload), "octets of each segment that carries any"},
    {"snaplen", offsetof(struct amounts, snaplen), "octets kept of each frame"},
    {"reuse", offsetof(struct amounts, reuse), "percent that take a closed connection's ports"},
    {"seed", offsetof(struct amounts, seed), "a number from 1; drawn when left out"},
};

enum { OPTION_ROWS = sizeof option_rows / sizeof option_rows[0] };

/* ---- turns */

static void turn_push(struct generator *generator, struct turn turn)
{
    struct turn *turns = generator->turns;
    uint32_t at = generator->live++;
    while (at > 0 && turn.time < turns[(at - 1) / 2].time) {
        turns[at] = turns[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    turns[at] = turn;
}

/* Puts `turn` where the first one was. */
static void turn_replace_first(struct generator *generator, struct turn turn)
{
    struct turn *turns = generator->turns;
    uint32_t at = 0;
    for (uint32_t child = 1; child < generator->live; child = 2 * at + 1) {
        if (child + 1 < generator->live && turns[child + 1].time < turns[child].time)
            child++;
        if (turn.time <= turns[child].time)
            break;
        turns[at] = turns[child];
        at = child;
    }
    turns[at] = turn;
}

static void turn_drop_first(struct generator *generator)
{
    struct turn last = generator->turns[--generator->live];
    if (generator->live > 0)
        turn_replace_first(generator, last);
}

/* ---- a connection's life */

/* Every tuple once: an odd factor makes a permutation of 2^29 clients' addresses and ports. */
static void draw_tuple(struct generator *generator, struct connection *connection)
{
    uint32_t tuple = (uint32_t)(generator->begun * 0x9e3779b1 + generator->first_tuple);
    struct frame_end *client = &connection->end[CLIENT];
    struct frame_end *server = &connection->end[SERVER];
    client->address = 0x0a000001 + (tuple >> 15 & 0x3fff);
    client->port = (uint16_t)(0x8000 | (tuple & 0x7fff));
    server->address = 0xac100001 + draw_below(&generator->draw, 200);
    server->port = server_ports[draw_below(&generator->draw, 8)];
}

static void draw_end(struct generator *generator, struct frame_end *end)
{
    uint64_t word = draw_word(&generator->draw);
    end->sequence = (uint32_t)word;
    end->ts_offset = (uint32_t)(word >> 32);
    end->ip_id = (uint16_t)(word >> 16);
    end->ttl = 64;
}

/* The tuple of a connection that closed a while ago, with sequence numbers above its last. */
static void reuse_tuple(struct generator *generator, struct connection *connection)
{
    const struct connection *old = &generator->retired[generator->retirements++ % RETIRED];
    memcpy(connection->end, old->end, sizeof connection->end);
    connection->end[CLIENT].sequence += 64000 + draw_below(&generator->draw, 1 << 20);
    connection->end[SERVER].sequence += 64000 + draw_below(&generator->draw, 1 << 20);
    generator->reuses++;
}

static const struct script *draw_script(struct generator *generator, const struct script *scripts)
{
    uint32_t count = workload_count_scripts(scripts);
    return count == 0 ? scripts : &scripts[draw_below(&generator->draw, count)];
}

static uint32_t draw_rounds(struct generator *generator)
{
    uint32_t mean = generator->workload->rounds;
    if (mean == 0)
        return (uint32_t)generator->rounds;
    return mean == 1 ? 1 : 1 + (uint32_t)draw_wait(&generator->draw, mean - 1.0);
}
