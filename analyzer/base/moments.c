/* moments: see moments.h. */
#include "moments.h"

void moments_add(struct moments *moments, nanotime t)
{
    bool known = moments->count > 0 && t <= moments->t[moments->count - 1];
    if (!known && moments->count < MOMENTS)
        moments->t[moments->count++] = t;
}

bool moments_between(const struct moments *moments, uint32_t count, nanotime from, nanotime to)
{
    uint32_t low = 0, high = count;
    while (low < high) { /* the first after `from` */
        uint32_t middle = low + (high - low) / 2;
        if (time_is_before(from, moments->t[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    if (low == MOMENTS) /* it may be one of those that found no room */
        return true;
    return low < count && !time_is_before(to, moments->t[low]);
}
