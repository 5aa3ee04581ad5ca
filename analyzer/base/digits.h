/*
 * digits: decimal digits, three at a time, for what a record spells a hundred times.
 *
 * Each function writes at out, without a NUL, and returns the end of what it wrote.  Up to three
 * octets more may be overwritten.
 */
#ifndef LASTACK_BASE_DIGITS_H
#define LASTACK_BASE_DIGITS_H

#include <stdint.h>
#include <string.h>

enum { DIGITS_SHORT = 1000000000 }; /* what digits_put_number() takes is below this */

/* Of 0 to 999, four octets each: three digits. */
extern const char digit_triples[];

/* The same without leading zeroes, and in the fourth octet how many digits that are. */
extern const char digit_leads[];

/* Three digits of a number below 1000. */
static inline char *digits_put_three(char *out, uint32_t value)
{
    memcpy(out, &digit_triples[4 * (size_t)value], 4);
    return out + 3;
}

/* Six digits of a number below a million. */
static inline char *digits_put_six(char *out, uint32_t value)
{
    uint32_t high = value / 1000;
    return digits_put_three(digits_put_three(out, high), value - 1000 * high);
}

/* Nine digits of a number below 10^9. */
static inline char *digits_put_nine(char *out, uint32_t value)
{
    uint32_t high = value / 1000000;
    return digits_put_six(digits_put_three(out, high), value - 1000000 * high);
}

/* A number below 1000, without leading zeroes. */
static inline char *digits_put_lead(char *out, uint32_t value)
{
    const char *lead = &digit_leads[4 * (size_t)value];
    memcpy(out, lead, 4);
    return out + lead[3];
}

/* The same of one below DIGITS_SHORT. */
static inline __attribute__((always_inline)) char *digits_put_number(char *out, uint32_t value)
{
    if (value < 1000)
        return digits_put_lead(out, value);
    if (value >= 1000000) {
        uint32_t millions = value / 1000000;
        return digits_put_six(digits_put_lead(out, millions), value - 1000000 * millions);
    }
    uint32_t thousands = value / 1000;
    return digits_put_three(digits_put_lead(out, thousands), value - 1000 * thousands);
}

#endif
