/*
 * nest: those who stand in it stand there in the order in which they came, whoever leaves between
 * them, while it grows and empties, and where the numbers of places begin anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../analyzer/flow/nest.h"
#include "two_ways.h"

enum { SLAB = 1 << NEST_SLAB_BITS, MOST = 20 * SLAB, TURNS = 40 };

/* Who stands there, the oldest first, each known by its packet. */
struct row {
    uint64_t seed, packet;
    struct nest nest;
    uint32_t *code; /* by packet; 0: gone */
    uint64_t first;
};

static void come(struct row *row, uint32_t count)
{
    for (; count > 0 && row->packet < MOST; count--) {
        struct nested *nested = nest_append(&row->nest, &row->code[row->packet]);
        assert_non_null(nested);
        assert_true(nest_is_code(row->code[row->packet]));
        nested->packet = row->packet++;
        nested->is = NESTED_SYN;
    }
}

/* The oldest, and some of those behind them. */
static void leave(struct row *row, uint32_t count)
{
    for (; count > 0 && row->nest.count > 0; count--) {
        uint64_t packet =
            row->first + (draw_below(&row->seed, 4) == 0 ? draw_below(&row->seed, 1000) : 0);
        if (packet >= row->packet || row->code[packet] == 0)
            continue;
        nest_leave(&row->nest, row->code[packet]);
        row->code[packet] = 0;
        while (row->first < row->packet && row->code[row->first] == 0)
            row->first++;
    }
}

static void check(const struct row *row)
{
    uint32_t number = row->nest.begin, count = 0;
    const struct nested *nested;
    for (uint64_t packet = row->first; packet < row->packet; packet++) {
        if (row->code[packet] == 0)
            continue;
        nested = nest_next(&row->nest, &number);
        assert_non_null(nested);
        assert_int_equal(nested->packet, packet);
        assert_ptr_equal(nested, nest_at(&row->nest, row->code[packet]));
        number = nest_behind(number);
        count++;
    }
    assert_null(nest_next(&row->nest, &number));
    assert_int_equal(row->nest.count, count);
    assert_true(nest_between(row->nest.begin, row->nest.end) >= count);
}

static void the_oldest_stands_first(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 4; round++) {
        struct row row = {.seed = round + 1, .code = calloc(MOST, sizeof *row.code)};
        assert_non_null(row.code);
        if (round % 2 == 1) /* the numbers end soon */
            row.nest.begin = row.nest.end = (UINT32_C(1) << NEST_CODE_BITS) - 3 * SLAB;
        for (int turn = 0; turn < TURNS; turn++) {
            come(&row, draw_below(&row.seed, SLAB));
            check(&row);
            leave(&row, draw_below(&row.seed, round < 2 ? SLAB : 2 * SLAB));
            check(&row);
        }
        leave(&row, UINT32_MAX);
        assert_int_equal(row.nest.count, 0);
        assert_int_equal(row.nest.begin, row.nest.end);
        nest_clear(&row.nest);
        free(row.code);
    }
}

/* What a tuple holds of its SYN is what comes back, and the hash is the key's. */
static void a_tuple_is_given_back(void **state)
{
    (void)state;
    const struct hash_key secret = {3, 5};
    uint64_t seed = 7;
    for (int i = 0; i < 1000; i++) {
        struct tuple tuple, back;
        struct nested nested;
        memset(&tuple, 0, sizeof tuple);
        memset(&back, 0, sizeof back);
        for (int end = 0; end < SIDES; end++) {
            for (int octet = 0; octet < 4; octet++)
                tuple.key.address[end][octet] = (uint8_t)draw_below(&seed, 256);
            tuple.key.port[end] = (uint16_t)draw_below(&seed, 65536);
        }
        tuple.key.ip_version = 4;
        tuple.embryonic = true;
        tuple.last_uid = draw_below(&seed, UINT32_MAX);
        tuple.embryo = (struct embryo){
            .time = draw_below(&seed, UINT32_MAX),
            .packet = draw_below(&seed, UINT32_MAX),
            .sequence = draw_below(&seed, UINT32_MAX),
            .tsval = draw_below(&seed, UINT32_MAX),
            .window = (uint16_t)draw_below(&seed, 65536),
            .ip_id = (uint16_t)draw_below(&seed, 65536),
            .checksum = (uint16_t)draw_below(&seed, 65536),
            .mss = (uint16_t)draw_below(&seed, 65536),
            .ip_length = (uint16_t)draw_below(&seed, 65536),
            .options = (uint16_t)draw_below(&seed, 65536),
            .vlan = (uint16_t)draw_below(&seed, 4096),
            .flags = (uint8_t)draw_below(&seed, 256),
            .window_scale = (uint8_t)draw_below(&seed, 256),
            .ttl = (uint8_t)draw_below(&seed, 256),
            .seen_on = (uint8_t)draw_below(&seed, 4),
            .checksum_verdict = draw_below(&seed, 4) & 3,
            .cut = draw_below(&seed, 2) & 1,
            .vlans = draw_below(&seed, 2) & 1,
            .end = draw_below(&seed, 2) & 1,
        };
        memset(&nested, 0xff, sizeof nested);
        nested_keep(&nested, &tuple);
        nested_restore(&nested, &back);
        assert_memory_equal(&tuple, &back, sizeof tuple);
        assert_true(nested_is_of(&nested, &tuple.key));
        assert_true(nested_hash(secret, &nested) == flow_key_hash(secret, &tuple.key));
        tuple.key.port[1] ^= 1;
        assert_false(nested_is_of(&nested, &tuple.key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_stands_first),
        cmocka_unit_test(a_tuple_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
