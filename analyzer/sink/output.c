/* output: a buffer in front of stdio, because stdio would cut its own anywhere. */
#include "output.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "borrowed.h"
#include "emptying.h"
#include "large_file.h"
#include "outbox.h"

enum {
    OUTPUT_BUFFER = 256 * 1024, /* what is gathered */
    OUTBOX_BUFFER = 512 * 1024, /* the same for an outbox */
    BEYOND = 16,                /* what printbuf keeps behind it */
    OUTBOX_ROOM = OUTBOX_BUFFER + LARGE_FILE_PAGE + BEYOND,
    BUFFER_MOST = 4 * OUTBOX_BUFFER, /* that is kept */
    USUAL_LINE = 32 * 1024,          /* with what its writer asks for */
    LENT_LEAST = 64 * 1024 /* between settlements; a few lines are copied, and leave with others */
};

enum status output_print(FILE *stream, const char *text, size_t length)
{
    bool written = fwrite(text, 1, length, stream) == length && fflush(stream) == 0;
    if (written)
        return STATUS_OK;
    return errno == EPIPE ? STATUS_CLOSED : STATUS_WRITE;
}

enum status output_init(struct output *output, FILE *stream)
{
    *output = (struct output){.stream = stream,
                              .buffer = outbox_buffer_new(OUTPUT_BUFFER + BEYOND),
                              .most = OUTPUT_BUFFER};
    return output->buffer ? STATUS_OK : STATUS_NO_MEMORY;
}

/*
 * A disk that is full takes part of a line: the file is cut back to whole ones.  `before` is where
 * the text began; errno stays as the write left it.
 */
static void cut_to_lines(FILE *stream, off_t before, const char *text, size_t length)
{
    int error = errno, file = fileno(stream);
    struct stat status;
    __fpurge(stream); /* or closing would try again */
    off_t after = lseek(file, 0, SEEK_CUR);
    if (before < 0 || after <= before || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size != after) {
        errno = error;
        return;
    }
    size_t taken = (size_t)(after - before);
    const char *end = memrchr(text, '\n', taken < length ? taken : length);
    off_t whole = before + (end == NULL ? 0 : end + 1 - text);
    if (ftruncate(file, whole) == 0)
        lseek(file, whole, SEEK_SET);
    errno = error;
}

/* Of the output the stream, and whether it is of lines; no more, as it may run on another thread.
 */
static enum status write_out(const struct output *output, const char *text, size_t length)
{
    off_t before = lseek(fileno(output->stream), 0, SEEK_CUR);
    enum status status = output_print(output->stream, text, length);
    if (status == STATUS_WRITE && output->lines)
        cut_to_lines(output->stream, before, text, length);
    return status;
}

/* Writes a text up to `end`, the first octets of which are there already. */
static enum status write_part(const struct output *output, off_t at, const struct large_text *text,
                              size_t done, size_t end)
{
    if (done == end)
        return STATUS_OK;
    enum status status = output_print(output->stream, text->begin + done, end - done);
    if (status == STATUS_WRITE && output->lines)
        cut_to_lines(output->stream, at, text->begin, text->length);
    return status;
}

/* The whole pages of the texts, directly, and what is before the first; says how many octets.  Of a
 * disk that does not take them, what is written in the ordinary way will say why. */
static enum status write_pages(const struct output *output, off_t at,
                               const struct large_text *texts, size_t count, size_t *ret_done)
{
    size_t head = large_file_head(at);
    if (texts[0].length < head)
        return STATUS_OK;
    enum status status = write_part(output, at, &texts[0], 0, head);
    if (status != STATUS_OK)
        return status;
    *ret_done = head + large_file_write(output->large, at, texts, count);
    lseek(fileno(output->stream), at + (off_t)*ret_done, SEEK_SET);
    return STATUS_OK;
}

/* The texts, of which so many octets are there already; how long that takes is noted. */
static enum status write_copied(const struct output *output, off_t at,
                                const struct large_text *texts, size_t count, size_t done)
{
    const uint64_t begun = large_file_moment();
    enum status status = STATUS_OK;
    size_t octets = 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        size_t there = done < texts[i].length ? done : texts[i].length;
        status = write_part(output, at, &texts[i], there, texts[i].length);
        at += (off_t)texts[i].length;
        octets += texts[i].length - there;
        done -= there;
    }
    if (output->large != NULL)
        large_file_note_copied(output->large, octets, begun);
    return status;
}

/* On the outbox's thread. */
static enum status write_texts(void *context, const struct large_text *texts, size_t count,
                               bool is_behind)
{
    const struct output *output = context;
    enum status status = STATUS_OK;
    off_t at = lseek(fileno(output->stream), 0, SEEK_CUR);
    size_t done = 0;
    if (output->large != NULL && at >= LARGE_FILE && large_file_suits(output->large, is_behind))
        status = write_pages(output, at, texts, count, &done);
    return status == STATUS_OK ? write_copied(output, at, texts, count, done) : status;
}

void output_empty(struct output *output)
{
    output->status = emptying_begin(fileno(output->stream), &output->emptying);
}

void output_write_aside(struct output *output)
{
    struct stat status;
    output->aside = fstat(fileno(output->stream), &status) == 0 && S_ISREG(status.st_mode);
}

/* Exchanged for a new one where a long line has made it far larger than it began. */
static void trim(struct output *output)
{
    struct printbuf *fresh =
        output->buffer->size > BUFFER_MOST ? outbox_buffer_new(output->most + BEYOND) : NULL;
    if (fresh == NULL)
        return;
    printbuf_free(output->buffer);
    output->buffer = fresh;
}

/* What is pending next: with an outbox it lies in the buffer as it will in the file. */
static void begin_buffer(struct output *output)
{
    output->begin =
        output->outbox == NULL ? 0 : large_file_begin(output->buffer->buf, output->place);
    output->buffer->bpos = (int)output->begin;
}

/* Waits until what the file held is gone. */
static void await_empty(struct output *output)
{
    if (output->emptying == NULL)
        return;
    enum status status = emptying_end(output->emptying);
    output->emptying = NULL;
    if (output->status == STATUS_OK)
        output->status = status;
}

/* The same where lines are borrowed, which are of no file: nothing else waits. */
static void send_borrowed(struct output *output)
{
    struct printbuf *buffer = output->buffer;
    borrowed_add_own(output->borrowed, (size_t)buffer->bpos);
    if (output->status == STATUS_OK)
        output->status = borrowed_write(output->borrowed, fileno(output->stream), buffer->buf);
    borrowed_forget(output->borrowed);
    trim(output);
    begin_buffer(output);
}

/* Sends what is pending on its way. */
static void send(struct output *output)
{
    await_empty(output);
    if (output->borrowed != NULL && output->borrowed->parts > 0) {
        send_borrowed(output);
        return;
    }
    struct printbuf *full = output->buffer;
    size_t length = (size_t)full->bpos - output->begin;
    if (output->status == STATUS_OK && length > 0)
        output->status = output->outbox != NULL
                             ? outbox_exchange(output->outbox, &output->buffer, output->begin)
                             : write_out(output, full->buf, length);
    output->place += (off_t)length;
    trim(output);
    begin_buffer(output);
}

/* Waits until what was sent has left. */
static void await_sent(struct output *output)
{
    await_empty(output);
    if (output->status == STATUS_OK && output->outbox != NULL)
        output->status = outbox_wait(output->outbox);
}

enum status output_flush(struct output *output)
{
    send(output);
    await_sent(output);
    return output->status;
}

/* Without memory for more buffers the one there is is written here, as before. */
static void start_outbox(struct output *output)
{
    int file = fileno(output->stream);
    if (outbox_new(write_texts, output, OUTBOX_ROOM, &output->outbox) != STATUS_OK)
        return;
    output->large = large_file_open(file);
    output->place = lseek(file, 0, SEEK_CUR);
    output->most = OUTBOX_BUFFER;
}

/* Empties the buffer. */
static void empty(struct output *output)
{
    if (output->aside)
        start_outbox(output);
    output->aside = false;
    send(output);
}

/* Empties it where it has no room for that much more. */
static void make_room(struct output *output, size_t length)
{
    if ((size_t)output->buffer->bpos - output->begin + length > output->most)
        empty(output);
}

/* Something went around the buffer, which is empty. */
static void note_place(struct output *output)
{
    output->place = lseek(fileno(output->stream), 0, SEEK_CUR);
    begin_buffer(output);
}

/* What is larger than the buffer goes around it. */
static enum status append(struct output *output, const char *text, size_t length)
{
    make_room(output, length);
    if (output->status == STATUS_OK && length > output->most) {
        await_sent(output);
        if (output->status == STATUS_OK)
            output->status = output_print(output->stream, text, length);
        note_place(output);
        return output->status;
    }
    if (output->status == STATUS_OK && printbuf_memappend(output->buffer, text, (int)length) < 0)
        output->status = STATUS_NO_MEMORY;
    return output->status;
}

/* Not again: a thread may read it. */
static void note_line(struct output *output)
{
    if (!output->lines)
        output->lines = true;
}

/* One that is larger than the buffer, which is empty, goes around it; where it does not go as a
 * whole, not at all. */
static enum status write_long_line(struct output *output, const char *text, size_t length)
{
    await_sent(output);
    if (output->status != STATUS_OK)
        return output->status;
    off_t before = lseek(fileno(output->stream), 0, SEEK_CUR);
    output->status = output_print(output->stream, text, length);
    if (output->status == STATUS_OK)
        output->status = output_print(output->stream, "\n", 1);
    if (output->status == STATUS_WRITE)
        cut_to_lines(output->stream, before, text, length);
    note_place(output);
    return output->status;
}

enum status output_write_line(struct output *output, const char *text, size_t length)
{
    make_room(output, length + 1);
    note_line(output);
    if (length + 1 > output->most)
        return write_long_line(output, text, length);
    append(output, text, length);
    return append(output, "\n", 1);
}

/* Lines are borrowed where they are many, and go to a reader: a file takes whole pages, later. */
static bool borrows(struct output *output)
{
    struct stat status;
    if (output->lent_before < LENT_LEAST || output->borrowed != NULL)
        return output->lent_before >= LENT_LEAST;
    if (fstat(fileno(output->stream), &status) == 0 && !S_ISREG(status.st_mode))
        output->borrowed = calloc(1, sizeof(*output->borrowed));
    if (output->borrowed == NULL)
        output->lent_before = 0; /* not asked again before the next time */
    return output->borrowed != NULL;
}

enum status output_lend_line(struct output *output, const char *line, size_t length)
{
    output->lent += length;
    note_line(output);
    if (output->status != STATUS_OK || !borrows(output)) {
        make_room(output, length);
        return append(output, line, length);
    }
    borrowed_add_own(output->borrowed, (size_t)output->buffer->bpos);
    borrowed_add_line(output->borrowed, line, length);
    if (borrowed_is_full(output->borrowed))
        send(output);
    return output->status;
}

enum status output_settle(struct output *output)
{
    output->lent_before = output->lent;
    output->lent = 0;
    if (output->borrowed != NULL && output->borrowed->parts > 0)
        send(output);
    return output->status;
}

struct printbuf *output_begin_line(struct output *output)
{
    make_room(output, USUAL_LINE);
    note_line(output);
    return output->status == STATUS_OK ? output->buffer : NULL;
}

enum status output_end_line(struct output *output)
{
    if (output->status == STATUS_OK && printbuf_memappend(output->buffer, "\n", 1) < 0)
        output->status = STATUS_NO_MEMORY;
    return output->status;
}

enum status output_write(struct output *output, const char *text, size_t length)
{
    return append(output, text, length);
}

void output_clear(struct output *output)
{
    await_empty(output);
    outbox_free(output->outbox);
    output->outbox = NULL;
    large_file_close(output->large);
    output->large = NULL;
    free(output->borrowed);
    output->borrowed = NULL;
    printbuf_free(output->buffer);
    output->buffer = NULL;
}
