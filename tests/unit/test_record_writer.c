/* record_writer: what it remembers of the records before changes nothing of the next one. */
#include "sheet.h"

#include "../../analyzer/sink/record_writer.h"

enum { ROUNDS = 3000 };

/* Numbers that a seed gives, always the same. */
static uint32_t draw(uint64_t *seed, uint32_t limit)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % limit;
}

/* Mostly 0, else of any length. */
static uint64_t draw_count(uint64_t *seed)
{
    return draw(seed, 4) > 0 ? 0 : (UINT64_C(1) << draw(seed, 64)) - draw(seed, 2);
}

static struct history_record draw_entry(uint64_t *seed)
{
    return (struct history_record){.t = T0 + (nanotime)draw(seed, 20) * 700000001,
                                   .packet = draw_count(seed),
                                   .proof = draw_count(seed),
                                   .revoked_by = draw_count(seed),
                                   .revoked = draw(seed, 8) == 0,
                                   .state = (enum tcp_state)draw(seed, TCP_STATES),
                                   .fact = (enum fact)draw(seed, FACTS),
                                   .basis = (enum basis)draw(seed, BASES)};
}

static void draw_side(uint64_t *seed, struct side_record *side)
{
    side->state = (enum tcp_state)draw(seed, TCP_STATES);
    side->basis = (enum basis)draw(seed, BASES);
    side->history_count = draw(seed, 6);
    for (uint32_t entry = 0; entry < side->history_count; entry++)
        side->history[entry] = draw_entry(seed);
    side->mss_known = draw(seed, 2) == 0;
    side->window_scale_known = draw(seed, 2) == 0;
    side->sack_known = draw(seed, 2) == 0;
    side->timestamps_known = draw(seed, 2) == 0;
    side->sack = draw(seed, 2) == 0;
    side->mss = (uint16_t)(draw(seed, 200));
    side->ttl = (uint8_t)draw(seed, 3);
    side->urg_count = draw_count(seed);
    side->retransmitted_packets = side->retransmitted_bytes = side->retransmitted_fast = 0;
    side->retransmitted_timeout = side->retransmitted_spurious = 0;
    side->out_of_order = side->duplicate_acks = side->sack_blocks = 0;
    side->zero_windows = side->window_probes = 0;
    side->dsack_blocks = draw_count(seed);
    side->keep_alives = draw_count(seed);
    side->fin_packet = draw_count(seed);
    side->rst_packet = draw_count(seed);
    side->rtt_min = draw(seed, 3) == 0 ? NANOTIME_UNKNOWN : (nanotime)draw_count(seed);
}

static void draw_flow(uint64_t *seed, struct flow_record *flow)
{
    *flow = some_flow();
    flow->end = T0 + (nanotime)draw(seed, 20) * 700000001;
    flow->who.end[CLIENT].port = (uint16_t)(40000 + draw(seed, 3));
    flow->who.tunnel[0] = draw(seed, 2) == 0 ? '\0' : 'v';
    flow->midstream = draw(seed, 4) == 0;
    flow->capture_gaps = draw_count(seed);
    flow->time_wait = draw(seed, 2) == 0;
    flow->icmp_errors = draw_count(seed);
    flow->caveats = draw_count(seed);
    flow->event_count = draw(seed, 3);
    for (int side = CLIENT; side <= SERVER; side++)
        draw_side(seed, &flow->side[side]);
}

/* What a writer that has seen nothing yet makes of the flow; of the caller, who frees it. */
static char *write_anew(const struct sink_options *options, const struct flow_record *flow)
{
    struct record_writer writer;
    size_t length;
    assert_int_equal(record_writer_init(&writer, options), STATUS_OK);
    char *text = strdup(record_writer_write(&writer, &flow_table, flow, &length));
    assert_non_null(text);
    assert_int_equal(strlen(text), length);
    record_writer_clear(&writer);
    return text;
}

/* Under a side's key stands that count, as far as JSON's integers go. */
static void check_count(struct json_object *side, const char *key, uint64_t count)
{
    struct json_object *value;
    assert_true(json_object_object_get_ex(side, key, &value));
    assert_int_equal(json_object_get_int64(value),
                     count > JSON_INTEGER_MAX ? JSON_INTEGER_MAX : count);
}

static void what_was_written_before_changes_nothing(void **state)
{
    const struct sink_options options = {.nano = false};
    struct flow_record flow;
    struct record_writer writer;
    struct printbuf *lines = printbuf_new();
    uint64_t seed = 1;
    (void)state;
    assert_int_equal(record_writer_init(&writer, &options), STATUS_OK);
    for (int round = 0; round < ROUNDS; round++) {
        draw_flow(&seed, &flow);
        char *expected = write_anew(&options, &flow);
        int before = lines->bpos;
        assert_true(record_writer_append(&writer, &flow_table, &flow, lines));
        assert_string_equal(lines->buf + before, expected);
        assert_int_equal(lines->bpos - before, strlen(expected));
        free(expected);
    }
    printbuf_free(lines);
    record_writer_clear(&writer);
}

/* The text of a run of zeroes, of a phrase and of an empty list, where they are next to each other.
 */
static void what_a_writer_remembers_is_json(void **state)
{
    const struct sink_options options = {.nano = true};
    struct flow_record flow;
    struct record_writer writer;
    uint64_t seed = 2;
    size_t length;
    (void)state;
    assert_int_equal(record_writer_init(&writer, &options), STATUS_OK);
    for (int round = 0; round < ROUNDS / 10; round++) {
        draw_flow(&seed, &flow);
        struct json_object *tree =
            json_tokener_parse(record_writer_write(&writer, &flow_table, &flow, &length));
        struct json_object *lastack, *side, *history, *mss;
        assert_true(json_object_object_get_ex(tree, "lastack", &lastack));
        assert_true(json_object_object_get_ex(lastack, "server", &side));
        assert_true(json_object_object_get_ex(side, "history", &history));
        assert_true(json_object_object_get_ex(side, "mss", &mss));
        assert_int_equal(json_object_array_length(history), flow.side[SERVER].history_count);
        assert_int_equal(mss == NULL, !flow.side[SERVER].mss_known);
        assert_true(mss == NULL || json_object_get_int(mss) == flow.side[SERVER].mss);
        check_count(side, "dsack_blocks", flow.side[SERVER].dsack_blocks);
        check_count(side, "keep_alives", flow.side[SERVER].keep_alives);
        json_object_put(tree);
    }
    record_writer_clear(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_before_changes_nothing),
        cmocka_unit_test(what_a_writer_remembers_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
