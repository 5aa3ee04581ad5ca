/* json_writer: appending.  RFC 8259 section 7 says what must be escaped; here it is more. */
#include "json_writer.h"

#include <string.h>

enum {
    ESCAPED_MAX = 6,     /* \u00XX */
    BUFFER_STEP = 16384, /* grown by at least this */
    NO_DAY = INT32_MIN   /* before any nanotime */
};

#define NO_SECOND INT64_MIN /* as NO_DAY */

static const char hex_digits[] = "0123456789abcdef";

/* Spells the quote, the day and the second that begins at that moment. */
static void spell_second(struct json_writer *writer, nanotime moment, char out[JSON_SECOND])
{
    struct day_time split = text_split_time(moment);
    if (split.day != writer->day)
        text_put_date(writer->date, split.day);
    writer->day = split.day;
    *out++ = '"';
    memcpy(out, writer->date, TEXT_DATE);
    out[TEXT_DATE] = 'T';
    text_put_clock(out + TEXT_DATE + 1, split.nanos, 0);
}

void json_writer_init(struct json_writer *writer, bool nano)
{
    *writer = (struct json_writer){.nano = nano, .day = NO_DAY};
    for (int i = 0; i < JSON_SECONDS; i++)
        writer->second[i].number = NO_SECOND;
    for (int i = 0; i < JSON_MOMENTS; i++)
        writer->moment[i].moment = NANOTIME_UNKNOWN;
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
    if (writer->failed || step > (size_t)(INT32_MAX - 16 - position))
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

char *json_spell_bool(char *out, bool value)
{
    return value ? spell(out, "true", 4) : spell(out, "false", 5);
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

static void spell_moment(struct json_writer *writer, struct json_moment *slot, nanotime moment)
{
    int64_t number = moment / NANO_PER_SECOND;
    int64_t nanos = moment - number * NANO_PER_SECOND;
    if (nanos < 0) { /* before 1970 */
        number--;
        nanos += NANO_PER_SECOND;
    }
    struct json_second *second = &writer->second[(uint64_t)number % JSON_SECONDS];
    if (second->number != number)
        spell_second(writer, moment, second->text);
    second->number = number;
    memcpy(slot->text, second->text, JSON_SECOND);
    char *out = text_put_fraction(slot->text + JSON_SECOND, (uint32_t)nanos, writer->nano ? 9 : 6);
    memcpy(out, "Z\"", 2);
    slot->moment = moment;
}

char *json_spell_time(struct json_writer *writer, char *out, nanotime moment)
{
    if (moment == NANOTIME_UNKNOWN)
        return json_spell_null(out);
    uint64_t hash = (uint64_t)moment * UINT64_C(0x9e3779b97f4a7c15);
    struct json_moment *slot = &writer->moment[hash / (UINT64_MAX / JSON_MOMENTS + 1)];
    if (slot->moment != moment)
        spell_moment(writer, slot, moment);
    memcpy(out, slot->text, JSON_MOMENT); /* of fixed size: cheaper than its own length */
    return out + (writer->nano ? JSON_MOMENT : JSON_MOMENT - 3);
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

/* DEL and U+0080 to U+009F need no escape in JSON, but a terminal obeys them. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || code == '"' || code == '\\' || (code >= 0x7f && code < 0xa0);
}

static char *spell_escape(char *out, uint32_t code)
{
    *out++ = '\\';
    char letter = short_escape(code);
    if (letter) {
        *out++ = letter;
        return out;
    }
    out = spell(out, "u00", 3);
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

static bool is_plain(char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

void json_put_string(struct json_writer *writer, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    char *out = json_writer_reserve(writer, length * ESCAPED_MAX + 4);
    if (!out)
        return;
    if (!text) {
        json_writer_commit(writer, json_spell_null(out));
        return;
    }
    *out++ = '"';
    for (size_t at = 0; at < length;) {
        if (is_plain(text[at]))
            *out++ = text[at++];
        else
            at += spell_character(&out, text + at, length - at);
    }
    *out++ = '"';
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
