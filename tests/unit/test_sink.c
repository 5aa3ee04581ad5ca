/* sinks: records leave with the keys, the order and the nulls that their contract names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../analyzer/event/dwell.h"
#include "../../analyzer/sink/output.h"
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
        char *keys = calloc(1, KEYS);
        json_object_object_foreach(root, key, value)
        {
            (void)value;
            add_key(keys, "", key);
        }
        assert_string_equal(keys, "lastack inputs capture summary problems hosts flows");
        assert_int_equal(json_object_array_length(get(root, "flows")), cases[row].kept);
        assert_int_equal(json_object_get_int(get(root, "summary.left_out.flows")),
                         cases[row].left_out);
        free(keys);
        json_object_put(root);
        free(sheet.text);
    }
}

static void failures_are_told_apart_and_stay(void **state)
{
    FILE *full = fopen("/dev/full", "w");
    struct sink_options options = {.version = "0"};
    struct flow_record flow = some_flow();
    struct sink *sink;
    int ends[2];
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (full != NULL) {
        assert_int_equal(sink_ndjson_new(&options, full, &sink), STATUS_OK);
        assert_int_equal(sink->ops->flow(sink, &flow), STATUS_OK);
        assert_int_equal(sink->ops->flush(sink), STATUS_WRITE);
        assert_int_equal(sink->ops->flow(sink, &flow), STATUS_WRITE);
        sink->ops->free(sink);
        fclose(full);
    }
    assert_int_equal(pipe(ends), 0);
    FILE *closed = fdopen(ends[1], "w");
    close(ends[0]);
    assert_int_equal(sink_ndjson_new(&options, closed, &sink), STATUS_OK);
    assert_int_equal(sink->ops->flow(sink, &flow), STATUS_OK);
    assert_int_equal(sink->ops->flush(sink), STATUS_CLOSED);
    assert_int_equal(sink->ops->flow(sink, &flow), STATUS_CLOSED);
    sink->ops->free(sink);
    fclose(closed);
}

/* Reads what has arrived in the pipe so far and says whether it ends with a line. */
static bool drain_to_line_end(int end)
{
    static const size_t size = 65536;
    char *chunk = malloc(size);
    ssize_t got, last = 0;
    char mark = '\n';
    while ((got = read(end, chunk, size)) > 0) {
        last += got;
        mark = chunk[got - 1];
    }
    free(chunk);
    return last > 0 && mark == '\n';
}

/* Without any flush of ours, what has left the sink's buffer at any time is whole lines. */
static void lines_leave_whole(void **state)
{
    FILE *file = tmpfile();
    struct sink_options options = {.version = "0"};
    struct flow_record flow = some_flow();
    struct sink *sink;
    bool seen = false;
    (void)state;
    assert_int_equal(sink_ndjson_new(&options, file, &sink), STATUS_OK);
    int copy = dup(fileno(file));
    for (int round = 0; round < 300; round++) {
        assert_int_equal(sink->ops->flow(sink, &flow), STATUS_OK);
        off_t size = lseek(copy, 0, SEEK_END);
        lseek(copy, 0, SEEK_SET);
        if (size > 0)
            assert_true(drain_to_line_end(copy));
        seen = seen || size > 0;
        lseek(copy, size, SEEK_SET);
    }
    assert_true(seen);
    close(copy);
    sink->ops->free(sink);
    fclose(file);
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

/* A line whose text fits the buffer exactly, but whose end does not. */
static void a_line_is_not_parted_from_its_end(void **state)
{
    enum { BUFFER = 256 * 1024, FIRST = 100 };
    FILE *file = tmpfile();
    char *text = malloc(BUFFER);
    struct output output;
    (void)state;
    memset(text, 'x', BUFFER);
    assert_int_equal(output_init(&output, file), STATUS_OK);
    assert_int_equal(output_write_line(&output, text, FIRST), STATUS_OK);
    assert_int_equal(output_write_line(&output, text, BUFFER - FIRST - 1), STATUS_OK);
    assert_int_equal(lseek(fileno(file), 0, SEEK_END), FIRST + 1);
    assert_int_equal(output_flush(&output), STATUS_OK);
    assert_int_equal(lseek(fileno(file), 0, SEEK_END), BUFFER + 1);
    output_clear(&output);
    free(text);
    fclose(file);
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
        cmocka_unit_test(the_report_groups_problems_worst_first),
        cmocka_unit_test(the_report_keeps_the_flows_asked_for),
        cmocka_unit_test(failures_are_told_apart_and_stay),
        cmocka_unit_test(lines_leave_whole),
        cmocka_unit_test(the_text_is_fit_for_a_terminal),
        cmocka_unit_test(the_text_is_coloured_only_when_told),
        cmocka_unit_test(dwell_times_are_exact_and_then_nearly),
        cmocka_unit_test(dwell_times_leave_out_what_never_was),
        cmocka_unit_test(a_line_is_not_parted_from_its_end),
        cmocka_unit_test(every_tuple_has_its_own_community_id),
        cmocka_unit_test(the_schema_holds_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
