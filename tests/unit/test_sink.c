/* sinks: records leave with the keys, the order and the nulls that their contract names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/sink/schema.h"
#include "expected_records.h"
#include "sheet.h"

enum { KEYS = 16384 };

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void add_key(char *keys, const char *prefix, const char *key)
{
    size_t length = strlen(keys);
    snprintf(keys + length, KEYS - length, "%s%s%s", length > 0 ? " " : "", prefix, key);
}

/* Appends the paths of all keys, those of a list's first element with "[]". */
static void list_keys(struct json_object *object, const char *prefix, char *keys)
{
    json_object_object_foreach(object, key, value)
    {
        char deeper[256];
        add_key(keys, prefix, key);
        bool is_list = json_object_is_type(value, json_type_array);
        struct json_object *inner = value;
        if (is_list)
            inner =
                json_object_array_length(value) > 0 ? json_object_array_get_idx(value, 0) : NULL;
        snprintf(deeper, sizeof deeper, "%s%s%s", prefix, key, is_list ? "[]." : ".");
        if (json_object_is_type(inner, json_type_object))
            list_keys(inner, deeper, keys);
    }
}

static void assert_keys(struct json_object *root, const char *expected)
{
    char *keys = calloc(1, KEYS);
    list_keys(root, "", keys);
    assert_string_equal(keys, expected);
    free(keys);
}

static void records_have_every_key_in_order(void **state)
{
    struct sheet sheet;
    struct flow_record flow = some_flow();
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_ERROR);
    (void)state;
    sheet_open(&sheet, sink_ndjson_new, (struct sink_options){.nano = false});
    sheet_add_flow(&sheet, &flow);
    sheet_add_event(&sheet, &event);
    sheet_finish(&sheet);
    struct json_object *first = sheet_parse(&sheet, 0), *second = sheet_parse(&sheet, 1);
    assert_keys(first, flow_keys);
    assert_keys(second, event_keys);
    assert_string_equal(json_object_get_string(get(first, "@timestamp")),
                        "2026-11-20T15:00:07.200140Z");
    assert_string_equal(json_object_get_string(get(first, "event.end")),
                        "2026-11-20T15:00:07.200140Z");
    assert_int_equal(json_object_get_int64(get(first, "event.duration")), 7200000000);
    assert_string_equal(json_object_get_string(get(first, "lastack.flow_uid")), "0000000000abcdef");
    assert_string_equal(json_object_get_string(get(second, "event.kind")), "alert");
    assert_int_equal(json_object_get_int(get(second, "event.severity")), 4);
    assert_string_equal(json_object_get_string(get(second, "event.id")), "0000000000001234");
    json_object_put(first);
    json_object_put(second);
    free(sheet.text);
}

/* Every value stands under its own key. */
static void values_stand_under_their_keys(void **state)
{
    struct sheet sheet;
    struct flow_record flow = some_flow();
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_ERROR);
    (void)state;
    sheet_open(&sheet, sink_ndjson_new, (struct sink_options){.nano = false});
    event.outcome = EVENT_tw_reopen_accepted;
    event.caused_by = 0x77;
    sheet_add_flow(&sheet, &flow);
    sheet_add_event(&sheet, &event);
    sheet_finish(&sheet);
    assert_memory_equal(sheet.text, flow_line, strlen(flow_line));
    assert_memory_equal(sheet.text + strlen(flow_line), event_line, strlen(event_line));
    free(sheet.text);
}

static void what_is_unknown_is_null(void **state)
{
    static const char *const flow_nulls[] = {
        "lastack.previous",        "lastack.vantage",
        "lastack.context.tunnel",  "lastack.client.iss",
        "lastack.client.mss",      "lastack.client.window_scale",
        "lastack.client.sack",     "lastack.client.timestamps",
        "lastack.client.ttl",      "lastack.client.rtt.min",
        "lastack.client.rtt.mean", "lastack.client.rtt.p95",
        "lastack.client.rtt.max",  "lastack.client.fin",
        "lastack.server.rst",      "lastack.handshake.syn_to_synack",
        "lastack.close.initiator", "lastack.close.fin_to_fin",
        "lastack.close.time_wait",
    };
    struct flow_record flow = {.zeek_state = "OTH", .syn_to_synack = NANOTIME_UNKNOWN};
    struct event_record event = some_event(EVENT_final_ack_lost, LEVEL_NOTICE);
    struct sheet sheet;
    (void)state;
    sheet_open(&sheet, sink_ndjson_new, (struct sink_options){.nano = false});
    flow.who.ip_version = 6;
    flow.fin_to_fin = NANOTIME_UNKNOWN;
    for (int side = CLIENT; side <= SERVER; side++)
        flow.side[side].rtt_min = flow.side[side].rtt_mean = flow.side[side].rtt_p95 =
            flow.side[side].rtt_max = NANOTIME_UNKNOWN;
    event.evidence[0].relative_known = false;
    event.evidence[0].ack_relative_known = false;
    event.evidence[0].flags = 0x02;
    event.evidence[0].packet = 0;
    event.evidence[1] = event.evidence[0];
    event.evidence[1].flags = 0x10;
    event.evidence_count = 2;
    event.numbers[0].value = NANOTIME_UNKNOWN;
    event.details[0].value = NULL;
    sheet_add_flow(&sheet, &flow);
    sheet_add_event(&sheet, &event);
    sheet_finish(&sheet);
    struct json_object *first = sheet_parse(&sheet, 0), *second = sheet_parse(&sheet, 1);
    for (size_t path = 0; path < sizeof flow_nulls / sizeof flow_nulls[0]; path++)
        assert_null(get(first, flow_nulls[path]));
    assert_string_equal(json_object_get_string(get(first, "source.ip")), "::");
    assert_int_equal(json_object_get_int(get(first, "lastack.client.rtt.samples")), 0);
    assert_null(get(second, "lastack.outcome"));
    assert_null(get(second, "lastack.caused_by"));
    assert_null(get(second, "lastack.numbers.age_ns"));
    assert_null(get(second, "lastack.details.rst_form"));
    struct json_object *evidence = json_object_array_get_idx(get(second, "lastack.evidence"), 0);
    assert_null(get(evidence, "packet"));
    assert_null(get(evidence, "seq"));
    assert_null(get(evidence, "ack"));
    assert_null(get(evidence, "ack_abs"));
    assert_string_equal(json_object_get_string(get(evidence, "flags")), "S");
    evidence = json_object_array_get_idx(get(second, "lastack.evidence"), 1);
    assert_null(get(evidence, "ack"));
    assert_non_null(get(evidence, "ack_abs"));
    json_object_put(first);
    json_object_put(second);
    free(sheet.text);
}

static void ndjson_ends_with_the_summary(void **state)
{
    struct sheet sheet;
    struct flow_record flow = some_flow();
    (void)state;
    sheet_open(&sheet, sink_ndjson_new, (struct sink_options){.observer = "ho\"st", .nano = true});
    assert_null(sheet.sink->ops->segment);
    assert_null(sheet.sink->ops->transition);
    sheet_add_flow(&sheet, &flow);
    sheet_finish(&sheet);
    assert_int_equal(count_lines(sheet.text), 2);
    struct json_object *first = sheet_parse(&sheet, 0), *last = sheet_parse(&sheet, 1);
    assert_string_equal(json_object_get_string(get(first, "observer.name")), "ho\"st");
    assert_string_equal(json_object_get_string(get(first, "event.start")),
                        "2026-11-20T15:00:00.000140000Z");
    assert_string_equal(json_object_get_string(get(last, "event.dataset")), "lastack.summary");
    assert_null(get(last, "@timestamp"));
    struct json_object *dwell = get(last, "lastack.summary.dwell_times.FIN_WAIT_2");
    assert_int_equal(json_object_get_int64(get(dwell, "count")), 2);
    assert_int_equal(json_object_get_int64(get(dwell, "median")), 900000);
    assert_int_equal(
        json_object_get_int64(get(last, "lastack.summary.dwell_times.TIME_WAIT.censored")), 2);
    assert_null(get(last, "lastack.summary.dwell_times.TIME_WAIT.median"));
    json_object_put(first);
    json_object_put(last);
    free(sheet.text);
}

static void filters_choose_records(void **state)
{
    bool chosen[EVENT_IDS] = {[EVENT_syn_in_last_ack_rst] = true};
    struct sheet sheet;
    struct event_record low = some_event(EVENT_syn_in_last_ack_rst, LEVEL_NOTICE);
    struct event_record other = some_event(EVENT_final_ack_lost, LEVEL_ERROR);
    struct event_record wanted = some_event(EVENT_syn_in_last_ack_rst, LEVEL_WARNING);
    struct flow_record flow = some_flow();
    (void)state;
    sheet_open(&sheet, sink_ndjson_new,
               (struct sink_options){
                   .minimum_level = LEVEL_WARNING, .events = chosen, .flows = FLOWS_PROBLEMS});
    sheet_add_event(&sheet, &low);
    sheet_add_event(&sheet, &other);
    sheet_add_event(&sheet, &wanted);
    sheet_add_flow(&sheet, &flow); /* its only event is not among those chosen */
    flow.events[0] = EVENT_syn_in_last_ack_rst;
    sheet_add_flow(&sheet, &flow);
    sheet_finish(&sheet);
    assert_int_equal(count_lines(sheet.text), 3);
    struct json_object *first = sheet_parse(&sheet, 0), *second = sheet_parse(&sheet, 1);
    assert_string_equal(json_object_get_string(get(first, "lastack.level")), "warning");
    assert_string_equal(json_object_get_string(get(second, "event.dataset")), "lastack.flow");
    json_object_put(first);
    json_object_put(second);
    free(sheet.text);
}

/* Records of one tuple share its id; those of another have their own. */
static void every_tuple_has_its_own_community_id(void **state)
{
    struct sheet sheet;
    struct flow_record flow = some_flow();
    const char *ids[3];
    (void)state;
    sheet_open(&sheet, sink_ndjson_new, (struct sink_options){.nano = false});
    sheet_add_flow(&sheet, &flow);
    sheet_add_flow(&sheet, &flow);
    flow.who.end[CLIENT].port++;
    sheet_add_flow(&sheet, &flow);
    sheet_finish(&sheet);
    struct json_object *roots[3];
    for (int line = 0; line < 3; line++) {
        roots[line] = sheet_parse(&sheet, line);
        ids[line] = json_object_get_string(get(roots[line], "network.community_id"));
    }
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    for (int line = 0; line < 3; line++)
        json_object_put(roots[line]);
    free(sheet.text);
}

/* Every reference of the schema leads somewhere. */
static void check_references(struct json_object *value, struct json_object *definitions)
{
    struct json_object *target;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t item = 0; item < json_object_array_length(value); item++)
            check_references(json_object_array_get_idx(value, item), definitions);
        return;
    }
    if (!json_object_is_type(value, json_type_object))
        return;
    json_object_object_foreach(value, key, inner)
    {
        if (strcmp(key, "$ref") == 0) {
            const char *name = strrchr(json_object_get_string(inner), '/') + 1;
            assert_true(json_object_object_get_ex(definitions, name, &target));
        }
        check_references(inner, definitions);
    }
}

static void the_schema_holds_together(void **state)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    (void)state;
    assert_int_equal(sink_schema_print(stream), STATUS_OK);
    fclose(stream);
    struct json_object *root = json_tokener_parse(text);
    assert_non_null(root);
    check_references(root, get(root, "$defs"));
    assert_int_equal(json_object_array_length(get(root, "$defs.event_id.enum")), EVENT_IDS);
    assert_int_equal(json_object_array_length(get(root, "$defs.note_id.enum")), NOTE_IDS);
    json_object_put(root);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_every_key_in_order),
        cmocka_unit_test(values_stand_under_their_keys),
        cmocka_unit_test(what_is_unknown_is_null),
        cmocka_unit_test(ndjson_ends_with_the_summary),
        cmocka_unit_test(filters_choose_records),
        cmocka_unit_test(every_tuple_has_its_own_community_id),
        cmocka_unit_test(the_schema_holds_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
