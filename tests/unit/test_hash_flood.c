/*
 * Tuples chosen to collide, by someone who knows all but the key of the hash: under a key that was
 * guessed they lie in one heap, under keys that are drawn they are spread like any others.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/flow/table.h"

enum { TUPLES = 3000, HOME_BITS = 11, KEYS = 20 };

static const struct hash_key guessed = {0, 0};

static struct flow_key key_of(uint32_t number)
{
    struct flow_key key = {.ip_version = 4, .port = {443, (uint16_t)number}};
    memcpy(key.address[0], &number, sizeof number);
    key.address[1][0] = 10;
    return key;
}

/* Tuples whose hashes under the guessed key begin alike, so that they want the same slots. */
static struct flow_key *chosen_keys(void)
{
    struct flow_key *chosen = calloc(TUPLES, sizeof *chosen);
    assert_non_null(chosen);
    uint32_t found = 0;
    for (uint32_t number = 0; found < TUPLES; number++) {
        struct flow_key key = key_of(number);
        uint32_t tag = (uint32_t)(flow_key_hash(guessed, &key) >> 32);
        if ((tag & ((1u << HOME_BITS) - 1)) == 0)
            chosen[found++] = key;
    }
    return chosen;
}

/* How far a tuple lies from its first slot, on average, when all are in the table. */
static double distance_under(struct hash_key secret, const struct flow_key *keys)
{
    struct flow_table table;
    uint64_t sum = 0;
    assert_true(flow_table_init(&table));
    table.secret = secret;
    for (uint32_t i = 0; i < TUPLES; i++)
        assert_non_null(flow_table_add(&table, &keys[i], flow_key_hash(secret, &keys[i])));
    for (uint32_t i = 0; i <= table.mask; i++)
        if (table.slot[i].index != 0)
            sum += (i - table.slot[i].tag) & table.mask;
    flow_table_clear(&table);
    return (double)sum / TUPLES;
}

static void a_key_that_is_known_makes_a_heap(void **state)
{
    (void)state;
    struct flow_key *keys = chosen_keys();
    assert_true(distance_under(guessed, keys) > 100);
    free(keys);
}

static void a_key_that_is_drawn_spreads_the_chosen(void **state)
{
    (void)state;
    struct flow_key *keys = chosen_keys();
    for (int i = 0; i < KEYS; i++)
        assert_true(distance_under(hash_key_draw(), keys) < 8);
    free(keys);
}

static void every_table_draws_its_own(void **state)
{
    (void)state;
    struct flow_table one, other;
    assert_true(flow_table_init(&one) && flow_table_init(&other));
    assert_true(one.secret.k0 != other.secret.k0 && one.secret.k1 != other.secret.k1);
    flow_table_clear(&one);
    flow_table_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_known_makes_a_heap),
        cmocka_unit_test(a_key_that_is_drawn_spreads_the_chosen),
        cmocka_unit_test(every_table_draws_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
