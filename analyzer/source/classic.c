/*
 * classic: our own reader of classic pcap, for speed.  Packets are given out where read() put them,
 * without a copy.  It promises what libpcap promises, to the nanosecond; where libpcap rewrites
 * packets, classic_can_read says no.
 *
 *     file header, 24 octets (draft-ietf-opsawg-pcap)     record header, 16 octets
 *      0  magic                                            0  seconds
 *      4  version major   6  version minor                 4  micro- or nanoseconds
 *      8  zone  12  accuracy (both unused)                 8  captured length
 *     16  snapshot length                                 12  length on the wire
 *     20  link type, in the lower 26 bits                 16  captured octets
 *
 * Invariant: buffer[start, end) is what was read and not given out; offset is where start lies in
 * the stream.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "octets.h"
#include "reader.h"

enum {
    FILE_HEADER_SIZE = 24,
    RECORD_HEADER_SIZE = 16,
    BUFFER_SIZE = RECORD_HEADER_SIZE + LARGEST_CAPTURE, /* what read() puts there stays in a
                                                           core's second cache */
};

struct classic {
    struct stream *stream;
    uint8_t *buffer;
    size_t start;
    size_t end;
    uint64_t offset;
    uint64_t packets;
    bool big_endian;
    bool lengths_swapped;       /* before 2.3 the two lengths stood the other way round */
    bool lengths_maybe_swapped; /* some writers of 2.3 did it still */
    uint32_t fraction_nanos;    /* what one unit of the time's fraction is worth */
    uint32_t snaplen;
    int link_type;
};

/* clang-format off */
static const struct {
    uint8_t magic[4];
    bool big_endian;
    uint32_t fraction_nanos;
} magics[] = {
    {{0xd4, 0xc3, 0xb2, 0xa1}, false, NANO_PER_MICRO},
    {{0xa1, 0xb2, 0xc3, 0xd4}, true,  NANO_PER_MICRO},
    {{0x4d, 0x3c, 0xb2, 0xa1}, false, 1},
    {{0xa1, 0xb2, 0x3c, 0x4d}, true,  1},
};

static const int left_to_libpcap[] = {
    DLT_USB_LINUX,         /* host-order fields in the packet, which libpcap puts right */
    DLT_USB_LINUX_MMAPPED, /* the same */
    DLT_NFLOG,             /* the same */
    DLT_PFLOG,             /* the same, in later versions */
    DLT_DBUS,              /* packets may be 128 MiB */
    DLT_USBPCAP,           /* the same */
    DLT_EBHSCR,            /* packets may be 8 MiB */
};
/* clang-format on */

enum {
    MAGICS = sizeof magics / sizeof magics[0],
    LEFT_TO_LIBPCAP = sizeof left_to_libpcap / sizeof left_to_libpcap[0],
};

static int find_magic(const uint8_t *head)
{
    for (int i = 0; i < MAGICS; i++)
        if (memcmp(head, magics[i].magic, sizeof magics[i].magic) == 0)
            return i;
    return -1;
}

static void classic_parse_header(struct classic *classic, const uint8_t *head)
{
    int magic = find_magic(head);
    bool big_endian = magics[magic].big_endian;
    uint16_t major = read_u16(head + 4, big_endian);
    uint16_t minor = read_u16(head + 6, big_endian);
    classic->big_endian = big_endian;
    classic->fraction_nanos = magics[magic].fraction_nanos;
    classic->lengths_swapped = major == 543 || minor < 3; /* DG/UX tcpdump wrote 543.0 */
    classic->lengths_maybe_swapped = major == 2 && minor == 3;
    classic->link_type = link_type_of_file(read_u32(head + 20, big_endian));
    classic->snaplen = read_u32(head + 16, big_endian);
    if (classic->snaplen == 0 || classic->snaplen > LARGEST_CAPTURE)
        classic->snaplen = LARGEST_CAPTURE;
}

static bool version_is_known(uint16_t major, uint16_t minor)
{
    return (major == 2 && minor <= 4) || (major == 543 && minor == 0);
}

bool classic_can_read(const uint8_t *head, size_t size)
{
    if (size < FILE_HEADER_SIZE)
        return false;
    int magic = find_magic(head);
    if (magic < 0)
        return false;
    bool big_endian = magics[magic].big_endian;
    if (!version_is_known(read_u16(head + 4, big_endian), read_u16(head + 6, big_endian)))
        return false;
    int link_type = link_type_of_file(read_u32(head + 20, big_endian));
    for (size_t i = 0; i < LEFT_TO_LIBPCAP; i++)
        if (left_to_libpcap[i] == link_type)
            return false;
    return true;
}

static void classic_free(void *reader)
{
    struct classic *classic = reader;
    if (classic == NULL)
        return;
    free(classic->buffer);
    free(classic);
}

static enum status classic_open(struct stream *stream, const char *name, void **ret_reader,
                                char *message)
{
    uint8_t head[FILE_HEADER_SIZE];
    struct classic *classic = calloc(1, sizeof *classic);
    if (classic != NULL)
        classic->buffer = malloc(BUFFER_SIZE);
    if (classic == NULL || classic->buffer == NULL) {
        classic_free(classic);
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", name);
        return STATUS_NO_MEMORY;
    }
    stream_read(stream, head, sizeof head); /* all there: classic_can_read has seen them */
    classic->stream = stream;
    classic->offset = sizeof head;
    classic_parse_header(classic, head);
    *ret_reader = classic;
    return STATUS_OK;
}

static enum reader_result classic_fail(const struct classic *classic, char *problem)
{
    snprintf(problem, READER_PROBLEM_SIZE, "packet %llu, at octet %llu%s, cannot be read: %s",
             (unsigned long long)classic->packets + 1, (unsigned long long)classic->offset,
             stream_compression(classic->stream) != NULL ? " once unpacked" : "",
             stream_problem(classic->stream));
    return READER_DAMAGED;
}

static enum reader_result classic_end(const struct classic *classic, size_t needed, char *problem)
{
    size_t there = classic->end - classic->start;
    if (there == 0)
        return READER_END;
    snprintf(problem, READER_PROBLEM_SIZE,
             "cut short in packet %llu, at octet %llu%s: its record goes on for %s%zu octets, %zu "
             "are there",
             (unsigned long long)classic->packets + 1, (unsigned long long)classic->offset,
             stream_compression(classic->stream) != NULL ? " once unpacked" : "",
             needed == RECORD_HEADER_SIZE ? "at least " : "", needed, there);
    return READER_DAMAGED;
}

/* Reads until the needed octets are in the buffer: READER_PACKET. */
static enum reader_result classic_fill(struct classic *classic, size_t needed, char *problem)
{
    memmove(classic->buffer, classic->buffer + classic->start, classic->end - classic->start);
    classic->end -= classic->start;
    classic->start = 0;
    while (classic->end < needed) {
        ssize_t got = stream_read(classic->stream, classic->buffer + classic->end,
                                  BUFFER_SIZE - classic->end);
        if (got == STREAM_IDLE || got == STREAM_BROKEN)
            return READER_IDLE;
        if (got == STREAM_FAILED)
            return classic_fail(classic, problem);
        if (got == STREAM_END)
            return classic_end(classic, needed, problem);
        classic->end += (size_t)got;
    }
    return READER_PACKET;
}

static enum reader_result classic_refuse(const struct classic *classic, uint32_t captured,
                                         char *problem)
{
    snprintf(problem, READER_PROBLEM_SIZE,
             "packet %llu, at octet %llu%s, claims %u captured octets, more than the %u that can "
             "be: nothing from there on can be trusted",
             (unsigned long long)classic->packets + 1, (unsigned long long)classic->offset,
             stream_compression(classic->stream) != NULL ? " once unpacked" : "", captured,
             (unsigned)LARGEST_CAPTURE);
    return READER_DAMAGED;
}

/* The two lengths in a record's header. */
struct lengths {
    uint32_t captured, wire;
};

static inline struct lengths read_lengths(const struct classic *classic, const uint8_t *record,
                                          bool big_endian)
{
    struct lengths lengths = {read_u32(record + 8, big_endian), read_u32(record + 12, big_endian)};
    bool swapped = classic->lengths_swapped ||
                   (classic->lengths_maybe_swapped && lengths.captured > lengths.wire);
    return swapped ? (struct lengths){lengths.wire, lengths.captured} : lengths;
}

static inline nanotime read_time(const struct classic *classic, const uint8_t *record,
                                 bool big_endian)
{
    nanotime seconds = read_u32(record, big_endian);
    nanotime fraction = read_u32(record + 4, big_endian);
    return seconds * NANO_PER_SECOND + fraction * classic->fraction_nanos;
}

static inline uint32_t kept_of(const struct classic *classic, struct lengths lengths)
{
    return lengths.captured < classic->snaplen ? lengths.captured : classic->snaplen;
}

/* What is the same for all records of a file: constants where take_packets() is inlined. */
struct form {
    bool big_endian;
    bool swaps; /* a record's lengths may stand the other way round */
};

static inline struct lengths lengths_of(const struct classic *classic, const uint8_t *record,
                                        struct form form)
{
    if (form.swaps)
        return read_lengths(classic, record, form.big_endian);
    return (struct lengths){read_u32(record + 8, form.big_endian),
                            read_u32(record + 12, form.big_endian)};
}

/*
 * Gives out packets up to one that is not whole in the buffer, or of a time behind `until`, which
 * stays.  One that is too large is never whole in it.
 */
static inline __attribute__((always_inline)) size_t take_packets(struct classic *classic,
                                                                 struct form form,
                                                                 struct run_wanted wanted,
                                                                 struct packet_run *ret_run)
{
    const struct classic file = *classic; /* which nothing that is written may be a part of */
    const uint8_t *at = file.buffer + file.start, *const end = file.buffer + file.end;
    nanotime earliest = INT64_MAX, latest = INT64_MIN;
    struct captured *packet = ret_run->packet, *const room = packet + wanted.room;
    for (; packet < room && (size_t)(end - at) >= RECORD_HEADER_SIZE; packet++) {
        struct lengths lengths = lengths_of(&file, at, form);
        const size_t size = RECORD_HEADER_SIZE + (size_t)lengths.captured;
        nanotime time = read_time(&file, at, form.big_endian);
        if ((size_t)(end - at) < size || time_is_before(wanted.until, time))
            break;
        *packet = (struct captured){at + RECORD_HEADER_SIZE, kept_of(&file, lengths), lengths.wire,
                                    time, ++wanted.before};
        if (time_is_before(time, latest))
            earliest = time_earlier_of(earliest, time);
        else
            latest = time;
        at += size;
    }
    const size_t count = (size_t)(packet - ret_run->packet);
    classic->offset += (size_t)(at - (file.buffer + file.start));
    classic->start = (size_t)(at - file.buffer);
    classic->packets += count;
    ret_run->latest = latest;
    ret_run->earliest = count > 0 ? time_earlier_of(earliest, ret_run->packet->time) : earliest;
    return count;
}

static size_t classic_more(void *reader, struct run_wanted wanted, struct packet_run *ret_run)
{
    struct classic *classic = reader;
    ret_run->first.link_type = classic->link_type;
    ret_run->first.interface = 0;
    ret_run->first.others = 0;
    ret_run->first.lost = 0;
    if (classic->lengths_swapped || classic->lengths_maybe_swapped)
        return take_packets(classic, (struct form){classic->big_endian, true}, wanted, ret_run);
    return classic->big_endian
               ? take_packets(classic, (struct form){true, false}, wanted, ret_run)
               : take_packets(classic, (struct form){false, false}, wanted, ret_run);
}

/* The record at hand, all of it in the buffer. */
static void take_one(struct classic *classic, struct lengths lengths,
                     struct captured_packet *ret_packet)
{
    const uint8_t *record = classic->buffer + classic->start;
    const size_t size = RECORD_HEADER_SIZE + (size_t)lengths.captured;
    *ret_packet = (struct captured_packet){
        .data = record + RECORD_HEADER_SIZE,
        .captured = kept_of(classic, lengths),
        .length = lengths.wire,
        .time = read_time(classic, record, classic->big_endian),
        .link_type = classic->link_type,
    };
    classic->offset += size;
    classic->start += size;
    classic->packets++;
}

static enum reader_result classic_next(void *reader, struct captured_packet *ret_packet,
                                       char *problem)
{
    struct classic *classic = reader;
    for (;;) {
        const size_t there = classic->end - classic->start;
        size_t needed = RECORD_HEADER_SIZE;
        if (there >= RECORD_HEADER_SIZE) {
            const uint8_t *record = classic->buffer + classic->start;
            struct lengths lengths = read_lengths(classic, record, classic->big_endian);
            if (lengths.captured > LARGEST_CAPTURE)
                return classic_refuse(classic, lengths.captured, problem);
            needed += lengths.captured;
            if (there >= needed) {
                take_one(classic, lengths, ret_packet);
                return READER_PACKET;
            }
        }
        enum reader_result result = classic_fill(classic, needed, problem);
        if (result != READER_PACKET)
            return result;
    }
}

static int classic_link_type(const void *reader)
{
    const struct classic *classic = reader;
    return classic->link_type;
}

const struct reader_type reader_classic = {
    .open = classic_open,
    .next = classic_next,
    .more = classic_more,
    .link_type = classic_link_type,
    .free = classic_free,
};
