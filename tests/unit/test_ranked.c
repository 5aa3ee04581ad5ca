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

static void assert_sorts(struct ranked *items, size_t count)
{
    static struct ranked wanted[MOST];
    memcpy(wanted, items, count * sizeof(items[0]));
    qsort(wanted, count, sizeof(wanted[0]), by_number_and_tie);
    ranked_sort(items, count);
    assert_memory_equal(items, wanted, count * sizeof(items[0]));
}

static void check(size_t count, uint64_t numbers)
{
    static struct ranked items[MOST];
    uint64_t seed = count * 31 + numbers;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = numbers == 0 ? draw(&seed) << 20 | draw(&seed) : draw(&seed) % numbers;
        items[i] = (struct ranked){number, draw(&seed), &items[i]};
    }
    assert_sorts(items, count);
}

/* In order but for one, which stands elsewhere or is another's equal. */
static void check_risen(size_t count, size_t odd, uint64_t number)
{
    static struct ranked items[MOST];
    uint64_t seed = count + odd;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct ranked){10 + 2 * i, draw(&seed), &items[i]};
    if (odd < count)
        items[odd].number = number;
    assert_sorts(items, count);
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

static void sorts_what_is_sorted_but_for_one(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 2047, 2049, MOST};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t last = counts[i] - 1;
        check_risen(counts[i], counts[i], 0);
        check_risen(counts[i], last, 1);
        check_risen(counts[i], last, 10 + 2 * (last / 2));
        check_risen(counts[i], 0, UINT64_C(1) << 40);
        check_risen(counts[i], last / 2, 12 + 2 * (last / 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_as_qsort_does),
        cmocka_unit_test(sorts_what_is_sorted_but_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
