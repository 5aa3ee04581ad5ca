/* output: a file that another thread writes holds the same octets, those that go past the memory of
 * the system, too; where it may not grow it ends with a whole line, and the failure stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../analyzer/sink/large_file.h"
#include "../../analyzer/sink/output.h"

enum { LINES = 60000, LONGEST = 997, LIMIT = 5000000 };

/* Line `number`, without its end; lengths differ, so that buffers end anywhere. */
static size_t make_line(int number, char *line)
{
    size_t length = (size_t)number * 31 % LONGEST + 8;
    memset(line, 'a' + number % 26, length);
    snprintf(line, 8, "%07u", (unsigned)number % 10000000);
    line[7] = ' ';
    return length;
}

/* Where a file begins that is written aside or not; a hole is before that. */
struct way {
    bool aside;
    off_t begin;
};

static const struct way ways[] = {
    {false, 0},
    {true, 0},
    {false, LARGE_FILE + 77},
    {true, LARGE_FILE + 77},
    {true, LARGE_FILE - 1000000}, /* a part before, a part beyond */
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static FILE *open_at(off_t begin)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(lseek(fileno(stream), begin, SEEK_SET), begin);
    return stream;
}

static void write_lines(FILE *stream, const struct way *way, enum status *ret_status,
                        int *ret_error)
{
    struct output output;
    char line[LONGEST + 8];
    off_t octets = way->begin;
    struct stat file;
    enum status status = output_init(&output, stream);
    assert_int_equal(status, STATUS_OK);
    if (way->aside)
        output_write_aside(&output);
    for (int i = 0; i < LINES && status == STATUS_OK; i++) {
        size_t length = make_line(i, line);
        status = output_write_line(&output, line, length);
        octets += (off_t)length + 1;
    }
    enum status flushed = output_flush(&output);
    *ret_error = errno;
    *ret_status = flushed;
    assert_true(status == STATUS_OK || status == flushed);
    assert_int_equal(fstat(fileno(stream), &file), 0);
    assert_true(flushed != STATUS_OK || file.st_size == octets); /* nothing is left to be written */
    output_clear(&output);
}

/* How many lines the file holds; fails where one is not what was written. */
static int count_lines(FILE *stream, off_t begin)
{
    char line[LONGEST + 8], found[LONGEST + 16];
    int count = 0;
    fseeko(stream, begin, SEEK_SET);
    for (; fgets(found, sizeof(found), stream) != NULL; count++) {
        size_t length = make_line(count, line);
        assert_int_equal(strlen(found), length + 1);
        assert_memory_equal(found, line, length);
        assert_int_equal(found[length], '\n');
    }
    return count;
}

static void all_lines_arrive(void **state)
{
    (void)state;
    for (int i = 0; i < WAYS; i++) {
        FILE *stream = open_at(ways[i].begin);
        enum status status;
        int error;
        write_lines(stream, &ways[i], &status, &error);
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(count_lines(stream, ways[i].begin), LINES);
        fclose(stream);
    }
}

static void what_fails_ends_with_a_line(void **state)
{
    (void)state;
    struct rlimit before, limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    for (int i = 0; i < WAYS; i++) {
        FILE *stream = open_at(ways[i].begin);
        enum status status;
        int error;
        limit.rlim_cur = (rlim_t)(ways[i].begin + LIMIT);
        setrlimit(RLIMIT_FSIZE, &limit);
        write_lines(stream, &ways[i], &status, &error);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(status, STATUS_WRITE);
        assert_int_equal(error, EFBIG);
        int lines = count_lines(stream, ways[i].begin);
        assert_in_range(lines, (LIMIT - LONGEST) / LONGEST, LINES - 1);
        fclose(stream);
    }
}

/* Not a file: a reader at the other end of a pipe is to have every line soon. */
static void a_pipe_is_written_at_once(void **state)
{
    (void)state;
    FILE *stream = popen("cat > /dev/null", "w");
    assert_non_null(stream);
    struct output output;
    assert_int_equal(output_init(&output, stream), STATUS_OK);
    output_write_aside(&output);
    assert_false(output.aside);
    output_clear(&output);
    pclose(stream);
}

/* What was there is gone before the first octet comes, whether that takes long or not, and where
 * none comes, too. */
static void what_the_file_held_goes(void **state)
{
    (void)state;
    static const off_t held[] = {0, 5000, LARGE_FILE + 5000};
    for (int i = 0; i < 6; i++) {
        FILE *stream = tmpfile();
        struct output output;
        struct stat file;
        bool is_written = i < 3;
        assert_non_null(stream);
        assert_int_equal(ftruncate(fileno(stream), held[i % 3]), 0);
        assert_int_equal(output_init(&output, stream), STATUS_OK);
        output_empty(&output);
        output_write_aside(&output);
        if (is_written)
            assert_int_equal(output_write_line(&output, "line", 4), STATUS_OK);
        assert_int_equal(output_flush(&output), STATUS_OK);
        output_clear(&output);
        assert_int_equal(fstat(fileno(stream), &file), 0);
        assert_int_equal(file.st_size, is_written ? 5 : 0);
        fclose(stream);
    }
}

/* As large_file.h has it; where the file system wants none of it, nothing is written. */
static void whole_pages_are_written(void **state)
{
    enum { PAGE = LARGE_FILE_PAGE, FIRST = 2 * PAGE + 100, SECOND = 3 * PAGE, BEGIN = PAGE - 10 };
    static char found[8 * PAGE], expected[8 * PAGE];
    (void)state;
    FILE *stream = open_at(0);
    char *room = aligned_alloc(PAGE, 8 * PAGE);
    for (int i = 0; i < 8 * PAGE; i++)
        room[i] = expected[i] = (char)(i % 251);
    /* the second lies in memory as it does in the file, behind where the first one ends */
    char *apart = aligned_alloc(PAGE, 8 * PAGE);
    memcpy(apart, room, 8 * PAGE);
    struct large_text texts[] = {{room + BEGIN, FIRST}, {apart + BEGIN + FIRST, SECOND}};
    struct large_file *large = large_file_open(fileno(stream));
    if (large != NULL) {
        enum { WHOLE = FIRST + SECOND - 10, PAGES = WHOLE - WHOLE % PAGE };
        assert_int_equal(large_file_write(large, BEGIN, texts, 2), PAGES);
        assert_int_equal(pread(fileno(stream), found, sizeof(found), 0), PAGE + PAGES);
        assert_memory_equal(found + PAGE, expected + PAGE, PAGES);
        assert_int_equal(large_file_write(large, BEGIN + 1, texts, 2), 0);
        assert_int_equal(large_file_write(large, 0, &(struct large_text){room, PAGE - 1}, 1), 0);
        texts[1].begin++; /* from there on in the ordinary way */
        assert_int_equal(large_file_write(large, BEGIN, texts, 2), 3 * PAGE);
    }
    large_file_close(large);
    assert_int_equal(large_file_head(PAGE), 0);
    assert_int_equal(large_file_head(PAGE + 1), PAGE - 1);
    assert_int_equal(large_file_begin(room, PAGE + 5), 5);
    assert_int_equal(fcntl(fileno(stream), F_SETFL, O_APPEND), 0);
    assert_null(large_file_open(fileno(stream)));
    free(room);
    free(apart);
    fclose(stream);
}

/* Of so many writes by somebody who waits or not, how many go the direct way. */
static int count_direct(struct large_file *large, int writes, bool is_behind)
{
    int direct = 0;
    for (int i = 0; i < writes; i++)
        direct += large_file_suits(large, is_behind);
    return direct;
}

/* Who does not wait saves the copy; who does has the quicker way, and the other tried at times. */
static void who_waits_has_the_quicker_way(void **state)
{
    enum { PAGE = LARGE_FILE_PAGE, WRITES = 256, TRIED = WRITES / 64, AWHILE = 32, HOUR = 3600 };
    (void)state;
    FILE *stream = open_at(0);
    char *page = aligned_alloc(PAGE, PAGE);
    memset(page, 'x', PAGE);
    struct large_file *large = large_file_open(fileno(stream));
    if (large != NULL) {
        assert_int_equal(large_file_write(large, 0, &(struct large_text){page, PAGE}, 1), PAGE);
        assert_int_equal(count_direct(large, WRITES, false), WRITES);
        large_file_note_copied(large, PAGE, large_file_moment() - HOUR * UINT64_C(1000000000));
        assert_int_equal(count_direct(large, WRITES, true), WRITES - TRIED);
        for (int i = 0; i < 200; i++) /* an hour is soon forgotten */
            large_file_note_copied(large, (size_t)1 << 40, large_file_moment());
        assert_int_equal(count_direct(large, WRITES, true), TRIED);
        assert_in_range(count_direct(large, AWHILE - 1, false), 0, 1);
        assert_int_equal(count_direct(large, WRITES, false), WRITES);
    }
    large_file_close(large);
    free(page);
    fclose(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lines_arrive),
        cmocka_unit_test(what_fails_ends_with_a_line),
        cmocka_unit_test(a_pipe_is_written_at_once),
        cmocka_unit_test(what_the_file_held_goes),
        cmocka_unit_test(whole_pages_are_written),
        cmocka_unit_test(who_waits_has_the_quicker_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
