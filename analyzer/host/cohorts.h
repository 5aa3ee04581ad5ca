/*
 * cohorts: what became of the SYNs of each of the last seconds, for one service.
 */
#ifndef LASTACK_HOST_COHORTS_H
#define LASTACK_HOST_COHORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"

enum { COHORTS = 64 }; /* seconds remembered */

/* The SYNs of one second. */
struct cohort {
    int64_t second; /* since the epoch */
    uint32_t opened, answered, established;
    uint32_t answer_first, answer_last; /* ns within the second of SYNs that were answered */
};

struct cohorts {
    struct cohort second[COHORTS];
    uint32_t index; /* its own slot in the census's pool */
    int64_t newest;
    bool begun;
};

/* The cohort of a SYN that passed at t; NULL: so long ago that it is not remembered.  The first is
 * for one that may not be there yet. */
struct cohort *cohorts_make(struct cohorts *cohorts, nanotime t);

static inline struct cohort *cohorts_at(struct cohorts *cohorts, nanotime t)
{
    int64_t second = time_second_of(t);
    struct cohort *cohort = &cohorts->second[(uint64_t)second % COHORTS];
    bool known = cohorts->begun && cohort->second == second && cohorts->newest - second < COHORTS;
    return known ? cohort : cohorts_make(cohorts, t);
}

/* Asks for what cohorts_at() looks at. */
static inline __attribute__((always_inline)) void cohorts_ask(const struct cohorts *cohorts,
                                                              nanotime t)
{
    __builtin_prefetch(&cohorts->second[(uint64_t)time_second_of(t) % COHORTS]);
    __builtin_prefetch(&cohorts->newest);
}

/* Notes that one of its SYNs, that of moment t, was answered. */
void cohort_answer(struct cohort *cohort, nanotime t);

/* Whether a SYN that passed from `first` to `last` was answered. */
bool cohorts_answered(const struct cohorts *cohorts, nanotime first, nanotime last);

/* What became of the SYNs of `seconds` seconds, the last of them the one that t falls into. */
struct cohort cohorts_sum(const struct cohorts *cohorts, nanotime t, int seconds);

#endif
