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
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "arguments.h"
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
    double think;    /* ns, on average */
    uint64_t rounds; /* of each connection, when the workload does not say */
    uint64_t begun;  /* connections */
    uint32_t live, most_live, capacity;
    struct connection *connections;     /* `capacity` of them */
    uint32_t *unused;                   /* the free ones' numbers; capacity - live of them */
    struct turn *turns;                 /* a binary heap, the earliest first; `live` of them */
    struct connection retired[RETIRED]; /* the last that closed, a ring */
    uint64_t retirements, reuses;       /* put into the ring so far; taken or passed over */
    uint64_t reused;                    /* connections that took a tuple from it */
    uint32_t first_tuple;
};

static const uint16_t server_ports[] = {443, 443, 80, 22, 25, 993, 5432, 8080};

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
    if (generator->workload->spoofed)
        client->address = tuple;
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
    if (generator->retirements - generator->reuses > RETIRED)
        generator->reuses = generator->retirements - RETIRED;
    const struct connection *old = &generator->retired[generator->reuses++ % RETIRED];
    memcpy(connection->end, old->end, sizeof connection->end);
    connection->end[CLIENT].sequence += 64000 + draw_below(&generator->draw, 1 << 20);
    connection->end[SERVER].sequence += 64000 + draw_below(&generator->draw, 1 << 20);
    generator->reused++;
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
    if (generator->workload->tail)
        return draw_tail(&generator->draw);
    return mean == 1 ? 1 : 1 + (uint32_t)draw_wait(&generator->draw, mean - 0.5);
}

static void draw_connection(struct generator *generator, struct connection *connection)
{
    const struct workload *workload = generator->workload;
    bool reuses = generator->retirements > generator->reuses &&
                  draw_below(&generator->draw, 100) < generator->amounts.reuse;
    memset(connection, 0, sizeof *connection);
    connection->rounds = draw_rounds(generator);
    connection->body = draw_script(generator, workload->bodies);
    connection->closing = draw_script(generator, workload->closings);
    if (reuses) {
        reuse_tuple(generator, connection);
        return;
    }
    draw_tuple(generator, connection);
    draw_end(generator, &connection->end[CLIENT]);
    draw_end(generator, &connection->end[SERVER]);
}

static const struct script *current_script(const struct generator *generator,
                                           const struct connection *connection)
{
    switch (connection->stage) {
    case OPENING:
        return generator->workload->opening;
    case BODY:
        return connection->body;
    case CLOSING:
        return connection->closing;
    case OVER:
        break;
    }
    return NULL;
}

/* Moves on to the next step there is; the stage is OVER when there is none. */
static void advance(const struct generator *generator, struct connection *connection)
{
    connection->step++;
    while (connection->stage != OVER &&
           connection->step >= current_script(generator, connection)->steps) {
        connection->step = 0;
        if (connection->stage == BODY && connection->rounds > 1)
            connection->rounds--;
        else
            connection->stage++;
    }
}

static uint32_t draw_payload(struct generator *generator, enum payload payload)
{
    const struct workload *workload = generator->workload;
    if (payload == NOTHING)
        return 0;
    if (generator->amounts.payload > 0)
        return (uint32_t)generator->amounts.payload;
    const uint16_t *sizes = payload == REQUEST ? workload->request : workload->response;
    return sizes[draw_below(&generator->draw, SIZES)];
}

static int64_t draw_step_wait(struct generator *generator, enum wait wait)
{
    int64_t wire = generator->workload->wire;
    if (wait == THINK)
        return draw_wait(&generator->draw, generator->think);
    return wire / 2 + (int64_t)((double)wire * (draw_below(&generator->draw, 1000) / 1000.0));
}

/* ---- the whole capture */

static bool grow(struct generator *generator)
{
    uint32_t capacity = generator->capacity == 0 ? 1024 : generator->capacity * 2;
    struct connection *connections =
        realloc(generator->connections, capacity * sizeof *connections);
    if (connections != NULL)
        generator->connections = connections;
    uint32_t *unused = realloc(generator->unused, capacity * sizeof *unused);
    if (unused != NULL)
        generator->unused = unused;
    struct turn *turns = realloc(generator->turns, capacity * sizeof *turns);
    if (turns != NULL)
        generator->turns = turns;
    if (connections == NULL || unused == NULL || turns == NULL)
        return false;
    for (uint32_t i = generator->capacity; i < capacity; i++)
        unused[i - generator->capacity] = i;
    generator->capacity = capacity;
    return true;
}

static bool begin_connection(struct generator *generator, int64_t time)
{
    if (generator->live == generator->capacity && !grow(generator))
        return false;
    uint32_t number = generator->unused[generator->capacity - generator->live - 1];
    draw_connection(generator, &generator->connections[number]);
    generator->begun++;
    turn_push(generator, (struct turn){time, number});
    if (generator->live > generator->most_live)
        generator->most_live = generator->live;
    return true;
}

static void end_connection(struct generator *generator, uint32_t number)
{
    generator->retired[generator->retirements++ % RETIRED] = generator->connections[number];
    turn_drop_first(generator);
    generator->unused[generator->capacity - generator->live - 1] = number;
}

/* Sends the segment whose turn it is and gives its connection the next turn. */
static void take_turn(struct generator *generator)
{
    struct turn turn = generator->turns[0];
    struct connection *connection = &generator->connections[turn.connection];
    const struct step *step = &current_script(generator, connection)->step[connection->step];
    struct frame_end *from = &connection->end[step->from];
    const struct frame_end *to = &connection->end[step->from == CLIENT ? SERVER : CLIENT];
    frame_write(&generator->writer, turn.time, from, to, step->flags,
                draw_payload(generator, step->payload));
    advance(generator, connection);
    if (connection->stage == OVER) {
        end_connection(generator, turn.connection);
        return;
    }
    step = &current_script(generator, connection)->step[connection->step];
    turn.time += draw_step_wait(generator, step->wait);
    turn_replace_first(generator, turn);
}

/* Returns false when memory or the file is at its end. */
static bool generate(struct generator *generator)
{
    const struct amounts *amounts = &generator->amounts;
    double gap = (double)amounts->span * NANO_PER_SECOND / (double)amounts->connections;
    int64_t next = beginning;
    while (generator->begun < amounts->connections || generator->live > 0) {
        bool is_begin = generator->begun < amounts->connections &&
                        (generator->live == 0 || next <= generator->turns[0].time);
        if (!is_begin) {
            take_turn(generator);
            continue;
        }
        if (!begin_connection(generator, next))
            return false;
        next += draw_wait(&generator->draw, gap);
    }
    return fflush(generator->writer.file) == 0 && !ferror(generator->writer.file);
}

/* How long to think, and how many rounds there are, so that the amounts come out. */
static void plan(struct generator *generator)
{
    const struct workload *workload = generator->workload;
    const struct amounts *amounts = &generator->amounts;
    double life = (double)amounts->span * NANO_PER_SECOND * (double)amounts->live /
                  (double)amounts->connections;
    uint32_t thinks = 1; /* before the closing */
    for (uint32_t i = 0; i < workload->bodies[0].steps; i++)
        thinks += (workload->bodies[0].step[i].wait == THINK) * workload->rounds;
    generator->think = life / thinks;
    uint64_t each = amounts->packets / amounts->connections;
    uint64_t ends = workload->opening->steps + workload->closings[0].steps;
    if (each > ends && workload->bodies[0].steps > 0)
        generator->rounds = (each - ends) / workload->bodies[0].steps;
}

static void say_what_was_made(const struct generator *generator)
{
    const struct generator *g = generator;
    fprintf(stderr,
            "workload=%s seed=%" PRIu64 " connections=%" PRIu64 " reused=%" PRIu64 " live=%" PRIu32
            " packets=%" PRIu64 " octets=%" PRIu64 "\n",
            g->workload->name, g->amounts.seed, g->begun, g->reused, g->most_live,
            g->writer.packets, g->writer.octets);
}

static int generate_to(const struct arguments *arguments, FILE *file)
{
    struct generator *generator = calloc(1, sizeof *generator);
    if (generator == NULL)
        return 1;
    setvbuf(file, NULL, _IOFBF, BUFFER_SIZE);
    generator->workload = arguments->workload;
    generator->amounts = arguments->amounts;
    while (generator->amounts.seed == 0)
        if (getrandom(&generator->amounts.seed, 4, 0) != 4)
            break;
    generator->draw.state = generator->amounts.seed;
    generator->first_tuple = (uint32_t)draw_word(&generator->draw);
    frame_begin(&generator->writer, file, (uint32_t)arguments->amounts.snaplen);
    plan(generator);
    bool complete = generate(generator);
    if (complete)
        say_what_was_made(generator);
    else
        perror("generate");
    free(generator->connections);
    free(generator->unused);
    free(generator->turns);
    free(generator);
    return complete ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (!arguments_read(argc, argv, &arguments))
        return 2;
    if (arguments.file == NULL)
        return generate_to(&arguments, stdout);
    FILE *file = fopen(arguments.file, "wb");
    if (file == NULL) {
        perror(arguments.file);
        return 1;
    }
    int result = generate_to(&arguments, file);
    return fclose(file) == 0 ? result : 1;
}
