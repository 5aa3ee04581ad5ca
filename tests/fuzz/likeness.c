/*
 * likeness: see likeness.h.  Absolute numbers and identifiers are blotted out; lines are sorted,
 * since what is decided at one moment stands in the order of its identifiers.
 */
#include "likeness.h"

#include <ctype.h>
#include <string.h>

#include "claim.h"

enum { IDENTIFIER = 16 };

static const char *const numbers[] = {"\"iss\":", "\"seq_abs\":", "\"ack_abs\":"};

static bool is_identifier(const char *at)
{
    for (int i = 0; i < IDENTIFIER; i++)
        if (!isxdigit((unsigned char)at[i]) || isupper((unsigned char)at[i]))
            return false;
    return at[IDENTIFIER] == '"';
}

/* Copies over the digits at `from`, if a number of the list stands before them. */
static const char *skip_number(const char *from)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        size_t length = strlen(numbers[i]);
        if (strncmp(from, numbers[i], length) == 0)
            return from + length + strspn(from + length, "0123456789");
    }
    return from;
}

static void blot_out(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        const char *behind = *from == '"' ? skip_number(from) : from;
        if (behind == from && *from == '"' && is_identifier(from + 1))
            behind = from + 1 + IDENTIFIER;
        if (behind == from)
            *to++ = *from++;
        from = behind > from ? behind : from;
    }
    *to = '\0';
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines in order, their number in *ret_count; owned by the caller. */
static char **sort(char *text, size_t *ret_count)
{
    size_t count = 0, room = 1;
    for (const char *at = text; *at != '\0'; at++)
        room += *at == '\n';
    char **lines = calloc(room, sizeof *lines);
    CLAIM(lines != NULL, "no memory");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare);
    *ret_count = count;
    return lines;
}

void likeness_claim(char *one, char *other)
{
    size_t count, other_count;
    blot_out(one);
    blot_out(other);
    char **lines = sort(one, &count), **others = sort(other, &other_count);
    for (size_t i = 0; i < count && i < other_count; i++) {
        size_t at = 0;
        while (lines[i][at] != '\0' && lines[i][at] == others[i][at])
            at++;
        size_t from = at < 60 ? 0 : at - 60;
        CLAIM(lines[i][at] == others[i][at], "another story in other numbers:\n%.300s\n%.300s",
              lines[i] + from, others[i] + from);
    }
    CLAIM(count == other_count, "%zu and %zu lines", count, other_count);
    free(lines);
    free(others);
}
