/*
 * problems: events grouped by what a person would call one problem: the same event id between the
 * same client address and the same service (destination address and port).
 *
 * The number of groups is capped; an event of a group that finds no room is counted.  The index
 * uses a plain hash: what hostile traffic can do to it is bounded by the cap.
 */
#ifndef LASTACK_SINK_PROBLEMS_H
#define LASTACK_SINK_PROBLEMS_H

#include "../base/carry.h"
#include "../base/status.h"
#include "../event/record.h"

/* Compared as octets: zeroed before it is filled. */
struct problem_key {
    uint8_t source[16], destination[16]; /* network order, IPv4 in the first four octets */
    uint32_t id;                         /* enum event_id */
    uint16_t port;
    uint16_t ip_version;
};

struct problem {
    struct problem_key key;
    enum level level;           /* the highest */
    enum confidence confidence; /* the highest at that level */
    uint64_t count;
    nanotime first, last;
    char *example; /* set by the sink in its own format; owned by problems */
};

struct problems;

/* At most limit groups, and never over a million.  NULL when out of memory. */
struct problems *problems_new(uint32_t limit);

/* Counts an event.  Returns its group when the event should become the example there, else NULL. */
struct problem *problems_add(struct problems *problems, const struct event_record *event);

/* Replaces the example with a copy of text (length octets). */
enum status problem_set_example(struct problem *problem, const char *text, size_t length);

/* Sorts the groups, worst first: level, count, then the earliest; nothing is added afterwards. */
const struct problem *problems_sort(struct problems *problems, uint32_t *ret_count);

/* Copies the worst, at most room, in the same order; more may be added.  Returns how many. */
uint32_t problems_worst(const struct problems *problems, struct problem *ret_worst, uint32_t room);

/*
 * Writes the groups, or fills problems that have none yet.  What is read of an example must be what
 * is_example says that this sink writes.
 */
void problems_carry(struct carry *carry, struct problems *problems,
                    bool (*is_example)(const char *text));

uint32_t problems_count(const struct problems *problems);

/* Events that found no room. */
uint64_t problems_left_out(const struct problems *problems);

void problems_free(struct problems *problems); /* accepts NULL */

#endif
