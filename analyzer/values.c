/* values: see values.h. */
#include "values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Reads exactly digits decimal digits at *text and steps over them. */
static bool read_digits(const char **text, int digits, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*text)[i]))
            return false;
        value = value * 10 + ((*text)[i] - '0');
    }
    *text += digits;
    *ret_value = value;
    return true;
}

static bool read_char(const char **text, const char *allowed)
{
    if (**text == '\0' || strchr(allowed, **text) == NULL)
        return false;
    (*text)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, from 1970 on. */
static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t days = day - 1;
    for (int m = 1; m < month; m++)
        days += days_in_month(year, m);
    for (int y = 1970; y < year; y++)
        days += 337 + days_in_month(y, 2);
    return days;
}

/* YYYY-MM-DD as seconds since the epoch. */
static bool read_date(const char **text, int64_t *ret_seconds)
{
    int year, month, day;
    if (!read_digits(text, 4, &year) || !read_char(text, "-") || !read_digits(text, 2, &month) ||
        !read_char(text, "-") || !read_digits(text, 2, &day))
        return false;
    if (year < 1970 || year > 2261 || month < 1 || month > 12)
        return false;
    if (day < 1 || day > days_in_month(year, month))
        return false;
    *ret_seconds = days_since_epoch(year, month, day) * 86400;
    return true;
}

/* HH:MM:SS as seconds; 60 stands for a leap second. */
static bool read_clock(const char **text, int64_t *ret_seconds)
{
    int hour, minute, second;
    if (!read_digits(text, 2, &hour) || !read_char(text, ":") || !read_digits(text, 2, &minute) ||
        !read_char(text, ":") || !read_digits(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* Nothing, or a point and one to nine digits, as nanoseconds. */
static bool read_fraction(const char **text, int64_t *ret_nanoseconds)
{
    int64_t fraction = 0;
    int digits = 0;
    if (read_char(text, ".")) {
        for (; digits < 9 && isdigit((unsigned char)**text); digits++)
            fraction = fraction * 10 + (*(*text)++ - '0');
        if (digits == 0)
            return false;
    }
    for (; digits < 9; digits++)
        fraction *= 10;
    *ret_nanoseconds = fraction;
    return true;
}

/* Z, or +HH:MM or -HH:MM as seconds east of UTC. */
static bool read_offset(const char **text, int64_t *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (read_char(text, "Zz"))
        return true;
    bool west = **text == '-';
    if (!read_char(text, "+-") || !read_digits(text, 2, &hours) || !read_char(text, ":") ||
        !read_digits(text, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool value_read_number(const char *word, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (*word == '\0')
        return false;
    for (; *word != '\0'; word++) {
        if (!isdigit((unsigned char)*word))
            return false;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*word - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}

bool value_read_size(const char *word, uint64_t *ret_octets)
{
    static const char units[] = "KMGT";
    char digits[24];
    size_t length = strlen(word);
    uint64_t factor = 1;
    if (length == 0 || length >= sizeof digits)
        return false;
    const char *unit = strchr(units, toupper((unsigned char)word[length - 1]));
    if (unit != NULL) {
        factor = UINT64_C(1) << (10 * (unit - units + 1));
        length--;
    }
    memcpy(digits, word, length);
    digits[length] = '\0';
    uint64_t number;
    if (!value_read_number(digits, &number) || __builtin_mul_overflow(number, factor, &number))
        return false;
    *ret_octets = number;
    return true;
}

bool value_read_uid(const char *word, uint64_t *ret_uid)
{
    uint64_t uid = 0;
    size_t length = strlen(word);
    if (length == 0 || length > 16)
        return false;
    for (; *word != '\0'; word++) {
        if (!isxdigit((unsigned char)*word))
            return false;
        int digit =
            isdigit((unsigned char)*word) ? *word - '0' : tolower((unsigned char)*word) - 'a' + 10;
        uid = uid << 4 | (uint64_t)digit;
    }
    *ret_uid = uid;
    return true;
}

bool value_read_time(const char *word, nanotime *ret_moment)
{
    int64_t day, clock, fraction, offset;
    if (!read_date(&word, &day) || !read_char(&word, "Tt ") || !read_clock(&word, &clock) ||
        !read_fraction(&word, &fraction) || !read_offset(&word, &offset) || *word != '\0')
        return false;
    *ret_moment = (day + clock - offset) * NANO_PER_SECOND + fraction;
    return true;
}

/* ADDRESS:PORT, or [ADDRESS]:PORT; returns the IP version, 0 for neither. */
static uint8_t read_end(const char *text, size_t length, uint8_t *address, uint16_t *port)
{
    char end[64], *colon;
    uint64_t number;
    if (length >= sizeof end)
        return 0;
    memcpy(end, text, length);
    end[length] = '\0';
    colon = strrchr(end, ':');
    if (colon == NULL || !value_read_number(colon + 1, &number) || number > UINT16_MAX)
        return 0;
    *colon = '\0';
    *port = (uint16_t)number;
    if (end[0] != '[')
        return inet_pton(AF_INET, end, address) == 1 ? 4 : 0;
    if (colon[-1] != ']')
        return 0;
    colon[-1] = '\0';
    return inet_pton(AF_INET6, end + 1, address) == 1 ? 6 : 0;
}

bool value_read_listen(const char *word, uint8_t *ret_version, uint8_t ret_address[16],
                       uint16_t *ret_port)
{
    char end[64];
    uint8_t address[16] = {0};
    const char *colon = strrchr(word, ':');
    bool local =
        colon == NULL || colon == word || (colon - word == 9 && strncmp(word, "localhost", 9) == 0);
    const char *port = colon == NULL ? word : colon + 1;
    int length = snprintf(end, sizeof end, "%s%s", local ? "127.0.0.1:" : "", local ? port : word);
    if (length < 0 || (size_t)length >= sizeof end)
        return false;
    uint16_t number;
    uint8_t version = read_end(end, (size_t)length, address, &number);
    if (version == 0)
        return false;
    *ret_version = version;
    *ret_port = number;
    memcpy(ret_address, address, sizeof address);
    return true;
}

bool value_read_ends(const char *word, uint8_t *ret_version, uint8_t ret_address[2][16],
                     uint16_t ret_port[2])
{
    uint8_t address[2][16] = {{0}};
    uint16_t port[2];
    const char *dash = strchr(word, '-');
    if (dash == NULL)
        return false;
    uint8_t first = read_end(word, (size_t)(dash - word), address[0], &port[0]);
    uint8_t second = read_end(dash + 1, strlen(dash + 1), address[1], &port[1]);
    if (first == 0 || first != second)
        return false;
    *ret_version = first;
    memcpy(ret_address, address, sizeof address);
    memcpy(ret_port, port, sizeof port);
    return true;
}
