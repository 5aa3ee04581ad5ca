/* prose: words are set one after another; one that does not fit begins a line. */
#include "prose.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

enum { FIRST_ROOM = 4096 };

/* ECMA-48 SGR. */
static const char *const style_codes[] = {
    [STYLE_PLAIN] = NULL,         [STYLE_HEADING] = "\x1b[1m",  [STYLE_FAINT] = "\x1b[2m",
    [STYLE_WARNING] = "\x1b[33m", [STYLE_ERROR] = "\x1b[1;31m",
};
static const char style_end[] = "\x1b[0m";

static void put(struct prose *prose, const char *text, size_t length)
{
    if (prose->failed)
        return;
    if (prose->length + length + 1 > prose->room) {
        size_t room = 2 * (prose->room + length) + FIRST_ROOM;
        char *larger = realloc(prose->text, room);
        if (!larger) {
            prose->failed = true;
            return;
        }
        prose->text = larger;
        prose->room = room;
    }
    memcpy(prose->text + prose->length, text, length);
    prose->length += length;
    prose->text[prose->length] = '\0';
}

static void put_spaces(struct prose *prose, int count)
{
    for (; count > 0; count--)
        put(prose, " ", 1);
}

/* Columns that printable text takes, a character each. */
static int width_of(const char *text, size_t length)
{
    int width = 0;
    for (size_t octet = 0; octet < length; octet++)
        width += ((unsigned char)text[octet] & 0xc0) != 0x80;
    return width;
}

static void put_styled(struct prose *prose, enum prose_style style, const char *text)
{
    const char *code = prose->colour ? style_codes[style] : NULL;
    if (code)
        put(prose, code, strlen(code));
    put(prose, text, strlen(text));
    if (code)
        put(prose, style_end, strlen(style_end));
}

/* Sets printable text from column indent on; the cursor stands there. */
static void put_wrapped(struct prose *prose, int indent, const char *text)
{
    int column = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        int width = width_of(text, length);
        if (column > indent && column + 1 + width > prose->columns) {
            put(prose, "\n", 1);
            put_spaces(prose, indent);
            column = indent;
        } else if (column > indent) {
            put(prose, " ", 1);
            column++;
        }
        put(prose, text, length);
        column += width;
        text += length;
        text += strspn(text, " ");
    }
    put(prose, "\n", 1);
}

/* A copy fit for a terminal, to be freed; NULL with failed set. */
static char *printable_copy(struct prose *prose, const char *text)
{
    size_t size = strlen(text) + 1; /* never longer than text */
    char *copy = malloc(size);
    if (copy)
        text_copy_printable(copy, size, text);
    else
        prose->failed = true;
    return copy;
}

void prose_paragraph(struct prose *prose, enum prose_style style, const char *label, int indent,
                     const char *text)
{
    char *shown_label = printable_copy(prose, label);
    char *shown_text = printable_copy(prose, text);
    if (shown_label && shown_text) {
        int width = width_of(shown_label, strlen(shown_label));
        put_styled(prose, style, shown_label);
        put_spaces(prose, width < indent ? indent - width : 1);
        put_wrapped(prose, width < indent ? indent : width + 1, shown_text);
    }
    free(shown_label);
    free(shown_text);
}

void prose_heading(struct prose *prose, const char *text)
{
    char *shown = printable_copy(prose, text);
    if (shown)
        put_styled(prose, STYLE_HEADING, shown);
    put(prose, "\n", 1);
    free(shown);
}

void prose_blank_line(struct prose *prose)
{
    put(prose, "\n", 1);
}

void prose_append(struct prose *prose, const char *lines)
{
    put(prose, lines, strlen(lines));
}

void prose_clear(struct prose *prose)
{
    free(prose->text);
    prose->text = NULL;
    prose->length = prose->room = 0;
}
