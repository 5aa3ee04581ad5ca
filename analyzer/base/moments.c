/* moments: see moments.h. */
#include "moments.h"

void moments_add(struct moments *moments, nanotime from, nanotime until, nanotime told)
{
    bool known = moments->count > 0 && until <= moments->until[moments->count - 1];
    if (known || moments->count == MOMENTS)
        return;
    if (moments->count > 0)
        from = time_later_of(from, moments->from[moments->count - 1]);
    moments->from[moments->count] = time_earlier_of(from, until);
    moments->told[moments->count] = told;
    moments->until[moments->count++] = until;
}

uint32_t moments_told_before(const struct moments *moments, uint32_t count, nanotime time)
{
    while (count > 0 && !time_is_before(moments->told[count - 1], time))
        count--; /* of what was told since, there is little */
    return count;
}

bool moments_between(const struct moments *moments, uint32_t count, nanotime from, nanotime to)
{
    uint32_t low = 0, high = count;
    while (low < high) { /* the first that ends after `from` */
        uint32_t middle = low + (high - low) / 2;
        if (time_is_before(from, moments->until[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    if (low == MOMENTS) /* it may be one of those that found no room */
        return true;
    return low < count && !time_is_before(to, moments->from[low]);
}
