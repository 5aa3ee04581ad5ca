/* cohorts: see cohorts.h. */
#include "cohorts.h"

#include <stddef.h>
#include <string.h>

/* The second that t falls into, and how far in it is. */
static int64_t split(nanotime t, uint32_t *ret_within)
{
    int64_t second = t / NANO_PER_SECOND, within = t % NANO_PER_SECOND;
    if (within < 0) {
        second--;
        within += NANO_PER_SECOND;
    }
    *ret_within = (uint32_t)within;
    return second;
}

static const struct cohort *peek(const struct cohorts *cohorts, int64_t second)
{
    const struct cohort *cohort = &cohorts->second[(uint64_t)second % COHORTS];
    return cohorts->begun && cohort->second == second ? cohort : NULL;
}

struct cohort *cohorts_at(struct cohorts *cohorts, nanotime t)
{
    uint32_t within;
    int64_t second = split(t, &within);
    if (!cohorts->begun || second > cohorts->newest)
        cohorts->newest = second;
    if (cohorts->newest - second >= COHORTS)
        return NULL;
    struct cohort *cohort = &cohorts->second[(uint64_t)second % COHORTS];
    if (!cohorts->begun || cohort->second != second)
        *cohort = (struct cohort){.second = second};
    cohorts->begun = true;
    return cohort;
}

void cohorts_fetch(const struct cohorts *cohorts, nanotime t)
{
    uint32_t within;
    __builtin_prefetch(&cohorts->second[(uint64_t)split(t, &within) % COHORTS]);
    __builtin_prefetch(&cohorts->newest);
}

void cohorts_answer(struct cohorts *cohorts, nanotime t)
{
    uint32_t within;
    split(t, &within);
    struct cohort *cohort = cohorts_at(cohorts, t);
    if (cohort == NULL)
        return;
    if (cohort->answered == 0 || within < cohort->answer_first)
        cohort->answer_first = within;
    if (cohort->answered == 0 || within > cohort->answer_last)
        cohort->answer_last = within;
    cohort->answered++;
}

bool cohorts_answered(const struct cohorts *cohorts, nanotime first, nanotime last)
{
    uint32_t from, to;
    int64_t begin = split(first, &from), end = split(last, &to);
    for (int64_t second = begin; second <= end; second++) {
        const struct cohort *cohort = peek(cohorts, second);
        if (cohort == NULL || cohort->answered == 0)
            continue;
        bool early = second == begin && cohort->answer_last < from;
        bool late = second == end && cohort->answer_first > to;
        if (!early && !late)
            return true;
    }
    return false;
}

struct cohort cohorts_sum(const struct cohorts *cohorts, nanotime t, int seconds)
{
    uint32_t within;
    int64_t last = split(t, &within);
    struct cohort sum = {.second = last};
    for (int64_t second = last - seconds + 1; second <= last; second++) {
        const struct cohort *cohort = peek(cohorts, second);
        if (cohort == NULL)
            continue;
        sum.opened += cohort->opened;
        sum.answered += cohort->answered;
        sum.established += cohort->established;
    }
    return sum;
}
