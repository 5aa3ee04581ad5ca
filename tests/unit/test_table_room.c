/*
 * table_room: what is in the table's index is found, and nothing else, while it grows, where it
 * stands and elsewhere; many with homes close together, at the end of the slots, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../analyzer/flow/table.h"

enum {
    MOST = 400000,
    CHECKED = 40000,
    CLOSE = 499 /* one of so many has its home among the last few slots, whatever their number */
};

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 24;
}

static uint64_t draw_hash(uint64_t *seed)
{
    uint64_t tag = draw(seed) & UINT32_MAX;
    if (tag % CLOSE == 0)
        tag |= 0xfffff0;
    return tag << 32;
}

/* Whether all of them are where their homes lead to, and as many slots are taken as there are. */
static void check(const struct flow_table *table, const uint64_t *hash, uint32_t count)
{
    uint32_t taken = 0, found = 0;
    for (uint32_t i = 0; i <= table->mask; i++)
        taken += table->slot[i].index != 0;
    assert_int_equal(taken, table->count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = flow_table_tag(hash[i]) & table->mask;
        while (table->slot[at].index != 0 && table->slot[at].index != i + 1)
            at = (at + 1) & table->mask;
        found += hash[i] != UINT64_MAX && table->slot[at].index == i + 1 &&
                 table->slot[at].tag == flow_table_tag(hash[i]);
    }
    assert_int_equal(found, table->count);
}

/* One enters, and now and then an earlier one leaves. */
static void step(struct flow_table *table, uint64_t *hash, uint32_t i, uint64_t *seed)
{
    const uint32_t earlier = (uint32_t)(draw(seed) % (i + 1));
    hash[i] = draw_hash(seed);
    assert_true(flow_table_make_slot(table));
    flow_table_enter(table, hash[i], i + 1);
    if (draw(seed) % 16 != 0 || hash[earlier] == UINT64_MAX)
        return;
    flow_table_leave(table, hash[earlier], earlier + 1);
    hash[earlier] = UINT64_MAX;
}

static void test_growing(void **state)
{
    (void)state;
    struct flow_table table;
    static uint64_t hash[MOST];
    uint64_t seed = 1;
    uint32_t stood = 0;
    assert_true(flow_table_init(&table));
    for (uint32_t i = 0; i < MOST; i++) {
        const struct table_slot *before = table.slot;
        const uint32_t mask = table.mask;
        step(&table, hash, i, &seed);
        stood += table.mask != mask && table.slot == before;
        if (table.mask != mask || i % CHECKED == 0)
            check(&table, hash, i + 1);
    }
    check(&table, hash, MOST);
    assert_int_equal(stood, 4); /* 2^16 slots become 2^20 */
    assert_true(flow_table_make_room(&table, UINT64_C(1) << 23));
    assert_int_equal(table.mask, (1 << 23) - 1);
    check(&table, hash, MOST);
    flow_table_clear(&table, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_growing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
