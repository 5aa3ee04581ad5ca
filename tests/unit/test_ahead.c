/*
 * A file that other threads read ahead gives the packets, the numbers and the complaints that it
 * gives without them, wherever its records and the file end.
 */
#include "captures.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { WINDOW = 256 * 1024, OCTETS = 80 * WINDOW, LARGE = 262144, HELPERS = 2, MADE = 64 };

/* A file to be written. */
struct story {
    uint32_t small, large; /* octets of packets; one in `seldom` is large */
    uint32_t seldom;
    bool big_endian;
    size_t bad_at;  /* from that octet on a record claims too much; 0: none does */
    size_t cut_to;  /* octets; 0: all */
    uint64_t count; /* packets that are wanted; 0: all */
    const char *filter;
};

/* What a packet is, as foresight makes it. */
struct made {
    const uint8_t *data;
    uint32_t captured;
    int link_type;
    uint8_t first;
    uint8_t rest[MADE - 17];
};

static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void put_u32(FILE *file, uint32_t value, bool big_endian)
{
    const uint32_t word = big_endian ? __builtin_bswap32(value) : value;
    assert_int_equal(fwrite(&word, sizeof word, 1, file), 1);
}

static size_t put_record(FILE *file, const struct story *story, uint32_t i, uint64_t *seed)
{
    static const uint8_t zeros[LARGE];
    const uint32_t size =
        draw(seed) % story->seldom == 0 ? story->large : story->small + draw(seed) % 64;
    put_u32(file, i / 1000, story->big_endian);
    put_u32(file, draw(seed) % 8 == 0 ? 0 : i % 1000, story->big_endian);
    put_u32(file, size, story->big_endian);
    put_u32(file, size + 4, story->big_endian);
    fputc((int)(i & 0xff), file);
    assert_int_equal(fwrite(zeros, size - 1, 1, file), 1);
    return 16 + size;
}

static void write_capture(const char *name, const struct story *story)
{
    const uint32_t header[] = {0xa1b23c4d, story->big_endian ? 0x00020004 : 0x00040002, 0, 0, LARGE,
                               ETHERNET};
    uint64_t seed = 7;
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < ARRAY_LEN(header); i++)
        put_u32(file, header[i], story->big_endian);
    size_t written = sizeof header;
    for (uint32_t i = 0; written < OCTETS; i++) {
        written += put_record(file, story, i, &seed);
        for (int word = 0; word < 6 && story->bad_at > 0 && written >= story->bad_at; word++)
            put_u32(file, LARGE + 1, story->big_endian);
    }
    fclose(file);
    if (story->cut_to > 0)
        assert_int_equal(truncate(name, (off_t)story->cut_to), 0);
}

static bool make(int link_type, const struct captured *packet, void *ret_made)
{
    struct made *made = ret_made;
    if (packet->data[0] % 7 == 0)
        return false;
    *made = (struct made){packet->data, packet->captured, link_type, packet->data[0], {0}};
    return true;
}

struct helpers {
    struct source *source;
    atomic_bool stops;
};

static void offer(void *context)
{
    (void)context;
}

static void *help(void *context)
{
    struct helpers *helpers = context;
    while (!atomic_load(&helpers->stops))
        if (!source_read_ahead(helpers->source))
            sched_yield();
    return NULL;
}

static struct source *open_story(const char *name, const struct story *story)
{
    char message[MESSAGE_SIZE] = "";
    struct source *source = NULL;
    const struct source_options options = {
        .files = &name, .file_count = 1, .filter = story->filter, .count = story->count};
    assert_int_equal(source_open(&options, &source, message), STATUS_OK);
    return source;
}

/* Whether something was made of it. */
static bool assert_expected(struct source *alone, const struct captured *packet)
{
    struct captured_packet expected;
    assert_int_equal(source_next(alone, &expected), SOURCE_PACKET);
    assert_int_equal(packet->number, expected.number);
    assert_int_equal(packet->time, expected.time);
    assert_int_equal(packet->captured, expected.captured);
    assert_int_equal(packet->length, expected.length);
    assert_int_equal(packet->data[0], expected.data[0]);
    assert_int_equal(packet->data[packet->captured - 1], expected.data[expected.captured - 1]);
    const struct made *made = packet->foreseen;
    if (made == NULL)
        return false;
    assert_ptr_equal(made->data, packet->data);
    assert_int_equal(made->captured, packet->captured);
    assert_int_equal(made->link_type, ETHERNET);
    assert_int_equal(made->first, packet->data[0]);
    return true;
}

static void assert_same_input(const struct source *a, const struct source *b)
{
    const struct source_input *left = source_input(a, 0), *right = source_input(b, 0);
    assert_int_equal(left->packets, right->packets);
    assert_int_equal(left->bytes, right->bytes);
    assert_int_equal(left->first, right->first);
    assert_int_equal(left->last, right->last);
    assert_int_equal(left->damaged, right->damaged);
    assert_string_equal(left->problem, right->problem);
}

/* Reads both; this thread helps, too, now and then, so that some windows are foreseen for certain.
 * How many packets were. */
static size_t read_both(struct source *alone, struct source *helped)
{
    struct captured_packet packet, none;
    struct packet_run run;
    size_t foreseen = 0;
    uint64_t seed = 1;
    enum source_result result;
    while ((result = source_next(helped, &packet)) == SOURCE_PACKET) {
        const struct captured first = {packet.data, packet.captured, packet.length,
                                       packet.time, packet.number,   NULL};
        assert_expected(alone, &first);
        while (source_run(helped, &run) > 0) {
            for (size_t i = 0; i < run.count; i++)
                foreseen += assert_expected(alone, &run.packet[i]);
        }
        if (draw(&seed) % 4 == 0)
            source_read_ahead(helped);
    }
    assert_int_equal(result, SOURCE_END);
    assert_int_equal(source_next(alone, &none), SOURCE_END);
    return foreseen;
}

static void tell(struct story story)
{
    static const char name[] = "capture";
    const struct source_foresight foresight = {sizeof(struct made), make, offer, NULL};
    pthread_t thread[HELPERS];
    write_capture(name, &story);
    struct source *alone = open_story(name, &story), *helped = open_story(name, &story);
    struct helpers helpers = {.source = helped};
    source_foresee(helped, &foresight);
    for (int i = 0; i < HELPERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, help, &helpers), 0);
    size_t foreseen = read_both(alone, helped);
    atomic_store(&helpers.stops, true);
    for (int i = 0; i < HELPERS; i++)
        pthread_join(thread[i], NULL);
    assert_same_input(alone, helped);
    if (story.count == 0 && story.bad_at == 0 && story.seldom > 1)
        assert_true(foreseen > 0);
    source_free(alone);
    source_free(helped);
    unlink(name);
}

static void packets_of_all_sizes(void **state)
{
    (void)state;
    tell((struct story){.small = 60, .large = 1514, .seldom = 2});
    tell((struct story){.small = 60, .large = 40000, .seldom = 10, .big_endian = true});
    tell((struct story){.small = 60, .large = LARGE, .seldom = 100});
    tell((struct story){.small = 1000, .large = LARGE, .seldom = 1});
}

/* More of them than are noted of a window. */
static void small_packets(void **state)
{
    (void)state;
    tell((struct story){.small = 2, .large = 60, .seldom = 2});
}

static void filters_and_counts(void **state)
{
    (void)state;
    tell((struct story){.small = 60, .large = 1514, .seldom = 2, .filter = "ether[0] >= 30"});
    for (uint64_t count = 1; count < 20000; count = count * 3 + 1)
        tell((struct story){.small = 60, .large = 1514, .seldom = 2, .count = count});
}

static void files_cut_anywhere(void **state)
{
    (void)state;
    static const size_t ends[] = {79 * WINDOW,     79 * WINDOW + 1,  79 * WINDOW + 100,
                                  79 * WINDOW - 1, 78 * WINDOW + 17, 66 * WINDOW};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        tell((struct story){.small = 60, .large = 40000, .seldom = 10, .cut_to = ends[i]});
}

static void records_that_claim_too_much(void **state)
{
    (void)state;
    static const size_t places[] = {70 * WINDOW, 3 * WINDOW + 5000, 40 * WINDOW - 20};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        tell((struct story){.small = 60, .large = 1514, .seldom = 2, .bad_at = places[i]});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_all_sizes),        cmocka_unit_test(small_packets),
        cmocka_unit_test(filters_and_counts),          cmocka_unit_test(files_cut_anywhere),
        cmocka_unit_test(records_that_claim_too_much),
    };
    return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
