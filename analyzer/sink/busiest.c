/* busiest: see busiest.h. */
#include "busiest.h"

#include <inttypes.h>

#include "line.h"

enum { LABEL = 4 };

void busiest_add(struct busiest *busiest, const struct host_record *host)
{
    if (host->scope != HOST_PAIR || host->opened < BUSIEST_LEAST || busiest->count == BUSIEST_SHOWN)
        return;
    struct host_record *kept = &busiest->pair[busiest->count++];
    *kept = *host;
    kept->points = NULL;
    kept->point_count = 0;
}

/* "client closed first in 98 of 100" */
static void add_closers(struct line *line, const struct host_record *pair)
{
    uint64_t client = pair->by_initiator[INITIATOR_CLIENT];
    uint64_t server = pair->by_initiator[INITIATOR_SERVER];
    uint64_t all = client + server + pair->by_initiator[INITIATOR_BOTH];
    if (all == 0)
        return;
    bool mostly_client = client >= server;
    line_add(line, "; the %s closed first in %" PRIu64 " of %" PRIu64,
             mostly_client ? "client" : "server", mostly_client ? client : server, all);
}

static void add_stock(struct line *line, const char *state, const char *side,
                      const struct stock *stock)
{
    if (stock->most > 0)
        line_add(line, "; %s on the %s: %" PRIu64 " at the end, %" PRIu64 " at most", state, side,
                 stock->now, stock->most);
}

static void write_pair(const struct host_record *pair, struct prose *prose)
{
    struct line line = {.length = 0};
    line_add_address(&line, pair->ip_version, pair->source);
    line_add(&line, " -> ");
    line_add_address(&line, pair->ip_version, pair->destination);
    line_add(&line, " port %u: %" PRIu64 " connections, at most %" PRIu64 " in a second",
             pair->port, pair->opened, pair->opened_per_second_most);
    add_closers(&line, pair);
    add_stock(&line, "TIME_WAIT", "client", &pair->time_wait[CLIENT]);
    add_stock(&line, "TIME_WAIT", "server", &pair->time_wait[SERVER]);
    add_stock(&line, "CLOSE_WAIT", "client", &pair->close_wait[CLIENT]);
    add_stock(&line, "CLOSE_WAIT", "server", &pair->close_wait[SERVER]);
    if (pair->runs_out != NANOTIME_UNKNOWN) {
        line_add(&line, "; no port left in ");
        line_add_duration(&line, pair->runs_out);
    }
    prose_paragraph(prose, STYLE_PLAIN, "  -", LABEL, line.text);
}

void busiest_write(const struct busiest *busiest, struct prose *prose)
{
    if (busiest->count == 0)
        return;
    prose_blank_line(prose);
    prose_heading(prose, "Busiest");
    for (uint32_t i = 0; i < busiest->count; i++)
        write_pair(&busiest->pair[i], prose);
}
