/* edits_json: lines of JSON that somebody with bad intent writes anew; see edits.h. */
#include <string.h>

#include "claim.h"
#include "edits.h"

static const char *const values[] = {
    "null",
    "true",
    "0",
    "-1",
    "1",
    "1.5",
    "1e308",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551616",
    "\"\"",
    "\"\\u0000\\u001b]0;x\"",
    "\"-1\"",
    "\"2023-11-14T22:13:20Z\"",
    "\"9999-99-99T99:99:99.999999999Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
    "\"2262-04-11T23:47:16.854775807Z\"",
    "\"1969-12-31T23:59:59.999999999Z\"",
    "\"0000-01-01T00:00:00Z\"",
    "\"10.0.0.1\"",
    "\"::\"",
    "\"AAAA\"",
    "\"////\"",
    "\"A\"",
    "[]",
    "[[],{},null]",
    "{}",
    "{\"packets\":-1}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Behind the nth place that `before` stands at, counted round and round; NULL: there is none. */
static char *find_nth(const struct octets *text, const char *before, unsigned n)
{
    unsigned count = 0;
    char *at = (char *)text->at;
    for (char *next = at; (next = strstr(next, before)) != NULL; next++)
        count++;
    if (count == 0)
        return NULL;
    for (n %= count, at = strstr(at, before); n > 0; n--)
        at = strstr(at + 1, before);
    return at + strlen(before);
}

/* Octets of the value that begins there, at most to the end of its line. */
static size_t value_length(const char *value)
{
    int depth = 0;
    for (const char *at = value; *at != '\0' && *at != '\n'; at++) {
        if (*at == '"') {
            for (at++; *at != '\0' && *at != '\n' && *at != '"'; at++)
                at += at[0] == '\\' && at[1] != '\0';
            if (*at != '"')
                return (size_t)(at - value);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        if (depth < 0 || (depth == 0 && *at == ','))
            return (size_t)(at - value);
    }
    return strcspn(value, "\n");
}

static void put_text(struct octets *text, size_t at, size_t gone, const char *value)
{
    edits_replace(text, at, gone, (const uint8_t *)value, strlen(value));
}

static struct octets base64_read(const char *text, size_t length)
{
    struct octets octets = {malloc(length + 1), 0};
    uint32_t bits = 0, held = 0;
    CLAIM(octets.at != NULL, "no memory");
    for (size_t i = 0; i < length; i++) {
        const char *digit = memchr(digits, text[i], sizeof digits - 1);
        if (digit == NULL)
            continue;
        bits = bits << 6 | (uint32_t)(digit - digits);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        octets.at[octets.count++] = (uint8_t)(bits >> held);
    }
    return octets;
}

static char *base64_write(const struct octets *octets)
{
    char *text = calloc(octets->count / 3 + 1, 4 + 1), *to = text;
    CLAIM(text != NULL, "no memory");
    for (size_t i = 0; i < octets->count; i += 3) {
        size_t left = octets->count - i;
        uint32_t bits = (uint32_t)octets->at[i] << 16;
        bits |= left > 1 ? (uint32_t)octets->at[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)octets->at[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            *to++ = k <= left ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

/* A change to the octets that a string holds as base64. */
static void change_packed(struct script script, const char *name, unsigned which,
                          struct octets *text)
{
    char *value = find_nth(text, name, which);
    if (value == NULL)
        return;
    size_t length = strcspn(value, "\"\n");
    struct octets octets = base64_read(value, length);
    edits_make(&script, 1, &octets);
    char *packed = base64_write(&octets);
    put_text(text, (size_t)(value - (char *)text->at), length, packed);
    octets_clear(&octets);
    free(packed);
}

void edits_make_json(struct script *script, unsigned count, struct octets *text)
{
    for (; count > 0 && text->count > 0; count--) {
        size_t octets = 5;
        struct script inner = {script_take(script, &octets), octets};
        uint8_t how = script_u8(&inner);
        if ((how & 3) == 0) {
            edits_make(&inner, 1, text);
        } else if ((how & 3) == 1) {
            change_packed(inner, (how & 4) != 0 ? "\"tape\":\"" : "\"deltas\":\"", how >> 3, text);
        } else {
            char *value = find_nth(text, "\":", script_u16(&inner));
            const char *other = values[script_u8(&inner) % (sizeof values / sizeof values[0])];
            if (value != NULL)
                put_text(text, (size_t)(value - (char *)text->at), value_length(value), other);
        }
    }
}
