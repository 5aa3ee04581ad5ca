/*
 * text: how numbers, moments and addresses are spelled, and what of a foreign string may be shown.
 *
 * The text_put functions write at out, without a NUL, and return the end of what they wrote; the
 * sizes below say how much room each of them may need.  Nothing is allocated; nothing fails.
 */
#ifndef LASTACK_BASE_TEXT_H
#define LASTACK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "time.h"

enum {
    TEXT_DECIMAL = 20,  /* an unsigned 64-bit number */
    TEXT_HEX = 16,      /* a 64-bit number with all its digits */
    TEXT_ADDRESS = 45,  /* an IPv4 or IPv6 address */
    TEXT_DATE = 10,     /* 2026-11-20 */
    TEXT_CLOCK = 18,    /* 15:00:07.123456789 */
    TEXT_DURATION = 32, /* with its unit */
};

/* A day since the epoch, and the moment within it; for moments before 1970, too. */
struct day_time {
    int64_t day;   /* days since 1970-01-01 */
    int64_t nanos; /* 0 up to a day */
};

struct day_time text_split_time(nanotime moment);

/* The octets behind it, up to TEXT_DECIMAL, may be overwritten. */
char *text_put_decimal(char *out, uint64_t value);

/* Sixteen lower-case hexadecimal digits. */
char *text_put_hex(char *out, uint64_t value);

/*
 * An address in network order as inet_ntop(3) and RFC 5952 spell it.  ip_version is 4 or 6.  Octets
 * behind it, up to TEXT_ADDRESS, may be overwritten.
 */
char *text_put_address(char *out, uint8_t ip_version, const uint8_t *address);

/* The date of a day since the epoch, proleptic Gregorian, year 0 to 9999: YYYY-MM-DD. */
char *text_put_date(char *out, int64_t day);

/* The time of day HH:MM:SS, with digits (0, 3, 6 or 9) after the point; the rest is cut off. */
char *text_put_clock(char *out, int64_t nanos, int digits);

/* The point and digits (3, 6 or 9) of nanos, which is below a second; the rest is cut off. */
char *text_put_fraction(char *out, uint32_t nanos, int digits);

/* A duration for people, three significant digits and a unit: 950 ns, 1.2 ms, 3.45 s, 2 h 5 min. */
char *text_put_duration(char *out, nanotime duration);

/*
 * Reads one character of UTF-8 (RFC 3629).  Returns its length in octets, 1 to 4, with *ret_code,
 * or 0 when text does not start with a well-formed one.
 */
size_t text_read_utf8(const char *text, size_t length, uint32_t *ret_code);

/*
 * Copies text to out (size octets, NUL included), fit for a terminal: control characters, what
 * turns the direction of writing around, and malformed UTF-8 become '?'.  Cuts between characters.
 */
void text_copy_printable(char *out, size_t size, const char *text);

/* Whether a terminal shows that character, and does nothing else; what is not ends before U+10000.
 */
bool text_code_is_printable(uint32_t code);

/* Whether that would keep all of these octets. */
bool text_is_printable(const char *text, size_t length);

#endif
