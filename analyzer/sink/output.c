/* output: a buffer in front of stdio, because stdio would cut its own anywhere. */
#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTPUT_BUFFER = 256 * 1024 };

enum status output_print(FILE *stream, const char *text, size_t length)
{
    bool written = fwrite(text, 1, length, stream) == length && fflush(stream) == 0;
    if (written)
        return STATUS_OK;
    return errno == EPIPE ? STATUS_CLOSED : STATUS_WRITE;
}

enum status output_init(struct output *output, FILE *stream)
{
    *output = (struct output){.stream = stream, .buffer = malloc(OUTPUT_BUFFER)};
    return output->buffer ? STATUS_OK : STATUS_NO_MEMORY;
}

/*
 * A disk that is full takes part of a line: the file is cut back to whole ones.  `before` is where
 * what is pending began; errno stays as the write left it.
 */
static void cut_to_lines(struct output *output, off_t before)
{
    int error = errno, file = fileno(output->stream);
    struct stat status;
    __fpurge(output->stream); /* or closing would try again */
    off_t after = lseek(file, 0, SEEK_CUR);
    if (before < 0 || after <= before || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size != after) {
        errno = error;
        return;
    }
    size_t taken = (size_t)(after - before);
    const char *end =
        memrchr(output->buffer, '\n', taken < output->pending ? taken : output->pending);
    off_t whole = before + (end == NULL ? 0 : end + 1 - output->buffer);
    if (ftruncate(file, whole) == 0)
        lseek(file, whole, SEEK_SET);
    errno = error;
}

enum status output_flush(struct output *output)
{
    if (output->status == STATUS_OK && output->pending > 0) {
        off_t before = lseek(fileno(output->stream), 0, SEEK_CUR);
        output->status = output_print(output->stream, output->buffer, output->pending);
        if (output->status == STATUS_WRITE && output->lines)
            cut_to_lines(output, before);
    }
    output->pending = 0;
    return output->status;
}

/* What is larger than the buffer goes around it. */
static enum status append(struct output *output, const char *text, size_t length)
{
    if (output->pending + length > OUTPUT_BUFFER)
        output_flush(output);
    if (output->status != STATUS_OK)
        return output->status;
    if (length > OUTPUT_BUFFER) {
        output->status = output_print(output->stream, text, length);
        return output->status;
    }
    memcpy(output->buffer + output->pending, text, length);
    output->pending += length;
    return STATUS_OK;
}

enum status output_write_line(struct output *output, const char *text, size_t length)
{
    if (output->pending + length + 1 > OUTPUT_BUFFER)
        output_flush(output);
    output->lines = true;
    append(output, text, length);
    return append(output, "\n", 1);
}

enum status output_write(struct output *output, const char *text, size_t length)
{
    return append(output, text, length);
}

void output_clear(struct output *output)
{
    free(output->buffer);
    output->buffer = NULL;
}
