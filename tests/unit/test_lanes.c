/* lanes: every mask packs and comes back, with and without vectors, and both write the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../analyzer/base/lanes.h"

enum { MASKS = 256, LANES = 8, LANE = 4 };

/* A group for each mask, in an order in which neighbours differ; its lanes are all different. */
static void fill(uint32_t lane[MASKS][LANES])
{
    memset(lane, 0, sizeof(uint32_t[MASKS][LANES]));
    for (unsigned group = 0; group < MASKS; group++) {
        unsigned mask = group * 37 & 0xff;
        for (unsigned i = 0; i < LANES; i++) {
            if ((mask >> i & 1) != 0)
                lane[group][i] = 1 + (group * LANES + i) * UINT32_C(2654435761);
        }
    }
}

static size_t pack(bool vectors, uint8_t packed[LANES_MOST(MASKS)])
{
    struct lanes_table table;
    uint32_t lane[MASKS][LANES], back[MASKS][LANES];
    lanes_init(&table);
    table.vectors &= vectors;
    fill(lane);
    memset(packed, 0, LANES_MOST(MASKS));
    memset(back, 0xa5, sizeof(back));
    size_t octets = lanes_pack(&table, lane, MASKS, packed);
    assert_int_equal(lanes_unpack(&table, packed, MASKS, back), octets);
    assert_memory_equal(lane, back, sizeof(lane));
    return octets;
}

static void every_mask_comes_back(void **state)
{
    (void)state;
    uint8_t packed[LANES_MOST(MASKS)];
    assert_int_equal(pack(false, packed), MASKS + MASKS * LANES / 2 * LANE);
    pack(true, packed);
}

static void both_ways_write_the_same(void **state)
{
    (void)state;
    uint8_t plain[LANES_MOST(MASKS)], vectors[LANES_MOST(MASKS)];
    size_t octets = pack(false, plain);
    assert_int_equal(pack(true, vectors), octets);
    assert_memory_equal(plain, vectors, octets);
}

/* Rounds of which nothing is left, and at the end no whole round. */
static void what_is_zero_for_long_comes_back(void **state)
{
    enum { FIRST = 30, BEHIND = 50, GROUPS = MASKS - 3 };
    uint32_t lane[MASKS][LANES], back[MASKS][LANES];
    uint8_t packed[2][LANES_MOST(MASKS)];
    size_t octets[2];
    (void)state;
    fill(lane);
    memset(lane[FIRST], 0, (BEHIND - FIRST) * sizeof(lane[0]));
    memset(packed, 0, sizeof(packed));
    for (int vectors = 0; vectors < 2; vectors++) {
        struct lanes_table table;
        lanes_init(&table);
        table.vectors &= vectors != 0;
        octets[vectors] = lanes_pack(&table, lane, GROUPS, packed[vectors]);
        memset(back, 0xa5, sizeof(back));
        assert_int_equal(lanes_unpack(&table, packed[vectors], GROUPS, back), octets[vectors]);
        assert_memory_equal(lane, back, GROUPS * sizeof(lane[0]));
    }
    assert_int_equal(octets[0], octets[1]);
    assert_memory_equal(packed[0], packed[1], octets[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mask_comes_back),
        cmocka_unit_test(both_ways_write_the_same),
        cmocka_unit_test(what_is_zero_for_long_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
