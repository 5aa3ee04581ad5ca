/* sinks for people: the report groups and chooses, the text suits a terminal. */
#include <stdlib.h>

#include "sheet.h"

static void add_at(struct sheet *sheet, enum event_id id, enum level level, uint16_t port,
                   nanotime t)
{
    struct event_record event = some_event(id, level);
    event.who.end[SERVER].port = port;
    event.t = t;
    event.event_uid = (uint64_t)(t - T0 + 1);
    sheet_add_event(sheet, &event);
}

static void the_report_groups_problems_worst_first(void **state)
{
    struct sheet sheet;
    (void)state;
    sheet_open(&sheet, sink_report_new, (struct sink_options){.kept_problems = 3});
    add_at(&sheet, EVENT_final_ack_lost, LEVEL_NOTICE, 443, T0);
    add_at(&sheet, EVENT_final_ack_lost, LEVEL_NOTICE, 443, T0 + 1000);
    add_at(&sheet, EVENT_final_ack_lost, LEVEL_NOTICE, 80, T0 + 2000);
    add_at(&sheet, EVENT_syn_in_last_ack_rst, LEVEL_WARNING, 443, T0 + 3000);
    add_at(&sheet, EVENT_syn_in_last_ack_rst, LEVEL_ERROR, 443, T0 + 4000);
    add_at(&sheet, EVENT_tw_assassination, LEVEL_ERROR, 443, T0 + 5000); /* no room */
    sheet_finish(&sheet);
    struct json_object *root = sheet_parse(&sheet, 0);
    struct json_object *problems = get(root, "problems");
    assert_int_equal(json_object_array_length(problems), 3);
    struct json_object *worst = json_object_array_get_idx(problems, 0);
    assert_string_equal(json_object_get_string(get(worst, "id")), "syn_in_last_ack_rst");
    assert_string_equal(json_object_get_string(get(worst, "level")), "error");
    assert_int_equal(json_object_get_int(get(worst, "count")), 2);
    assert_string_equal(json_object_get_string(get(worst, "first")), "2026-11-20T15:00:00.000143Z");
    assert_string_equal(json_object_get_string(get(worst, "last")), "2026-11-20T15:00:00.000144Z");
    assert_string_equal(json_object_get_string(get(worst, "example.lastack.level")), "error");
    struct json_object *next = json_object_array_get_idx(problems, 1);
    assert_int_equal(json_object_get_int(get(next, "count")), 2);
    assert_string_equal(json_object_get_string(get(next, "example.event.id")), "0000000000000001");
    assert_int_equal(json_object_get_int(get(root, "summary.left_out.problems")), 1);
    json_object_put(root);
    free(sheet.text);
}

/* The report is several lines: its tree is parsed from all of them. */
static struct json_object *sheet_parse_whole(const struct sheet *sheet)
{
    struct json_object *root = json_tokener_parse(sheet->text);
    assert_non_null(root);
    return root;
}

/* Those of the object itself, in order, with a space behind each. */
static void assert_keys(struct json_object *object, const char *expected)
{
    char keys[256] = "";
    json_object_object_foreach(object, key, value)
    {
        size_t length = strlen(keys);
        (void)value;
        snprintf(keys + length, sizeof keys - length, "%s ", key);
    }
    assert_string_equal(keys, expected);
}

static void the_report_keeps_the_flows_asked_for(void **state)
{
    static const struct {
        enum flows_wanted flows;
        uint32_t limit;
        size_t kept;
        int left_out;
    } cases[] = {
        {FLOWS_DEFAULT, 0, 2, 0},
        {FLOWS_ALL, 0, 3, 0},
        {FLOWS_NONE, 0, 0, 0},
        {FLOWS_ALL, 1, 1, 2},
    };
    (void)state;
    for (size_t row = 0; row < sizeof cases / sizeof cases[0]; row++) {
        struct sheet sheet;
        struct flow_record flow = some_flow();
        sheet_open(
            &sheet, sink_report_new,
            (struct sink_options){.flows = cases[row].flows, .kept_flows = cases[row].limit});
        sheet_add_flow(&sheet, &flow);
        sheet_add_flow(&sheet, &flow);
        flow.event_count = 0;
        sheet_add_flow(&sheet, &flow);
        sheet_finish(&sheet);
        struct json_object *root = sheet_parse_whole(&sheet);
        assert_keys(root, "lastack inputs capture summary problems hosts flows ");
        assert_int_equal(json_object_array_length(get(root, "flows")), cases[row].kept);
        assert_int_equal(json_object_get_int(get(root, "summary.left_out.flows")),
                         cases[row].left_out);
        json_object_put(root);
        free(sheet.text);
    }
}

static void the_text_is_fit_for_a_terminal(void **state)
{
    struct sheet sheet;
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_ERROR);
    struct event_record quiet = some_event(EVENT_incarnation_collision, LEVEL_INFO);
    int column = 0;
    (void)state;
    sheet_open(&sheet, sink_text_new, (struct sink_options){.columns = 80});
    snprintf(event.explanation, sizeof event.explanation, "one two \x1b]0;title\x07 %s %s",
             "three four five six seven eight nine ten", "eleven twelve thirteen fourteen fifteen");
    sheet_add_event(&sheet, &event);
    sheet_add_event(&sheet, &quiet);
    sheet_finish(&sheet);
    for (const char *at = sheet.text; *at != '\0'; at++) {
        column = *at == '\n' ? 0 : column + 1;
        assert_true(column <= 80);
        assert_true(*at == '\n' || (*at >= ' ' && *at != 0x7f));
    }
    assert_non_null(strstr(sheet.text, "10.0.0.1 -> 10.0.0.2 port 443"));
    assert_non_null(strstr(sheet.text, "#9"));
    assert_non_null(strstr(sheet.text, "keep TIME_WAIT"));
    assert_null(strstr(sheet.text, "INFO")); /* it begins at notice */
    free(sheet.text);
}

static void the_text_is_coloured_only_when_told(void **state)
{
    struct sheet sheet;
    struct event_record event = some_event(EVENT_syn_in_last_ack_rst, LEVEL_ERROR);
    (void)state;
    sheet_open(&sheet, sink_text_new, (struct sink_options){.colour = true});
    sheet_add_event(&sheet, &event);
    sheet_finish(&sheet);
    assert_non_null(strstr(sheet.text, "\x1b[1;31mERROR\x1b[0m"));
    free(sheet.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_groups_problems_worst_first),
        cmocka_unit_test(the_report_keeps_the_flows_asked_for),
        cmocka_unit_test(the_text_is_fit_for_a_terminal),
        cmocka_unit_test(the_text_is_coloured_only_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
