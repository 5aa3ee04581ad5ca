/* json_writer: appending.  RFC 8259 section 7 says what must be escaped; here it is more. */
#include "json_writer.h"

#include <string.h>

enum {
    BUFFER_STEP = 16384, /* grown by at least this */
    EIGHT = sizeof(uint64_t)
};

static const char hex_digits[] = "0123456789abcdef";

/* Spells the quote, the day and the second that begins at that moment, and a point. */
static void spell_second(char *out, nanotime moment)
{
    struct day_time split = text_split_time(moment);
    *out++ = '"';
    out = text_put_date(out, split.day);
    *out++ = 'T';
    out = text_put_clock(out, split.nanos, 0);
    *out = '.';
}

void json_writer_init(struct json_writer *writer, bool nano)
{
    *writer = (struct json_writer){.nano = nano};
    for (uint32_t i = 0; i < JSON_SECONDS; i++) /* with a second that has another place */
        writer->second[i].begin = (nanotime)(i + 1) * NANO_PER_SECOND;
}

static void take_room(struct json_writer *writer)
{
    writer->next = writer->buffer->buf + writer->buffer->bpos;
    writer->limit = writer->buffer->buf + writer->buffer->size;
}

void json_writer_begin(struct json_writer *writer, struct printbuf *buffer)
{
    writer->buffer = buffer;
    writer->failed = false;
    take_room(writer);
}

int json_writer_end(struct json_writer *writer)
{
    char *end = json_writer_reserve(writer, 1);
    if (!end)
        return -1;
    *end = '\0';
    writer->buffer->bpos = (int)(end - writer->buffer->buf);
    return writer->buffer->bpos;
}

/* After a failure there is no room, so every reserve comes here. */
static bool fail(struct json_writer *writer)
{
    writer->failed = true;
    writer->limit = writer->next;
    return false;
}

/* printbuf grows only by what is put in: fill far ahead, then step back. */
bool json_writer_grow(struct json_writer *writer, size_t size)
{
    struct printbuf *buffer = writer->buffer;
    int position = (int)(writer->next - buffer->buf);
    size_t step = size + BUFFER_STEP;
    if (writer->failed || writer->fixed || step > (size_t)(INT32_MAX - 16 - position))
        return fail(writer);
    buffer->bpos = position;
    if (printbuf_memset(buffer, position, 0, (int)step) < 0)
        return fail(writer);
    buffer->bpos = position;
    take_room(writer);
    return true;
}

static char *spell(char *out, const char *text, size_t length)
{
    memcpy(out, text, length);
    return out + length;
}

char *json_spell_uid(char *out, uint64_t uid)
{
    *out++ = '"';
    out = text_put_hex(out, uid);
    *out++ = '"';
    return out;
}

char *json_spell_address(char *out, uint8_t ip_version, const uint8_t *address)
{
    *out++ = '"';
    out = text_put_address(out, ip_version, address);
    *out++ = '"';
    return out;
}

char *json_spell_time(struct json_writer *writer, char *out, nanotime moment)
{
    if (moment == NANOTIME_UNKNOWN)
        return json_spell_null(out);
    struct json_second passing, *second = &writer->second[json_second_place(moment)];
    if (moment < 0 || moment > INT64_MAX - NANO_PER_SECOND)
        second = &passing; /* the first of all seconds, and the last, reach beyond what there is */
    spell_second(second->text, moment);
    uint32_t nanos = (uint32_t)(text_split_time(moment).nanos % NANO_PER_SECOND);
    second->begin = (nanotime)((uint64_t)moment - nanos);
    return json_spell_within(writer, out, second, nanos);
}

void json_put_raw(struct json_writer *writer, const char *text, size_t length)
{
    char *out = json_writer_reserve(writer, length);
    if (out)
        json_writer_commit(writer, spell(out, text, length));
}

void json_put_word(struct json_writer *writer, const char *word)
{
    size_t length = strlen(word);
    char *out = json_writer_reserve(writer, length + 2);
    if (!out)
        return;
    *out++ = '"';
    out = spell(out, word, length);
    *out++ = '"';
    json_writer_commit(writer, out);
}

/* The letter of a two-character escape, or 0. */
static char short_escape(uint32_t code)
{
    switch (code) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* DEL, U+0080 to U+009F, and what turns writing around need no escape in JSON, but a terminal obeys
 * them; and U+2028 ends a line for some readers. */
static bool needs_escape(uint32_t code)
{
    return code == '"' || code == '\\' || !text_code_is_printable(code);
}

static char *spell_escape(char *out, uint32_t code)
{
    *out++ = '\\';
    char letter = short_escape(code);
    if (letter) {
        *out++ = letter;
        return out;
    }
    *out++ = 'u';
    *out++ = hex_digits[code >> 12 & 0xf];
    *out++ = hex_digits[code >> 8 & 0xf];
    *out++ = hex_digits[code >> 4 & 0xf];
    *out++ = hex_digits[code & 0xf];
    return out;
}

/* Writes the first character of text and returns how many octets of it were read. */
static size_t spell_character(char **out, const char *text, size_t length)
{
    uint32_t code = 0;
    size_t octets = text_read_utf8(text, length, &code);
    if (octets == 0) {
        *out = spell(*out, "\xef\xbf\xbd", 3);
        return 1;
    }
    *out = needs_escape(code) ? spell_escape(*out, code) : spell(*out, text, octets);
    return octets;
}

static inline bool is_plain(char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

/* Whether none of eight octets needs more than a copy: 0x20 to 0x7e, but '"' and '\\'. */
static inline bool are_plain(const char *text)
{
    uint64_t octets;
    memcpy(&octets, text, sizeof(octets));
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = 0x80 * ones;
    uint64_t quotes = octets ^ '"' * ones, slashes = octets ^ '\\' * ones;
    uint64_t above = octets | (octets + ones);
    uint64_t below = (octets - 0x20 * ones) | (quotes - ones) | (slashes - ones);
    return ((above | below) & tops) == 0;
}

char *json_spell_string(char *out, const char *text, size_t length)
{
    const char *end = text + length;
    *out++ = '"';
    while (text < end) {
        size_t left = (size_t)(end - text);
        if (left >= EIGHT && are_plain(text)) {
            memcpy(out, text, EIGHT);
            text += EIGHT;
            out += EIGHT;
        } else if (is_plain(*text)) {
            *out++ = *text++;
        } else {
            text += spell_character(&out, text, left);
        }
    }
    *out++ = '"';
    return out;
}

void json_put_string(struct json_writer *writer, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    char *out = json_writer_reserve(writer, length * JSON_ESCAPED + JSON_STRING);
    if (out)
        json_writer_commit(writer,
                           text ? json_spell_string(out, text, length) : json_spell_null(out));
}

/* JSON's own quotes and backslashes stay: beyond them only strings hold what needs an escape. */
void json_put_spelled(struct json_writer *writer, const char *text, size_t length)
{
    char *out = json_writer_reserve(writer, length * JSON_ESCAPED);
    if (!out)
        return;
    for (size_t at = 0; at < length;) {
        if ((unsigned char)text[at] < 0x7f)
            *out++ = text[at++];
        else
            at += spell_character(&out, text + at, length - at);
    }
    json_writer_commit(writer, out);
}

void json_put_integer(struct json_writer *writer, int64_t value)
{
    char *out = json_writer_reserve(writer, JSON_SCALAR);
    if (out)
        json_writer_commit(writer, json_spell_integer(out, value));
}

void json_put_unsigned(struct json_writer *writer, uint64_t value)
{
    char *out = json_writer_reserve(writer, JSON_SCALAR);
    if (out)
        json_writer_commit(writer, json_spell_unsigned(out, value));
}
