/*
 * slots: what is put into a slot of a pool, or of berths, stands there until the slot is given
 * back, and no slot is given out twice: with few slots and with so many that they stand in large
 * pages, while they become fewer and more again, and while berths move together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../analyzer/base/berths.h"
#include "../../analyzer/base/pool.h"

enum { MOST = 40000, ROUNDS = 6, OCTETS = 200 };

/* Who stands where; index 0: not anywhere. */
struct guests {
    uint32_t index[MOST];
    uint64_t seed;
};

/* What a guest leaves in its slot: its number first, which tells who moves. */
struct luggage {
    uint32_t guest;
    unsigned char octets[OCTETS - sizeof(uint32_t)];
};

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 20;
}

static void put(void *slot, uint32_t guest)
{
    struct luggage luggage = {.guest = guest};
    memset(luggage.octets, (int)(guest * 7 + 1) & 0xff, sizeof(luggage.octets));
    memcpy(slot, &luggage, sizeof(luggage));
}

static void assert_is_there(const void *slot, uint32_t guest)
{
    struct luggage wanted;
    put(&wanted, guest);
    assert_memory_equal(slot, &wanted, sizeof(wanted));
}

static void moved(void *context, void *slot, uint32_t index)
{
    struct guests *guests = context;
    struct luggage luggage;
    memcpy(&luggage, slot, sizeof(luggage));
    assert_in_range(luggage.guest, 0, MOST - 1);
    assert_int_not_equal(guests->index[luggage.guest], index);
    guests->index[luggage.guest] = index;
}

static void lodge(struct berths *berths, struct guests *guests, uint32_t guest, bool comes)
{
    uint32_t *index = &guests->index[guest];
    if (comes && *index == 0) {
        *index = berths_take(berths);
        assert_int_not_equal(*index, 0);
        put(berths_at(berths, *index), guest);
    } else if (!comes && *index != 0) {
        assert_is_there(berths_at(berths, *index), guest);
        berths_give(berths, *index);
        *index = 0;
    }
    while (berths_are_wide(berths))
        berths_draw_in(berths, moved, guests);
}

static void berths_keep_what_stands_in_them(void **state)
{
    (void)state;
    struct guests *guests = calloc(1, sizeof(*guests));
    assert_non_null(guests);
    struct berths berths;
    berths_init(&berths, OCTETS);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t most = round % 2 == 0 ? 90 : 2 + (uint64_t)round; /* of a hundred */
        for (int i = 0; i < 3 * MOST; i++)
            lodge(&berths, guests, (uint32_t)(draw(&guests->seed) % MOST),
                  draw(&guests->seed) % 100 < most);
        uint64_t there = 0;
        for (uint32_t guest = 0; guest < MOST; guest++) {
            if (guests->index[guest] == 0)
                continue;
            assert_is_there(berths_at(&berths, guests->index[guest]), guest);
            there++;
        }
        assert_int_equal(there, berths.taken);
        assert_true(berths.next <= there + there / 16 + 3 * BERTHS_SLAB_SLOTS);
    }
    berths_clear(&berths);
    free(guests);
}

static void pools_keep_what_stands_in_them(void **state)
{
    (void)state;
    static const unsigned char clear[OCTETS];
    struct guests *guests = calloc(1, sizeof(*guests));
    assert_non_null(guests);
    struct pool pool;
    pool_init(&pool, OCTETS);
    for (int i = 0; i < 6 * MOST; i++) {
        uint32_t guest = (uint32_t)(draw(&guests->seed) % MOST), *index = &guests->index[guest];
        if (*index == 0) {
            *index = pool_take(&pool);
            assert_int_not_equal(*index, 0);
            assert_memory_equal(pool_at(&pool, *index), clear, sizeof(clear));
            put(pool_at(&pool, *index), guest);
        } else if (draw(&guests->seed) % 100 < 20) {
            assert_is_there(pool_at(&pool, *index), guest);
            pool_give(&pool, *index);
            *index = 0;
        }
    }
    for (uint32_t guest = 0; guest < MOST; guest++) {
        if (guests->index[guest] != 0)
            assert_is_there(pool_at(&pool, guests->index[guest]), guest);
    }
    pool_clear(&pool);
    free(guests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(berths_keep_what_stands_in_them),
        cmocka_unit_test(pools_keep_what_stands_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
