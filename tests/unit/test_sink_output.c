/* sinks: lines leave whole, and failures are told apart. */
#include "sheet.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../analyzer/sink/output.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_told_apart_and_stay),
        cmocka_unit_test(lines_leave_whole),
        cmocka_unit_test(a_line_is_not_parted_from_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
