/* text: spelling.  These run a hundred times a flow record, hence digits by three. */
#include "text.h"

#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "digits.h"

enum { WORDS = 8 };
enum { SECONDS_PER_DAY = 86400, SECONDS_PER_HOUR = 3600, SECONDS_PER_MINUTE = 60 };

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233"
    "34353637383940414243444546474849505152535455565758596061626364656667"
    "6869707172737475767778798081828384858687888990919293949596979899";

static const char hex_digits[] = "0123456789abcdef";

static inline char *put_pair(char *out, uint32_t value)
{
    memcpy(out, &digit_pairs[2 * value], 2);
    return out + 2;
}

struct day_time text_split_time(nanotime moment)
{
    const int64_t day_length = (int64_t)SECONDS_PER_DAY * NANO_PER_SECOND;
    struct day_time split = {.day = moment / day_length, .nanos = moment % day_length};
    if (split.nanos < 0) {
        split.day--;
        split.nanos += day_length;
    }
    return split;
}

char *text_put_decimal(char *out, uint64_t value)
{
    if (value < DIGITS_SHORT)
        return digits_put_number(out, (uint32_t)value);
    out = text_put_decimal(out, value / DIGITS_SHORT);
    return digits_put_nine(out, (uint32_t)(value % DIGITS_SHORT));
}

/* Eight digits at once: each goes into an octet of its own, and then becomes its letter. */
static inline char *put_hex_eight(char *out, uint32_t value)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t digits = value;
    digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
    digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits | digits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = (digits + 6 * ones) >> 4 & ones; /* 1 where it is above 9 */
    digits = htobe64(digits + '0' * ones + ('a' - '0' - 10) * letters);
    memcpy(out, &digits, sizeof(digits));
    return out + sizeof(digits);
}

char *text_put_hex(char *out, uint64_t value)
{
    return put_hex_eight(put_hex_eight(out, (uint32_t)(value >> 32)), (uint32_t)value);
}

static char *put_ip4(char *out, const uint8_t *address)
{
    out = digits_put_lead(out, address[0]);
    for (int octet = 1; octet < 4; octet++) {
        *out++ = '.';
        out = digits_put_lead(out, address[octet]);
    }
    return out;
}

static char *put_hex_word(char *out, uint16_t word)
{
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = (word >> shift) & 0xf;
        started = started || digit != 0 || shift == 0;
        if (started)
            *out++ = hex_digits[digit];
    }
    return out;
}

struct run {
    int start, length;
};

/* The run of zero words that "::" stands for: the first of the longest, at least two (RFC
 * 5952 4.2). */
static struct run longest_zero_run(const uint16_t words[WORDS])
{
    struct run best = {.start = -1, .length = 1};
    for (int word = 0; word < WORDS; word++) {
        int end = word;
        while (end < WORDS && words[end] == 0)
            end++;
        if (end - word > best.length)
            best = (struct run){.start = word, .length = end - word};
        if (end > word)
            word = end - 1;
    }
    return best;
}

/* IPv4-mapped (::ffff:0:0/96) and IPv4-compatible addresses end in dotted form (RFC 5952 5). */
static bool ends_dotted(const uint16_t words[WORDS], struct run zeros)
{
    if (zeros.start != 0)
        return false;
    return zeros.length == 6 || (zeros.length == 5 && words[5] == 0xffff);
}

static char *put_ip6(char *out, const uint8_t *address)
{
    uint16_t words[WORDS];
    for (int word = 0; word < WORDS; word++)
        words[word] = (uint16_t)(address[2 * word] << 8 | address[2 * word + 1]);
    struct run zeros = longest_zero_run(words);
    bool dotted = ends_dotted(words, zeros);

    for (int word = 0; word < (dotted ? 6 : WORDS); word++) {
        if (word == zeros.start) {
            *out++ = ':';
            word += zeros.length - 1;
            if (word == WORDS - 1)
                *out++ = ':';
            continue;
        }
        if (word > 0)
            *out++ = ':';
        out = put_hex_word(out, words[word]);
    }
    if (!dotted)
        return out;
    *out++ = ':';
    return put_ip4(out, address + 12);
}

char *text_put_address(char *out, uint8_t ip_version, const uint8_t *address)
{
    return ip_version == 4 ? put_ip4(out, address) : put_ip6(out, address);
}

/*
 * The year counted from March on, so that the day that may be missing is its last, within eras of
 * 400 years, which all have the same days.  gmtime_r() takes ten times as long, and a lock.
 */
char *text_put_date(char *out, int64_t day)
{
    enum { ERA = 146097, YEARS = 400, BEFORE_1970 = 719468 /* from the first of March, year 0 */ };
    uint32_t days = (uint32_t)(day + BEFORE_1970 + ERA); /* an era more: all of year 0 counts */
    uint32_t era = days / ERA, of_era = days % ERA;
    uint32_t leaps = of_era / 1460 - of_era / 36524 + of_era / (ERA - 1);
    uint32_t year = (of_era - leaps) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153; /* of five months from March on, 153 days */
    bool is_next = month >= 10;               /* January and February */
    year += (era - 1) * YEARS + is_next;
    out = put_pair(out, year / 100);
    out = put_pair(out, year % 100);
    *out++ = '-';
    out = put_pair(out, is_next ? month - 9 : month + 3);
    *out++ = '-';
    return put_pair(out, of_year - (153 * month + 2) / 5 + 1);
}

char *text_put_fraction(char *out, uint32_t nanos, int digits)
{
    char all[10]; /* one may be overwritten behind nine */
    *out++ = '.';
    digits_put_nine(all, nanos);
    memcpy(out, all, (size_t)digits);
    return out + digits;
}

char *text_put_clock(char *out, int64_t nanos, int digits)
{
    uint32_t second = (uint32_t)(nanos / NANO_PER_SECOND);
    out = put_pair(out, second / SECONDS_PER_HOUR);
    *out++ = ':';
    out = put_pair(out, second / SECONDS_PER_MINUTE % SECONDS_PER_MINUTE);
    *out++ = ':';
    out = put_pair(out, second % SECONDS_PER_MINUTE);
    return digits > 0 ? text_put_fraction(out, (uint32_t)(nanos % NANO_PER_SECOND), digits) : out;
}

/* value / unit with at most two digits after the point, trailing zeros left out. */
static char *put_scaled(char *out, uint64_t value, uint64_t unit, const char *name)
{
    uint64_t whole = value / unit;
    uint64_t places = whole >= 100 ? 1 : whole >= 10 ? 10 : 100;
    uint64_t fraction = value % unit * places / unit;
    out = text_put_decimal(out, whole);
    if (fraction > 0) {
        *out++ = '.';
        if (places == 100 && fraction % 10 != 0)
            out = put_pair(out, (uint32_t)fraction);
        else
            out = text_put_decimal(out, places == 100 ? fraction / 10 : fraction);
    }
    *out++ = ' ';
    size_t length = strlen(name);
    memcpy(out, name, length);
    return out + length;
}

/* Two units, such as 2 h 5 min; the smaller is left out when it is 0. */
static char *put_two_units(char *out, uint64_t large, const char *large_name, uint64_t small,
                           const char *small_name)
{
    out = put_scaled(out, large, 1, large_name);
    if (small == 0)
        return out;
    *out++ = ' ';
    return put_scaled(out, small, 1, small_name);
}

char *text_put_duration(char *out, nanotime duration)
{
    uint64_t nanos = duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
    uint64_t seconds = nanos / NANO_PER_SECOND;
    if (duration < 0)
        *out++ = '-';
    if (nanos < NANO_PER_MICRO)
        return put_scaled(out, nanos, 1, "ns");
    if (nanos < NANO_PER_MILLI)
        return put_scaled(out, nanos, NANO_PER_MICRO, "us");
    if (nanos < NANO_PER_SECOND)
        return put_scaled(out, nanos, NANO_PER_MILLI, "ms");
    if (seconds < 10 * SECONDS_PER_MINUTE)
        return put_scaled(out, nanos, NANO_PER_SECOND, "s");
    if (seconds < 2 * SECONDS_PER_HOUR)
        return put_two_units(out, seconds / SECONDS_PER_MINUTE, "min", seconds % SECONDS_PER_MINUTE,
                             "s");
    uint64_t minutes = seconds / SECONDS_PER_MINUTE;
    if (seconds < 2 * SECONDS_PER_DAY)
        return put_two_units(out, minutes / 60, "h", minutes % 60, "min");
    return put_two_units(out, minutes / 1440, "d", minutes / 60 % 24, "h");
}

/* Octets that a lead octet announces, the bits it carries, and the least code of that length. */
static size_t utf8_length(uint8_t lead, uint32_t *ret_bits, uint32_t *ret_least)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
        if ((lead & forms[form].mask) != forms[form].lead)
            continue;
        *ret_bits = lead & (uint8_t)~forms[form].mask;
        *ret_least = forms[form].least;
        return form + 1;
    }
    return 0;
}

size_t text_read_utf8(const char *text, size_t length, uint32_t *ret_code)
{
    uint32_t code, least;
    if (length == 0)
        return 0;
    size_t octets = utf8_length((uint8_t)text[0], &code, &least);
    if (octets == 0 || octets > length)
        return 0;
    for (size_t octet = 1; octet < octets; octet++) {
        if (((uint8_t)text[octet] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t)text[octet] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < least || code > 0x10ffff || surrogate)
        return 0;
    *ret_code = code;
    return octets;
}

bool text_code_is_printable(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool line_end = code == 0x2028 || code == 0x2029;
    bool turns_direction = code == 0x61c || code == 0x200e || code == 0x200f ||
                           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !control && !line_end && !turns_direction;
}

void text_copy_printable(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && size > 1) {
        uint32_t code = 0;
        size_t octets = text_read_utf8(text, length, &code);
        size_t taken = octets > 0 ? octets : 1;
        bool shown = octets > 0 && text_code_is_printable(code);
        size_t written = shown ? octets : 1;
        if (written >= size)
            break;
        memcpy(out, shown ? text : "?", written);
        out += written;
        size -= written;
        text += taken;
        length -= taken;
    }
    if (size > 0)
        *out = '\0';
}

bool text_is_printable(const char *text, size_t length)
{
    while (length > 0) {
        uint32_t code = 0;
        size_t octets = text_read_utf8(text, length, &code);
        if (octets == 0 || !text_code_is_printable(code))
            return false;
        text += octets;
        length -= octets;
    }
    return true;
}
