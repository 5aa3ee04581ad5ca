/*
 * sinks: with several inputs a packet is named by its place in its own, too; and what a first run
 * remembers for a second.
 */
#include <stdlib.h>

#include "../../analyzer/sink/place.h"
#include "sheet.h"

static const struct input_span three_spans[] = {
    {"a.pcap", 0, 0}, {"empty.pcap", 8, 0}, {"b\033.pcap", 8, 0}};

static void assert_place(const struct input_spans *inputs, uint64_t packet, const char *name)
{
    const struct input_span *span = place_find(inputs, packet);
    if (name == NULL)
        assert_null(span);
    else
        assert_string_equal(span->name, name);
}

static void a_packet_is_found_in_its_input(void **state)
{
    struct input_spans inputs = {.spans = three_spans, .count = 3};
    (void)state;
    assert_place(&inputs, 0, NULL);
    assert_place(&inputs, 1, "a.pcap");
    assert_place(&inputs, 8, "a.pcap");
    assert_place(&inputs, 9, "b\033.pcap"); /* the one between them gave no packet */
    assert_place(&inputs, UINT64_MAX, "b\033.pcap");
    inputs.count = 1; /* reading has not come further */
    assert_place(&inputs, 9, "a.pcap");
    inputs.count = 0;
    assert_place(&inputs, 1, NULL);
}

static void assert_text(struct json_object *root, const char *path, const char *expected)
{
    struct json_object *value = get(root, path);
    if (expected == NULL)
        assert_null(value);
    else
        assert_string_equal(json_object_get_string(value), expected);
}

/* The first element of the list at path. */
static struct json_object *get_first(struct json_object *root, const char *path)
{
    return json_object_array_get_idx(get(root, path), 0);
}

static struct segment_record some_segment(uint64_t flow_uid)
{
    struct segment_record segment = {.who = some_identity("10.0.0.1", "10.0.0.2", 443),
                                     .packet = 9,
                                     .t = T0,
                                     .verdict = VERDICT_NEW};
    segment.who.flow_uid = flow_uid;
    return segment;
}

static void several_inputs_are_named_beside_packets(void **state)
{
    const struct input_spans inputs = {.spans = three_spans, .count = 3};
    struct sheet sheet;
    struct flow_record flow = some_flow();
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_ERROR);
    struct segment_record segment = some_segment(1);
    struct transition_record timer = {.who = flow.who, .entry = {.t = T0}};
    (void)state;
    flow.side[CLIENT].history[0].packet = 3;
    sheet_open(&sheet, sink_ndjson_new,
               (struct sink_options){.inputs = &inputs, .segments = true, .transitions = true});
    sheet_add_event(&sheet, &event);
    sheet_add_flow(&sheet, &flow);
    assert_int_equal(sheet.sink->ops->segment(sheet.sink, &segment), STATUS_OK);
    assert_int_equal(sheet.sink->ops->transition(sheet.sink, &timer), STATUS_OK);
    sheet_finish(&sheet);
    struct json_object *lines[4];
    for (int line = 0; line < 4; line++)
        lines[line] = sheet_parse(&sheet, line);
    struct json_object *evidence = get_first(lines[0], "lastack.evidence");
    assert_text(evidence, "file", "b\033.pcap");
    assert_text(evidence, "file_packet", "1");
    struct json_object *entry = get_first(lines[1], "lastack.client.history");
    assert_text(entry, "file", "a.pcap");
    assert_text(entry, "file_packet", "3");
    assert_text(lines[1], "lastack.client.fin.file", "b\033.pcap");
    assert_text(lines[2], "lastack.file", "b\033.pcap");
    assert_text(lines[2], "lastack.file_packet", "1");
    assert_text(lines[3], "lastack.file", NULL); /* a timer has no packet */
    assert_text(lines[3], "lastack.file_packet", NULL);
    assert_null(strchr(sheet.text, '\033'));
    for (int line = 0; line < 4; line++)
        json_object_put(lines[line]);
    free(sheet.text);
}

static void the_text_names_inputs_and_steers_no_terminal(void **state)
{
    const struct input_spans inputs = {.spans = three_spans, .count = 3};
    struct sheet sheet;
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_ERROR);
    (void)state;
    sheet_open(&sheet, sink_text_new, (struct sink_options){.inputs = &inputs});
    sheet_add_event(&sheet, &event);
    sheet_finish(&sheet);
    assert_non_null(strstr(sheet.text, ".pcap #1): the server's FIN"));
    assert_null(strchr(sheet.text, '\033'));
    free(sheet.text);
}

static struct sink *open_concerned(struct sink_options options)
{
    struct sink *sink = NULL;
    assert_int_equal(sink_concerned_new(&options, &sink), STATUS_OK);
    return sink;
}

static void add_concern(struct sink *sink, uint64_t flow_uid, uint64_t previous, uint32_t evidence)
{
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_WARNING);
    event.who.flow_uid = flow_uid;
    event.who.previous = previous;
    event.evidence[0].incarnation = evidence; /* some_identity is the second */
    assert_int_equal(sink->ops->event(sink, &event), STATUS_OK);
}

static void connections_with_problems_are_remembered(void **state)
{
    static const bool other[EVENT_IDS] = {[EVENT_final_ack_lost] = true};
    (void)state;
    struct sink *sink = open_concerned((struct sink_options){.minimum_level = LEVEL_WARNING});
    add_concern(sink, 7, 6, 1);
    add_concern(sink, 5, 4, 2);
    add_concern(sink, 3, 0, 1);
    assert_true(sink_concerned_has(sink, 7));
    assert_true(sink_concerned_has(sink, 6)); /* the evidence lies there */
    assert_true(sink_concerned_has(sink, 5));
    assert_false(sink_concerned_has(sink, 4));
    assert_false(sink_concerned_has(sink, 0));
    sink->ops->free(sink);
    sink = open_concerned((struct sink_options){.minimum_level = LEVEL_ERROR});
    add_concern(sink, 7, 6, 1);
    assert_false(sink_concerned_has(sink, 7));
    sink->ops->free(sink);
    sink = open_concerned((struct sink_options){.events = other});
    add_concern(sink, 7, 6, 1);
    assert_false(sink_concerned_has(sink, 7));
    sink->ops->free(sink);
}

static void many_connections_are_remembered_up_to_the_limit(void **state)
{
    enum { LIMIT = 3000, STEP = 256 }; /* of a step that puts all into few places at first */
    (void)state;
    struct sink *sink = open_concerned((struct sink_options){.kept_flows = LIMIT});
    for (uint64_t uid = 1; uid <= LIMIT; uid++)
        add_concern(sink, uid * STEP, 0, 2);
    add_concern(sink, STEP, 0, 2); /* is there already */
    assert_int_equal(sink_concerned_left_out(sink), 0);
    add_concern(sink, STEP + 1, 0, 2);
    assert_int_equal(sink_concerned_left_out(sink), 1);
    for (uint64_t uid = 1; uid <= LIMIT; uid++)
        assert_true(sink_concerned_has(sink, uid * STEP));
    assert_false(sink_concerned_has(sink, STEP + 1));
    sink->ops->free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_found_in_its_input),
        cmocka_unit_test(several_inputs_are_named_beside_packets),
        cmocka_unit_test(the_text_names_inputs_and_steers_no_terminal),
        cmocka_unit_test(connections_with_problems_are_remembered),
        cmocka_unit_test(many_connections_are_remembered_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
