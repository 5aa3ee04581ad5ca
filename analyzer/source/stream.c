/*
 * stream: from the descriptor to plain octets.
 *
 *     fd --read()--> packed --decoder--> head | the caller's buffer      compressed
 *     fd --read()----------------------> head | the caller's buffer      plain
 *
 * The head is what was read to recognise the input; it is given out first.  Invariant: once failed
 * or ended, a stream stays so.
 */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahead.h"
#include "decoder.h"
#include "escape.h"

enum {
    PACKED_SIZE = 64 * 1024,
    PATIENCE_MS = 100, /* for a pipe that is idle */
    STREAM_PROBLEM_SIZE = 160,
};

enum { WAIT_READY, WAIT_IDLE, WAIT_BROKEN, WAIT_INTERRUPTED };

struct stream {
    struct stream_options options;
    uint8_t head[STREAM_HEAD_SIZE];
    size_t head_size;
    size_t head_given;
    const struct decoder *decoder; /* NULL: plain */
    void *decoder_state;
    uint8_t *packed; /* PACKED_SIZE octets, when compressed */
    size_t packed_start;
    size_t packed_end;
    bool opened;          /* the head is there */
    bool stored_ended;    /* read() has said so */
    bool is_left;         /* followed, and seen to be replaced: what is there is the rest */
    bool decoder_is_full; /* the last call filled all of its room: it may hold more */
    uint64_t stored_read;
    uint64_t position;
    char problem[STREAM_PROBLEM_SIZE];
};

static int stream_poll(const struct stream *stream)
{
    struct pollfd waits[] = {
        {.fd = stream->options.fd, .events = POLLIN},
        {.fd = stream->options.break_fd, .events = POLLIN},
    };
    int ready = poll(waits, 2, PATIENCE_MS);
    if (ready < 0)
        return errno == EINTR ? WAIT_INTERRUPTED : WAIT_READY; /* read() will say what is wrong */
    if (waits[1].revents != 0)
        return WAIT_BROKEN;
    return ready == 0 ? WAIT_IDLE : WAIT_READY;
}

static ssize_t stream_fail(struct stream *stream, int error)
{
    snprintf(stream->problem, sizeof stream->problem, "reading fails at octet %llu: %s",
             (unsigned long long)stream->stored_read, strerror(error));
    return STREAM_FAILED;
}

/* Whether the name means another file now, or this one was cut and begun anew. */
static bool stream_is_replaced(const struct stream *stream)
{
    struct stat named, open;
    if (fstat(stream->options.fd, &open) != 0)
        return true;
    off_t position = lseek(stream->options.fd, 0, SEEK_CUR);
    if (open.st_size < position)
        return true;
    if (stat(stream->options.path, &named) != 0)
        return false; /* between the old and the new one */
    bool is_other = named.st_ino != open.st_ino || named.st_dev != open.st_dev;
    return is_other && named.st_size >= STREAM_HEAD_SIZE;
}

/* At the end of a file that is followed: STREAM_END once no more can come, else after a moment. */
static ssize_t stream_await_growth(struct stream *stream)
{
    if (stream->is_left)
        return STREAM_END;
    bool superseded = stream->options.superseded != NULL && *stream->options.superseded;
    if (superseded || stream_is_replaced(stream)) {
        stream->is_left = true; /* read once more: it may have grown before it was left */
        return STREAM_IDLE;
    }
    struct pollfd wait = {.fd = stream->options.break_fd, .events = POLLIN};
    int ready = poll(&wait, 1, PATIENCE_MS);
    return ready > 0 ? STREAM_BROKEN : STREAM_IDLE;
}

/* One read() of the file as stored. */
static ssize_t stream_read_stored(struct stream *stream, uint8_t *octets, size_t size)
{
    if (stream->stored_ended)
        return STREAM_END;
    if (stream->options.is_pipe) {
        int wait = stream_poll(stream);
        if (wait == WAIT_BROKEN)
            return STREAM_BROKEN;
        if (wait == WAIT_INTERRUPTED && !stream->opened) /* nobody can call source_break yet */
            return STREAM_BROKEN;
        if (wait != WAIT_READY)
            return STREAM_IDLE;
    }

    ssize_t got = read(stream->options.fd, octets, size);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? STREAM_IDLE : stream_fail(stream, errno);
    if (got == 0 && stream->options.path != NULL) {
        got = stream_await_growth(stream);
        if (got != STREAM_END)
            return got;
    }
    if (got == 0)
        stream->stored_ended = true;
    if (got == 0 && stream->options.ended != NULL)
        *stream->options.ended = true;
    stream->stored_read += (uint64_t)got;
    return got;
}

static ssize_t stream_fail_damaged(struct stream *stream, const char *reason)
{
    uint64_t octet = stream->stored_read - (stream->packed_end - stream->packed_start);
    snprintf(stream->problem, sizeof stream->problem, "the %s data is damaged near octet %llu (%s)",
             stream->decoder->name, (unsigned long long)octet, reason);
    return STREAM_FAILED;
}

static ssize_t stream_fail_cut(struct stream *stream)
{
    snprintf(stream->problem, sizeof stream->problem, "the %s data is cut short at octet %llu",
             stream->decoder->name, (unsigned long long)stream->stored_read);
    return STREAM_FAILED;
}

/* Unpacks once; STREAM_IDLE here means: nothing came out, though nothing is wrong. */
static ssize_t stream_decode(struct stream *stream, uint8_t *octets, size_t size)
{
    struct decoder_span span = {
        .in = stream->packed + stream->packed_start,
        .in_left = stream->packed_end - stream->packed_start,
        .in_ended = stream->stored_ended,
        .out = octets,
        .out_left = size,
        .reason = "",
    };
    size_t in_before = span.in_left;
    enum decoder_result result = stream->decoder->type->decode(stream->decoder_state, &span);
    stream->packed_start = stream->packed_end - span.in_left;
    stream->decoder_is_full = span.out_left == 0;

    if (result == DECODER_DAMAGED)
        stream_fail_damaged(stream, span.reason);
    size_t written = size - span.out_left;
    if (written > 0)
        return (ssize_t)written;
    if (result == DECODER_DAMAGED)
        return STREAM_FAILED;
    if (!stream->stored_ended || span.in_left < in_before)
        return STREAM_IDLE;
    return result == DECODER_BETWEEN ? STREAM_END : stream_fail_cut(stream);
}

static ssize_t stream_refill(struct stream *stream)
{
    ssize_t got = stream_read_stored(stream, stream->packed, PACKED_SIZE);
    if (got < 0)
        return got;
    stream->packed_start = 0;
    stream->packed_end = (size_t)got;
    return got;
}

static ssize_t stream_read_packed(struct stream *stream, uint8_t *octets, size_t size)
{
    for (;;) {
        bool needs_more = stream->packed_start == stream->packed_end && !stream->decoder_is_full;
        if (needs_more && !stream->stored_ended) {
            ssize_t got = stream_refill(stream);
            if (got < 0)
                return got;
        }
        ssize_t got = stream_decode(stream, octets, size);
        if (got != STREAM_IDLE)
            return got;
    }
}

static ssize_t stream_read_on(struct stream *stream, uint8_t *octets, size_t size)
{
    if (stream->problem[0] != '\0')
        return STREAM_FAILED;
    if (stream->decoder != NULL)
        return stream_read_packed(stream, octets, size);
    return stream_read_stored(stream, octets, size);
}

/* Fills the head as far as there is input. */
static enum status stream_fill_head(struct stream *stream, char *message)
{
    while (stream->head_size < STREAM_HEAD_SIZE) {
        ssize_t got = stream_read_on(stream, stream->head + stream->head_size,
                                     STREAM_HEAD_SIZE - stream->head_size);
        if (got == STREAM_END || (got == STREAM_FAILED && stream->head_size > 0))
            return STATUS_OK;
        if (got == STREAM_FAILED) {
            snprintf(message, MESSAGE_SIZE, "%s: %s; no packet could be read", stream->options.name,
                     stream->problem);
            return STATUS_UNREADABLE;
        }
        if (got == STREAM_BROKEN) {
            snprintf(message, MESSAGE_SIZE, "%s: stopped before a capture came",
                     stream->options.name);
            return STATUS_UNREADABLE;
        }
        if (got > 0)
            stream->head_size += (size_t)got;
    }
    return STATUS_OK;
}

/* From here on the head is what the decoder makes of what was the head. */
static enum status stream_start_decoder(struct stream *stream, char *message)
{
    const struct decoder *decoder = stream->decoder;
    if (decoder->type == NULL) {
        snprintf(message, MESSAGE_SIZE,
                 "%s: compressed with %s, and this program was built without %s; "
                 "type: %s FILE | lastack -",
                 stream->options.name, decoder->name, decoder->library, decoder->command);
        return STATUS_UNREADABLE;
    }
    stream->packed = malloc(PACKED_SIZE);
    stream->decoder_state = decoder->type->open();
    if (stream->packed == NULL || stream->decoder_state == NULL) {
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", stream->options.name);
        return STATUS_NO_MEMORY;
    }
    memcpy(stream->packed, stream->head, stream->head_size);
    stream->packed_end = stream->head_size;
    stream->head_size = 0;
    return stream_fill_head(stream, message);
}

static enum status stream_prepare(struct stream *stream, char *message)
{
    enum status status = stream_fill_head(stream, message);
    if (status != STATUS_OK)
        return status;
    stream->decoder = decoder_recognise(stream->head, stream->head_size);
    if (stream->decoder != NULL)
        status = stream_start_decoder(stream, message);
    if (status != STATUS_OK)
        return status;
    if (stream->head_size > 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE,
             "%s: empty%s (0 octets), without even a capture header; capture again, and let the "
             "capturing program end before copying its file",
             stream->options.name, stream->decoder != NULL ? " once unpacked" : "");
    return STATUS_UNREADABLE;
}

enum status stream_open(const struct stream_options *options, struct stream **ret_stream,
                        char *message)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        if (options->owns_fd)
            close(options->fd);
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", options->name);
        return STATUS_NO_MEMORY;
    }
    stream->options = *options;
    enum status status = stream_prepare(stream, message);
    if (status != STATUS_OK) {
        stream_free(stream);
        return status;
    }
    stream->opened = true;
    *ret_stream = stream;
    return STATUS_OK;
}

const uint8_t *stream_head(const struct stream *stream, size_t *ret_size)
{
    *ret_size = stream->head_size;
    return stream->head;
}

ssize_t stream_read(struct stream *stream, uint8_t *octets, size_t size)
{
    size_t left = stream->head_size - stream->head_given;
    ssize_t got = (ssize_t)(left < size ? left : size);
    if (left > 0) {
        memcpy(octets, stream->head + stream->head_given, (size_t)got);
        stream->head_given += (size_t)got;
    } else {
        got = stream_read_on(stream, octets, size);
    }
    if (got > 0)
        stream->position += (uint64_t)got;
    return got;
}

struct ahead *stream_ahead(const struct stream *stream, struct ahead_file *ret_file)
{
    bool is_ordinary = !stream->options.is_pipe && stream->options.path == NULL &&
                       stream->decoder == NULL && stream->problem[0] == '\0';
    if (stream->options.ahead == NULL || !is_ordinary || stream->head_given < stream->head_size)
        return NULL;
    struct stat stat;
    const off_t offset = lseek(stream->options.fd, 0, SEEK_CUR);
    if (offset < 0 || fstat(stream->options.fd, &stat) != 0 || stat.st_size < offset)
        return NULL;
    ret_file->fd = stream->options.fd;
    ret_file->from = (uint64_t)offset;
    ret_file->to = (uint64_t)stat.st_size;
    return stream->options.ahead;
}

void stream_skip(struct stream *stream, uint64_t octets)
{
    lseek(stream->options.fd, (off_t)octets, SEEK_CUR);
    stream->stored_read += octets;
    stream->position += octets;
}

bool stream_wait(struct stream *stream)
{
    if (!stream->options.is_pipe || stream->stored_ended || stream->problem[0] != '\0')
        return true;
    if (stream->head_given < stream->head_size || stream->decoder_is_full ||
        stream->packed_start < stream->packed_end)
        return true;
    return stream_poll(stream) == WAIT_READY;
}

uint64_t stream_position(const struct stream *stream)
{
    return stream->position;
}

uint64_t stream_stored_read(const struct stream *stream)
{
    return stream->stored_read;
}

const char *stream_compression(const struct stream *stream)
{
    return stream->decoder != NULL ? stream->decoder->name : NULL;
}

bool stream_is_pipe(const struct stream *stream)
{
    return stream->options.is_pipe;
}

bool stream_is_broken(const struct stream *stream)
{
    struct pollfd wait = {.fd = stream->options.break_fd, .events = POLLIN};
    return poll(&wait, 1, 0) > 0 && wait.revents != 0;
}

const char *stream_problem(const struct stream *stream)
{
    return stream->problem;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->decoder_state != NULL)
        stream->decoder->type->free(stream->decoder_state);
    free(stream->packed);
    if (stream->options.owns_fd)
        close(stream->options.fd);
    free(stream);
}
