/*
 * json_writer: JSON values appended to json-c's printbuf, without a tree.
 *
 * Every put appends one value or one piece of punctuation.  Memory failure is remembered in failed
 * and makes every later put do nothing, so only the end of a record asks for it.  No number is ever
 * a double, and none leaves the range that every JSON reader holds exactly (2^53 - 1 either way).
 */
#ifndef LASTACK_SINK_JSON_WRITER_H
#define LASTACK_SINK_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <json-c/printbuf.h>

#include "../base/digits.h"
#include "../base/text.h"
#include "../base/time.h"

enum {
    JSON_KEY = 32,                /* the longest key with comma, quotes and colon */
    JSON_SECOND = TEXT_DATE + 11, /* "2026-11-20T15:00:07. */
    JSON_WORD = 40,               /* the longest word of a vocabulary with its quotes */
    JSON_SCALAR = 64,   /* the longest of these, number, time, uid or address with its quotes */
    JSON_SECONDS = 128, /* that a writer remembers: those of a record, and of the end of 2MSL */
    JSON_STRING = 10, /* what a string has of its own: quotes, and octets that may be overwritten */
    JSON_ESCAPED = 6, /* \u00XX: a character of a string at most */
};

#define JSON_INTEGER_MAX ((UINT64_C(1) << 53) - 1)

/* A second of the clock as its times begin, with the point. */
struct json_second {
    char text[JSON_SECOND + 2]; /* copied as a whole, in words */
    nanotime begin;
};

struct json_writer {
    struct printbuf *buffer;
    char *next;  /* where the next octet goes; buffer learns of it at the end */
    char *limit; /* end of the room there is */
    bool nano;   /* nine fraction digits */
    bool failed; /* out of memory */
    bool fixed;  /* the buffer is not to grow */
    struct json_second second[JSON_SECONDS]; /* the times of a record lie in few of them */
};

/* A writer without a buffer. */
void json_writer_init(struct json_writer *writer, bool nano);

/* Begins to append to buffer, which stays the caller's and is not to be touched until the end. */
void json_writer_begin(struct json_writer *writer, struct printbuf *buffer);

/* Ends the text with a NUL.  Returns its length in octets, or -1 when out of memory. */
int json_writer_end(struct json_writer *writer);

/* Room for size more octets, for json_writer_reserve. */
bool json_writer_grow(struct json_writer *writer, size_t size);

/*
 * Makes room for size octets and returns where they go, or NULL with failed set.  What was written
 * there counts once json_writer_commit names its end.
 */
static inline char *json_writer_reserve(struct json_writer *writer, size_t size)
{
    bool fits = (size_t)(writer->limit - writer->next) > size;
    return fits || json_writer_grow(writer, size) ? writer->next : NULL;
}

static inline void json_writer_commit(struct json_writer *writer, char *end)
{
    writer->next = end;
}

/* What fits into JSON_SCALAR at out; each returns the end. */

static inline char *json_spell_unsigned(char *out, uint64_t value)
{
    if (value < 10) { /* as most counters are */
        *out = (char)('0' + value);
        return out + 1;
    }
    return text_put_decimal(out, value > JSON_INTEGER_MAX ? JSON_INTEGER_MAX : value);
}

static inline char *json_spell_integer(char *out, int64_t value)
{
    if (value >= 0)
        return json_spell_unsigned(out, (uint64_t)value);
    *out = '-';
    return json_spell_unsigned(out + 1, 0 - (uint64_t)value);
}

static inline char *json_spell_null(char *out)
{
    memcpy(out, "null", 4);
    return out + 4;
}

static inline char *json_spell_duration(char *out, nanotime duration)
{
    return duration == NANOTIME_UNKNOWN ? json_spell_null(out) : json_spell_integer(out, duration);
}

static inline char *json_spell_bool(char *out, bool value)
{
    memcpy(out, value ? "true" : "fals", 4);
    out[4] = 'e'; /* overwritten behind true */
    return out + 5 - value;
}

char *json_spell_uid(char *out, uint64_t uid);
char *json_spell_address(char *out, uint8_t ip_version, const uint8_t *address);

/* Where the second of a moment is remembered, or one of the same number modulo their places. */
static inline uint32_t json_second_place(nanotime moment)
{
    return (uint32_t)((uint64_t)moment / NANO_PER_SECOND) % JSON_SECONDS;
}

/* The second of a moment, where it is remembered, and what is beyond it; or NULL. */
static inline const struct json_second *json_writer_second(const struct json_writer *writer,
                                                           nanotime moment, uint32_t *ret_nanos)
{
    const struct json_second *second = &writer->second[json_second_place(moment)];
    uint64_t nanos = (uint64_t)moment - (uint64_t)second->begin;
    *ret_nanos = (uint32_t)nanos;
    return nanos < NANO_PER_SECOND ? second : NULL;
}

/* A time of a second that is remembered: six digits of a fraction, or nine, and its end. */
static inline char *json_spell_within(const struct json_writer *writer, char *out,
                                      const struct json_second *second, uint32_t nanos)
{
    uint32_t micros = nanos / NANO_PER_MICRO;
    memcpy(out, second->text, sizeof(second->text));
    out = digits_put_six(out + JSON_SECOND, micros);
    if (writer->nano)
        out = digits_put_three(out, nanos - micros * NANO_PER_MICRO);
    memcpy(out, "Z\"", 2);
    return out + 2;
}

/* Any time, whose second is remembered from now on; NANOTIME_UNKNOWN is null. */
char *json_spell_time(struct json_writer *writer, char *out, nanotime moment);

/* The same of a string, JSON_ESCAPED * length + JSON_STRING octets; see json_put_string(). */
char *json_spell_string(char *out, const char *text, size_t length);

/* Text that is JSON already. */
void json_put_raw(struct json_writer *writer, const char *text, size_t length);

/* A string of ours that needs no escaping: a word of some enum. */
void json_put_word(struct json_writer *writer, const char *word);

/* Any string at all, escaped; malformed UTF-8 becomes U+FFFD.  NULL is null. */
void json_put_string(struct json_writer *writer, const char *text);

/* JSON of length octets that is spelled already: what a terminal would obey in its strings, or is
 * no UTF-8, is escaped. */
void json_put_spelled(struct json_writer *writer, const char *text, size_t length);

void json_put_integer(struct json_writer *writer, int64_t value);
void json_put_unsigned(struct json_writer *writer, uint64_t value);

#endif
