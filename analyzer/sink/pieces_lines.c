/* pieces_lines: NDJSON, a line at a time (pieces_parts.h). */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pieces_parts.h"

enum { DEPTH = 32, FRACTION = 9, BEGINNING = 256 };

static enum status status_of_errno(void)
{
    return errno == ENOENT ? STATUS_NOT_FOUND : errno == EACCES ? STATUS_DENIED : STATUS_UNREADABLE;
}

enum status lines_open(struct lines *lines, const char *name, char *message)
{
    *lines = (struct lines){.name = name, .stream = fopen(name, "re")};
    if (lines->stream == NULL) {
        enum status status = status_of_errno();
        snprintf(message, MESSAGE_SIZE, "%.300s: %s", name, strerror(errno));
        return status;
    }
    lines->tokener = json_tokener_new_ex(DEPTH);
    return lines->tokener != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The next line; *ret_length -1 at the end. */
static enum status read_line(struct lines *lines, ssize_t *ret_length, char *message)
{
    errno = 0;
    *ret_length = getline(&lines->text, &lines->size, lines->stream);
    if (*ret_length < 0 && errno == 0)
        return STATUS_OK;
    lines->number++;
    if (*ret_length >= 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "%.300s: %s", lines->name, strerror(errno));
    return errno == ENOMEM ? STATUS_NO_MEMORY : STATUS_UNREADABLE;
}

static enum status parse(struct lines *lines, ssize_t length, struct json_object **ret_record,
                         char *message)
{
    json_tokener_reset(lines->tokener);
    struct json_object *record =
        length > INT32_MAX ? NULL : json_tokener_parse_ex(lines->tokener, lines->text, (int)length);
    if (json_object_is_type(record, json_type_object)) {
        *ret_record = record;
        return STATUS_OK;
    }
    json_object_put(record);
    snprintf(message, MESSAGE_SIZE,
             "%.300s: line %llu is no JSON object; give what lastack --piece --ndjson wrote",
             lines->name, (unsigned long long)lines->number);
    return STATUS_UNREADABLE;
}

enum status lines_next(struct lines *lines, struct json_object **ret_record, char *message)
{
    ssize_t length;
    *ret_record = NULL;
    enum status status = read_line(lines, &length, message);
    return status != STATUS_OK || length < 0 ? status : parse(lines, length, ret_record, message);
}

/* A record's dataset stands near its beginning. */
static bool may_be(const char *text, ssize_t length, const char *dataset)
{
    size_t looked_at = (size_t)length < BEGINNING ? (size_t)length : BEGINNING;
    return memmem(text, looked_at, dataset, strlen(dataset)) != NULL;
}

enum status lines_next_of(struct lines *lines, const char *dataset, struct json_object **ret_record,
                          char *message)
{
    ssize_t length;
    *ret_record = NULL;
    for (;;) {
        enum status status = read_line(lines, &length, message);
        if (status != STATUS_OK || length < 0)
            return status;
        if (!may_be(lines->text, length, dataset))
            continue;
        status = parse(lines, length, ret_record, message);
        const char *found = json_text(json_below(*ret_record, "event", "dataset", NULL));
        if (status != STATUS_OK || (found != NULL && strcmp(found, dataset) == 0))
            return status;
        json_object_put(*ret_record);
        *ret_record = NULL;
    }
}

void lines_close(struct lines *lines)
{
    if (lines->stream != NULL)
        fclose(lines->stream);
    if (lines->tokener != NULL)
        json_tokener_free(lines->tokener);
    free(lines->text);
}

struct json_object *json_below(struct json_object *object, ...)
{
    va_list keys;
    va_start(keys, object);
    const char *key;
    while ((key = va_arg(keys, const char *)) != NULL) {
        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, key, &object)) {
            object = NULL;
            break;
        }
    }
    va_end(keys);
    return object;
}

const char *json_text(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

uint64_t json_number(struct json_object *value)
{
    int64_t number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
    return number > 0 ? (uint64_t)number : 0;
}

/* As lastack writes it: 2026-11-20T15:00:00.200140Z, with six or nine digits. */
nanotime json_moment(struct json_object *value)
{
    const char *text = json_text(value);
    struct tm day = {0};
    const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &day);
    if (rest == NULL)
        return NANOTIME_UNKNOWN;
    nanotime fraction = 0;
    rest += *rest == '.';
    for (int digits = 0; digits < FRACTION; digits++) {
        bool digit = *rest >= '0' && *rest <= '9';
        fraction = fraction * 10 + (digit ? *rest - '0' : 0);
        rest += digit;
    }
    nanotime moment; /* the year 9999 has none */
    if (__builtin_mul_overflow((nanotime)timegm(&day), NANO_PER_SECOND, &moment) ||
        __builtin_add_overflow(moment, fraction, &moment))
        return NANOTIME_UNKNOWN;
    return moment;
}

const char *record_kind(struct json_object *record)
{
    static const char prefix[] = "lastack.";
    const char *dataset = json_text(json_below(record, "event", "dataset", NULL));
    bool ours = dataset != NULL && strncmp(dataset, prefix, sizeof(prefix) - 1) == 0;
    return ours ? dataset + sizeof(prefix) - 1 : "";
}
