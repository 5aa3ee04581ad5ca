/* waiting: what the progress line says, and how far time goes on while nothing comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../analyzer/idle.h"
#include "../../analyzer/progress.h"

static const nanotime second = NANO_PER_SECOND;

static void the_line_has_share_rate_and_time_left(void **state)
{
    (void)state;
    char text[PROGRESS_LINE];
    struct progress_state half = {.bytes_read = 500000000,
                                  .bytes_total = 1000000000,
                                  .packets = 1234567,
                                  .elapsed = 5 * second};
    progress_format(&half, text);
    assert_string_equal(text, " 50 % [##########          ] 1234567 packets, 100 MB/s, 5 s left");
}

static void a_pipe_has_no_share(void **state)
{
    (void)state;
    char text[PROGRESS_LINE];
    struct progress_state pipe = {.bytes_read = 3000000, .packets = 7, .elapsed = second};
    progress_format(&pipe, text);
    assert_string_equal(text, "7 packets, 3 MB/s");
}

static void the_line_bears_every_number(void **state)
{
    (void)state;
    char text[PROGRESS_LINE];
    struct progress_state states[] = {
        {.bytes_total = 1},
        {.bytes_read = 2, .bytes_total = 1, .elapsed = 1},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX},
        {.bytes_read = 1, .bytes_total = UINT64_MAX, .elapsed = INT64_MAX},
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        progress_format(&states[i], text);
        assert_true(strlen(text) < PROGRESS_LINE);
    }
    progress_format(&states[1], text);
    assert_int_equal(strncmp(text, "100 % [####################]", 28), 0);
}

static void nothing_is_drawn_where_it_is_not_wanted(void **state)
{
    (void)state;
    struct progress progress = progress_begin(false);
    for (int i = 0; i < 100000; i++)
        assert_false(progress_is_due(&progress));
}

static void before_the_first_packet_no_time_is_reached(void **state)
{
    (void)state;
    struct idle idle = idle_begin(false);
    assert_int_equal(idle_capture_time(&idle, 1000 * second), NANOTIME_UNKNOWN);
    assert_int_equal(idle_capture_time(&idle, 2000 * second), NANOTIME_UNKNOWN);
}

static void a_recorded_capture_keeps_its_own_time(void **state)
{
    (void)state;
    struct idle idle = idle_begin(false);
    idle_note_packet(&idle, 1000 * second);
    assert_int_equal(idle_capture_time(&idle, 90000 * second), 1000 * second);
    assert_int_equal(idle_capture_time(&idle, 90600 * second), 1000 * second);
}

static void a_live_stream_is_carried_on(void **state)
{
    (void)state;
    struct idle idle = idle_begin(false);
    idle_note_packet(&idle, 1000 * second);
    assert_int_equal(idle_capture_time(&idle, 1002 * second), 1000 * second);
    /* A second may be held back on the way: 60 s of waiting are 59 that have passed. */
    assert_int_equal(idle_capture_time(&idle, 1062 * second), 1059 * second);
    /* A late packet does not turn the clock back, and waiting begins anew. */
    idle_note_packet(&idle, 999 * second);
    assert_int_equal(idle_capture_time(&idle, 1003 * second), 1000 * second);
}

static void a_clock_set_back_reaches_nothing(void **state)
{
    (void)state;
    struct idle idle = idle_begin(false);
    idle_note_packet(&idle, 1000 * second);
    assert_int_equal(idle_capture_time(&idle, 1001 * second), 1000 * second);
    assert_int_equal(idle_capture_time(&idle, 500 * second), 1000 * second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_has_share_rate_and_time_left),
        cmocka_unit_test(a_pipe_has_no_share),
        cmocka_unit_test(the_line_bears_every_number),
        cmocka_unit_test(nothing_is_drawn_where_it_is_not_wanted),
        cmocka_unit_test(before_the_first_packet_no_time_is_reached),
        cmocka_unit_test(a_recorded_capture_keeps_its_own_time),
        cmocka_unit_test(a_live_stream_is_carried_on),
        cmocka_unit_test(a_clock_set_back_reaches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
