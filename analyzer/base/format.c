/*
 * format: see format.h.  %s, %u, %llu and %% are spelled here, a tenth of vsnprintf()'s work; a
 * format with anything else is its.
 */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Where the text goes on, and where its NUL goes at the latest. */
struct room {
    char *at, *end;
};

static void put(struct room *room, const char *text, size_t length)
{
    size_t left = (size_t)(room->end - room->at);
    size_t fits = length < left ? length : left;
    memcpy(room->at, text, fits);
    room->at += fits;
}

static void put_number(struct room *room, uint64_t value)
{
    char digits[2 * TEXT_DECIMAL]; /* with what may be overwritten */
    put(room, digits, (size_t)(text_put_decimal(digits, value) - digits));
}

/* Spells what stands behind a '%'; returns where the format goes on, NULL: it is another one. */
static const char *convert(struct room *room, const char *at, va_list *arguments)
{
    if (*at == 's') {
        const char *text = va_arg(*arguments, const char *);
        if (text == NULL)
            return NULL;
        put(room, text, strlen(text));
        return at + 1;
    }
    if (*at == 'u') {
        put_number(room, va_arg(*arguments, unsigned));
        return at + 1;
    }
    if (strncmp(at, "llu", 3) == 0) {
        put_number(room, va_arg(*arguments, unsigned long long));
        return at + 3;
    }
    if (*at != '%')
        return NULL;
    put(room, at, 1);
    return at + 1;
}

/* false: there is a conversion that is not spelled here. */
static bool spell(struct room *room, const char *format, va_list *arguments)
{
    const char *at = format;
    while (at != NULL) {
        const char *percent = strchrnul(at, '%');
        put(room, at, (size_t)(percent - at));
        if (*percent == '\0')
            return true;
        at = convert(room, percent + 1, arguments);
    }
    return false;
}

void format_put(char *out, size_t size, const char *format, va_list arguments)
{
    struct room room = {out, out + size - 1};
    va_list own;
    va_copy(own, arguments);
    if (spell(&room, format, &own))
        *room.at = '\0';
    else
        vsnprintf(out, size, format, arguments);
    va_end(own);
}
