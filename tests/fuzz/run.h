/*
 * run: packets through the analyzer, and what must hold of what comes out, whatever they were.
 *
 * The packets are analysed by one thread and then by several (or once more by one), each analyzer
 * with a hash key of its own.  Claimed: both write the same octets unless memory ran short, every
 * line is valid by the schema, every packet is counted once, connections stay within the memory
 * they may have, and there are no more events than so many a packet.
 */
#ifndef LASTACK_TESTS_RUN_H
#define LASTACK_TESTS_RUN_H

#include "../../analyzer/analyzer.h"

/* Captured packets, in memory that holds nothing else; every packet was allocated by itself. */
struct packets {
    struct analyzer_packet *packet; /* owned */
    size_t count, room;
};

/* Appends a copy of the packet and its octets. */
void packets_add(struct packets *packets, const struct analyzer_packet *packet);
void packets_clear(struct packets *packets);

struct run_options {
    struct config config;
    uint32_t threads; /* of the second run */
    uint32_t
        tick_every; /* of the second run: packets between ticks at the clock's own time; 0: none */
    uint32_t shift; /* of all sequence numbers, for run_claim_likeness; 0: it is not asked for */
    bool segments, transitions;
    bool parts;              /* a frame may hold several packets, which are counted one by one */
    bool schema;             /* look at every line */
    const char *const *taps; /* names; packets have their tap and number */
    uint32_t tap_count;      /* 0: there is one, without a name */
    bool untouched;          /* nothing happens between the taps, so no more is told than may be */
};

/* One run; what it wrote is the caller's to free.  *ret_lost: what memory had no room for. */
char *run(const struct run_options *options, uint32_t threads, uint32_t tick_every,
          const struct packets *packets, uint64_t *ret_lost);

/* Ends the program where they differ: says the line, and what stands there and a little before. */
void run_claim_same(const char *one, const char *other, const char *how);

/* Ends the program when one of the claims does not hold. */
void run_claim(const struct run_options *options, const struct packets *packets);

/*
 * Two captures of the same story in other sequence numbers: what is told of them differs in those
 * numbers alone, and in the identifiers that come of them.
 */
void run_claim_likeness(const struct run_options *options, const struct packets *packets,
                        const struct packets *shifted);

#endif
