/* octets: every mask packs and comes back, with and without vectors, and both write the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../analyzer/base/octets.h"

enum { MASKS = 256, OCTETS = 8, BEHIND = 0x5a };

/* A word for each mask, in an order in which neighbours differ. */
static void fill(uint64_t word[MASKS])
{
    for (unsigned i = 0; i < MASKS; i++) {
        const unsigned mask = i * 37 & 0xff;
        word[i] = 0;
        for (unsigned k = 0; k < OCTETS; k++) {
            if ((mask >> k & 1) != 0)
                word[i] |= (uint64_t)(1 + (i * OCTETS + k) * 101 % 255) << k * 8;
        }
    }
}

/* The first `words` of them, there and back; nothing behind what is read or written is touched. */
static size_t pack(bool vectors, size_t words, uint8_t packed[OCTETS_MOST(MASKS)])
{
    uint64_t word[MASKS], back[MASKS + 1];
    const bool has = vectors && octets_have_vectors();
    fill(word);
    memset(packed, BEHIND, OCTETS_MOST(MASKS));
    memset(back, BEHIND, sizeof(back));
    const size_t octets = octets_pack(has, word, words, packed);
    assert_in_range(octets, words, OCTETS_MOST(words) - OCTETS_SLACK);
    for (size_t i = octets + OCTETS_SLACK; i < OCTETS_MOST(MASKS); i++)
        assert_int_equal(packed[i], BEHIND);
    memset(packed + octets, 0xff, OCTETS_MOST(MASKS) - octets);
    assert_int_equal(octets_unpack(has, packed, words, back), octets);
    assert_memory_equal(word, back, words * sizeof(word[0]));
    for (size_t i = words; i <= MASKS; i++)
        assert_int_equal(back[i], UINT64_C(0x5a5a5a5a5a5a5a5a));
    return octets;
}

static void every_mask_comes_back(void **state)
{
    uint8_t packed[OCTETS_MOST(MASKS)];
    (void)state;
    assert_int_equal(pack(false, MASKS, packed), MASKS + MASKS * OCTETS / 2);
}

static void both_ways_write_the_same(void **state)
{
    uint8_t plain[OCTETS_MOST(MASKS)], vectors[OCTETS_MOST(MASKS)];
    (void)state;
    for (size_t words = 0; words <= MASKS; words++) {
        const size_t octets = pack(false, words, plain);
        assert_int_equal(pack(true, words, vectors), octets);
        assert_memory_equal(plain, vectors, octets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mask_comes_back),
        cmocka_unit_test(both_ways_write_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
