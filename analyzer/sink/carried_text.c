/*
 * carried_text: see carried_text.h.
 *
 * JSON is walked through here, not parsed: nothing of it is kept, and no memory can run out.
 */
#include "carried_text.h"

#include <stddef.h>
#include <string.h>

#include "../base/text.h"

enum { MOST_DEPTH = 32 }; /* records have less than half of it */

static const char digits[] = "0123456789";

/* Each of these returns what is behind the value that it reads, or NULL where there is none. */

static const char *skip_value(const char *at, const char *end, int depth);

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\n\r");
}

static const char *skip_escape(const char *at)
{
    if (*at != 'u')
        return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
    return strspn(at + 1, "0123456789abcdefABCDEF") >= 4 ? at + 5 : NULL;
}

/* What a terminal would obey does not stand in a string as it is (json_writer.c). */
static const char *skip_string(const char *at, const char *end)
{
    uint32_t code;
    if (*at++ != '"')
        return NULL;
    while (at != NULL && *at != '"') {
        size_t octets = text_read_utf8(at, (size_t)(end - at), &code);
        if (octets > 0 && !text_code_is_printable(code))
            return NULL;
        at = *at == '\\' ? skip_escape(at + 1) : octets > 0 ? at + octets : NULL;
    }
    return at == NULL ? NULL : at + 1;
}

static const char *skip_digits(const char *at)
{
    size_t count = strspn(at, digits);
    return count > 0 ? at + count : NULL;
}

static const char *skip_number(const char *at)
{
    at = skip_digits(*at == '-' ? at + 1 : at);
    if (at != NULL && *at == '.')
        at = skip_digits(at + 1);
    if (at != NULL && (*at == 'e' || *at == 'E'))
        at = skip_digits(at[1] == '+' || at[1] == '-' ? at + 2 : at + 1);
    return at;
}

static const char *skip_word(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    }
    return skip_number(at);
}

/* An element of an array, or a key and its value. */
static const char *skip_member(const char *at, const char *end, int depth, bool is_object)
{
    at = skip_blanks(at);
    if (!is_object)
        return skip_value(at, end, depth);
    at = skip_string(at, end);
    if (at == NULL)
        return NULL;
    at = skip_blanks(at);
    return *at == ':' ? skip_value(skip_blanks(at + 1), end, depth) : NULL;
}

static const char *skip_members(const char *at, const char *end, int depth)
{
    bool is_object = *at == '{';
    char close = is_object ? '}' : ']';
    at = skip_blanks(at + 1);
    if (*at == close)
        return at + 1;
    do {
        at = skip_member(at, end, depth + 1, is_object);
        if (at == NULL)
            return NULL;
        at = skip_blanks(at);
    } while (*at++ == ',');
    return at[-1] == close ? at : NULL;
}

static const char *skip_value(const char *at, const char *end, int depth)
{
    if (depth > MOST_DEPTH)
        return NULL;
    if (*at == '{' || *at == '[')
        return skip_members(at, end, depth);
    return *at == '"' ? skip_string(at, end) : skip_word(at);
}

bool carried_text_is_object(const char *text)
{
    const char *end = text + strlen(text);
    return *text == '{' && skip_value(text, end, 0) == end;
}

/* The octets of a colour at the text's beginning (ECMA-48 SGR), 0 where there is none. */
static size_t colour_octets(const char *text)
{
    if (text[0] != '\x1b' || text[1] != '[')
        return 0;
    size_t length = 2 + strspn(text + 2, "0123456789;");
    return text[length] == 'm' ? length + 1 : 0;
}

bool carried_text_is_prose(const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "\x1b\n"), colour = colour_octets(text + plain);
        bool ends = text[plain] == '\n' || text[plain] == '\0';
        if (!text_is_printable(text, plain) || (colour == 0 && !ends))
            return false;
        text += plain + (text[plain] == '\n' ? 1 : colour);
    }
    return true;
}
