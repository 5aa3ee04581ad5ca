/* ranked: sorts as qsort(3) does, with many equal numbers, few, and any size of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../analyzer/base/ranked.h"

enum { MOST = 20000 };

static int by_number_and_tie(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->tie < y->tie ? -1 : x->tie > y->tie;
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 20;
}

static void check(size_t count, uint64_t numbers)
{
    static struct ranked items[MOST], wanted[MOST];
    uint64_t seed = count * 31 + numbers;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = numbers == 0 ? draw(&seed) << 20 | draw(&seed) : draw(&seed) % numbers;
        items[i] = (struct ranked){number, draw(&seed), &items[i]};
    }
    memcpy(wanted, items, sizeof(items));
    qsort(wanted, count, sizeof(wanted[0]), by_number_and_tie);
    ranked_sort(items, count);
    assert_memory_equal(items, wanted, count * sizeof(items[0]));
}

static void sorts_as_qsort_does(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 100, 2047, 2048, 2049, MOST};
    static const uint64_t numbers[] = {1, 3, 1000, 1 << 11, 1 << 22, 100000000, 0};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++)
            check(counts[i], numbers[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_as_qsort_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
