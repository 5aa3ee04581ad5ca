/* options: each option does what its row says, and a mistake is answered with what to type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../analyzer/nearest.h"
#include "../../analyzer/options.h"
#include "../../analyzer/values.h"

enum { WORDS_MAX = 32 };

struct parsed {
    struct options options;
    enum status status;
    char message[MESSAGE_SIZE];
    char line[1024];
    char *argv[WORDS_MAX + 1];
};

/* Parses a line of words that are separated by single spaces; "lastack" is put before it. */
static struct parsed *parse(const char *line)
{
    struct parsed *parsed = calloc(1, sizeof *parsed);
    int argc = 0;
    snprintf(parsed->line, sizeof parsed->line, "lastack %s", line);
    for (char *word = strtok(parsed->line, " "); word != NULL; word = strtok(NULL, " "))
        parsed->argv[argc++] = word;
    parsed->status = options_parse(argc, parsed->argv, &parsed->options, parsed->message);
    return parsed;
}

static void discard(struct parsed *parsed)
{
    options_clear(&parsed->options);
    free(parsed);
}

static void assert_refused(const char *line, const char *expected)
{
    struct parsed *parsed = parse(line);
    if (parsed->status != STATUS_USAGE || strstr(parsed->message, expected) == NULL)
        fail_msg("\"%s\": status %d, message \"%s\", expected \"%s\"", line, (int)parsed->status,
                 parsed->message, expected);
    assert_null(strchr(parsed->message, '\n'));
    discard(parsed);
}

static struct parsed *parse_well(const char *line)
{
    struct parsed *parsed = parse(line);
    if (parsed->status != STATUS_OK)
        fail_msg("\"%s\": %s", line, parsed->message);
    return parsed;
}

static void words_are_files(void **state)
{
    (void)state;
    struct parsed *parsed = parse_well("b.pcap --nano a.pcap -");
    assert_int_equal(parsed->options.action, ACTION_ANALYSE);
    assert_int_equal(parsed->options.file_count, 3);
    assert_string_equal(parsed->options.files[0], "b.pcap");
    assert_string_equal(parsed->options.files[1], "a.pcap");
    assert_string_equal(parsed->options.files[2], "-");
    assert_null(parsed->options.filter);
    assert_true(parsed->options.nano);
    discard(parsed);
}

static void words_after_r_or_i_are_a_filter(void **state)
{
    (void)state;
    struct parsed *parsed = parse_well("-r a.pcap -r b.pcap tcp port 80");
    assert_int_equal(parsed->options.file_count, 2);
    assert_string_equal(parsed->options.filter, "tcp port 80");
    discard(parsed);
    parsed = parse_well("-i eth0 -p -s 128 -B 4096 -y EN10MB -j host tcp");
    assert_string_equal(parsed->options.link_type, "EN10MB");
    assert_string_equal(parsed->options.stamp_type, "host");
    assert_string_equal(parsed->options.interfaces[0], "eth0");
    assert_string_equal(parsed->options.filter, "tcp");
    assert_false(parsed->options.promiscuous);
    assert_int_equal(parsed->options.snaplen, 128);
    assert_int_equal(parsed->options.buffer_kib, 4096);
    discard(parsed);
    parsed = parse_well("-f tcp a.pcap");
    assert_string_equal(parsed->options.filter, "tcp");
    assert_int_equal(parsed->options.file_count, 1);
    discard(parsed);
}

static void a_filter_comes_from_a_file(void **state)
{
    (void)state;
    char name[] = "/tmp/lastack-filter-XXXXXX";
    char line[128];
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "tcp and\nport 80\n", 16), 16);
    close(fd);
    snprintf(line, sizeof line, "-F %s a.pcap", name);
    struct parsed *parsed = parse_well(line);
    assert_string_equal(parsed->options.filter, "tcp and\nport 80\n");
    discard(parsed);
    unlink(name);
    assert_refused(line, "cannot open it: No such file or directory");
    assert_refused("-F /dev/zero a.pcap", "text file of at most 65536 octets");
}

static void defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    struct parsed *parsed = parse_well("a.pcap");
    const struct options *options = &parsed->options;
    assert_int_equal(options->config.msl, INT64_C(30) * NANO_PER_SECOND);
    assert_int_equal(options->config.threads, 0);
    assert_int_equal(options->output_count, 0);
    assert_int_equal(options->flows, CHOICE_DEFAULT);
    assert_int_equal(options->segments, CHOICE_DEFAULT);
    assert_int_equal(options->level, 0);
    assert_int_equal(options->fail_level, 0);
    assert_int_equal(options->fail_event, EVENT_IDS);
    assert_int_equal(options->since, NANOTIME_UNKNOWN);
    assert_int_equal(options->until, NANOTIME_UNKNOWN);
    assert_false(options->nano);
    assert_false(options->events_chosen);
    assert_true(options->promiscuous);
    discard(parsed);
}

static void outputs_are_several(void **state)
{
    (void)state;
    struct parsed *parsed = parse_well("--json=r.json --ndjson --text=t.txt a.pcap");
    assert_int_equal(parsed->options.output_count, 3);
    assert_int_equal(parsed->options.outputs[0].kind, OUTPUT_JSON);
    assert_string_equal(parsed->options.outputs[0].file, "r.json");
    assert_int_equal(parsed->options.outputs[1].kind, OUTPUT_NDJSON);
    assert_null(parsed->options.outputs[1].file);
    assert_int_equal(parsed->options.outputs[2].kind, OUTPUT_TEXT);
    discard(parsed);
    parsed = parse_well("--text=- a.pcap");
    assert_null(parsed->options.outputs[0].file);
    discard(parsed);
    assert_refused("--json --ndjson=- a.pcap", "two outputs to standard output");
    assert_refused("--json=x --text=x a.pcap", "two outputs to x");
    assert_refused("--json=1 --json=2 --json=3 --json=4 --json=5 --json=6 --json=7 --json=8 "
                   "--json=9 a.pcap",
                   "more than 8 outputs");
}

static void values_reach_their_places(void **state)
{
    (void)state;
    struct parsed *parsed = parse_well(
        "--msl 120 --max-memory 512M --flows problems --segments 00ff --level warning "
        "--transitions "
        "--event tw_assassination,final_ack_lost --fail-on final_ack_lost --observer tap -c 7 -U "
        "-n -q -v --threads 1 --since 2026-11-20T15:00:00Z --until 2026-11-20T15:00:01Z a.pcap");
    const struct options *options = &parsed->options;
    assert_int_equal(options->config.msl, INT64_C(120) * NANO_PER_SECOND);
    assert_int_equal(options->config.max_memory, 512 << 20);
    assert_int_equal(options->flows, CHOICE_PROBLEMS);
    assert_int_equal(options->segments, CHOICE_ONE);
    assert_int_equal(options->segments_uid, 255);
    assert_int_equal(options->level, LEVEL_WARNING);
    assert_true(options->transitions);
    assert_true(options->events_chosen);
    assert_true(options->events[EVENT_tw_assassination]);
    assert_true(options->events[EVENT_final_ack_lost]);
    assert_false(options->events[EVENT_stray_old_segment]);
    assert_int_equal(options->fail_event, EVENT_final_ack_lost);
    assert_int_equal(options->fail_level, 0);
    assert_string_equal(options->observer, "tap");
    assert_int_equal(options->count, 7);
    assert_true(options->flush && options->quiet && options->verbose);
    assert_int_equal(options->until - options->since, NANO_PER_SECOND);
    discard(parsed);
    parsed = parse_well("--fail-on error --segments all --nano --micro a.pcap");
    assert_int_equal(parsed->options.fail_level, LEVEL_ERROR);
    assert_int_equal(parsed->options.fail_event, EVENT_IDS);
    assert_int_equal(parsed->options.segments, CHOICE_ALL);
    assert_false(parsed->options.nano);
    discard(parsed);
}

/* The events chosen, in the order of the catalogue, each followed by a space. */
static void spell_chosen(const struct options *options, char *text, size_t size)
{
    *text = '\0';
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        size_t length = strlen(text);
        if (options->events[id])
            snprintf(text + length, size - length, "%s ", event_row(id)->id);
    }
}

static void a_family_stands_for_its_events(void **state)
{
    (void)state;
    char chosen[1024], expected[1024] = "";
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        size_t length = strlen(expected);
        if (strcmp(event_row(id)->family, "C3") == 0 || id == EVENT_tw_assassination)
            snprintf(expected + length, sizeof expected - length, "%s ", event_row(id)->id);
    }
    assert_non_null(strstr(expected, "syn_in_last_ack_rst "));
    assert_null(strstr(expected, "final_ack_lost "));
    struct parsed *parsed = parse_well("--event C3,tw_assassination a.pcap");
    spell_chosen(&parsed->options, chosen, sizeof chosen);
    assert_string_equal(chosen, expected);
    discard(parsed);
    parsed = parse_well("--event tw_assassination --event C3 a.pcap");
    spell_chosen(&parsed->options, chosen, sizeof chosen);
    assert_string_equal(chosen, expected);
    discard(parsed);
}

static void segments_of_problems_need_files(void **state)
{
    (void)state;
    struct parsed *parsed = parse_well("--segments problems a.pcap b.pcap");
    assert_int_equal(parsed->options.segments, CHOICE_PROBLEMS);
    discard(parsed);
    parsed = parse_well("--segments problems -r a.pcap tcp port 80");
    assert_int_equal(parsed->options.segments, CHOICE_PROBLEMS);
    discard(parsed);
    /* What is no regular file is refused for the second reading only. */
    parsed = parse_well("--segments all -");
    discard(parsed);
}

static void questions_need_no_input(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum action action;
    } questions[] = {
        {"--help", ACTION_HELP},       {"-h", ACTION_HELP},
        {"--version", ACTION_VERSION}, {"-V", ACTION_VERSION},
        {"--schema", ACTION_SCHEMA},   {"--list-events", ACTION_LIST_EVENTS},
        {"-D", ACTION_INTERFACES},     {"--explain final_ack_lost", ACTION_EXPLAIN},
        {"-V --help", ACTION_VERSION}, {"--list-events=json --notes", ACTION_LIST_EVENTS},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct parsed *parsed = parse_well(questions[i].line);
        assert_int_equal(parsed->options.action, questions[i].action);
        discard(parsed);
    }
}

static void mistakes_are_named(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *line, *expected;
    } mistakes[] = {
        {"",                                   "nothing to read; name a capture file"},
        {"--nosuchthing a",                    "unknown option --nosuchthing; lastack --help"},
        {"--ndjsn a",                          "unknown option --ndjsn; did you mean --ndjson?"},
        {"--flows=all --flws=none a",          "did you mean --flows?"},
        {"-Q a",                               "unknown option -Q"},
        {"a --msl",                            "--msl: its argument is missing; write it as --msl SECONDS"},
        {"a -r",                               "-r: its argument is missing; write it as -r FILE"},
        {"--nano=9 a",                         "--nano takes no argument"},
        {"--msl 0 a",                          "--msl 0: must be 1 to 3600 seconds, such as --msl 30"},
        {"--msl 3601 a",                       "--msl 3601"},
        {"--msl 30s a",                        "--msl 30s"},
        {"--max-memory 1 a",                   "--max-memory 1: must be 1M to 16T"},
        {"--max-memory many a",                "--max-memory many"},
        {"-c 0 a",                             "-c 0: must be a number from 1"},
        {"-c -1 a",                            "-c -1"},
        {"-s 10 a",                            "-s 10: must be a number from 64 to 262144"},
        {"-B 1 a",                             "-B 1: must be a number from 64 to 2097151"},
        {"--threads 0 a",                      "--threads 0: must be a number from 1 to"},
        {"--threads 100000 a",                 "--threads 100000"},
        {"--flows some a",                     "--flows some: must be all, problems or none"},
        {"--segments none a",                  "--segments none: must be all, problems, or a flow_uid"},
        {"--segments problems -",              "standard input gives them once; save it with tcpdump -w FILE"},
        {"--segments problems -r a -r -",      "standard input gives them once"},
        {"--segments problems /dev/null",      "/dev/null gives them once"},
        {"--segments problems -i eth0",        "eth0 gives them once"},
        {"--segments 0123456789abcdef0 a",     "--segments 0123456789abcdef0"},
        {"--level bad a",                      "--level bad: must be info, notice, warning or error"},
        {"--event final_ack_lots a",           "did you mean final_ack_lost?"},
        {"--event final_ack_lost, a",          "there is no event \"\""},
        {"--event C0 a",                       "(an event, or a family such as C3): there is no event \"C0\""},
        {"--event c3 a",                       "there is no event \"c3\""},
        {"--fail-on zzzzzzzzzzzz a",           "there is no event \"zzzzzzzzzzzz\"; lastack --list-events"},
        {"--since yesterday a",                "--since yesterday: not a time of RFC 3339"},
        {"--until 2026-02-30T00:00:00Z a",     "--until 2026-02-30T00:00:00Z"},
        {"--since 2026-11-20T15:00:00Z --until 2026-11-20T15:00:00Z a", "--until is not after --since"},
        {"--list-events=xml",                  "--list-events or --list-events=json"},
        {"-i eth0 -r a",                       "-i eth0 and -r a: read one or the other"},
        {"-Z nobody a.pcap",                   "-Z is for live capture"},
        {"-i eth0 -W 3",                       "-C SIZE or -G SECONDS"},
        {"-i eth0 -C 1x",                      "-C 100 or -C 64M"},
        {"-i eth0 -G 0",                       "-G 0: must be a number"},
        {"--stats-interval 5 a.pcap",          "--stats-interval is for live capture"},
        {"-i eth0 --active-timeout 1m",        "--active-timeout 60"},
        {"-i eth0 -i eth0",                    "it was given already"},
        {"-f tcp -r a udp",                    "more than one filter"},
        {"- -",                                "- is named 2 times"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        assert_refused(mistakes[i].line, mistakes[i].expected);
}

static void an_empty_observer_is_refused(void **state)
{
    (void)state;
    char words[][16] = {"lastack", "--observer", "", "a.pcap"};
    char *argv[] = {words[0], words[1], words[2], words[3], NULL};
    struct options options;
    char message[MESSAGE_SIZE];
    assert_int_equal(options_parse(4, argv, &options, message), STATUS_USAGE);
    assert_non_null(strstr(message, "--observer: the name is empty"));
    options_clear(&options);
}

static void long_words_stay_within_the_message(void **state)
{
    (void)state;
    char line[900] = "--level ";
    memset(line + 8, 'x', sizeof line - 9);
    assert_refused(line, "--level xxx");
    memcpy(line, "--xxxxxx", 8);
    assert_refused(line, "unknown option --xxx");
}

static void every_option_has_a_row(void **state)
{
    (void)state;
    for (enum option_id id = 0; id < OPTION_IDS; id++) {
        const struct option_row *row = option_row(id);
        assert_true(row->letter != 0 || row->long_name != NULL);
        assert_non_null(row->help);
        assert_true(row->group < OPTION_GROUPS);
        for (enum option_id other = 0; other < id; other++) {
            assert_true(row->letter == 0 || row->letter != option_row(other)->letter);
            assert_true(row->long_name == NULL || option_row(other)->long_name == NULL ||
                        strcmp(row->long_name, option_row(other)->long_name) != 0);
        }
    }
}

static void moments_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        nanotime moment; /* NANOTIME_UNKNOWN: refused */
    } moments[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000000001Z", 1},
        {"2000-02-29T12:00:00Z", INT64_C(951825600) * NANO_PER_SECOND},
        {"2026-11-20T15:00:07.200140Z", INT64_C(1795186807200140000)},
        {"2026-11-20t16:00:07.200140+01:00", INT64_C(1795186807200140000)},
        {"2026-11-20 14:30:07.20014-00:30", INT64_C(1795186807200140000)},
        {"2261-12-31T23:59:59Z", INT64_C(9214646399) * NANO_PER_SECOND},
        {"2100-02-29T00:00:00Z", NANOTIME_UNKNOWN},
        {"2262-01-01T00:00:00Z", NANOTIME_UNKNOWN},
        {"2026-11-20", NANOTIME_UNKNOWN},
        {"2026-11-20T15:00:07", NANOTIME_UNKNOWN},
        {"2026-11-20T24:00:00Z", NANOTIME_UNKNOWN},
        {"2026-11-20T15:00:07.Z", NANOTIME_UNKNOWN},
        {"2026-11-20T15:00:07.1234567890Z", NANOTIME_UNKNOWN},
        {"2026-11-20T15:00:07Zx", NANOTIME_UNKNOWN},
        {"2026-1-20T15:00:07Z", NANOTIME_UNKNOWN},
        {"", NANOTIME_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        nanotime moment = NANOTIME_UNKNOWN;
        bool read = value_read_time(moments[i].word, &moment);
        if (moment != moments[i].moment || read != (moment != NANOTIME_UNKNOWN))
            fail_msg("\"%s\" was read as %lld", moments[i].word, (long long)moment);
    }
}

static void numbers_do_not_wrap(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_true(value_read_number("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
    assert_false(value_read_number("18446744073709551616", &value));
    assert_false(value_read_number("99999999999999999999", &value));
    assert_false(value_read_number("", &value));
    assert_false(value_read_number("+1", &value));
    assert_true(value_read_size("3k", &value));
    assert_int_equal(value, 3072);
    assert_true(value_read_size("1T", &value));
    assert_true(value == UINT64_C(1) << 40);
    assert_false(value_read_size("18014398509481984K", &value));
    assert_false(value_read_size("K", &value));
    assert_false(value_read_size("1KB", &value));
    assert_true(value_read_uid("fEdcba9876543210", &value));
    assert_true(value == UINT64_C(0xfedcba9876543210));
    assert_false(value_read_uid("0x1", &value));
}

static const char *next_fruit(size_t index)
{
    static const char *const fruits[] = {"apple", "pear", "plum"};
    return index < 3 ? fruits[index] : NULL;
}

static void the_nearest_word_is_near(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    assert_int_equal(nearest_distance("same", "same"), 0);
    assert_string_equal(nearest_word("aple", next_fruit), "apple");
    assert_string_equal(nearest_word("plun", next_fruit), "plum");
    assert_string_equal(nearest_word("app", next_fruit), "apple");
    assert_null(nearest_word("melon", next_fruit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_files),
        cmocka_unit_test(words_after_r_or_i_are_a_filter),
        cmocka_unit_test(a_filter_comes_from_a_file),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(outputs_are_several),
        cmocka_unit_test(values_reach_their_places),
        cmocka_unit_test(a_family_stands_for_its_events),
        cmocka_unit_test(segments_of_problems_need_files),
        cmocka_unit_test(questions_need_no_input),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(an_empty_observer_is_refused),
        cmocka_unit_test(long_words_stay_within_the_message),
        cmocka_unit_test(every_option_has_a_row),
        cmocka_unit_test(moments_are_read_strictly),
        cmocka_unit_test(numbers_do_not_wrap),
        cmocka_unit_test(the_nearest_word_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
