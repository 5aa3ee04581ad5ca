/* dwell: how long sides stay in a state, over many connections. */
#include "../../analyzer/event/dwell.h"
#include "sheet.h"

/* Both sides of the flow leave FIN_WAIT_2 after length. */
static void add_stay(struct dwell *dwell, nanotime length, enum basis basis)
{
    struct flow_record flow = some_flow();
    for (int side = CLIENT; side <= SERVER; side++) {
        flow.side[side].history[1].t = T0 + length;
        flow.side[side].history[1].basis = basis;
    }
    assert_int_equal(dwell_add_flow(dwell, &flow), STATUS_OK);
}

static void dwell_times_are_exact_and_then_nearly(void **state)
{
    struct dwell *dwell = dwell_new(DWELL_EXACT);
    (void)state;
    for (int stay = 1; stay <= 100; stay++)
        add_stay(dwell, stay * 1000, stay <= 10 ? BASIS_PRESUMED : BASIS_ACKED);
    struct dwell_summary exact = dwell_summarise(dwell, DWELL_FIN_WAIT_2);
    assert_int_equal(exact.count, 200);
    assert_int_equal(exact.presumed, 20);
    assert_int_equal(exact.min, 1000);
    assert_int_equal(exact.median, 50000);
    assert_int_equal(exact.p95, 95000);
    assert_int_equal(exact.max, 100000);
    assert_int_equal(exact.error_percent, 0);
    for (int stay = 101; stay <= 10000; stay++)
        add_stay(dwell, stay * 1000, BASIS_ACKED);
    struct dwell_summary near = dwell_summarise(dwell, DWELL_FIN_WAIT_2);
    assert_int_equal(near.count, 20000);
    assert_int_equal(near.error_percent, DWELL_ERROR_PERCENT);
    assert_int_equal(near.min, 1000);
    assert_int_equal(near.max, 10000000);
    assert_in_range(near.median, 5000000 - 100000, 5000000 + 100000);
    assert_in_range(near.p95, 9500000 - 190000, 9500000 + 190000);
    dwell_free(dwell);
}

static void dwell_times_leave_out_what_never_was(void **state)
{
    struct dwell *dwell = dwell_new(DWELL_EXACT);
    struct flow_record flow = some_flow();
    (void)state;
    flow.side[CLIENT].history[0].revoked = true; /* it never was in FIN_WAIT_2 */
    assert_int_equal(dwell_add_flow(dwell, &flow), STATUS_OK);
    assert_int_equal(dwell_summarise(dwell, DWELL_FIN_WAIT_2).count, 1);
    flow.side[SERVER].history[1].revoked = true; /* it never left it */
    assert_int_equal(dwell_add_flow(dwell, &flow), STATUS_OK);
    assert_int_equal(dwell_summarise(dwell, DWELL_FIN_WAIT_2).count, 1);
    assert_int_equal(dwell_summarise(dwell, DWELL_FIN_WAIT_2).censored, 1);
    flow.final = false; /* the final record comes yet */
    assert_int_equal(dwell_add_flow(dwell, &flow), STATUS_OK);
    assert_int_equal(dwell_summarise(dwell, DWELL_FIN_WAIT_2).censored, 1);
    dwell_free(dwell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dwell_times_are_exact_and_then_nearly),
        cmocka_unit_test(dwell_times_leave_out_what_never_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
