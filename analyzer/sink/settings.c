/* settings: see settings.h. */
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OCTETS = 65536 };

/* The whole file, NUL-terminated and owned by the caller; NULL with errno set (EFBIG: too long). */
static char *read_whole(const char *name)
{
    FILE *file = fopen(name, "re");
    char *text = file == NULL ? NULL : calloc(1, MOST_OCTETS + 2);
    size_t length = text == NULL ? 0 : fread(text, 1, MOST_OCTETS + 1, file);
    int error = text == NULL || ferror(file) != 0 ? errno : length > MOST_OCTETS ? EFBIG : 0;
    if (file != NULL)
        fclose(file);
    if (error == 0)
        return text;
    free(text);
    errno = error;
    return NULL;
}

/* A value as the command line would have it; false for what is no number and no string. */
static bool spell(struct json_object *value, char *word, size_t size)
{
    if (json_object_is_type(value, json_type_string))
        snprintf(word, size, "%s", json_object_get_string(value));
    else if (json_object_is_type(value, json_type_int))
        snprintf(word, size, "%" PRId64, json_object_get_int64(value));
    else
        return false;
    return true;
}

static enum status take_members(const char *file, struct json_object *object,
                                enum status (*take)(void *context, const char *name,
                                                    const char *word),
                                void *context, char *message, unsigned message_size)
{
    struct json_object_iterator at = json_object_iter_begin(object);
    struct json_object_iterator end = json_object_iter_end(object);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        char word[64];
        const char *name = json_object_iter_peek_name(&at);
        if (!spell(json_object_iter_peek_value(&at), word, sizeof(word))) {
            snprintf(message, message_size,
                     "%.300s: \"%.64s\" must be a whole number, or a string such as \"30s\"", file,
                     name);
            return STATUS_USAGE;
        }
        enum status status = take(context, name, word);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Parses strictly: the whole text is one value. */
static struct json_object *parse(const char *text, const char **ret_problem)
{
    size_t length = strlen(text);
    struct json_tokener *tokener = json_tokener_new();
    if (tokener == NULL)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)length + 1);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    *ret_problem = json_tokener_error_desc(error);
    json_tokener_free(tokener);
    if (error == json_tokener_success)
        return value;
    json_object_put(value);
    return NULL;
}

enum status settings_read(const char *file,
                          enum status (*take)(void *context, const char *name, const char *word),
                          void *context, char *message, unsigned message_size)
{
    const char *problem = "out of memory";
    char *text = read_whole(file);
    if (text == NULL) {
        snprintf(message, message_size, "cannot read %.300s: %s", file,
                 errno == EFBIG ? "it is longer than 64 KiB" : strerror(errno));
        return STATUS_USAGE;
    }
    struct json_object *object = parse(text, &problem);
    free(text);
    if (!json_object_is_type(object, json_type_object)) {
        if (object != NULL)
            problem = "it holds something else";
        snprintf(message, message_size, "%.300s: not a JSON object such as {\"msl\": \"30s\"}: %s",
                 file, problem);
        json_object_put(object);
        return STATUS_USAGE;
    }
    enum status status = take_members(file, object, take, context, message, message_size);
    json_object_put(object);
    return status;
}
