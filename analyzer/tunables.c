/* tunables: see tunables.h. */
#include "tunables.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "nearest.h"
#include "option_apply.h"
#include "values.h"

struct tunable {
    const char *name, *unit, *reason;
    size_t member, size; /* in struct config: 4 or 8 octets, never negative */
};

static const struct tunable tunables[] = {
#define TUNABLE(type, name, initial, unit, reason)                                                 \
    {#name, unit, reason, offsetof(struct config, name), sizeof(type)},
#include "config.def"
#undef TUNABLE
};

enum { TUNABLES = sizeof(tunables) / sizeof(tunables[0]) };

/* What any number of a unit may be; a row of its own in `exceptions` is narrower. */
struct range {
    const char *what; /* unit, or name of the row */
    uint64_t least, most;
};

#define DAYS(n) ((uint64_t)(n)*24 * 3600 * NANO_PER_SECOND)

static const struct range by_unit[] = {
    {"ns", 1, DAYS(30)},
    {"octets", 1, UINT64_C(1) << 44},
    {"%", 1, 100},
    {"0 or 1", 0, 1},
};

static const struct range exceptions[] = {
    {"msl", NANO_PER_SECOND, 3600 * (uint64_t)NANO_PER_SECOND},
    {"max_memory", UINT64_C(1) << 20, UINT64_C(1) << 44},
    {"threads", 0, CONFIG_MOST_THREADS},
    {"tombstones", 1, 4},
    {"active_timeout", 0, DAYS(30)},
    {"batch", 1, 32},
    {"usable_ports", 1, 65535},
    {"churn_seconds", 1, 16},
    {"census_pairs", 1, 1 << 20},
};

struct unit {
    const char *kind; /* of the row */
    const char *name;
    uint64_t factor;
};

/* The largest first: the first that divides a value is the one to print it with. */
static const struct unit units[] = {
    {"ns", "d", 24 * 3600 * (uint64_t)NANO_PER_SECOND},
    {"ns", "h", 3600 * (uint64_t)NANO_PER_SECOND},
    {"ns", "m", 60 * (uint64_t)NANO_PER_SECOND},
    {"ns", "s", NANO_PER_SECOND},
    {"ns", "ms", NANO_PER_MILLI},
    {"ns", "us", NANO_PER_MICRO},
    {"ns", "ns", 1},
    {"octets", "T", UINT64_C(1) << 40},
    {"octets", "G", UINT64_C(1) << 30},
    {"octets", "M", UINT64_C(1) << 20},
    {"octets", "K", UINT64_C(1) << 10},
};

enum { VALUE_TEXT = 32 };

static const char *next_name(size_t index)
{
    return index < TUNABLES ? tunables[index].name : NULL;
}

static const struct tunable *find(const char *name)
{
    for (size_t i = 0; i < TUNABLES; i++) {
        if (strcmp(tunables[i].name, name) == 0)
            return &tunables[i];
    }
    return NULL;
}

static struct range range_of(const struct tunable *tunable)
{
    struct range range = {tunable->name, 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof(by_unit) / sizeof(by_unit[0]); i++) {
        if (strcmp(by_unit[i].what, tunable->unit) == 0)
            range = by_unit[i];
    }
    for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
        if (strcmp(exceptions[i].what, tunable->name) == 0)
            range = exceptions[i];
    }
    uint64_t widest = tunable->size == sizeof(uint32_t) ? UINT32_MAX : INT64_MAX;
    range.most = range.most < widest ? range.most : widest;
    return range;
}

static uint64_t get(const struct config *config, const struct tunable *tunable)
{
    const char *member = (const char *)config + tunable->member;
    uint32_t small;
    uint64_t large;
    if (tunable->size == sizeof(small)) {
        memcpy(&small, member, sizeof(small));
        return small;
    }
    memcpy(&large, member, sizeof(large));
    return large;
}

static void set(struct config *config, const struct tunable *tunable, uint64_t value)
{
    char *member = (char *)config + tunable->member;
    uint32_t small = (uint32_t)value;
    if (tunable->size == sizeof(small))
        memcpy(member, &small, sizeof(small));
    else
        memcpy(member, &value, sizeof(value));
}

/* With the largest unit that leaves a whole number, e.g. "30s". */
static void spell(char text[VALUE_TEXT], const struct tunable *tunable, uint64_t value)
{
    for (size_t i = 0; value != 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].kind, tunable->unit) != 0 || value % units[i].factor != 0)
            continue;
        snprintf(text, VALUE_TEXT, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
        return;
    }
    snprintf(text, VALUE_TEXT, "%" PRIu64, value);
}

/* A whole number, with or without a unit of the row's kind. */
static bool read_value(const struct tunable *tunable, const char *word, uint64_t *ret_value)
{
    char digits[VALUE_TEXT];
    size_t length = strspn(word, "0123456789");
    if (length == 0 || length >= sizeof(digits))
        return false;
    memcpy(digits, word, length);
    digits[length] = '\0';
    uint64_t factor = word[length] == '\0' ? 1 : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].kind, tunable->unit) == 0 && strcmp(units[i].name, word + length) == 0)
            factor = units[i].factor;
    }
    uint64_t number;
    if (factor == 0 || !value_read_number(digits, &number))
        return false;
    return !__builtin_mul_overflow(number, factor, ret_value);
}

static enum status refuse_name(const char *source, const char *name, char *message)
{
    const char *near = nearest_word(name, next_name);
    if (near != NULL)
        return option_refuse(message, "%.300s: there is no \"%.64s\"; did you mean %s?", source,
                             name, near);
    return option_refuse(message,
                         "%.300s: there is no \"%.64s\"; lastack --list-config shows them all",
                         source, name);
}

enum status tunables_set(struct config *config, const char *source, const char *name,
                         const char *word, char *message)
{
    const struct tunable *tunable = find(name);
    if (tunable == NULL)
        return refuse_name(source, name, message);
    struct range range = range_of(tunable);
    char least[VALUE_TEXT], most[VALUE_TEXT], initial[VALUE_TEXT];
    struct config defaults = config_default();
    uint64_t value = 0;
    if (read_value(tunable, word, &value) && value >= range.least && value <= range.most) {
        set(config, tunable, value);
        return STATUS_OK;
    }
    spell(least, tunable, range.least);
    spell(most, tunable, range.most);
    spell(initial, tunable, get(&defaults, tunable));
    return option_refuse(message, "%.300s: %s=%.64s: must be %s to %s (%s), such as %s=%s", source,
                         name, word, least, most, tunable->unit, name, initial);
}

void tunables_list(FILE *stream, const struct config *config)
{
    for (size_t i = 0; i < TUNABLES; i++) {
        char text[VALUE_TEXT];
        spell(text, &tunables[i], get(config, &tunables[i]));
        fprintf(stream, "%-24s %-8s %-10s  %s\n", tunables[i].name, text, tunables[i].unit,
                tunables[i].reason);
    }
}

/* The rows' own strings: only quotes and backslashes need an escape. */
static void put_string(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

void tunables_list_json(FILE *stream, const struct config *config)
{
    struct config defaults = config_default();
    fputs("{\"config\":[", stream);
    for (size_t i = 0; i < TUNABLES; i++) {
        const struct tunable *tunable = &tunables[i];
        struct range range = range_of(tunable);
        fprintf(stream, "%s{\"name\":\"%s\",\"unit\":\"%s\",\"default\":%" PRIu64,
                i == 0 ? "\n" : ",\n", tunable->name, tunable->unit, get(&defaults, tunable));
        fprintf(stream, ",\"value\":%" PRIu64 ",\"least\":%" PRIu64 ",\"most\":%" PRIu64,
                get(config, tunable), range.least, range.most);
        fputs(",\"reason\":", stream);
        put_string(stream, tunable->reason);
        fputc('}', stream);
    }
    fputs("]}\n", stream);
}
