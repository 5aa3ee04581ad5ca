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
    JSON_SECOND = TEXT_DATE + 10, /* "2026-11-20T15:00:07 */
    JSON_WORD = 40,               /* the longest word of a vocabulary with its quotes */
    JSON_SCALAR = 64, /* the longest of these, number, time, uid or address with its quotes */
    JSON_SECONDS = 8, /* that a writer remembers, each in the place its number modulo these names */
    JSON_SHORT = 100000000, /* a number below this has eight digits at most */
    JSON_STRING = 10, /* what a string has of its own: quotes, and octets that may be overwritten */
    JSON_ESCAPED = 6, /* \u00XX: a character of a string at most */
};

#define JSON_INTEGER_MAX ((UINT64_C(1) << 53) - 1)

/* A second of the clock as its times begin. */
struct json_second {
    char text[JSON_SECOND + 3]; /* copied as a whole, in words */
    uint64_t number;            /* since the epoch; none before it is remembered */
};

struct json_writer {
    struct printbuf *buffer;
    char *next;  /* where the next octet goes; buffer learns of it at the end */
    char *limit; /* end of the room there is */
    bool nano;   /* nine fraction digits */
    bool failed; /* out of memory */
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

/* The second of a moment, where it is remembered, or NULL. */
static inline const struct json_second *json_writer_second(const struct json_writer *writer,
                                                           nanotime moment)
{
    uint64_t number = (uint64_t)moment / NANO_PER_SECOND; /* before the epoch it is none there is */
    const struct json_second *second = &writer->second[number % JSON_SECONDS];
    return second->number == number ? second : NULL;
}

/* The fraction of a second, and what ends a time: six digits and that are one word. */
static inline char *json_spell_fraction(char *out, uint32_t nanos, bool nano)
{
    const uint64_t end = (uint64_t)'Z' << 48 | (uint64_t)'"' << 56;
    uint32_t digits = nano ? nanos / 10 : nanos / NANO_PER_MICRO;
    *out = '.';
    if (!nano)
        return digits_put_word(out + 1, (digits_eight(digits) | DIGITS_ZEROES) >> 16 | end);
    out = digits_put_eight(out + 1, digits);
    *out = (char)('0' + nanos - 10 * digits);
    memcpy(out + 1, "Z\"", 2);
    return out + 3;
}

/* A time of a second that is remembered. */
static inline char *json_spell_within(const struct json_writer *writer, char *out,
                                      const struct json_second *second, nanotime moment)
{
    memcpy(out, second->text, sizeof(second->text));
    uint32_t nanos = (uint32_t)((uint64_t)moment - second->number * NANO_PER_SECOND);
    return json_spell_fraction(out + JSON_SECOND, nanos, writer->nano);
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

void json_put_integer(struct json_writer *writer, int64_t value);
void json_put_unsigned(struct json_writer *writer, uint64_t value);

#endif
