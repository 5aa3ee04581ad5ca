/* The agenda gives its entries in the order of time and key, however adding and taking alternate,
 * and whether they come in order, delay by delay, or in none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../analyzer/base/agenda.h"

enum { ROUNDS = 60, STEPS = 3000 };

struct wanted {
    struct agenda_entry entry[STEPS];
    size_t count;
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static size_t earliest_of(const struct wanted *wanted)
{
    size_t found = 0;
    for (size_t i = 1; i < wanted->count; i++) {
        const struct agenda_entry *a = &wanted->entry[i], *b = &wanted->entry[found];
        if (a->due < b->due || (a->due == b->due && a->key < b->key))
            found = i;
    }
    return found;
}

static void take_one(struct agenda *agenda, struct wanted *wanted)
{
    size_t place = earliest_of(wanted);
    struct agenda_entry expected = wanted->entry[place];
    assert_true(agenda_is_due(agenda, expected.due));
    assert_false(agenda_is_due(agenda, expected.due - 1));
    const struct agenda_entry *first = agenda_look_ahead(agenda, 0);
    assert_true(first == NULL || first->key == expected.key);
    struct agenda_entry taken = agenda_take(agenda);
    assert_int_equal(taken.due, expected.due);
    assert_int_equal(taken.key, expected.key);
    assert_int_equal(taken.index, expected.index);
    wanted->entry[place] = wanted->entry[--wanted->count];
}

/* So long after now: as the delays of the engine are, a few of them, or any. */
static nanotime draw_delay(uint64_t *seed, int delays)
{
    if (draw(seed, 20) == 0)
        return draw(seed, 5000);
    return 100 * (1 + (nanotime)draw(seed, (uint32_t)delays));
}

static void check(uint64_t seed)
{
    static struct wanted wanted;
    struct agenda agenda = {0};
    nanotime now = -1000;
    int delays = 1 + (int)draw(&seed, 7);
    wanted.count = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        now += draw(&seed, 4);
        bool grows = step / 500 % 2 == 0;
        if (wanted.count == 0 || draw(&seed, 5) < (grows ? 4u : 1u)) {
            struct agenda_entry entry = {now + draw_delay(&seed, delays), /* a key of its own */
                                         (uint64_t)draw(&seed, 8) << 32 | step, step};
            assert_true(
                agenda_add(&agenda, (struct agenda_rank){entry.due, entry.key}, entry.index));
            wanted.entry[wanted.count++] = entry;
        } else {
            take_one(&agenda, &wanted);
        }
        assert_int_equal(agenda.count, wanted.count);
    }
    uint64_t sum = 0;
    struct agenda_place place = {0};
    for (size_t i = 0; i < wanted.count; i++) {
        const struct agenda_entry *next = agenda_next(&agenda, &place);
        assert_non_null(next);
        sum += next->key - wanted.entry[i].key;
    }
    assert_null(agenda_next(&agenda, &place));
    assert_true(sum == 0);
    while (wanted.count > 0)
        take_one(&agenda, &wanted);
    assert_false(agenda_is_due(&agenda, INT64_MAX));
    agenda_clear(&agenda);
}

static void entries_come_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        check(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
