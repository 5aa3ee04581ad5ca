/*
 * schema_check: see schema_check.h.  JSON Schema as far as lastack's own schema uses it; for every
 * other keyword the program ends, so that none is passed over in silence.
 */
#include "schema_check.h"

#include <json-c/json.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/sink/schema.h"
#include "claim.h"

enum { LARGEST_PATTERN = 1024, DEEPEST = 64 };

struct schema {
    struct json_object *root;
    struct json_object *definitions;
};

static bool fits(const struct schema *schema, struct json_object *rules, struct json_object *value);

static bool has_type(struct json_object *value, const char *type)
{
    static const char *const names[] = {
        [json_type_null] = "null",     [json_type_boolean] = "boolean",
        [json_type_double] = "number", [json_type_int] = "integer",
        [json_type_object] = "object", [json_type_array] = "array",
        [json_type_string] = "string",
    };
    return strcmp(names[json_object_get_type(value)], type) == 0 ||
           (strcmp(type, "number") == 0 && json_object_is_type(value, json_type_int));
}

static bool fits_type(struct json_object *types, struct json_object *value)
{
    if (json_object_is_type(types, json_type_string))
        return has_type(value, json_object_get_string(types));
    for (size_t i = 0; i < json_object_array_length(types); i++)
        if (has_type(value, json_object_get_string(json_object_array_get_idx(types, i))))
            return true;
    return false;
}

static bool fits_enum(struct json_object *choices, struct json_object *value)
{
    for (size_t i = 0; i < json_object_array_length(choices); i++)
        if (json_object_equal(json_object_array_get_idx(choices, i), value))
            return true;
    return false;
}

static bool fits_any(const struct schema *schema, struct json_object *choices,
                     struct json_object *value)
{
    for (size_t i = 0; i < json_object_array_length(choices); i++)
        if (fits(schema, json_object_array_get_idx(choices, i), value))
            return true;
    return false;
}

/* Patterns say \d, which POSIX does not know.  A compiled one stays with the schema's string. */
static void pattern_free(struct json_object *pattern, void *compiled)
{
    (void)pattern;
    regfree(compiled);
    free(compiled);
}

static regex_t *pattern_compile(struct json_object *pattern)
{
    char posix[LARGEST_PATTERN];
    size_t used = 0;
    for (const char *at = json_object_get_string(pattern); *at != '\0'; at++) {
        bool digit = at[0] == '\\' && at[1] == 'd';
        used += (size_t)snprintf(posix + used, sizeof posix - used, "%s%.*s", digit ? "[0-9]" : "",
                                 digit ? 0 : 1, at);
        at += digit;
        CLAIM(used < sizeof posix, "pattern %s", json_object_get_string(pattern));
    }
    regex_t *compiled = malloc(sizeof *compiled);
    CLAIM(compiled != NULL && regcomp(compiled, posix, REG_EXTENDED | REG_NOSUB) == 0, "%s", posix);
    json_object_set_userdata(pattern, compiled, pattern_free);
    return compiled;
}

static bool fits_pattern(struct json_object *pattern, struct json_object *value)
{
    regex_t *compiled = json_object_get_userdata(pattern);
    if (!json_object_is_type(value, json_type_string))
        return true;
    if (compiled == NULL)
        compiled = pattern_compile(pattern);
    return regexec(compiled, json_object_get_string(value), 0, NULL, 0) == 0;
}

static bool fits_bound(struct json_object *bound, struct json_object *value, int direction)
{
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return true;
    double difference = json_object_get_double(value) - json_object_get_double(bound);
    return difference * direction >= 0;
}

static bool fits_members(const struct schema *schema, struct json_object *rules,
                         struct json_object *value)
{
    struct json_object *properties = json_object_object_get(rules, "properties");
    struct json_object *others = json_object_object_get(rules, "additionalProperties");
    struct json_object *names = json_object_object_get(rules, "propertyNames");
    struct json_object *required = json_object_object_get(rules, "required");
    if (!json_object_is_type(value, json_type_object))
        return true;
    for (size_t i = 0; required != NULL && i < json_object_array_length(required); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(required, i));
        if (!json_object_object_get_ex(value, name, NULL))
            return false;
    }
    json_object_object_foreach(value, key, member)
    {
        struct json_object *rule = NULL;
        bool named = json_object_object_get_ex(properties, key, &rule);
        rule = named ? rule : others;
        if (!named && rule != NULL && json_object_is_type(rule, json_type_boolean)) {
            if (!json_object_get_boolean(rule))
                return false;
            rule = NULL;
        }
        if (rule != NULL && !fits(schema, rule, member))
            return false;
        struct json_object *spelled = names != NULL ? json_object_new_string(key) : NULL;
        bool fitting = names == NULL || fits(schema, names, spelled);
        json_object_put(spelled);
        if (!fitting)
            return false;
    }
    return true;
}

static bool fits_items(const struct schema *schema, struct json_object *rule,
                       struct json_object *value)
{
    if (!json_object_is_type(value, json_type_array))
        return true;
    for (size_t i = 0; i < json_object_array_length(value); i++)
        if (!fits(schema, rule, json_object_array_get_idx(value, i)))
            return false;
    return true;
}

static bool fits_count(struct json_object *bound, struct json_object *value, bool least)
{
    if (!json_object_is_type(value, json_type_array))
        return true;
    size_t count = json_object_array_length(value), wanted = json_object_get_uint64(bound);
    return least ? count >= wanted : count <= wanted;
}

static bool fits_reference(const struct schema *schema, struct json_object *reference,
                           struct json_object *value)
{
    static const char before[] = "#/$defs/";
    const char *name = json_object_get_string(reference);
    CLAIM(strncmp(name, before, sizeof before - 1) == 0, "%s", name);
    struct json_object *rules;
    CLAIM(json_object_object_get_ex(schema->definitions, name + sizeof before - 1, &rules), "%s",
          name);
    return fits(schema, rules, value);
}

static bool fits_keyword(const struct schema *schema, struct json_object *rules, const char *key,
                         struct json_object *value)
{
    struct json_object *rule = json_object_object_get(rules, key);
    if (strcmp(key, "type") == 0)
        return fits_type(rule, value);
    if (strcmp(key, "const") == 0)
        return json_object_equal(rule, value);
    if (strcmp(key, "enum") == 0)
        return fits_enum(rule, value);
    if (strcmp(key, "anyOf") == 0)
        return fits_any(schema, rule, value);
    if (strcmp(key, "pattern") == 0)
        return fits_pattern(rule, value);
    if (strcmp(key, "minimum") == 0)
        return fits_bound(rule, value, 1);
    if (strcmp(key, "maximum") == 0)
        return fits_bound(rule, value, -1);
    if (strcmp(key, "items") == 0)
        return fits_items(schema, rule, value);
    if (strcmp(key, "minItems") == 0 || strcmp(key, "maxItems") == 0)
        return fits_count(rule, value, key[1] == 'i');
    if (strcmp(key, "$ref") == 0)
        return fits_reference(schema, rule, value);
    if (strcmp(key, "properties") == 0 || strcmp(key, "required") == 0 ||
        strcmp(key, "additionalProperties") == 0 || strcmp(key, "propertyNames") == 0)
        return fits_members(schema, rules, value);
    CLAIM(strcmp(key, "description") == 0 || strcmp(key, "format") == 0, "keyword %s", key);
    return true;
}

static bool fits(const struct schema *schema, struct json_object *rules, struct json_object *value)
{
    bool members = false;
    json_object_object_foreach(rules, key, rule)
    {
        bool about_members = strcmp(key, "properties") == 0 || strcmp(key, "required") == 0 ||
                             strcmp(key, "additionalProperties") == 0 ||
                             strcmp(key, "propertyNames") == 0;
        (void)rule;
        if (about_members && members)
            continue; /* looked at together */
        members = members || about_members;
        if (!fits_keyword(schema, rules, key, value)) {
            if (getenv("SCHEMA_CHECK_SAYS") != NULL)
                fprintf(stderr, "%s: %.200s\n", key, json_object_to_json_string(value));
            return false;
        }
    }
    return true;
}

struct schema *schema_new(void)
{
    struct schema *schema = calloc(1, sizeof *schema);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    CLAIM(schema != NULL && stream != NULL, "no memory");
    CLAIM(sink_schema_print(stream) == STATUS_OK, "the schema is not printed");
    fclose(stream);
    schema->root = json_tokener_parse(text);
    CLAIM(schema->root != NULL, "the schema is no JSON");
    schema->definitions = json_object_object_get(schema->root, "$defs");
    free(text);
    return schema;
}

void schema_claim_line(const struct schema *schema, const char *line, size_t length)
{
    static const char before[] = "lastack.";
    struct json_tokener *tokener = json_tokener_new_ex(DEEPEST);
    struct json_object *event = NULL, *dataset = NULL, *rules = NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *record = json_tokener_parse_ex(tokener, line, (int)length);
    CLAIM(record != NULL && json_tokener_get_parse_end(tokener) == length, "no JSON: %.*s",
          (int)length, line);
    json_tokener_free(tokener);
    CLAIM(json_object_object_get_ex(record, "event", &event) &&
              json_object_object_get_ex(event, "dataset", &dataset),
          "no dataset: %.*s", (int)length, line);
    const char *name = json_object_get_string(dataset);
    CLAIM(strncmp(name, before, sizeof before - 1) == 0 &&
              json_object_object_get_ex(schema->definitions, name + sizeof before - 1, &rules),
          "dataset %s", name);
    CLAIM(fits(schema, rules, record), "not by the schema: %.*s", (int)length, line);
    json_object_put(record);
}

void schema_free(struct schema *schema)
{
    json_object_put(schema->root);
    free(schema);
}
