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
 * the stream.  The buffer is our own, or a window of a file that is read ahead (ahead.h).
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "octets.h"
#include "reader.h"
#include "records.h"

enum {
    FILE_HEADER_SIZE = 24,
    BUFFER_SIZE = RECORD_HEADER_SIZE + LARGEST_CAPTURE + AHEAD_WINDOW,
};

struct classic {
    struct stream *stream;
    uint8_t *own; /* BUFFER_SIZE octets, owned */
    uint8_t *buffer;
    size_t start;
    size_t end;
    uint64_t offset;
    uint64_t packets;
    struct records records;
    int link_type;
    struct ahead *ahead;        /* NULL: the file is not read ahead */
    struct ahead_window window; /* with ahead: that was taken last */
    size_t given;               /* of its packets */
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
    classic->records.big_endian = big_endian;
    classic->records.fraction_nanos = magics[magic].fraction_nanos;
    classic->records.lengths_swapped = major == 543 || minor < 3; /* DG/UX tcpdump wrote 543.0 */
    classic->records.lengths_maybe_swapped = major == 2 && minor == 3;
    classic->link_type = link_type_of_file(read_u32(head + 20, big_endian));
    classic->records.snaplen = read_u32(head + 16, big_endian);
    if (classic->records.snaplen == 0 || classic->records.snaplen > LARGEST_CAPTURE)
        classic->records.snaplen = LARGEST_CAPTURE;
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
    if (classic->ahead != NULL)
        ahead_end(classic->ahead);
    free(classic->own);
    free(classic);
}

static enum status classic_open(struct stream *stream, const char *name, void **ret_reader,
                                char *message)
{
    uint8_t head[FILE_HEADER_SIZE];
    struct classic *classic = calloc(1, sizeof *classic);
    if (classic != NULL)
        classic->buffer = classic->own = malloc(BUFFER_SIZE);
    if (classic == NULL || classic->own == NULL) {
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

static struct ahead_walk classic_walk(const void *reader, const uint8_t *octets, size_t size,
                                      size_t room, struct captured *ret_packets)
{
    const struct classic *classic = reader;
    return records_walk(&classic->records, octets, size, room, ret_packets);
}

/* Whether the file is read ahead from now on. */
static bool classic_begin_ahead(struct classic *classic)
{
    struct ahead_file file = {
        .link_type = classic->link_type, .reader = classic, .walk = classic_walk};
    if (stream_position(classic->stream) % AHEAD_WINDOW != 0)
        return false;
    struct ahead *ahead = stream_ahead(classic->stream, &file);
    if (ahead != NULL && ahead_begin(ahead, &file))
        classic->ahead = ahead;
    return classic->ahead != NULL;
}

/* What the windows do not have is read into a buffer of our own. */
static void classic_end_ahead(struct classic *classic)
{
    memcpy(classic->own, classic->buffer + classic->start, classic->end - classic->start);
    classic->buffer = classic->own;
    classic->end -= classic->start;
    classic->start = 0;
    classic->window = (struct ahead_window){0};
    classic->given = 0;
    ahead_end(classic->ahead);
    classic->ahead = NULL;
}

/* Goes on to a window that holds what is left, too; false: there is none. */
static bool classic_take_window(struct classic *classic)
{
    if (classic->ahead == NULL && !classic_begin_ahead(classic))
        return false;
    struct ahead_window window;
    if (!ahead_next(classic->ahead, classic->buffer + classic->start, classic->end - classic->start,
                    &window)) {
        classic_end_ahead(classic);
        return false;
    }
    stream_skip(classic->stream, window.read);
    classic->window = window;
    classic->given = 0;
    classic->buffer = window.octets;
    classic->start = 0;
    classic->end = window.size;
    return true;
}

/* Reads behind what is left; up to where a window might begin. */
static ssize_t classic_read_on(struct classic *classic)
{
    memmove(classic->buffer, classic->buffer + classic->start, classic->end - classic->start);
    classic->end -= classic->start;
    classic->start = 0;
    const size_t beyond = stream_position(classic->stream) % AHEAD_WINDOW;
    const ssize_t got =
        stream_read(classic->stream, classic->buffer + classic->end, AHEAD_WINDOW - beyond);
    if (got > 0)
        classic->end += (size_t)got;
    return got;
}

/* Reads until the needed octets are in the buffer: READER_PACKET. */
static enum reader_result classic_fill(struct classic *classic, size_t needed, char *problem)
{
    while (classic->end - classic->start < needed) {
        if (classic_take_window(classic))
            continue;
        const ssize_t got = classic_read_on(classic);
        if (got == STREAM_IDLE || got == STREAM_BROKEN)
            return READER_IDLE;
        if (got == STREAM_FAILED)
            return classic_fail(classic, problem);
        if (got == STREAM_END)
            return classic_end(classic, needed, problem);
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

/* Of the packets that were noted ahead those that are wanted: how many; *ret_end: behind them. */
static size_t give_noted(const struct classic *classic, struct run_wanted wanted,
                         struct packet_run *ret_run, const uint8_t **ret_end)
{
    const struct ahead_window *window = &classic->window;
    const struct captured *packets = window->packets + classic->given;
    const size_t left = window->walked.count - classic->given;
    const size_t most = left < wanted.room ? left : wanted.room;
    struct records_times times = records_no_times();
    size_t count = 0;
    for (; count < most && !time_is_before(wanted.until, packets[count].time); count++) {
        ret_run->packet[count] = packets[count];
        ret_run->packet[count].number = ++wanted.before;
        records_note_time(&times, packets[count].time);
    }
    *ret_end = count < left ? packets[count].data - RECORD_HEADER_SIZE
                            : window->octets + window->walked.noted;
    ret_run->latest = times.latest;
    ret_run->earliest = times.earliest;
    return count;
}

static size_t classic_more(void *reader, struct run_wanted wanted, struct packet_run *ret_run)
{
    struct classic *classic = reader;
    ret_run->first.link_type = classic->link_type;
    ret_run->first.interface = 0;
    ret_run->first.others = 0;
    ret_run->first.lost = 0;
    const uint8_t *at = classic->buffer + classic->start, *end;
    size_t count;
    if (classic->given < classic->window.walked.count) {
        count = give_noted(classic, wanted, ret_run, &end);
        classic->given += count;
    } else {
        struct span span = {at, classic->buffer + classic->end};
        struct records_times times;
        count = records_take(&classic->records, &span, wanted, ret_run->packet, &times);
        end = span.at;
        ret_run->latest = times.latest;
        ret_run->earliest = times.earliest;
    }
    classic->offset += (size_t)(end - at);
    classic->start += (size_t)(end - at);
    classic->packets += count;
    return count;
}

/* The record at hand, all of it in the buffer. */
static void take_one(struct classic *classic, struct lengths lengths,
                     struct captured_packet *ret_packet)
{
    const uint8_t *record = classic->buffer + classic->start;
    const size_t size = RECORD_HEADER_SIZE + (size_t)lengths.captured;
    *ret_packet = (struct captured_packet){
        .data = record + RECORD_HEADER_SIZE,
        .captured = records_kept(&classic->records, lengths),
        .length = lengths.wire,
        .time = records_time(&classic->records, record, classic->records.big_endian),
        .link_type = classic->link_type,
    };
    classic->offset += size;
    classic->start += size;
    classic->packets++;
    classic->given += classic->given < classic->window.walked.count;
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
            struct lengths lengths = records_lengths(&classic->records, record);
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
