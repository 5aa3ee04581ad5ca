/* escape: UTF-8 passes (RFC 3629), control characters do not. */
#include "escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    ESCAPED_SIZE = 4,  /* \xNN */
    ELLIPSIS_SIZE = 4, /* "..." and its NUL */
    ASCII_ONLY = 1,
    UTF8_LONGEST = 4,
};

static bool is_plain(uint8_t octet)
{
    return octet >= 0x20 && octet < 0x7f;
}

/* Octets of the well-formed sequence at text, by RFC 3629 section 4; 0: none, or a C1 control. */
static size_t utf8_length(const uint8_t *text, size_t left)
{
    static const struct {
        uint8_t first_low, first_high, second_low, second_high, length;
    } forms[] = {
        {0xc2, 0xc2, 0xa0, 0xbf, 2}, /* U+0080 to U+009F are controls */
        {0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (left < forms[i].length || text[1] < forms[i].second_low ||
            text[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static void escape_text(const uint8_t *text, size_t left, size_t longest, char *out, size_t size)
{
    size_t used = 0;
    while (left > 0) {
        size_t length = is_plain(*text) ? 1 : longest > 1 ? utf8_length(text, left) : 0;
        size_t taken = length > 0 ? length : 1;
        if (used + ESCAPED_SIZE + ELLIPSIS_SIZE > size) {
            memcpy(out + used, "...", ELLIPSIS_SIZE);
            return;
        }
        if (length > 0)
            memcpy(out + used, text, length);
        else
            snprintf(out + used, size - used, "\\x%02x", (unsigned)*text);
        used += length > 0 ? length : ESCAPED_SIZE;
        text += taken;
        left -= taken;
    }
    out[used] = '\0';
}

void escape_name(const char *name, char *ret_text, size_t size)
{
    escape_text((const uint8_t *)name, strlen(name), UTF8_LONGEST, ret_text, size);
}

void escape_octets(const uint8_t *octets, size_t count, char *ret_text, size_t size)
{
    escape_text(octets, count, ASCII_ONLY, ret_text, size);
}
