/*
 * schema: a json-c tree from the tables of fields.  Every table and every vocabulary becomes one
 * entry of $defs under its own name, and is referred to from wherever it is used.
 */
#include "schema.h"

#include <json-c/json.h>
#include <string.h>

#include "fields.h"
#include "sinks.h"
#include "tree.h"

static const struct field_table *const documents[] = {
    &flow_table,  &event_table, &transition_table, &segment_table, &host_table,   &path_table,
    &stats_table, &tape_table,  &deltas_table,     &summary_table, &report_table,
};

/* Trees are built without looking at memory failure in between; failed says it at the end. */
struct schema {
    struct json_object *definitions;
    bool failed;
};

static struct json_object *define_table(struct schema *schema, const struct field_table *table);

static void set(struct schema *schema, struct json_object *object, const char *key,
                struct json_object *value)
{
    if (!object || !value || json_object_object_add(object, key, value) < 0)
        schema->failed = true;
}

static void set_string(struct schema *schema, struct json_object *object, const char *key,
                       const char *text)
{
    set(schema, object, key, json_object_new_string(text));
}

static void append(struct schema *schema, struct json_object *array, struct json_object *value)
{
    if (!array || json_object_array_add(array, value) < 0)
        schema->failed = true;
}

static struct json_object *parse(struct schema *schema, const char *text)
{
    struct json_object *value = json_tokener_parse(text);
    if (!value)
        schema->failed = true;
    return value;
}

static struct json_object *reference(struct schema *schema, const char *name)
{
    char path[64];
    struct json_object *object = json_object_new_object();
    snprintf(path, sizeof(path), "#/$defs/%s", name);
    set_string(schema, object, "$ref", path);
    return object;
}

static bool is_defined(const struct schema *schema, const char *name)
{
    return json_object_object_get_ex(schema->definitions, name, NULL);
}

static struct json_object *define_words(struct schema *schema, const struct vocabulary *words)
{
    if (is_defined(schema, words->name))
        return reference(schema, words->name);
    struct json_object *definition = json_object_new_object();
    struct json_object *list = json_object_new_array();
    for (int value = words->first; value <= words->last; value++) {
        const char *word = words->word(value);
        append(schema, list, word ? json_object_new_string(word) : NULL);
    }
    set_string(schema, definition, "description", words->description);
    set(schema, definition, "enum", list);
    set(schema, schema->definitions, words->name, definition);
    return reference(schema, words->name);
}

/* The type of scalars by kind; the rest is built. */
static const char *scalar_schema(enum field_kind kind)
{
    switch (kind) {
    case FIELD_BOOL:
        return "{\"type\":\"boolean\"}";
    case FIELD_COUNT:
    case FIELD_FILE_PACKET:
        return "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}";
    case FIELD_DURATION:
        return "{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}";
    case FIELD_TIME:
        return "{\"type\":\"string\",\"format\":\"date-time\",\"pattern\":"
               "\"^\\\\d{4}-\\\\d\\\\d-\\\\d\\\\dT\\\\d\\\\d:\\\\d\\\\d:\\\\d\\\\d\\\\.(\\\\d{6}|"
               "\\\\d{9})Z$\"}";
    case FIELD_UID:
        return "{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{16}$\"}";
    case FIELD_STRING:
    case FIELD_TEXT:
    case FIELD_FILE:
        return "{\"type\":\"string\"}";
    case FIELD_FIXED:
    case FIELD_WORD:
    case FIELD_RAW:
    case FIELD_OBJECT:
    case FIELD_POINTED:
    case FIELD_LIST:
    case FIELD_POINTED_LIST:
    case FIELD_TALLY:
    case FIELD_BITS:
    case FIELD_SPELLED:
    case FIELD_WRITTEN:
        break;
    }
    return NULL;
}

static struct json_object *array_of(struct schema *schema, struct json_object *items)
{
    struct json_object *array = json_object_new_object();
    set_string(schema, array, "type", "array");
    set(schema, array, "items", items);
    return array;
}

static struct json_object *list_schema(struct schema *schema, const struct field *field)
{
    if (field->table)
        return array_of(schema, define_table(schema, field->table));
    if (field->words)
        return array_of(schema, define_words(schema, vocabulary_row(field->words)));
    return array_of(schema, parse(schema, scalar_schema(FIELD_COUNT)));
}

/* An object with every word as a key. */
static struct json_object *tally_schema(struct schema *schema, const struct vocabulary *words)
{
    struct json_object *object = json_object_new_object();
    struct json_object *properties = json_object_new_object();
    struct json_object *required = json_object_new_array();
    for (int value = words->first; value <= words->last; value++) {
        set(schema, properties, words->word(value), parse(schema, scalar_schema(FIELD_COUNT)));
        append(schema, required, json_object_new_string(words->word(value)));
    }
    set_string(schema, object, "type", "object");
    set(schema, object, "properties", properties);
    set(schema, object, "required", required);
    set(schema, object, "additionalProperties", json_object_new_boolean(false));
    return object;
}

static struct json_object *constant_schema(struct schema *schema, const char *json)
{
    struct json_object *object = json_object_new_object();
    /* json_tokener_parse reads a bare string, too */
    set(schema, object, "const", parse(schema, json));
    return object;
}

static struct json_object *value_schema(struct schema *schema, const struct field *field)
{
    enum field_kind kind = (enum field_kind)field->kind;
    if (kind == FIELD_FIXED)
        return constant_schema(schema, field->schema);
    if (field->schema)
        return parse(schema, field->schema);
    if (scalar_schema(kind))
        return parse(schema, scalar_schema(kind));
    if (kind == FIELD_TALLY)
        return tally_schema(schema, vocabulary_row(field->words));
    if (kind == FIELD_WORD)
        return define_words(schema, vocabulary_row(field->words));
    if (kind == FIELD_OBJECT || kind == FIELD_POINTED || kind == FIELD_RAW)
        return define_table(schema, field->table);
    return list_schema(schema, field);
}

/* Whether null may stand in place of what value_schema says. */
static bool may_be_null(const struct field *field)
{
    bool may_be_unknown = field->known || field->known_size > 0;
    if (may_be_unknown || field->zero_is_null || field->only_several) /* packet 0 is none */
        return true;
    bool can_lack =
        field->kind == FIELD_STRING || field->kind == FIELD_TIME || field->kind == FIELD_DURATION;
    return can_lack && !field->never_null;
}

static struct json_object *field_schema(struct schema *schema, const struct field *field)
{
    struct json_object *value = value_schema(schema, field);
    struct json_object *described = value;
    if (may_be_null(field)) {
        struct json_object *choices = json_object_new_array();
        described = json_object_new_object();
        append(schema, choices, value);
        append(schema, choices, parse(schema, "{\"type\":\"null\"}"));
        set(schema, described, "anyOf", choices);
    }
    set_string(schema, described, "description", field->description);
    return described;
}

/* A field's key without the comma, quotes and colon that writing it needs. */
static void copy_name(char name[JSON_KEY], const struct field *field)
{
    size_t length = (size_t)field->key_length - strlen(",\"\":");
    memcpy(name, field->key + strlen(",\""), length);
    name[length] = '\0';
}

static void fill_table(struct schema *schema, struct json_object *definition,
                       const struct field_table *table)
{
    struct json_object *properties = json_object_new_object();
    struct json_object *required = json_object_new_array();
    for (const struct field *field = table->rows; field->key_length > 0; field++) {
        char name[JSON_KEY];
        copy_name(name, field);
        set(schema, properties, name, field_schema(schema, field));
        if (!field->only_observed && !field->only_several && !field->only_taps)
            append(schema, required, json_object_new_string(name));
    }
    set_string(schema, definition, "description", table->description);
    set_string(schema, definition, "type", "object");
    set(schema, definition, "properties", properties);
    set(schema, definition, "required", required);
    set(schema, definition, "additionalProperties", json_object_new_boolean(false));
}

static struct json_object *define_table(struct schema *schema, const struct field_table *table)
{
    if (!is_defined(schema, table->name)) {
        struct json_object *definition = json_object_new_object();
        set(schema, schema->definitions, table->name, definition);
        if (!schema->failed)
            fill_table(schema, definition, table);
    }
    return reference(schema, table->name);
}

static struct json_object *build(struct schema *schema)
{
    struct json_object *root = json_object_new_object();
    struct json_object *choices = json_object_new_array();
    schema->definitions = json_object_new_object();
    set_string(schema, root, "$schema", "https://json-schema.org/draft/2020-12/schema");
    set_string(schema, root, "$id", "urn:lastack:schema:" SINK_SCHEMA_VERSION);
    set_string(schema, root, "title", "lastack");
    set_string(schema, root, "description",
               "A record of lastack's NDJSON output (one a line), or its report (one document).");
    set(schema, root, "oneOf", choices);
    set(schema, root, "$defs", schema->definitions);
    for (size_t document = 0; document < sizeof(documents) / sizeof(documents[0]); document++)
        append(schema, choices, define_table(schema, documents[document]));
    return root;
}

enum status sink_schema_print(FILE *stream)
{
    struct schema schema = {.failed = false};
    struct json_object *root = build(&schema);
    enum status status = schema.failed ? STATUS_NO_MEMORY : tree_print(stream, root);
    json_object_put(root);
    return status;
}
