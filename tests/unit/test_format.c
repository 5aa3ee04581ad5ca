/* The texts of events come out as printf(3) makes them, by whatever way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../analyzer/base/format.h"
#include "../../analyzer/event/report.h"

enum { ROOM = 96 };

/* The same in rooms of every size, with nothing written behind them. */
static __attribute__((format(printf, 1, 2))) void agrees(const char *format, ...)
{
    for (size_t size = 1; size < ROOM; size++) {
        char mine[ROOM], theirs[ROOM];
        memset(mine, '#', sizeof mine);
        memset(theirs, '#', sizeof theirs);
        va_list arguments;
        va_start(arguments, format);
        format_put(mine, size, format, arguments);
        va_end(arguments);
        va_start(arguments, format);
        vsnprintf(theirs, size, format, arguments);
        va_end(arguments);
        assert_string_equal(mine, theirs);
        for (size_t i = size; i < ROOM; i++)
            assert_int_equal(mine[i], '#');
    }
}

static void texts_agree_with_printf(void **state)
{
    (void)state;
    agrees("nothing but words");
    agrees("%s", "");
    agrees("%s connected to %s", "10.0.0.1:40000", "[2001:db8::1]:443");
    agrees("%u of %u, %u", 0u, 999u, UINT32_MAX);
    agrees("packet %llu, or %llu", 0ull, (unsigned long long)UINT64_MAX);
    agrees("%u%% of %s%u", 7u, "x", 1000000000u);
    agrees("%llu%llu", 999999999ull, 1000000000ull);
}

static void other_conversions_are_left_to_printf(void **state)
{
    (void)state;
    agrees("%s, then %d", "first", -3);
    agrees("%u in %lld, %.4s|%5u", 1u, -1ll, "abcdefgh", 2u);
    agrees("%llu: %.2f, %x %c", 5ull, 1.005, 255u, 'c');
    agrees("%lu %zu", 3ul, (size_t)4);
}

/* As it was always said. */
static void assert_says(nanotime duration)
{
    static const char *const names[] = {"s", "ms", "us"};
    char expected[64];
    double unit = 1e9;
    int scale = 0;
    for (; scale < 2 && (double)duration < unit; scale++)
        unit /= 1e3;
    double value = (double)duration / unit;
    int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    if (duration < 1000)
        snprintf(expected, sizeof expected, "%lld ns", (long long)duration);
    else
        snprintf(expected, sizeof expected, "%.*f %s", digits, value, names[scale]);
    assert_string_equal(report_duration(duration).text, expected);
}

static void durations_are_rounded_as_printf_rounds(void **state)
{
    uint64_t word = 1;
    (void)state;
    for (int i = 0; i < 400000; i++) {
        word = word * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        nanotime duration = (nanotime)(word >> 1 >> (word >> 5 & 63));
        assert_says(duration);
        assert_says(duration / 1000 * 1000);
        assert_says(duration / 5000000 * 5000000);
    }
    for (nanotime unit = 1; unit <= NANO_PER_SECOND; unit *= 10) {
        for (nanotime thousandths = -9; thousandths < 13000; thousandths++)
            assert_says(unit * thousandths); /* also midway between two */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_agree_with_printf),
        cmocka_unit_test(other_conversions_are_left_to_printf),
        cmocka_unit_test(durations_are_rounded_as_printf_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
