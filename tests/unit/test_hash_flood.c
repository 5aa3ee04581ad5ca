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
    flow_table_clear(&table, false);
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

/*
 * Structures that someone who knows the hash but not its key could hope for: NH multiplies sums of
 * halves, so what differs in one half alone gives multiples of one unknown number.
 */
static void put_addresses(struct flow_key *key, uint32_t one, uint32_t other)
{
    memcpy(key->address[0], &one, sizeof one);
    memcpy(key->address[1], &other, sizeof other);
}

static struct flow_key low_half(uint32_t i)
{
    struct flow_key key = {.ip_version = 4, .port = {443, 443}};
    put_addresses(&key, i, 0x0a);
    return key;
}

static struct flow_key high_bits(uint32_t i)
{
    struct flow_key key = {.ip_version = 4, .port = {443, 443}};
    put_addresses(&key, i << 17, 0x0a);
    return key;
}

static struct flow_key both_halves(uint32_t i)
{
    struct flow_key key = {.ip_version = 4, .port = {443, 443}};
    put_addresses(&key, i & 0xff, i >> 8);
    return key;
}

static struct flow_key equal_sums(uint32_t i)
{
    struct flow_key key = {.ip_version = 4, .port = {443, 443}};
    put_addresses(&key, i, 0xffffffff - i);
    return key;
}

static struct flow_key ports_alone(uint32_t i)
{
    return (struct flow_key){.ip_version = 4, .port = {(uint16_t)i, (uint16_t)(i * 3)}};
}

static struct flow_key sums_across_words(uint32_t i)
{
    struct flow_key key = {.ip_version = 4, .port = {(uint16_t)(0 - i), 0}};
    put_addresses(&key, i, 0);
    return key;
}

static struct flow_key few_bits(uint32_t i)
{
    struct flow_key key = {.ip_version = 4, .port = {443, 443}};
    put_addresses(&key, 1U << (i & 31) | 1U << (i >> 5 & 31), 1U << (i >> 10 & 31));
    return key;
}

static int compare_tags(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

/* How many tuples have the tag of another one: of those at random, one pair in 2^32. */
static uint32_t count_equal_tags(struct hash_key secret, const struct flow_key *keys)
{
    static const size_t size = sizeof(uint32_t);
    uint32_t *tags = calloc(TUPLES, size), equal = 0;
    assert_non_null(tags);
    for (uint32_t i = 0; i < TUPLES; i++)
        tags[i] = (uint32_t)(flow_key_hash(secret, &keys[i]) >> 32);
    qsort(tags, TUPLES, size, compare_tags);
    for (uint32_t i = 1; i < TUPLES; i++)
        equal += tags[i] == tags[i - 1];
    free(tags);
    return equal;
}

/* The tuples of a structure that differ; few_bits() gives some twice. */
static struct flow_key *structured(struct flow_key (*make)(uint32_t))
{
    struct flow_key *keys = calloc(TUPLES, sizeof *keys);
    struct flow_table table;
    uint32_t found = 0;
    assert_non_null(keys);
    assert_true(flow_table_init(&table));
    for (uint32_t i = 0; found < TUPLES; i++) {
        struct flow_key key = make(i);
        uint64_t hash = flow_key_hash(table.secret, &key);
        if (flow_table_find(&table, &key, hash) != NULL)
            continue;
        assert_non_null(flow_table_add(&table, &key, hash));
        keys[found++] = key;
    }
    flow_table_clear(&table, false);
    return keys;
}

static void no_structure_meets_more_than_chance(void **state)
{
    static struct flow_key (*const makers[])(uint32_t) = {
        low_half, high_bits, both_halves, equal_sums, ports_alone, sums_across_words, few_bits,
    };
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        struct flow_key *keys = structured(makers[i]);
        uint32_t equal = 0;
        for (int draw = 0; draw < KEYS; draw++) {
            struct hash_key secret = hash_key_draw();
            assert_true(distance_under(secret, keys) < 8);
            equal += count_equal_tags(secret, keys);
        }
        assert_in_range(equal, 0, 3); /* 0.02 are to be expected in all */
        free(keys);
    }
}

static void every_table_draws_its_own(void **state)
{
    (void)state;
    struct flow_table one, other;
    assert_true(flow_table_init(&one) && flow_table_init(&other));
    assert_true(one.secret.k0 != other.secret.k0 && one.secret.k1 != other.secret.k1);
    flow_table_clear(&one, false);
    flow_table_clear(&other, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_known_makes_a_heap),
        cmocka_unit_test(a_key_that_is_drawn_spreads_the_chosen),
        cmocka_unit_test(no_structure_meets_more_than_chance),
        cmocka_unit_test(every_table_draws_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
