/*
 * Packets that source_run() gives are those that source_next() would: the same files are read one
 * packet after the other, and in rounds, under filters and counts, apart and overlapping.
 */
#include "captures.h"

enum { RECORDS = 120, LARGE = 60000, FILES = 4 };

/* A small generator of its own: the same on every machine. */
static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void put_u32(FILE *file, uint32_t value)
{
    assert_int_equal(fwrite(&value, sizeof value, 1, file), 1);
}

/* Several buffers full, each packet's first octet its number: now and then time steps back. */
static void write_capture(const char *name, nanotime first, nanotime step, uint64_t seed)
{
    static const uint8_t zeros[LARGE];
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    const uint32_t header[] = {0xa1b23c4d, 0x00040002, 0, 0, LARGE, 1};
    for (size_t i = 0; i < ARRAY_LEN(header); i++)
        put_u32(file, header[i]);
    for (uint32_t i = 0; i < RECORDS; i++) {
        nanotime time = first + step * (nanotime)(draw(&seed) % 8 == 0 ? i / 2 : i);
        uint32_t size = draw(&seed) % 3 == 0 ? LARGE : 60 + draw(&seed) % 100;
        put_u32(file, (uint32_t)(time / NANO_PER_SECOND));
        put_u32(file, (uint32_t)(time % NANO_PER_SECOND));
        put_u32(file, size);
        put_u32(file, size + 4);
        fputc((int)i, file);
        assert_int_equal(fwrite(zeros, size - 1, 1, file), 1);
    }
    fclose(file);
}

/* A block of pcapng: words, then octets filled up to four, then words. */
struct block {
    uint32_t type;
    const uint32_t *head, *tail;
    uint32_t heads, octets, tails;
    uint8_t first; /* of the octets; the others are 0 */
};

static void put_block(FILE *file, const struct block *block)
{
    static const uint8_t zeros[LARGE + 4];
    uint32_t filled = (block->octets + 3) & ~UINT32_C(3);
    uint32_t length = 12 + 4 * (block->heads + block->tails) + filled;
    put_u32(file, block->type);
    put_u32(file, length);
    for (uint32_t i = 0; i < block->heads; i++)
        put_u32(file, block->head[i]);
    if (filled > 0) {
        fputc(block->first, file);
        assert_int_equal(fwrite(zeros, filled - 1, 1, file), 1);
    }
    for (uint32_t i = 0; i < block->tails; i++)
        put_u32(file, block->tail[i]);
    put_u32(file, length);
}

static void put_enhanced(FILE *file, uint64_t time, uint32_t interface, uint32_t size,
                         const struct block *with)
{
    const uint32_t head[] = {interface, (uint32_t)(time >> 32), (uint32_t)time, size, size + 4};
    struct block block = *with;
    block.type = 6;
    block.head = head;
    block.heads = ARRAY_LEN(head);
    block.octets = size;
    put_block(file, &block);
}

/* What may stand between packets: statistics with drops, a custom block, a packet without a time,
 * one that names no interface, one of another link type. */
static void put_between(FILE *file, uint32_t kind, uint64_t time, uint8_t number)
{
    const uint32_t statistics[] = {0, 0, 0, 5 | 8 << 16, number, 0, 0};
    const uint32_t custom[] = {32473, 1};
    const uint32_t simple[] = {60};
    const struct block blocks[] = {
        {.type = 5, .head = statistics, .heads = ARRAY_LEN(statistics)},
        {.type = 0xbad, .head = custom, .heads = ARRAY_LEN(custom)},
        {.type = 3, .head = simple, .heads = 1, .octets = 60, .first = number},
    };
    if (kind < ARRAY_LEN(blocks))
        put_block(file, &blocks[kind]);
    else
        put_enhanced(file, time, kind == ARRAY_LEN(blocks) ? 7 : 1, 64,
                     &(struct block){.first = number});
}

/* As write_capture(), in pcapng, with whatever else such a file has. */
static void write_blocks(const char *name, nanotime first, nanotime step, uint64_t seed)
{
    const uint32_t section[] = {0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX};
    const uint32_t ethernet[] = {1, 0, 9 | 1 << 16, 9, 0}, raw[] = {101, 0, 9 | 1 << 16, 9, 0};
    const uint32_t drops[] = {4 | 8 << 16, 1, 0, 0}, comment[] = {1 | 4 << 16, 0x6f6c6c61, 0};
    const struct block begin[] = {
        {.type = 0x0a0d0d0a, .head = section, .heads = ARRAY_LEN(section)},
        {.type = 1, .head = ethernet, .heads = ARRAY_LEN(ethernet)},
        {.type = 1, .head = raw, .heads = ARRAY_LEN(raw)},
    };
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < ARRAY_LEN(begin); i++)
        put_block(file, &begin[i]);
    for (uint32_t i = 0; i < RECORDS; i++) {
        nanotime time = first + step * (nanotime)(draw(&seed) % 8 == 0 ? i / 2 : i);
        uint32_t size = draw(&seed) % 3 == 0 ? LARGE : 60 + draw(&seed) % 100;
        uint32_t kind = draw(&seed) % 30, option = draw(&seed) % 6;
        struct block with = {.first = (uint8_t)i};
        with.tail = option == 0 ? drops : comment;
        with.tails = option == 0 ? ARRAY_LEN(drops) : option == 1 ? ARRAY_LEN(comment) : 0;
        if (kind < 5)
            put_between(file, kind, (uint64_t)time, (uint8_t)i);
        put_enhanced(file, (uint64_t)time, 0, size, &with);
    }
    fclose(file);
}

static struct source *open_with(const char *const *names, size_t files, const char *filter,
                                uint64_t count)
{
    char message[MESSAGE_SIZE] = "";
    struct source *source = NULL;
    struct source_options options = {
        .files = names, .file_count = files, .filter = filter, .count = count};
    assert_int_equal(source_open(&options, &source, message), STATUS_OK);
    return source;
}

static void assert_same_packet(const struct captured_packet *a, const struct captured_packet *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->time, b->time);
    assert_int_equal(a->input, b->input);
    assert_int_equal(a->input_packet, b->input_packet);
    assert_int_equal(a->captured, b->captured);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->link_type, b->link_type);
    assert_int_equal(a->interface, b->interface);
    assert_int_equal(a->lost, b->lost);
    assert_int_equal(a->data[0], b->data[0]);
}

static void assert_same_inputs(const struct source *a, const struct source *b)
{
    for (size_t i = 0; i < source_input_count(a); i++) {
        const struct source_input *left = source_input(a, i), *right = source_input(b, i);
        assert_int_equal(left->packets, right->packets);
        assert_int_equal(left->first, right->first);
        assert_int_equal(left->last, right->last);
        assert_int_equal(left->first_number, right->first_number);
        assert_int_equal(left->damaged, right->damaged);
        assert_string_equal(left->problem, right->problem);
        assert_int_equal(left->counts.comments, right->counts.comments);
        assert_int_equal(left->counts.drops, right->counts.drops);
        assert_int_equal(left->counts.skipped_blocks, right->counts.skipped_blocks);
        assert_int_equal(left->counts.damaged_blocks, right->counts.damaged_blocks);
    }
    assert_int_equal(source_progress(a).packets, source_progress(b).packets);
}

/* The packet at that place of the run. */
static struct captured_packet packet_of(const struct packet_run *run, size_t i)
{
    const struct captured *captured = &run->packet[i];
    struct captured_packet packet = run->first;
    packet.data = captured->data;
    packet.captured = captured->captured;
    packet.length = captured->length;
    packet.time = captured->time;
    packet.number = captured->number;
    packet.input_packet += captured->number - run->packet[0].number;
    packet.lost = i == 0 ? packet.lost : 0;
    return packet;
}

/* What the first packet says itself, and the times of all. */
static void assert_run(const struct packet_run *run)
{
    nanotime earliest = INT64_MAX, latest = INT64_MIN;
    struct captured_packet first = packet_of(run, 0);
    assert_same_packet(&first, &run->first);
    for (size_t i = 0; i < run->count; i++) {
        earliest = time_earlier_of(earliest, run->packet[i].time);
        latest = time_later_of(latest, run->packet[i].time);
    }
    assert_true(run->earliest <= earliest);
    assert_int_equal(run->latest, latest);
}

/* Returns how many packets came in rounds. */
static size_t compare(const char *const *names, size_t files, const char *filter, uint64_t count)
{
    struct source *alone = open_with(names, files, filter, count);
    struct source *rounds = open_with(names, files, filter, count);
    struct captured_packet expected, packet;
    struct packet_run run;
    size_t further = 0;
    enum source_result result;
    while ((result = source_next(rounds, &packet)) == SOURCE_PACKET) {
        assert_int_equal(source_next(alone, &expected), SOURCE_PACKET);
        assert_same_packet(&expected, &packet);
        while (source_run(rounds, &run) > 0) {
            further += run.count;
            assert_run(&run);
            for (size_t i = 0; i < run.count; i++) {
                packet = packet_of(&run, i);
                assert_int_equal(source_next(alone, &expected), SOURCE_PACKET);
                assert_same_packet(&expected, &packet);
            }
        }
    }
    assert_int_equal(result, SOURCE_END);
    assert_int_equal(source_next(alone, &expected), SOURCE_END);
    assert_same_inputs(alone, rounds);
    source_free(alone);
    source_free(rounds);
    return further;
}

static void every_filter_and_count(const char *const *names, size_t files, bool in_rounds)
{
    static const char *const filters[] = {NULL, "ether[0] >= 30", "ether[0] & 3 != 0",
                                          "greater 1000"};
    static const uint64_t counts[] = {0, 1, 2, 7, 8, 50, 10000};
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        for (size_t j = 0; j < ARRAY_LEN(counts); j++) {
            size_t further = compare(names, files, filters[i], counts[j]);
            if (in_rounds && counts[j] == 0)
                assert_true(further > RECORDS / 10);
        }
    }
}

static void one_file_comes_in_rounds(void **state)
{
    (void)state;
    const char *const name = "one";
    write_capture(name, first_time, NANO_PER_MILLI, 1);
    every_filter_and_count(&name, 1, true);
}

static void files_that_follow_each_other_come_in_rounds(void **state)
{
    (void)state;
    const char *const names[FILES] = {"p", "q", "r", "s"};
    for (size_t i = 0; i < FILES; i++)
        write_capture(names[i], first_time + (nanotime)i * NANO_PER_SECOND, NANO_PER_MILLI, i);
    every_filter_and_count(names, FILES, true);
}

static void files_that_overlap_are_merged(void **state)
{
    (void)state;
    const char *const names[FILES] = {"t", "u", "v", "w"};
    for (size_t i = 0; i < FILES; i++)
        write_capture(names[i], first_time + (nanotime)i * 40 * NANO_PER_MILLI, NANO_PER_MILLI, i);
    every_filter_and_count(names, FILES, false);
}

static void blocks_come_in_rounds(void **state)
{
    (void)state;
    const char *const names[FILES] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < FILES; i++)
        write_blocks(names[i], first_time + (nanotime)i * NANO_PER_SECOND, NANO_PER_MILLI, i);
    every_filter_and_count(names, 1, true);
    every_filter_and_count(names, FILES, true);
}

static void blocks_of_files_that_overlap_are_merged(void **state)
{
    (void)state;
    const char *const names[FILES] = {"e", "f", "g", "h"};
    for (size_t i = 0; i < FILES; i++)
        write_blocks(names[i], first_time + (nanotime)i * 40 * NANO_PER_MILLI, NANO_PER_MILLI, i);
    every_filter_and_count(names, FILES, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_comes_in_rounds),
        cmocka_unit_test(files_that_follow_each_other_come_in_rounds),
        cmocka_unit_test(files_that_overlap_are_merged),
        cmocka_unit_test(blocks_come_in_rounds),
        cmocka_unit_test(blocks_of_files_that_overlap_are_merged),
    };
    return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
