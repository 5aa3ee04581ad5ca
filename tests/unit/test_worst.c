/* worst, sources: few of many are kept, the right ones, and the same whatever else comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../analyzer/base/hash.h"
#include "../../analyzer/host/sources.h"
#include "../../analyzer/host/worst.h"

static void offer(struct worst *worst, uint64_t flow_uid, int64_t first, int64_t second)
{
    struct worst_one one = {
        .flow_uid = flow_uid, .rank = {first, second}, .ref = {.packet = 1000 - flow_uid}};
    worst_offer(worst, &one);
}

static void assert_order(const struct worst *worst, const uint64_t *flow_uids, uint32_t count)
{
    assert_int_equal(worst->count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(worst->one[i].flow_uid, flow_uids[i]);
}

static void the_worst_stand_first(void **state)
{
    struct worst worst = {.count = 0};
    (void)state;
    offer(&worst, 1, 5, 0);
    offer(&worst, 2, 7, 0);
    offer(&worst, 3, 5, 9);
    offer(&worst, 4, 5, 0); /* its packet came before that of 1 */
    assert_order(&worst, (const uint64_t[]){2, 3, 4, 1}, 4);
    offer(&worst, 1, 8, 0); /* worse by now */
    assert_order(&worst, (const uint64_t[]){1, 2, 3, 4}, 4);
    assert_non_null(worst_find(&worst, 3));
    worst_forget(&worst, 3);
    worst_forget(&worst, 77);
    assert_null(worst_find(&worst, 3));
    assert_order(&worst, (const uint64_t[]){1, 2, 4}, 3);
}

static void without_room_the_least_gives_way(void **state)
{
    struct worst worst = {.count = 0};
    (void)state;
    for (uint64_t i = 1; i <= 3 * WORST_KEPT; i++)
        offer(&worst, i, (int64_t)(i * 7 % (3 * WORST_KEPT)), 0);
    assert_int_equal(worst.count, WORST_KEPT);
    for (uint32_t i = 0; i < WORST_KEPT; i++)
        assert_int_equal(worst.one[i].rank[0], 3 * WORST_KEPT - 1 - (int64_t)i);
    offer(&worst, 500, -1, 0);
    assert_null(worst_find(&worst, 500));
}

static void count_syns(struct sources *sources, uint32_t address, uint64_t packet)
{
    uint8_t octets[16] = {0};
    struct census_ref ref = {.packet = packet};
    uint64_t words[2];
    memcpy(octets, &address, sizeof(address));
    memcpy(words, octets, sizeof(words));
    sources_count(sources, octets, hash_identity(words, 2), &ref);
}

static uint32_t address_of(const struct sources *sources, int index)
{
    uint32_t address;
    memcpy(&address, sources->source[index].address, sizeof(address));
    return address;
}

/* One in five from one address, one in ten from another; the others come once each. */
static void sources_with_many_syns_are_found_among_forged_ones(void **state)
{
    enum { SYNS = 10000 };
    struct sources sources = {0};
    int index[WORST_TOLD];
    (void)state;
    for (uint32_t i = 1; i <= SYNS; i++)
        count_syns(&sources, i % 5 == 0 ? 1000001 : i % 10 == 1 ? 1000002 : i, i);
    assert_int_equal(sources_most(&sources, SYNS / 100, index), 2);
    assert_int_equal(address_of(&sources, index[0]), 1000001);
    assert_int_equal(address_of(&sources, index[1]), 1000002);
    assert_in_range(sources_least(&sources, index[0]), 1900, 2000);
    assert_in_range(sources_least(&sources, index[1]), 900, 1000);
    assert_int_equal(sources.source[index[0]].latest.packet, SYNS);
}

static void few_sources_are_counted_exactly(void **state)
{
    struct sources sources = {0};
    int index[WORST_TOLD];
    (void)state;
    for (uint32_t i = 0; i < 120; i++)
        count_syns(&sources, 1 + i % 15, i + 1);
    count_syns(&sources, 9, 121);
    assert_int_equal(sources_most(&sources, 1, index), WORST_TOLD);
    assert_int_equal(address_of(&sources, index[0]), 9);
    assert_int_equal(sources_least(&sources, index[0]), 9);
    for (int i = 1; i < WORST_TOLD; i++) {
        assert_int_equal(sources_least(&sources, index[i]), 8);
        assert_int_equal(address_of(&sources, index[i]), i); /* equals in the order of addresses */
    }
    assert_int_equal(sources_most(&sources, 9, index), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_stand_first),
        cmocka_unit_test(without_room_the_least_gives_way),
        cmocka_unit_test(sources_with_many_syns_are_found_among_forged_ones),
        cmocka_unit_test(few_sources_are_counted_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
