/*
 * source knows compressed captures by their content, from files and pipes, and gives what precedes
 * damage.
 */
#include "captures.h"

#ifdef HAVE_LIBZ
#include <zlib.h>
#endif
#ifdef HAVE_LIBZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LIBLZ4
#include <lz4frame.h>
#endif
#ifdef HAVE_LIBLZMA
#include <lzma.h>
#endif

#ifdef HAVE_LIBZ
static size_t pack_gzip(const uint8_t *octets, size_t size, uint8_t *packed)
{
    z_stream zlib = {.next_in = (uint8_t *)(uintptr_t)octets, .avail_in = (uInt)size};
    assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), 0);
    zlib.next_out = packed;
    zlib.avail_out = LARGEST;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    size_t result = zlib.total_out;
    deflateEnd(&zlib);
    return result;
}
#else
#define pack_gzip NULL
#endif

#ifdef HAVE_LIBZSTD
static size_t pack_zstd(const uint8_t *octets, size_t size, uint8_t *packed)
{
    return ZSTD_compress(packed, LARGEST, octets, size, 3);
}
#else
#define pack_zstd NULL
#endif

#ifdef HAVE_LIBLZ4
static size_t pack_lz4(const uint8_t *octets, size_t size, uint8_t *packed)
{
    return LZ4F_compressFrame(packed, LARGEST, octets, size, NULL);
}
#else
#define pack_lz4 NULL
#endif

#ifdef HAVE_LIBLZMA
static size_t pack_xz(const uint8_t *octets, size_t size, uint8_t *packed)
{
    size_t result = 0;
    lzma_ret status =
        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, octets, size, packed, &result, LARGEST);
    assert_int_equal(status, LZMA_OK);
    return result;
}
#else
#define pack_xz NULL
#endif

static const struct {
    const char *name;
    const char *library;
    const char *begin; /* enough of it to be recognised */
    size_t (*pack)(const uint8_t *octets, size_t size, uint8_t *packed);
} packers[] = {
    {"gzip", "zlib", "\x1f\x8b\x08\x01", pack_gzip},
    {"zstd", "libzstd", "\x28\xb5\x2f\xfd", pack_zstd},
    {"lz4", "liblz4", "\x04\x22\x4d\x18", pack_lz4},
    {"xz", "liblzma", "\xfd\x37zXZ", pack_xz},
};

static struct blob blob_pack(const struct blob *plain, size_t packer)
{
    struct blob blob = blob_new();
    blob.size = packers[packer].pack(plain->octets, plain->size, blob.octets);
    assert_in_range(blob.size, 1, LARGEST);
    return blob;
}

static void assert_read_whole(const char *name, const char *compression, uint32_t fraction_nanos)
{
    struct source *source = open_file(&name);
    assert_int_equal(read_all(source, fraction_nanos), PACKETS);
    assert_false(source_input(source, 0)->damaged);
    assert_string_equal(source_input(source, 0)->compression, compression);
    struct source_progress progress = source_progress(source);
    assert_int_equal(progress.bytes_read, progress.bytes_total);
    source_free(source);
}

static void compressed_captures_are_known_by_content(void **state)
{
    (void)state;
    struct blob plain[] = {blob_classic(&forms[0]), blob_pcapng()};
    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        if (packers[i].pack == NULL) {
            write_file("plain.name", (const uint8_t *)packers[i].begin, 6);
            assert_refused("plain.name", NULL, STATUS_UNREADABLE, packers[i].library);
            continue;
        }
        for (size_t k = 0; k < ARRAY_LEN(plain); k++) {
            struct blob packed = blob_pack(&plain[k], i);
            write_file("plain.name", packed.octets, packed.size);
            assert_read_whole("plain.name", packers[i].name, k == 0 ? 1000 : 1);
            free(packed.octets);
        }
    }
    free(plain[0].octets);
    free(plain[1].octets);
}

/* `cat a.gz b.gz`: the capture goes on in the second member, in the middle of a record. */
static void members_one_after_the_other_are_one_capture(void **state)
{
    (void)state;
    struct blob plain = blob_classic(&forms[2]);
    const size_t middle = plain.size / 2;
    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        if (packers[i].pack == NULL)
            continue;
        struct blob packed = blob_new();
        packed.size = packers[i].pack(plain.octets, middle, packed.octets);
        packed.size += packers[i].pack(plain.octets + middle, plain.size - middle,
                                       packed.octets + packed.size);
        write_file("two", packed.octets, packed.size);
        assert_read_whole("two", packers[i].name, 1);
        free(packed.octets);
    }
    free(plain.octets);
}

static void a_compressed_capture_cut_anywhere_is_damaged_or_refused(void **state)
{
    (void)state;
    const char *name = "cut";
    char message[MESSAGE_SIZE];
    const struct source_options options = {.files = &name, .file_count = 1};
    struct blob plain = blob_classic(&forms[2]);
    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        if (packers[i].pack == NULL)
            continue;
        struct blob packed = blob_pack(&plain, i);
        for (size_t cut = 0; cut < packed.size; cut++) {
            struct source *source;
            write_file(name, packed.octets, cut);
            enum status status = source_open(&options, &source, message);
            if (status != STATUS_OK) {
                assert_int_equal(status, STATUS_UNREADABLE);
                continue;
            }
            assert_in_range(read_all(source, 1), 0, PACKETS);
            assert_true(source_input(source, 0)->damaged);
            assert_non_null(strstr(source_input(source, 0)->problem, "cut short at octet"));
            source_free(source);
        }
        free(packed.octets);
    }
    free(plain.octets);
}

/* A capture of some 2 MB whose octets do not repeat, so that every packer makes many blocks. */
static struct blob blob_large(size_t count)
{
    struct blob blob = blob_new();
    uint32_t noise = 1;
    blob_put_header(&blob, &forms[0]);
    for (size_t i = 0; i < count; i++) {
        blob_put_number(&blob, i, 4, false);
        blob_put_number(&blob, 0, 4, false);
        blob_put_number(&blob, 1000, 4, false);
        blob_put_number(&blob, 1000, 4, false);
        for (size_t k = 0; k < 1000; k++) {
            noise = noise * 1664525 + 1013904223;
            blob_put_number(&blob, noise >> 28, 1, false);
        }
    }
    return blob;
}

static void what_precedes_a_broken_block_is_given(void **state)
{
    (void)state;
    enum { COUNT = 2000, BLOCK = 140, SURELY = COUNT / 10 * 6 - BLOCK }; /* one block is lost */
    const char *name = "broken";
    struct blob plain = blob_large(COUNT);
    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        if (packers[i].pack == NULL)
            continue;
        struct blob packed = blob_pack(&plain, i);
        memset(packed.octets + packed.size / 10 * 6, 0xff, packed.size / 10 * 4);
        write_file(name, packed.octets, packed.size);
        struct source *source = open_file(&name);
        struct captured_packet packet;
        size_t count = 0;
        while (source_next(source, &packet) == SOURCE_PACKET)
            assert_int_equal(packet.time, (nanotime)(count++ * 1000000000));
        if (packers[i].pack != pack_xz || count > 0) /* one block holds all of it */
            assert_in_range(count, SURELY, COUNT - 1);
        assert_true(source_input(source, 0)->damaged);
        source_free(source);
        free(packed.octets);
    }
    free(plain.octets);
}

static void compressed_captures_come_through_a_pipe(void **state)
{
    (void)state;
    const char *name = "-";
    struct blob plain = blob_classic(&forms[0]);
    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        if (packers[i].pack == NULL)
            continue;
        struct blob packed = blob_pack(&plain, i);
        int fd = pipe_to_stdin();
        feed(fd, &packed, 0, packed.size);
        close(fd);
        struct source *source = open_file(&name);
        assert_int_equal(read_all(source, 1000), PACKETS);
        assert_false(source_input(source, 0)->damaged);
        source_free(source);
        free(packed.octets);
    }
    free(plain.octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_captures_are_known_by_content),
        cmocka_unit_test(members_one_after_the_other_are_one_capture),
        cmocka_unit_test(a_compressed_capture_cut_anywhere_is_damaged_or_refused),
        cmocka_unit_test(what_precedes_a_broken_block_is_given),
        cmocka_unit_test(compressed_captures_come_through_a_pipe),
    };
    return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
