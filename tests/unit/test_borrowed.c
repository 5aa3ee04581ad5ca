/* output: lines that are lent to it arrive whole and in their order, though their place is used
 * anew once they are settled, and others are written between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/sink/output.h"

enum { ROUNDS = 6, PLACE = 1 << 20, LONGEST = 997 };

/* How many lines a round has: few ones are copied, very many leave before they are settled. */
static const int lines_of[ROUNDS] = {700, 900, 3, 5, 1000, 40};

/* Line `number`, with its end. */
static size_t make_line(int number, char *line)
{
    size_t length = (size_t)number * 31 % LONGEST + 8;
    memset(line, 'a' + number % 26, length);
    snprintf(line, 8, "%07u", (unsigned)number % 10000000);
    line[7] = ' ';
    line[length] = '\n';
    return length + 1;
}

/* Lends the lines of a round, every ninth aside; returns the number of the next one. */
static int lend_round(struct output *output, char *place, int number, int lines)
{
    size_t used = 0;
    for (int end = number + lines; number < end; number++) {
        size_t length = make_line(number, place + used);
        if (number % 9 == 0)
            assert_int_equal(output_write_line(output, place + used, length - 1), STATUS_OK);
        else
            assert_int_equal(output_lend_line(output, place + used, length), STATUS_OK);
        used += number % 9 == 0 ? 0 : length;
        assert_true(used + LONGEST + 16 < PLACE);
    }
    assert_int_equal(output_settle(output), STATUS_OK);
    memset(place, '#', used); /* what is made next */
    return number;
}

static int lend_all(FILE *stream)
{
    struct output output;
    char *place = malloc(PLACE);
    int number = 0;
    assert_non_null(place);
    assert_int_equal(output_init(&output, stream), STATUS_OK);
    for (int round = 0; round < ROUNDS; round++)
        number = lend_round(&output, place, number, lines_of[round]);
    assert_int_equal(output_flush(&output), STATUS_OK);
    output_clear(&output);
    free(place);
    return number;
}

static void claim_lines(FILE *stream, int lines)
{
    char line[LONGEST + 16], found[LONGEST + 16];
    for (int i = 0; i < lines; i++) {
        size_t length = make_line(i, line);
        assert_non_null(fgets(found, sizeof(found), stream));
        assert_memory_equal(found, line, length);
    }
    assert_null(fgets(found, sizeof(found), stream));
}

/* By a program at the other end of a pipe, which takes as much at a time as it likes. */
static void a_reader_gets_every_line(void **state)
{
    (void)state;
    char name[] = "/tmp/test_borrowed.XXXXXX", command[64];
    int file = mkstemp(name);
    assert_true(file >= 0);
    snprintf(command, sizeof(command), "dd bs=777 of=%s 2>/dev/null", name);
    FILE *reader = popen(command, "w");
    assert_non_null(reader);
    int lines = lend_all(reader);
    assert_int_equal(pclose(reader), 0);
    FILE *stream = fdopen(file, "r");
    claim_lines(stream, lines);
    fclose(stream);
    remove(name);
}

static void a_file_gets_every_line(void **state)
{
    (void)state;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    int lines = lend_all(stream);
    rewind(stream);
    claim_lines(stream, lines);
    fclose(stream);
}

static void a_reader_that_went_away_is_none_that_failed(void **state)
{
    (void)state;
    struct output output;
    char line[] = "line\n", *place = calloc(1, PLACE);
    enum status status = STATUS_OK;
    signal(SIGPIPE, SIG_IGN);
    FILE *reader = popen("exec <&-", "w");
    assert_non_null(reader);
    assert_int_equal(output_init(&output, reader), STATUS_OK);
    for (int i = 0; i < 100000 && status == STATUS_OK; i++) {
        status = output_lend_line(&output, place, 1000);
        if (status == STATUS_OK && i % 100 == 99)
            status = output_settle(&output);
    }
    assert_int_equal(status, STATUS_CLOSED);
    assert_int_equal(output_lend_line(&output, line, 5), STATUS_CLOSED); /* it stays */
    assert_int_equal(output_settle(&output), STATUS_CLOSED);
    output_clear(&output);
    pclose(reader);
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_gets_every_line),
        cmocka_unit_test(a_file_gets_every_line),
        cmocka_unit_test(a_reader_that_went_away_is_none_that_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
