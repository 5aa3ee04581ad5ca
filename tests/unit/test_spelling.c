/* spelling: numbers, moments, addresses and foreign strings come out as JSON and people expect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../analyzer/base/community_id.h"
#include "../../analyzer/base/digits.h"
#include "../../analyzer/base/text.h"
#include "../../analyzer/sink/json_writer.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* What a JSON value is spelled like, in a buffer of the test's own. */
struct spelled {
    struct json_writer writer;
    struct printbuf *buffer;
};

static struct spelled start(bool nano)
{
    struct spelled spelled = {.buffer = printbuf_new()};
    json_writer_init(&spelled.writer, nano);
    json_writer_begin(&spelled.writer, spelled.buffer);
    return spelled;
}

static void finish(struct spelled *spelled, const char *expected)
{
    assert_true(json_writer_end(&spelled->writer) >= 0);
    assert_string_equal(spelled->buffer->buf, expected);
    printbuf_free(spelled->buffer);
}

static void strings_are_escaped(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain / text", "\"plain / text\""},
        {"\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"\x01\x1b[31m\x1f\x7f", "\"\\u0001\\u001b[31m\\u001f\\u007f\""},
        {"\xc2\x80\xc2\x9f\xc2\xa0", "\"\\u0080\\u009f\xc2\xa0\""},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\xff\xfe z", "\"a\xef\xbf\xbd\xef\xbf\xbd z\""},           /* never UTF-8 */
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* surrogate */
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* too far */
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                                 /* cut off */
        {NULL, "null"},
    };
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(cases); row++) {
        struct spelled spelled = start(false);
        json_put_string(&spelled.writer, cases[row].text);
        finish(&spelled, cases[row].json);
    }
}

/* Longer than any room the buffer starts with, and every octet needing six. */
static void long_strings_fit(void **state)
{
    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH + 1);
    struct spelled spelled = start(false);
    (void)state;
    memset(text, 1, LENGTH);
    text[LENGTH] = '\0';
    json_put_string(&spelled.writer, text);
    assert_int_equal(json_writer_end(&spelled.writer), 6 * LENGTH + 2);
    assert_memory_equal(spelled.buffer->buf + 6 * LENGTH - 5, "\\u0001\"", 8);
    printbuf_free(spelled.buffer);
    free(text);
}

static void integers_stay_within_53_bits(void **state)
{
    static const struct {
        int64_t value;
        const char *json;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {99, "99"},
        {100, "100"},
        {-1, "-1"},
        {12345, "12345"},
        {999, "999"},
        {1000, "1000"},
        {9999, "9999"},
        {10000, "10000"},
        {1234567, "1234567"},
        {9007199254740991, "9007199254740991"},
        {9007199254740992, "9007199254740991"},
        {INT64_MAX, "9007199254740991"},
        {INT64_MIN, "-9007199254740991"},
    };
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(cases); row++) {
        struct spelled spelled = start(false);
        json_put_integer(&spelled.writer, cases[row].value);
        finish(&spelled, cases[row].json);
    }
}

static void decimals_agree_with_printf(void **state)
{
    uint64_t value = 1;
    (void)state;
    for (int round = 0; round < 64 * 3; round++, value = value * 3 + (uint64_t)round) {
        char ours[TEXT_DECIMAL + 1], theirs[TEXT_DECIMAL + 1];
        uint64_t number = value >> (round % 64);
        *text_put_decimal(ours, number) = '\0';
        snprintf(theirs, sizeof theirs, "%llu", (unsigned long long)number);
        assert_string_equal(ours, theirs);
    }
}

/* An octet that needs more than a copy, wherever in a string it stands. */
static void escapes_are_found_everywhere(void **state)
{
    static const char *const odd[] = {"\"", "\\", "\x1f", "\x7f", "\xff"};
    static const char *const spelled_odd[] = {"\\\"", "\\\\", "\\u001f", "\\u007f", "\xef\xbf\xbd"};
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(odd); row++) {
        for (int at = 0; at < 24; at++) {
            char text[64], expected[128];
            snprintf(text, sizeof text, "%.*s%s%.*s", at, "~ ABCDEFGHIJKLMNOPQRSTUV", odd[row],
                     23 - at, "abcdefghijklmnopqrstuvw");
            snprintf(expected, sizeof expected, "\"%.*s%s%.*s\"", at, "~ ABCDEFGHIJKLMNOPQRSTUV",
                     spelled_odd[row], 23 - at, "abcdefghijklmnopqrstuvw");
            struct spelled spelled = start(false);
            json_put_string(&spelled.writer, text);
            finish(&spelled, expected);
        }
    }
}

static void check_digits(uint32_t value)
{
    char ours[TEXT_DECIMAL + 1], theirs[TEXT_DECIMAL + 1];
    *digits_put_number(ours, value) = '\0';
    snprintf(theirs, sizeof theirs, "%u", value);
    assert_string_equal(ours, theirs);
    *digits_put_nine(ours, value) = '\0';
    snprintf(theirs, sizeof theirs, "%09u", value);
    assert_string_equal(ours, theirs);
}

/* All groups of three digits, in each place, and numbers of each length. */
static void digits_agree_with_printf(void **state)
{
    (void)state;
    for (uint32_t value = 0; value < 1000; value++) {
        check_digits(value);
        check_digits(value * 1000 + 999 - value);
        check_digits(value * 1000000 + value);
    }
    for (uint32_t value = 1; value < DIGITS_SHORT; value += 1 + value / 97)
        check_digits(value);
}

static void check_time(bool nano, nanotime moment, const char *expected)
{
    char text[JSON_SCALAR];
    struct json_writer writer;
    json_writer_init(&writer, nano);
    *json_spell_time(&writer, text, moment) = '\0';
    assert_string_equal(text, expected);
    *json_spell_time(&writer, text, moment) = '\0'; /* from the day it remembers */
    assert_string_equal(text, expected);
}

/* One writer, whose seconds take each other's places. */
static void moments_of_many_seconds_keep_apart(void **state)
{
    static const nanotime moments[] = {
        NANOTIME_UNKNOWN,
        0,
        128000000000,
        999999999,
        1000000000,
        -1,
        NANOTIME_UNKNOWN,
        INT64_MIN + 1,
        NANOTIME_UNKNOWN,
        INT64_MAX,
        NANOTIME_UNKNOWN,
        127999999999,
        0,
        -128000000000,
        1795186807200140999,
        1795186808000000000,
        1795186807999999999,
        1795186935200140999,
    };
    struct json_writer writer;
    (void)state;
    json_writer_init(&writer, true);
    for (int round = 0; round < 3; round++) {
        for (size_t row = 0; row < ARRAY_LEN(moments); row++) {
            char text[JSON_SCALAR], expected[JSON_SCALAR];
            struct json_writer fresh;
            json_writer_init(&fresh, true);
            *json_spell_time(&fresh, expected, moments[row]) = '\0';
            uint32_t nanos;
            const struct json_second *second = json_writer_second(&writer, moments[row], &nanos);
            if (second != NULL)
                *json_spell_within(&writer, text, second, nanos) = '\0';
            else
                *json_spell_time(&writer, text, moments[row]) = '\0';
            assert_string_equal(text, expected);
        }
    }
}

static void moments_are_rfc_3339(void **state)
{
    (void)state;
    check_time(false, 0, "\"1970-01-01T00:00:00.000000Z\"");
    check_time(false, -1, "\"1969-12-31T23:59:59.999999Z\"");
    check_time(true, -1, "\"1969-12-31T23:59:59.999999999Z\"");
    check_time(true, 1, "\"1970-01-01T00:00:00.000000001Z\"");
    check_time(false, 1795186807200140999, "\"2026-11-20T15:00:07.200140Z\"");
    check_time(true, 1795186807200140999, "\"2026-11-20T15:00:07.200140999Z\"");
    check_time(false, 951868799999999000, "\"2000-02-29T23:59:59.999999Z\"");
    check_time(true, INT64_MAX, "\"2262-04-11T23:47:16.854775807Z\"");
    check_time(true, INT64_MIN + 1, "\"1677-09-21T00:12:43.145224193Z\"");
    check_time(false, NANOTIME_UNKNOWN, "null");
}

/* Every day that has a name of four digits. */
static void dates_agree_with_gmtime(void **state)
{
    enum { FIRST = -719528, LAST = 2932896 }; /* 0000-01-01, 9999-12-31 */
    (void)state;
    for (int64_t day = FIRST; day <= LAST; day++) {
        char ours[TEXT_DATE + 1], theirs[64];
        time_t second = (time_t)(day * 86400);
        struct tm date;
        *text_put_date(ours, day) = '\0';
        assert_non_null(gmtime_r(&second, &date));
        snprintf(theirs, sizeof theirs, "%04d-%02d-%02d", date.tm_year + 1900, date.tm_mon + 1,
                 date.tm_mday);
        assert_string_equal(ours, theirs);
    }
}

static void check_address(int family, const uint8_t *address)
{
    char ours[TEXT_ADDRESS + 1], theirs[INET6_ADDRSTRLEN];
    *text_put_address(ours, family == AF_INET ? 4 : 6, address) = '\0';
    assert_non_null(inet_ntop(family, address, theirs, sizeof theirs));
    assert_string_equal(ours, theirs);
}

/* Every pattern of zero and non-zero words, with words of every length. */
static void addresses_agree_with_inet_ntop(void **state)
{
    static const uint8_t words[][2] = {{0, 1}, {0, 0x2b}, {0x0a, 0xbc}, {0xff, 0xff}};
    (void)state;
    for (unsigned pattern = 0; pattern < 256; pattern++) {
        for (unsigned word = 0; word < ARRAY_LEN(words); word++) {
            uint8_t address[16] = {0};
            for (unsigned place = 0; place < 8; place++) {
                if (pattern & 1u << place)
                    memcpy(&address[2 * place], words[(word + place) % ARRAY_LEN(words)], 2);
            }
            check_address(AF_INET6, address);
            check_address(AF_INET, address + 4);
        }
    }
    check_address(AF_INET6, (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 1});
    check_address(AF_INET6, (const uint8_t[16]){[12] = 192, 0, 2, 1});
    check_address(AF_INET, (const uint8_t[4]){255, 255, 255, 255});
}

/* The vectors of the Community ID specification, in both directions. */
static void community_ids_are_the_published_ones(void **state)
{
    static const struct {
        int family;
        const char *a, *b;
        uint16_t port_a, port_b;
        const char *id;
    } cases[] = {
        {AF_INET, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
        {AF_INET6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
         "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    };
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(cases); row++) {
        uint8_t a[16], b[16];
        char id[COMMUNITY_ID_SIZE];
        uint8_t version = cases[row].family == AF_INET ? 4 : 6;
        struct community_end ends[2] = {{a, cases[row].port_a}, {b, cases[row].port_b}};
        assert_int_equal(inet_pton(cases[row].family, cases[row].a, a), 1);
        assert_int_equal(inet_pton(cases[row].family, cases[row].b, b), 1);
        community_id_tcp(version, ends[0], ends[1], id);
        assert_string_equal(id, cases[row].id);
        community_id_tcp(version, ends[1], ends[0], id);
        assert_string_equal(id, cases[row].id);
    }
}

/* A host that talks to itself: the ports decide the order. */
static void community_ids_have_no_direction(void **state)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    struct community_end low = {loopback, 80}, high = {loopback, 40000};
    char there[COMMUNITY_ID_SIZE], back[COMMUNITY_ID_SIZE];
    (void)state;
    community_id_tcp(4, low, high, there);
    community_id_tcp(4, high, low, back);
    assert_string_equal(there, back);
}

static void durations_are_read_at_a_glance(void **state)
{
    static const struct {
        nanotime duration;
        const char *text;
    } cases[] = {
        {0, "0 ns"},
        {999, "999 ns"},
        {1000, "1 us"},
        {140000, "140 us"},
        {1050000, "1.05 ms"},
        {10600000, "10.6 ms"},
        {200000000, "200 ms"},
        {1200000000, "1.2 s"},
        {60000000000, "60 s"},
        {599000000000, "599 s"},
        {725000000000, "12 min 5 s"},
        {7200000000000, "2 h"},
        {7500000000000, "2 h 5 min"},
        {187200000000000, "2 d 4 h"},
        {-1200000000, "-1.2 s"},
    };
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(cases); row++) {
        char text[TEXT_DURATION + 1];
        *text_put_duration(text, cases[row].duration) = '\0';
        assert_string_equal(text, cases[row].text);
    }
    char longest[TEXT_DURATION + 1];
    assert_true(text_put_duration(longest, INT64_MIN) <= longest + TEXT_DURATION);
}

static void nothing_a_terminal_obeys_is_shown(void **state)
{
    char text[64];
    (void)state;
    text_copy_printable(text, sizeof text,
                        "a\x1b[2J\x7f\xc2\x9b"
                        "b\xff\n");
    assert_string_equal(text, "a?[2J??b??");
    text_copy_printable(text, sizeof text,
                        "\xe2\x80\xae"
                        "evil\xe2\x81\xa6\xe2\x80\xa8");
    assert_string_equal(text, "?evil??");
    text_copy_printable(text, 6, "abcd\xc3\xa4\xc3\xa4"); /* cut between characters */
    assert_string_equal(text, "abcd");
    text_copy_printable(text, 1, "abcd");
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(long_strings_fit),
        cmocka_unit_test(integers_stay_within_53_bits),
        cmocka_unit_test(escapes_are_found_everywhere),
        cmocka_unit_test(digits_agree_with_printf),
        cmocka_unit_test(decimals_agree_with_printf),
        cmocka_unit_test(moments_of_many_seconds_keep_apart),
        cmocka_unit_test(moments_are_rfc_3339),
        cmocka_unit_test(dates_agree_with_gmtime),
        cmocka_unit_test(addresses_agree_with_inet_ntop),
        cmocka_unit_test(community_ids_are_the_published_ones),
        cmocka_unit_test(community_ids_have_no_direction),
        cmocka_unit_test(durations_are_read_at_a_glance),
        cmocka_unit_test(nothing_a_terminal_obeys_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
