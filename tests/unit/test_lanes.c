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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mask_comes_back),
        cmocka_unit_test(both_ways_write_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
