/* markup: see markup.h. */
#include "markup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

enum { ADDED_AT_ONCE = 2048 };

struct markup markup_make(void)
{
    struct markup markup = {.buffer = printbuf_new()};
    markup.failed = markup.buffer == NULL;
    return markup;
}

static void append(struct markup *markup, const char *text, size_t length)
{
    if (!markup->failed && length > 0)
        markup->failed = printbuf_memappend(markup->buffer, text, (int)length) != (int)length;
}

void markup_add(struct markup *markup, const char *format, ...)
{
    char text[ADDED_AT_ONCE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(markup, text, strlen(text));
}

/* The characters with a meaning in HTML, as references (HTML, 13.3, escaping a string). */
static const char *reference_of(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    }
    return NULL;
}

void markup_add_text(struct markup *markup, const char *text)
{
    size_t size = 3 * strlen(text) + 1;
    char *printable = malloc(size);
    if (printable == NULL) {
        markup->failed = true;
        return;
    }
    text_copy_printable(printable, size, text);
    for (const char *at = printable; *at != '\0'; at++) {
        const char *reference = reference_of(*at);
        if (reference != NULL)
            append(markup, reference, strlen(reference));
        else
            append(markup, at, 1);
    }
    free(printable);
}

enum status markup_write(struct markup *markup, struct output *output)
{
    if (markup->failed)
        return STATUS_NO_MEMORY;
    enum status status =
        output_write(output, markup->buffer->buf, (size_t)printbuf_length(markup->buffer));
    printbuf_reset(markup->buffer);
    return status;
}

enum status markup_write_data(struct output *output, const char *json, size_t length)
{
    enum status status = STATUS_OK;
    const char *at = json, *end = json + length;
    while (status == STATUS_OK && at < end) {
        const char *sign = memchr(at, '<', (size_t)(end - at));
        const char *stop = sign == NULL ? end : sign;
        status = output_write(output, at, (size_t)(stop - at));
        if (status == STATUS_OK && sign != NULL)
            status = output_write(output, "\\u003c", 6);
        at = sign == NULL ? end : sign + 1;
    }
    return status;
}

void markup_clear(struct markup *markup)
{
    if (markup->buffer != NULL)
        printbuf_free(markup->buffer);
    markup->buffer = NULL;
}
