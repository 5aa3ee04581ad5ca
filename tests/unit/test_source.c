/*
 * source reads every capture it promises to read, to the nanosecond, from files, compressed files
 * and pipes; and of a damaged one all that came before the damage, and not one packet more.
 *
 * The captures are made here, octet by octet, in a directory of their own.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

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

#include "../../analyzer/source/source.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof(array)[0])

enum {
    PACKETS = 5,
    LARGEST = 4 * 1024 * 1024,
    ETHERNET = 1,
    LINKTYPE_RAW = 101,
    DLT_RAW_HERE = 12
};

static const nanotime first_time = INT64_C(1700000000123456789);

/* A capture being made. */
struct blob {
    uint8_t *octets;
    size_t size;
    size_t ends[PACKETS + 1]; /* where the file may end: after the header, after each packet */
};

/* How a classic file is written. */
struct form {
    uint32_t magic;
    bool big_endian;
    uint32_t fraction_nanos;
    size_t record_extra; /* octets a "modified" record header has more */
    uint16_t minor;
    bool lengths_swapped;
    uint32_t snaplen;
    uint32_t link_type;
};

/* clang-format off */
static const struct form forms[] = {
    {0xa1b2c3d4, false, 1000, 0, 4, false, 65535, ETHERNET},
    {0xa1b2c3d4, true,  1000, 0, 4, false, 65535, ETHERNET},
    {0xa1b23c4d, false, 1,    0, 4, false, 65535, ETHERNET},
    {0xa1b23c4d, true,  1,    0, 4, false, 65535, ETHERNET},
    {0xa1b2cd34, false, 1000, 8, 4, false, 65535, ETHERNET}, /* modified: by libpcap */
    {0xa1b2cd34, true,  1000, 8, 4, false, 65535, ETHERNET},
    {0xa1b2c3d4, false, 1000, 0, 2, true,  65535, ETHERNET}, /* before 2.3 */
    {0xa1b2c3d4, true,  1000, 0, 3, true,  65535, ETHERNET}, /* a 2.3 that swaps */
    {0xa1b2c3d4, true,  1000, 0, 3, false, 0,     ETHERNET}, /* a 2.3 that does not; no snaplen */
};
/* clang-format on */

static struct blob blob_new(void)
{
    struct blob blob = {.octets = calloc(1, LARGEST)};
    assert_non_null(blob.octets);
    return blob;
}

static void blob_put(struct blob *blob, const void *octets, size_t size)
{
    assert_true(blob->size + size <= LARGEST);
    memcpy(blob->octets + blob->size, octets, size);
    blob->size += size;
}

static void blob_put_number(struct blob *blob, uint64_t value, size_t size, bool big_endian)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)(value >> 8 * (big_endian ? size - 1 - i : i));
        blob_put(blob, &octet, 1);
    }
}

/* Packet i: 20 + 7 * i octets, each of value i; on the wire 100 more; 1.5 seconds after the last.
 */
static uint32_t packet_size(size_t i)
{
    return (uint32_t)(20 + 7 * i);
}

static nanotime packet_time(size_t i)
{
    return first_time + (nanotime)i * 1500000001;
}

static void blob_put_packet_data(struct blob *blob, size_t i)
{
    for (uint32_t k = 0; k < packet_size(i); k++)
        blob_put_number(blob, i, 1, false);
}

static void blob_put_header(struct blob *blob, const struct form *form)
{
    bool big = form->big_endian;
    blob_put_number(blob, form->magic, 4, big);
    blob_put_number(blob, 2, 2, big);
    blob_put_number(blob, form->minor, 2, big);
    blob_put_number(blob, 0, 8, big);
    blob_put_number(blob, form->snaplen, 4, big);
    blob_put_number(blob, form->link_type, 4, big);
}

static void blob_put_record(struct blob *blob, const struct form *form, nanotime time, size_t i)
{
    bool big = form->big_endian;
    uint32_t captured = packet_size(i);
    uint32_t length = captured + 100;
    blob_put_number(blob, (uint64_t)time / 1000000000, 4, big);
    blob_put_number(blob, (uint64_t)time % 1000000000 / form->fraction_nanos, 4, big);
    blob_put_number(blob, form->lengths_swapped ? length : captured, 4, big);
    blob_put_number(blob, form->lengths_swapped ? captured : length, 4, big);
    blob_put_number(blob, 0, form->record_extra, big);
    blob_put_packet_data(blob, i);
}

static struct blob blob_classic(const struct form *form)
{
    struct blob blob = blob_new();
    blob_put_header(&blob, form);
    blob.ends[0] = blob.size;
    for (size_t i = 0; i < PACKETS; i++) {
        blob_put_record(&blob, form, packet_time(i), i);
        blob.ends[i + 1] = blob.size;
    }
    return blob;
}

/* An interface description with if_tsresol 9: nanoseconds. */
static void blob_put_interface(struct blob *blob, uint16_t link_type)
{
    blob_put_number(blob, 1, 4, false);
    blob_put_number(blob, 32, 4, false);
    blob_put_number(blob, link_type, 4, false);
    blob_put_number(blob, 65535, 4, false);
    blob_put_number(blob, 0x10009, 4, false); /* option if_tsresol, of one octet */
    blob_put_number(blob, 9, 4, false);
    blob_put_number(blob, 0, 4, false);
    blob_put_number(blob, 32, 4, false);
}

static void blob_put_enhanced(struct blob *blob, size_t i)
{
    uint32_t padded = (packet_size(i) + 3) / 4 * 4;
    blob_put_number(blob, 6, 4, false);
    blob_put_number(blob, 32 + padded, 4, false);
    blob_put_number(blob, 0, 4, false);
    blob_put_number(blob, (uint64_t)packet_time(i) >> 32, 4, false);
    blob_put_number(blob, (uint64_t)packet_time(i) & UINT32_MAX, 4, false);
    blob_put_number(blob, packet_size(i), 4, false);
    blob_put_number(blob, packet_size(i) + 100, 4, false);
    blob_put_packet_data(blob, i);
    blob_put_number(blob, 0, padded - packet_size(i), false);
    blob_put_number(blob, 32 + padded, 4, false);
}

static struct blob blob_pcapng(void)
{
    struct blob blob = blob_new();
    blob_put_number(&blob, 0x0a0d0d0a, 4, false);
    blob_put_number(&blob, 28, 4, false);
    blob_put_number(&blob, 0x1a2b3c4d, 4, false);
    blob_put_number(&blob, 1, 4, false);
    blob_put_number(&blob, UINT64_MAX, 8, false);
    blob_put_number(&blob, 28, 4, false);
    blob_put_interface(&blob, ETHERNET);
    blob.ends[0] = blob.size;
    for (size_t i = 0; i < PACKETS; i++) {
        blob_put_enhanced(&blob, i);
        blob.ends[i + 1] = blob.size;
    }
    return blob;
}

/* --- the directory ---------------------------------------------------------------------------- */

static int enter_directory(void **state)
{
    char *directory = strdup("/tmp/test_source.XXXXXX");
    if (directory == NULL || mkdtemp(directory) == NULL || chdir(directory) != 0)
        return -1;
    *state = directory;
    return 0;
}

static int remove_directory(void **state)
{
    DIR *directory = opendir(*state);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name,
                 strcmp(entry->d_name, "folder") == 0 ? AT_REMOVEDIR : 0);
    closedir(directory);
    int result = chdir("/") | rmdir(*state);
    free(*state);
    return result;
}

static void write_file(const char *name, const uint8_t *octets, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    if (size > 0) /* fwrite takes no NULL, whatever the size */
        assert_int_equal(fwrite(octets, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static struct source *open_files(const char *const *names, size_t count)
{
    char message[MESSAGE_SIZE] = "";
    struct source *source = NULL;
    const struct source_options options = {.files = names, .file_count = count};
    if (source_open(&options, &source, message) != STATUS_OK)
        fail_msg("%s", message);
    return source;
}

static struct source *open_file(const char *const *name)
{
    return open_files(name, 1);
}

static void assert_refused(const char *name, const char *filter, enum status expected,
                           const char *words)
{
    char message[MESSAGE_SIZE] = "";
    struct source *source = NULL;
    const struct source_options options = {.files = &name, .file_count = 1, .filter = filter};
    assert_int_equal(source_open(&options, &source, message), expected);
    assert_null(source);
    if (strstr(message, words) == NULL || strchr(message, '\n') != NULL)
        fail_msg("the message \"%s\" should be a line with \"%s\"", message, words);
}

static void assert_packet(const struct captured_packet *packet, size_t i, uint32_t fraction_nanos)
{
    assert_int_equal(packet->captured, packet_size(i));
    assert_int_equal(packet->length, packet_size(i) + 100);
    assert_int_equal(packet->time, packet_time(i) / fraction_nanos * fraction_nanos);
    assert_int_equal(packet->link_type, ETHERNET);
    assert_int_equal(packet->input_packet, i + 1);
    for (uint32_t k = 0; k < packet->captured; k++)
        assert_int_equal(packet->data[k], i);
}

/* Reads all that is there; every packet must be the one expected.  Returns how many. */
static size_t read_all(struct source *source, uint32_t fraction_nanos)
{
    struct captured_packet packet;
    size_t count = 0;
    enum source_result result;
    while ((result = source_next(source, &packet)) != SOURCE_END)
        if (result == SOURCE_PACKET)
            assert_packet(&packet, count++, fraction_nanos);
    return count;
}

/* --- formats ---------------------------------------------------------------------------------- */

static void every_form_of_pcap_is_read_to_the_nanosecond(void **state)
{
    (void)state;
    const char *name = "form.pcap";
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct blob blob = blob_classic(&forms[i]);
        write_file(name, blob.octets, blob.size);
        struct source *source = open_file(&name);
        assert_int_equal(read_all(source, forms[i].fraction_nanos), PACKETS);
        assert_false(source_input(source, 0)->damaged);
        assert_string_equal(source_input(source, 0)->format, "pcap");
        assert_null(source_input(source, 0)->compression);
        assert_int_equal(source_input(source, 0)->packets, PACKETS);
        assert_int_equal(source_input(source, 0)->bytes, blob.size);
        source_free(source);
        free(blob.octets);
    }
}

static void pcapng_is_read_to_the_nanosecond(void **state)
{
    (void)state;
    const char *name = "x.pcapng";
    struct blob blob = blob_pcapng();
    write_file(name, blob.octets, blob.size);
    struct source *source = open_file(&name);
    assert_int_equal(read_all(source, 1), PACKETS);
    assert_string_equal(source_input(source, 0)->format, "pcapng");
    assert_false(source_input(source, 0)->damaged);
    source_free(source);
    free(blob.octets);
}

static void a_packet_longer_than_the_snapshot_is_cut_to_it(void **state)
{
    (void)state;
    const char *name = "snap.pcap";
    struct form form = forms[0];
    form.snaplen = 30;
    form.link_type = LINKTYPE_RAW;
    struct blob blob = blob_classic(&form);
    write_file(name, blob.octets, blob.size);
    struct source *source = open_file(&name);
    struct captured_packet packet;
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_int_equal(packet.captured, packet_size(i) < 30 ? packet_size(i) : 30);
        assert_int_equal(packet.data[0], i);
        assert_int_equal(packet.link_type, DLT_RAW_HERE);
    }
    assert_string_equal(source_link_type_name(packet.link_type), "RAW");
    assert_string_equal(source_link_type_name(99999), "UNKNOWN");
    source_free(source);
    free(blob.octets);
}

static void interfaces_of_two_link_types_are_read_from_one_file(void **state)
{
    (void)state;
    const char *name = "mixed.pcapng";
    struct blob blob = blob_pcapng();
    struct captured_packet packet;
    blob_put_interface(&blob, LINKTYPE_RAW);
    size_t block = blob.size;
    blob_put_enhanced(&blob, PACKETS);
    blob.octets[block + 8] = 1; /* the second interface */
    write_file(name, blob.octets, blob.size);
    struct source *source = open_file(&name);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_packet(&packet, i, 1);
    }
    assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
    assert_int_equal(packet.link_type, DLT_RAW_HERE);
    assert_int_equal(packet.interface, 1);
    assert_int_equal(source_next(source, &packet), SOURCE_END);
    const struct source_input *input = source_input(source, 0);
    assert_false(input->damaged);
    assert_int_equal(input->counts.sections, 1);
    assert_int_equal(input->counts.interface_count, 2);
    assert_int_equal(input->counts.interfaces[0].packets, PACKETS);
    assert_int_equal(input->counts.interfaces[1].packets, 1);
    source_free(source);
    free(blob.octets);
}

static void a_damaged_block_is_left_out_and_the_rest_read(void **state)
{
    (void)state;
    const char *name = "damaged.pcapng";
    static const struct {
        size_t at; /* octet of packet 3's block that is changed */
        uint8_t to;
    } damages[] = {{8, 7}, {20, 0xff}, {23, 1}, {4, 0xfc}, {5, 1}, {7, 0x7f}, {7, 0xff}, {4, 0}};
    for (size_t d = 0; d < ARRAY_LEN(damages); d++) {
        struct blob blob = blob_pcapng();
        struct captured_packet packet;
        blob.octets[blob.ends[2] + damages[d].at] = damages[d].to;
        write_file(name, blob.octets, blob.size);
        struct source *source = open_file(&name);
        for (size_t i = 0; i < PACKETS; i++) {
            if (i == 2)
                continue;
            assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
            assert_int_equal(packet.captured, packet_size(i));
            assert_int_equal(packet.time, packet_time(i));
        }
        assert_int_equal(source_next(source, &packet), SOURCE_END);
        const struct source_input *input = source_input(source, 0);
        assert_true(input->damaged);
        assert_int_equal(input->counts.damaged_blocks, 1);
        assert_non_null(strstr(input->problem, "before packet 3"));
        source_free(source);
        free(blob.octets);
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

/* Cuts the file at every octet: whole packets are given, and damaged is said inside of one. */
static void cut_everywhere(const char *name, const struct blob *blob, size_t header,
                           uint32_t fraction_nanos)
{
    for (size_t cut = 0; cut <= blob->size; cut++) {
        write_file(name, blob->octets, cut);
        if (cut < header) {
            assert_refused(name, NULL, STATUS_UNREADABLE, name);
            continue;
        }
        size_t whole = 0;
        while (whole < PACKETS && blob->ends[whole + 1] <= cut)
            whole++;
        char number[32];
        snprintf(number, sizeof number, "packet %zu,", whole + 1);
        struct source *source = open_file(&name);
        assert_int_equal(read_all(source, fraction_nanos), whole);
        const struct source_input *input = source_input(source, 0);
        assert_int_equal(input->damaged, cut != blob->ends[whole] && cut != header);
        assert_int_equal(input->packets, whole);
        assert_int_equal(strstr(input->problem, number) != NULL, input->damaged);
        assert_int_equal(strstr(input->problem, "cut short") != NULL, input->damaged);
        source_free(source);
    }
}

enum { SECTION_HEADER = 28 }; /* octets; a pcapng file may end behind it */

static void a_cut_is_told_wherever_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct blob blob = blob_classic(&forms[i]);
        cut_everywhere("cut.pcap", &blob, blob.ends[0], forms[i].fraction_nanos);
        free(blob.octets);
    }
    struct blob blob = blob_pcapng();
    cut_everywhere("cut.pcapng", &blob, SECTION_HEADER, 1);
    free(blob.octets);
}

static void a_record_that_lies_about_its_length_ends_its_file_only(void **state)
{
    (void)state;
    static const uint32_t lies[] = {262145, 0x7fffffff, 0x80000000, 0xffffffff};
    const char *const names[] = {"lie.pcap", "later.pcap"};
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct blob blob = blob_classic(&forms[0]);
        memcpy(blob.octets + blob.ends[2] + 8, &(uint32_t){htole32(lies[i])}, 4);
        write_file(names[0], blob.octets, blob.size);
        blob.size = 0;
        blob_put_header(&blob, &forms[0]);
        blob_put_record(&blob, &forms[0], packet_time(100), 0);
        write_file(names[1], blob.octets, blob.size);

        struct source *source = open_files(names, 2);
        struct captured_packet packet;
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
            assert_packet(&packet, k, 1000);
        }
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_int_equal(packet.input, 1);
        assert_int_equal(source_next(source, &packet), SOURCE_END);
        assert_true(source_input(source, 0)->damaged);
        assert_non_null(strstr(source_input(source, 0)->problem, "packet 3, at octet 103"));
        assert_false(source_input(source, 1)->damaged);
        source_free(source);
        free(blob.octets);
    }
}

static void what_is_no_capture_is_refused_in_one_line(void **state)
{
    (void)state;
    mkdir("folder", 0700);
    write_file("empty.pcap", NULL, 0);
    write_file("text.pcap", (const uint8_t *)"dear \x1b[31m reader", 17);
    write_file("a.bz2", (const uint8_t *)"BZh91AY", 7);
    write_file("bad\n\x1b[1m\xff", (const uint8_t *)"x", 1);
    assert_refused("missing.pcap", NULL, STATUS_NOT_FOUND, "missing.pcap: no such file");
    assert_refused("folder", NULL, STATUS_UNREADABLE, "folder: a directory");
    assert_refused("empty.pcap", NULL, STATUS_UNREADABLE, "empty.pcap: empty (0 octets)");
    assert_refused("text.pcap", NULL, STATUS_UNREADABLE, "\"dear \\x1b[31m reade\"");
    assert_refused("a.bz2", NULL, STATUS_UNREADABLE, "bzip2 -dc FILE | lastack -");
    assert_refused("bad\n\x1b[1m\xff", NULL, STATUS_UNREADABLE, "bad\\x0a\\x1b[1m\\xff: ");
    struct form form = forms[0];
    form.minor = 9;
    struct blob blob = blob_classic(&form);
    write_file("new.pcap", blob.octets, blob.size);
    assert_refused("new.pcap", NULL, STATUS_UNREADABLE, "2.9");
    free(blob.octets);
    if (geteuid() == 0) /* nothing is forbidden to root */
        return;
    write_file("secret.pcap", NULL, 0);
    chmod("secret.pcap", 0);
    assert_refused("secret.pcap", NULL, STATUS_DENIED, "sudo cat FILE | lastack -");
}

/* --- compression ------------------------------------------------------------------------------ */

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

/* --- pipes ------------------------------------------------------------------------------------ */

/* Makes a pipe standard input; returns its writing end. */
static int pipe_to_stdin(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    return ends[1];
}

static void feed(int fd, const struct blob *blob, size_t from, size_t to)
{
    assert_int_equal(write(fd, blob->octets + from, to - from), to - from);
}

/* Octets trickle in: each packet is given as soon as it is whole, and nothing is waited for. */
static void trickle(const struct blob *blob, uint32_t fraction_nanos, bool in_halves)
{
    const char *name = "-";
    struct captured_packet packet;
    int fd = pipe_to_stdin();
    feed(fd, blob, 0, blob->ends[0]);
    struct source *source = open_file(&name);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
        size_t middle = in_halves ? blob->ends[i] + 17 : blob->ends[i];
        feed(fd, blob, blob->ends[i], middle);
        if (in_halves)
            assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
        feed(fd, blob, middle, blob->ends[i + 1]);
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_packet(&packet, i, fraction_nanos);
    }
    assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
    close(fd);
    assert_int_equal(source_next(source, &packet), SOURCE_END);
    assert_false(source_input(source, 0)->damaged);
    assert_int_equal(source_progress(source).bytes_total, 0);
    source_free(source);
}

static void a_packet_in_a_pipe_is_given_when_it_is_whole(void **state)
{
    (void)state;
    struct blob classic = blob_classic(&forms[1]);
    struct blob pcapng = blob_pcapng();
    trickle(&classic, 1000, true);
    trickle(&pcapng, 1, false);
    free(classic.octets);
    free(pcapng.octets);
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

static void standard_input_may_be_a_file(void **state)
{
    (void)state;
    const char *name = "-";
    struct blob blob = blob_classic(&forms[3]);
    write_file("redirected", blob.octets, blob.size);
    int fd = open("redirected", O_RDONLY);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    struct source *source = open_file(&name);
    assert_int_equal(source_progress(source).bytes_total, blob.size);
    assert_int_equal(read_all(source, 1), PACKETS);
    assert_int_equal(source_progress(source).bytes_read, blob.size);
    source_free(source);
    free(blob.octets);

    char message[MESSAGE_SIZE] = "";
    const char *const twice[] = {"-", "-"};
    const struct source_options options = {.files = twice, .file_count = 2};
    assert_int_equal(source_open(&options, &source, message), STATUS_USAGE);
}

static struct source *to_break; /* what the signal handler needs */

static void break_it(int signal_number)
{
    (void)signal_number;
    source_break(to_break);
}

static void source_break_ends_the_waiting(void **state)
{
    (void)state;
    const char *name = "-";
    struct captured_packet packet;
    struct blob blob = blob_classic(&forms[0]);
    int fd = pipe_to_stdin();
    feed(fd, &blob, 0, blob.size - 1); /* in the middle of the last packet: that is no damage */
    to_break = open_file(&name);
    signal(SIGALRM, break_it);
    const struct itimerval soon = {.it_value = {.tv_usec = 150000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(read_all(to_break, 1000), PACKETS - 1);
    assert_int_equal(source_next(to_break, &packet), SOURCE_END);
    assert_false(source_input(to_break, 0)->damaged);
    source_free(to_break);
    close(fd);
    free(blob.octets);
}

/* --- several inputs, filter, count ------------------------------------------------------------ */

static void write_at(const char *name, nanotime time, bool has_packets)
{
    struct blob blob = blob_new();
    blob_put_header(&blob, &forms[2]);
    for (size_t i = 0; has_packets && i < 2; i++)
        blob_put_record(&blob, &forms[2], time + (nanotime)i, i);
    write_file(name, blob.octets, blob.size);
    free(blob.octets);
}

static void assert_order(const char *const *given, const char *const *expected, size_t count)
{
    struct source *source = open_files(given, count);
    struct captured_packet packet;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(source_input(source, i)->name, expected[i]);
    nanotime last = INT64_MIN;
    uint64_t number = 0;
    while (source_next(source, &packet) == SOURCE_PACKET) {
        assert_true(packet.time >= last);
        assert_int_equal(packet.number, ++number);
        last = packet.time;
    }
    for (size_t i = 0; i < count; i++)
        assert_false(source_input(source, i)->damaged);
    struct source_progress progress = source_progress(source);
    assert_int_equal(progress.bytes_read, progress.bytes_total);
    source_free(source);
}

static void files_are_read_in_order_of_their_first_packets(void **state)
{
    (void)state;
    write_at("c", first_time + 30, true);
    write_at("a", first_time + 10, true);
    write_at("b2", first_time + 20, true);
    write_at("b1", first_time + 20, true);
    write_at("none", 0, false);
    const char *const given[] = {"c", "b2", "none", "b1", "a"};
    const char *const expected[] = {"none", "a", "b2", "b1", "c"};
    assert_order(given, expected, ARRAY_LEN(given));
}

/* A pipe cannot be looked at beforehand: it stays where it was named, the files move around it. */
static void a_pipe_keeps_its_place_among_files(void **state)
{
    (void)state;
    struct captured_packet packet;
    struct blob blob = blob_classic(&forms[2]);
    int fd = pipe_to_stdin();
    feed(fd, &blob, 0, blob.size);
    close(fd);
    free(blob.octets);
    write_at("c", first_time + 30, true);
    write_at("a", first_time + 10, true);
    const char *const given[] = {"c", "-", "a"};
    struct source *source = open_files(given, 3);
    assert_string_equal(source_input(source, 0)->name, "a");
    assert_string_equal(source_input(source, 1)->name, "-");
    assert_string_equal(source_input(source, 2)->name, "c");
    size_t per_input[3] = {0};
    while (source_next(source, &packet) == SOURCE_PACKET)
        per_input[packet.input]++;
    assert_int_equal(per_input[0], 2);
    assert_int_equal(per_input[1], PACKETS);
    assert_int_equal(per_input[2], 2);
    source_free(source);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            count++;
    return count;
}

static void hundreds_of_files_need_few_descriptors(void **state)
{
    (void)state;
    enum { FILES = 300 };
    char names[FILES][16];
    const char *pointers[FILES];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "many%zu", i);
        write_at(names[i], first_time + (nanotime)(FILES - i) * 10, true);
        pointers[i] = names[i];
    }
    size_t before = count_descriptors();
    struct source *source = open_files(pointers, FILES);
    struct captured_packet packet;
    nanotime last = 0;
    size_t count = 0;
    while (source_next(source, &packet) == SOURCE_PACKET) {
        assert_true(time_is_before(last, packet.time));
        last = packet.time;
        count++;
        assert_in_range(count_descriptors(), before, before + 4);
    }
    assert_int_equal(count, 2 * FILES);
    source_free(source);
    assert_int_equal(count_descriptors(), before);
}

static void a_file_that_vanishes_is_said_and_the_rest_read(void **state)
{
    (void)state;
    write_at("stays", first_time, true);
    write_at("goes", first_time + 10, true);
    const char *const given[] = {"stays", "goes"};
    struct source *source = open_files(given, 2);
    unlink("goes");
    struct captured_packet packet;
    size_t count = 0;
    while (source_next(source, &packet) == SOURCE_PACKET)
        count++;
    assert_int_equal(count, 2);
    assert_true(source_input(source, 1)->damaged);
    assert_non_null(strstr(source_input(source, 1)->problem, "no such file"));
    source_free(source);
}

/* The filter takes packets away; the others keep the numbers they have in the file. */
static void the_filter_and_the_count_choose(void **state)
{
    (void)state;
    char message[MESSAGE_SIZE] = "";
    struct captured_packet packet;
    struct source *source = NULL;
    const char *const names[] = {"f.pcap", "g.pcapng"};
    struct blob classic = blob_classic(&forms[1]);
    struct blob pcapng = blob_pcapng();
    write_file(names[0], classic.octets, classic.size);
    write_file(names[1], pcapng.octets, pcapng.size);
    struct source_options options = {.files = names, .file_count = 2, .filter = "ether[0] >= 3"};
    static const uint64_t numbers[] = {4, 4, 5, 5}; /* both files have these times */
    assert_int_equal(source_open(&options, &source, message), STATUS_OK);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_int_equal(packet.input, i % 2);
        assert_int_equal(packet.input_packet, numbers[i]);
        assert_int_equal(packet.data[0], numbers[i] - 1);
    }
    assert_int_equal(source_next(source, &packet), SOURCE_END);
    assert_int_equal(source_progress(source).packets, 4);
    source_free(source);

    options.count = 3;
    assert_int_equal(source_open(&options, &source, message), STATUS_OK);
    size_t count = 0;
    while (source_next(source, &packet) == SOURCE_PACKET)
        count++;
    assert_int_equal(count, 3);
    assert_false(source_input(source, 1)->damaged);
    source_free(source);

    assert_refused(names[0], "tcp prt 80", STATUS_USAGE, "\"tcp prt 80\"");
    assert_refused(names[1], "wlan type mgt", STATUS_USAGE, "EN10MB");
    free(classic.octets);
    free(pcapng.octets);
}

/* --- live ------------------------------------------------------------------------------------- */

static void send_datagram(int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sendto(fd, "lastack", 7, 0, (const struct sockaddr *)&to, sizeof to);
    close(fd);
}

static void the_loopback_interface_is_captured_live(void **state)
{
    (void)state;
    char message[MESSAGE_SIZE] = "";
    struct captured_packet packet;
    struct source *source = NULL;
    uint64_t received, dropped, dropped_by_interface;
    const char *const interface = "lo";
    const struct source_options options = {
        .interfaces = &interface, .interface_count = 1, .filter = "udp dst port 40001", .count = 2};
    enum status status = source_open(&options, &source, message);
    if (status == STATUS_DENIED) {
        assert_non_null(strstr(message, "sudo setcap cap_net_raw,cap_net_admin=eip"));
        skip();
    }
    if (status != STATUS_OK) /* no loopback in this container */
        skip();
    assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
    for (int port = 40000; port < 40003; port++)
        send_datagram(port);
    enum source_result result = SOURCE_IDLE;
    for (size_t tries = 0; tries < 20 && result == SOURCE_IDLE; tries++)
        result = source_next(source, &packet);
    assert_int_equal(result, SOURCE_PACKET);
    assert_int_equal(packet.length, 14 + 20 + 8 + 7);
    assert_in_range(packet.time, first_time, INT64_MAX);
    assert_int_equal(packet.input_packet, 1);
    assert_true(source_drops(source, &received, &dropped, &dropped_by_interface));
    assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
    source_break(source);
    while ((result = source_next(source, &packet)) == SOURCE_IDLE)
        continue;
    assert_int_equal(result, SOURCE_END);
    source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_pcap_is_read_to_the_nanosecond),
        cmocka_unit_test(pcapng_is_read_to_the_nanosecond),
        cmocka_unit_test(a_packet_longer_than_the_snapshot_is_cut_to_it),
        cmocka_unit_test(interfaces_of_two_link_types_are_read_from_one_file),
        cmocka_unit_test(a_damaged_block_is_left_out_and_the_rest_read),
        cmocka_unit_test(a_cut_is_told_wherever_it_is),
        cmocka_unit_test(a_record_that_lies_about_its_length_ends_its_file_only),
        cmocka_unit_test(what_is_no_capture_is_refused_in_one_line),
        cmocka_unit_test(compressed_captures_are_known_by_content),
        cmocka_unit_test(members_one_after_the_other_are_one_capture),
        cmocka_unit_test(a_compressed_capture_cut_anywhere_is_damaged_or_refused),
        cmocka_unit_test(what_precedes_a_broken_block_is_given),
        cmocka_unit_test(a_packet_in_a_pipe_is_given_when_it_is_whole),
        cmocka_unit_test(compressed_captures_come_through_a_pipe),
        cmocka_unit_test(standard_input_may_be_a_file),
        cmocka_unit_test(source_break_ends_the_waiting),
        cmocka_unit_test(files_are_read_in_order_of_their_first_packets),
        cmocka_unit_test(a_pipe_keeps_its_place_among_files),
        cmocka_unit_test(hundreds_of_files_need_few_descriptors),
        cmocka_unit_test(a_file_that_vanishes_is_said_and_the_rest_read),
        cmocka_unit_test(the_filter_and_the_count_choose),
        cmocka_unit_test(the_loopback_interface_is_captured_live),
    };
    return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
