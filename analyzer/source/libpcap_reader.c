/*
 * libpcap_reader: the rare forms of pcap, read by libpcap in nanoseconds over a FILE whose octets
 * come from the stream.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "reader.h"

enum { BUFFER_SIZE = 1024 * 1024, REASON_SIZE = 176 };

struct libpcap {
    struct stream *stream;
    pcap_t *pcap;
    FILE *file;   /* pcap's, once that is open */
    char *buffer; /* of file */
    uint64_t packets;
};

/* clang-format off */
static const struct {
    const char *libpcap_says;
    const char *we_say;
} reasons[] = {
    {"truncated", "the file is cut short there"},
};
/* clang-format on */

enum { REASONS = sizeof reasons / sizeof reasons[0] };

/* For fopencookie: waits for a pipe as long as it takes, but not past source_break. */
static ssize_t cookie_read(void *cookie, char *octets, size_t size)
{
    struct libpcap *libpcap = cookie;
    ssize_t got;
    do
        got = stream_read(libpcap->stream, (uint8_t *)octets, size);
    while (got == STREAM_IDLE);
    if (got >= 0)
        return got;
    errno = got == STREAM_BROKEN ? EINTR : EIO;
    return -1;
}

/* For fopencookie: only tells where it is, which ftello needs. */
static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
    struct libpcap *libpcap = cookie;
    if (whence != SEEK_CUR || *offset != 0) {
        errno = ESPIPE;
        return -1;
    }
    *offset = (off64_t)stream_position(libpcap->stream);
    return 0;
}

static void libpcap_free(void *reader)
{
    struct libpcap *libpcap = reader;
    if (libpcap == NULL)
        return;
    if (libpcap->pcap != NULL)
        pcap_close(libpcap->pcap); /* closes the file, too */
    else if (libpcap->file != NULL)
        fclose(libpcap->file);
    free(libpcap->buffer);
    free(libpcap);
}

static enum status libpcap_open_file(struct libpcap *libpcap, const char *name, char *message)
{
    const cookie_io_functions_t functions = {.read = cookie_read, .seek = cookie_seek};
    libpcap->buffer = malloc(BUFFER_SIZE);
    if (libpcap->buffer != NULL)
        libpcap->file = fopencookie(libpcap, "r", functions);
    if (libpcap->file == NULL) {
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", name);
        return STATUS_NO_MEMORY;
    }
    setvbuf(libpcap->file, libpcap->buffer, _IOFBF, BUFFER_SIZE);
    return STATUS_OK;
}

static enum status libpcap_open_pcap(struct libpcap *libpcap, const char *name, char *message)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    libpcap->pcap =
        pcap_fopen_offline_with_tstamp_precision(libpcap->file, PCAP_TSTAMP_PRECISION_NANO, error);
    if (libpcap->pcap != NULL)
        return STATUS_OK;
    char reason[REASON_SIZE];
    const char *problem = stream_problem(libpcap->stream);
    escape_name(problem[0] != '\0' ? problem : error, reason, sizeof reason);
    snprintf(message, MESSAGE_SIZE, "%s: its header cannot be read: %s", name, reason);
    return STATUS_UNREADABLE;
}

static enum status libpcap_open(struct stream *stream, const char *name, void **ret_reader,
                                char *message)
{
    struct libpcap *libpcap = calloc(1, sizeof *libpcap);
    if (libpcap == NULL) {
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", name);
        return STATUS_NO_MEMORY;
    }
    libpcap->stream = stream;
    enum status status = libpcap_open_file(libpcap, name, message);
    if (status == STATUS_OK)
        status = libpcap_open_pcap(libpcap, name, message);
    if (status != STATUS_OK) {
        libpcap_free(libpcap);
        return status;
    }
    *ret_reader = libpcap;
    return STATUS_OK;
}

/* libpcap's words made plain, where they are known. */
static void libpcap_explain(const struct libpcap *libpcap, char *reason, size_t size)
{
    const char *said = pcap_geterr(libpcap->pcap);
    const char *problem = stream_problem(libpcap->stream);
    if (problem[0] != '\0')
        said = problem;
    for (size_t i = 0; i < REASONS; i++) {
        if (strstr(said, reasons[i].libpcap_says) == NULL)
            continue;
        said = reasons[i].we_say;
        break;
    }
    escape_name(said, reason, size);
}

static enum reader_result libpcap_fail(const struct libpcap *libpcap, char *problem)
{
    char reason[REASON_SIZE];
    libpcap_explain(libpcap, reason, sizeof reason);
    snprintf(problem, READER_PROBLEM_SIZE, "packet %llu, before octet %lld%s, cannot be read: %s",
             (unsigned long long)libpcap->packets + 1, (long long)ftello(libpcap->file),
             stream_compression(libpcap->stream) != NULL ? " once unpacked" : "", reason);
    return READER_DAMAGED;
}

/* libpcap cannot stop inside a block; so a slow pipe is waited for where a block begins. */
static bool libpcap_must_wait(const struct libpcap *libpcap)
{
    if (!stream_is_pipe(libpcap->stream))
        return false;
    bool buffer_is_empty = (uint64_t)ftello(libpcap->file) == stream_position(libpcap->stream);
    return buffer_is_empty && !stream_wait(libpcap->stream);
}

static nanotime libpcap_time(const struct pcap_pkthdr *header)
{
    nanotime time;
    if (__builtin_mul_overflow((nanotime)header->ts.tv_sec, (nanotime)NANO_PER_SECOND, &time))
        return header->ts.tv_sec > 0 ? READER_LATEST : READER_EARLIEST;
    return time_after(time, header->ts.tv_usec); /* nanoseconds, as asked for at opening */
}

static enum reader_result libpcap_next(void *reader, struct captured_packet *ret_packet,
                                       char *problem)
{
    struct libpcap *libpcap = reader;
    if (libpcap_must_wait(libpcap))
        return READER_IDLE;

    struct pcap_pkthdr *header;
    const u_char *data;
    int result = pcap_next_ex(libpcap->pcap, &header, &data);
    if (result == PCAP_ERROR_BREAK)
        return READER_END;
    if (result != 1)
        return libpcap_fail(libpcap, problem);

    ret_packet->data = data;
    ret_packet->captured = header->caplen;
    ret_packet->length = header->len;
    ret_packet->time = libpcap_time(header);
    ret_packet->interface = 0;
    ret_packet->others = 0;
    ret_packet->link_type = pcap_datalink(libpcap->pcap);
    ret_packet->lost = 0;
    libpcap->packets++;
    return READER_PACKET;
}

static int libpcap_link_type(const void *reader)
{
    const struct libpcap *libpcap = reader;
    return pcap_datalink(libpcap->pcap);
}

const struct reader_type reader_libpcap = {
    .open = libpcap_open,
    .next = libpcap_next,
    .link_type = libpcap_link_type,
    .free = libpcap_free,
};
