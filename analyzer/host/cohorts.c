/* cohorts: see cohorts.h. */
#include "cohorts.h"

#include <stddef.h>
#include <string.h>

static const struct cohort *peek(const struct cohorts *cohorts, int64_t second)
{
    const struct cohort *cohort = &cohorts->second[(uint64_t)second % COHORTS];
    return cohorts->begun && cohort->second == second ? cohort : NULL;
}

struct cohort *cohorts_make(struct cohorts *cohorts, nanotime t)
{
    int64_t second = time_second_of(t);
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

void cohort_answer(struct cohort *cohort, nanotime t)
{
    uint32_t within = time_within_second(t);
    if (cohort->answered == 0 || within < cohort->answer_first)
        cohort->answer_first = within;
    if (cohort->answered == 0 || within > cohort->answer_last)
        cohort->answer_last = within;
    cohort->answered++;
}

bool cohorts_answered(const struct cohorts *cohorts, nanotime first, nanotime last)
{
    uint32_t from = time_within_second(first), to = time_within_second(last);
    int64_t begin = time_second_of(first), end = time_second_of(last);
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
    int64_t last = time_second_of(t);
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
