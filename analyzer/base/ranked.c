/* ranked: see ranked.h. */
#include "ranked.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, NUMBER_BITS = 64 };

static int compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->tie < y->tie ? -1 : x->tie > y->tie;
}

static size_t digit_of(const struct ranked *item, uint32_t shift)
{
    return (item->number >> shift) & (DIGITS - 1);
}

/* Writes the items in the order of one digit; those of the same digit stay as they stand. */
static void sort_digit(const struct ranked *from, struct ranked *to, size_t count, uint32_t shift)
{
    size_t place[DIGITS + 1] = {0}; /* where the next one of a digit goes */
    for (size_t i = 0; i < count; i++)
        place[digit_of(&from[i], shift) + 1]++;
    for (size_t digit = 0; digit < DIGITS; digit++)
        place[digit + 1] += place[digit];
    for (size_t i = 0; i < count; i++)
        to[place[digit_of(&from[i], shift)]++] = from[i];
}

/* Puts each run of equal numbers into the order of their ties. */
static void sort_ties(struct ranked *items, size_t count)
{
    size_t first = 0;
    for (size_t i = 1; i <= count; i++) {
        if (i < count && items[i].number == items[first].number)
            continue;
        if (i - first > 1)
            qsort(items + first, i - first, sizeof(*items), compare);
        first = i;
    }
}

void ranked_sort(struct ranked *items, size_t count)
{
    uint64_t bits = 0; /* that any number has */
    bool rising = true;
    for (size_t i = 0; i < count; i++) {
        bits |= items[i].number;
        rising &= i == 0 || items[i - 1].number < items[i].number;
    }
    if (rising) /* as what was never given up stands in memory */
        return;
    struct ranked *other = count < DIGITS ? NULL : malloc(count * sizeof(*other));
    if (other == NULL) { /* or few: an array of digits costs more */
        if (count > 1)
            qsort(items, count, sizeof(*items), compare);
        return;
    }
    struct ranked *from = items, *to = other;
    for (uint32_t shift = 0; shift < NUMBER_BITS && bits >> shift != 0; shift += DIGIT_BITS) {
        sort_digit(from, to, count, shift);
        struct ranked *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != items)
        memcpy(items, from, count * sizeof(*items));
    free(other);
    sort_ties(items, count);
}
