/* output: a buffer in front of stdio, because stdio would cut its own anywhere. */
#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

enum status output_flush(struct output *output)
{
    size_t pending = output->pending;
    output->pending = 0;
    if (output->status == STATUS_OK)
        output->status = output_print(output->stream, output->buffer, pending);
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
