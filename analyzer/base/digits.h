/*
 * digits: eight decimal digits of a number at once, in the octets of a word, for what a record
 * spells a hundred times.
 *
 * The number is halved three times, all parts of it at once: into two of four digits, four of two,
 * eight of one.  A part of a word that holds n becomes q = n / d in its lower half and n - d * q in
 * its upper one, which is n shifted up, less q * (d shifted up - 1):
 *
 *     12345678  ->  5678 | 1234  ->  78 | 56 | 34 | 12  ->  8 7 6 5 4 3 2 1
 *
 * The first digit is in the lowest octet.  Each division is a product, exact below what it is for.
 */
#ifndef LASTACK_BASE_DIGITS_H
#define LASTACK_BASE_DIGITS_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_ZEROES UINT64_C(0x3030303030303030) /* what makes letters of digits */

/* The digits of a number below 10^8, each 0 to 9. */
static inline uint64_t digits_eight(uint32_t value)
{
    uint64_t whole = value;
    uint64_t high = whole * 3518437209U >> 45; /* whole / 10000 */
    uint64_t fours = (whole << 32) - high * ((UINT64_C(10000) << 32) - 1);
    high = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f); /* / 100, below 10000 */
    uint64_t twos = (fours << 16) - high * ((100 << 16) - 1);
    high = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f); /* / 10, below 100 */
    return (twos << 8) - high * ((10 << 8) - 1);
}

/* Writes eight letters of a word, the lowest octet first, and returns their end. */
static inline char *digits_put_word(char *out, uint64_t letters)
{
    letters = htole64(letters);
    memcpy(out, &letters, sizeof(letters));
    return out + sizeof(letters);
}

/* Eight digits of a number below 10^8. */
static inline char *digits_put_eight(char *out, uint32_t value)
{
    return digits_put_word(out, digits_eight(value) | DIGITS_ZEROES);
}

/* 00 to 99, one behind the other. */
extern const char digit_pairs[];

static inline char *digits_put_pair(char *out, uint32_t value)
{
    memcpy(out, &digit_pairs[2 * value], 2);
    return out + 2;
}

/* Three digits of a number below 1000. */
static inline char *digits_put_three(char *out, uint32_t value)
{
    uint32_t hundreds = value / 100;
    *out = (char)('0' + hundreds);
    return digits_put_pair(out + 1, value - 100 * hundreds);
}

/* Six digits of a number below a million. */
static inline char *digits_put_six(char *out, uint32_t value)
{
    uint32_t high = value / 10000, low = value - 10000 * high;
    uint32_t middle = low / 100;
    out = digits_put_pair(digits_put_pair(out, high), middle);
    return digits_put_pair(out, low - 100 * middle);
}

/* A number below 100, without a leading zero: of one digit it is the second of its pair. */
static inline char *digits_put_below_100(char *out, uint32_t value)
{
    bool single = value < 10;
    memcpy(out, &digit_pairs[2 * value + single], 2);
    return out + 2 - single;
}

/*
 * A number below 10^8, without leading zeroes; writes up to eight octets.  Of more than four digits
 * all eight are made, and the zeroes before them, the lowest octets, left out.
 */
static inline __attribute__((always_inline)) char *digits_put_number(char *out, uint32_t value)
{
    if (value < 100)
        return digits_put_below_100(out, value);
    if (value < 10000) {
        uint32_t hundreds = value / 100;
        return digits_put_pair(digits_put_below_100(out, hundreds), value - 100 * hundreds);
    }
    uint64_t digits = digits_eight(value);
    unsigned zeroes = (unsigned)__builtin_ctzll(digits) & ~7U; /* in bits */
    return digits_put_word(out, (digits | DIGITS_ZEROES) >> zeroes) - zeroes / 8;
}

#endif
