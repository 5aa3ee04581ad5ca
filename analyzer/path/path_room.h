/*
 * path_room: what the memory that several taps may take is shared out to (--max-memory).
 *
 * The engine gets half, of which each of its tuples takes what is gathered beside it (`each`), or a
 * third where there are several pairs; of the rest the pairs get most, for the connections and
 * segments they hold, and what ended and is not written yet has a sixth.
 */
#ifndef LASTACK_PATH_PATH_ROOM_H
#define LASTACK_PATH_PATH_ROOM_H

#include <stdint.h>

#include "../config.h"

struct path_room {
    uint64_t engine;    /* octets that the first tap's engine may hold */
    uint64_t each;      /* octets of these that count for every tuple of it */
    uint32_t joints;    /* connections that a pair knows */
    uint32_t pasts;     /* of these, such that it remembers arrivals of */
    uint32_t lones;     /* segments that it holds */
    uint32_t arrivals;  /* that a pair remembers; a power of two */
    uint32_t hearings;  /* records that wait to be heard */
    uint32_t ended;     /* connections that ended and are not written */
    uint32_t unclaimed; /* crossings of further taps whose connection is not known */
    uint32_t untold;    /* crossings of a pair of such that the first tap has not come to */
    uint32_t segments;  /* segment records that wait */
};

/* Octets that are taken whatever comes, segments: with records of them. */
uint64_t path_room_fixed(const struct config *config, uint32_t taps, bool segments);

/* Shares out that many octets, beside those. */
struct path_room path_room_share(const struct config *config, uint32_t taps, uint64_t octets);

#endif
