/*
 * captures: captures made octet by octet, in a directory of their own, for the tests of source.
 */
#ifndef LASTACK_TESTS_CAPTURES_H
#define LASTACK_TESTS_CAPTURES_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static inline struct blob blob_new(void)
{
    struct blob blob = {.octets = calloc(1, LARGEST)};
    assert_non_null(blob.octets);
    return blob;
}

static inline void blob_put(struct blob *blob, const void *octets, size_t size)
{
    assert_true(blob->size + size <= LARGEST);
    memcpy(blob->octets + blob->size, octets, size);
    blob->size += size;
}

static inline void blob_put_number(struct blob *blob, uint64_t value, size_t size, bool big_endian)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)(value >> 8 * (big_endian ? size - 1 - i : i));
        blob_put(blob, &octet, 1);
    }
}

/* Packet i: 20 + 7 * i octets, each of value i; on the wire 100 more; 1.5 seconds after the last.
 */
static inline uint32_t packet_size(size_t i)
{
    return (uint32_t)(20 + 7 * i);
}

static inline nanotime packet_time(size_t i)
{
    return first_time + (nanotime)i * 1500000001;
}

static inline void blob_put_packet_data(struct blob *blob, size_t i)
{
    for (uint32_t k = 0; k < packet_size(i); k++)
        blob_put_number(blob, i, 1, false);
}

static inline void blob_put_header(struct blob *blob, const struct form *form)
{
    bool big = form->big_endian;
    blob_put_number(blob, form->magic, 4, big);
    blob_put_number(blob, 2, 2, big);
    blob_put_number(blob, form->minor, 2, big);
    blob_put_number(blob, 0, 8, big);
    blob_put_number(blob, form->snaplen, 4, big);
    blob_put_number(blob, form->link_type, 4, big);
}

static inline void blob_put_record(struct blob *blob, const struct form *form, nanotime time,
                                   size_t i)
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

static inline struct blob blob_classic(const struct form *form)
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
static inline void blob_put_interface(struct blob *blob, uint16_t link_type)
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

static inline void blob_put_enhanced(struct blob *blob, size_t i)
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

static inline struct blob blob_pcapng(void)
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

static inline int enter_directory(void **state)
{
    char *directory = strdup("/tmp/test_source.XXXXXX");
    if (directory == NULL || mkdtemp(directory) == NULL || chdir(directory) != 0)
        return -1;
    *state = directory;
    return 0;
}

static inline int remove_directory(void **state)
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

static inline void write_file(const char *name, const uint8_t *octets, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    if (size > 0) /* fwrite takes no NULL, whatever the size */
        assert_int_equal(fwrite(octets, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline struct source *open_files(const char *const *names, size_t count)
{
    char message[MESSAGE_SIZE] = "";
    struct source *source = NULL;
    const struct source_options options = {.files = names, .file_count = count};
    if (source_open(&options, &source, message) != STATUS_OK)
        fail_msg("%s", message);
    return source;
}

static inline struct source *open_file(const char *const *name)
{
    return open_files(name, 1);
}

static inline void assert_refused(const char *name, const char *filter, enum status expected,
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

static inline void assert_packet(const struct captured_packet *packet, size_t i,
                                 uint32_t fraction_nanos)
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
static inline size_t read_all(struct source *source, uint32_t fraction_nanos)
{
    struct captured_packet packet;
    size_t count = 0;
    enum source_result result;
    while ((result = source_next(source, &packet)) != SOURCE_END)
        if (result == SOURCE_PACKET)
            assert_packet(&packet, count++, fraction_nanos);
    return count;
}

/* Makes a pipe standard input; returns its writing end. */
static inline int pipe_to_stdin(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    return ends[1];
}

static inline void feed(int fd, const struct blob *blob, size_t from, size_t to)
{
    assert_int_equal(write(fd, blob->octets + from, to - from), to - from);
}

#endif
