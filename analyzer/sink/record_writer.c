/*
 * record_writer: walks a field table.  A record has some two hundred values, so a value costs one
 * reservation, one copy of its key and one switch.
 */
#include "record_writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

static void write_object(struct record_writer *writer, const struct field_table *table,
                         const uint8_t *record);

static uint64_t read_unsigned(const uint8_t *at, size_t size)
{
    uint8_t octet;
    uint16_t half;
    uint32_t word;
    uint64_t full;
    switch (size) {
    case sizeof(octet):
        return *at;
    case sizeof(half):
        memcpy(&half, at, sizeof(half));
        return half;
    case sizeof(word):
        memcpy(&word, at, sizeof(word));
        return word;
    default:
        memcpy(&full, at, sizeof(full));
        return full;
    }
}

static int read_int(const uint8_t *at)
{
    int value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static nanotime read_time(const uint8_t *at)
{
    nanotime value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static const void *read_pointer(const uint8_t *at)
{
    const void *value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static void put_mark(struct record_writer *writer, char mark)
{
    char *out = json_writer_reserve(&writer->json, 1);
    if (!out)
        return;
    *out = mark;
    json_writer_commit(&writer->json, out + 1);
}

static void put_null(struct record_writer *writer)
{
    json_put_raw(&writer->json, "null", 4);
}

/* A copy of fixed size costs less than one of the word's own length. */
static char *spell_word(const struct record_writer *writer, enum vocabulary_id id, int value,
                        char *out)
{
    const struct spelled_word *word = &writer->words[id][value - vocabulary_row(id)->first];
    memcpy(out, word->text, JSON_WORD);
    return out + word->length;
}

static void put_word(struct record_writer *writer, enum vocabulary_id id, int value)
{
    char *out = json_writer_reserve(&writer->json, JSON_WORD);
    if (out)
        json_writer_commit(&writer->json, spell_word(writer, id, value, out));
}

/* One element: a record of the field's table, a word, or a number. */
static void write_element(struct record_writer *writer, const struct field *field,
                          const uint8_t *element)
{
    if (field->table)
        write_object(writer, field->table, element);
    else if (field->words)
        put_word(writer, field->words, read_int(element));
    else
        json_put_unsigned(&writer->json, read_unsigned(element, field->size));
}

static void write_list(struct record_writer *writer, const struct field *field,
                       const uint8_t *record, const uint8_t *elements)
{
    uint64_t count = read_unsigned(record + field->count_offset, field->count_size);
    put_mark(writer, '[');
    for (uint64_t element = 0; element < count; element++) {
        if (element > 0)
            put_mark(writer, ',');
        write_element(writer, field, elements + element * field->size);
    }
    put_mark(writer, ']');
}

static void write_tally(struct record_writer *writer, enum vocabulary_id id, const uint8_t *counts)
{
    const struct vocabulary *words = vocabulary_row(id);
    put_mark(writer, '{');
    for (int value = words->first; value <= words->last; value++, counts += sizeof(uint64_t)) {
        if (value > words->first)
            put_mark(writer, ',');
        put_word(writer, id, value);
        put_mark(writer, ':');
        json_put_unsigned(&writer->json, read_unsigned(counts, sizeof(uint64_t)));
    }
    put_mark(writer, '}');
}

static char *spell_file_packet(const struct record_writer *writer, uint64_t packet, char *out)
{
    const struct input_span *span = place_find(writer->inputs, packet);
    return span ? json_spell_unsigned(out, place_in_file(span, packet)) : json_spell_null(out);
}

static void put_file(struct record_writer *writer, uint64_t packet)
{
    const struct input_span *span = place_find(writer->inputs, packet);
    json_put_string(&writer->json, span ? span->name : NULL);
}

/* What fits into JSON_SCALAR; NULL when the kind is not one of those. */
static char *spell_scalar(struct record_writer *writer, const struct field *field,
                          const uint8_t *at, char *out)
{
    uint64_t number;
    switch ((enum field_kind)field->kind) {
    case FIELD_BOOL:
        return json_spell_bool(out, *at != 0);
    case FIELD_COUNT:
        number = read_unsigned(at, field->size);
        return number == 0 && field->zero_is_null ? json_spell_null(out)
                                                  : json_spell_unsigned(out, number);
    case FIELD_UID:
        number = read_unsigned(at, sizeof(number));
        return number == 0 && field->zero_is_null ? json_spell_null(out)
                                                  : json_spell_uid(out, number);
    case FIELD_FILE_PACKET:
        return spell_file_packet(writer, read_unsigned(at, sizeof(number)), out);
    case FIELD_TIME:
        return json_spell_time(&writer->json, out, read_time(at));
    case FIELD_DURATION:
        return json_spell_duration(out, read_time(at));
    case FIELD_WORD:
        return spell_word(writer, field->words, read_int(at), out);
    case FIELD_FIXED:
    case FIELD_STRING:
    case FIELD_TEXT:
    case FIELD_RAW:
    case FIELD_OBJECT:
    case FIELD_POINTED:
    case FIELD_LIST:
    case FIELD_POINTED_LIST:
    case FIELD_FILE:
    case FIELD_TALLY:
    case FIELD_WRITTEN:
        break;
    }
    return NULL;
}

static void put_raw_text(struct record_writer *writer, const char *text)
{
    if (text)
        json_put_raw(&writer->json, text, strlen(text));
    else
        put_null(writer);
}

static void write_value(struct record_writer *writer, const struct field *field,
                        const uint8_t *record)
{
    const uint8_t *at = record + field->offset;
    switch ((enum field_kind)field->kind) {
    case FIELD_FIXED:
        json_put_raw(&writer->json, field->schema, field->size);
        break;
    case FIELD_STRING:
        json_put_string(&writer->json, read_pointer(at));
        break;
    case FIELD_TEXT:
        json_put_string(&writer->json, (const char *)at);
        break;
    case FIELD_RAW:
        put_raw_text(writer, read_pointer(at));
        break;
    case FIELD_OBJECT:
        write_object(writer, field->table, at);
        break;
    case FIELD_POINTED:
        write_object(writer, field->table, read_pointer(at));
        break;
    case FIELD_LIST:
        write_list(writer, field, record, at);
        break;
    case FIELD_POINTED_LIST:
        write_list(writer, field, record, read_pointer(at));
        break;
    case FIELD_FILE:
        put_file(writer, read_unsigned(at, sizeof(uint64_t)));
        break;
    case FIELD_TALLY:
        write_tally(writer, field->words, at);
        break;
    case FIELD_WRITTEN:
        field->write(writer, record);
        break;
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_FILE_PACKET:
    case FIELD_TIME:
    case FIELD_DURATION:
    case FIELD_UID:
    case FIELD_WORD:
        break;
    }
}

/* Most values are counters, and most counters of one digit: they are spelled here. */
static inline char *spell_plain_count(const struct field *field, const uint8_t *at, char *out)
{
    uint64_t number = read_unsigned(at, field->size);
    if (number > 9 || (number == 0 && field->zero_is_null))
        return number > 9 ? json_spell_unsigned(out, number) : json_spell_null(out);
    *out = (char)('0' + number);
    return out + 1;
}

static void write_field(struct record_writer *writer, const struct field *field,
                        const uint8_t *record)
{
    char *out = json_writer_reserve(&writer->json, JSON_KEY + JSON_SCALAR);
    if (!out)
        return;
    memcpy(out, field->key, JSON_KEY);
    out += field->key_length;
    char *end = out;
    if (field->known && !field->known(record))
        end = json_spell_null(out);
    else if (field->kind == FIELD_COUNT)
        end = spell_plain_count(field, record + field->offset, out);
    else
        end = spell_scalar(writer, field, record + field->offset, out);
    json_writer_commit(&writer->json, end ? end : out);
    if (!end)
        write_value(writer, field, record);
}

/* Every key brings its comma; the first one's becomes the opening brace. */
static void write_object(struct record_writer *writer, const struct field_table *table,
                         const uint8_t *record)
{
    ptrdiff_t start = writer->json.next - writer->json.buffer->buf;
    for (const struct field *field = table->rows; field->key_length > 0; field++) {
        if ((field->only_observed && !writer->observer) ||
            (field->only_several && !writer->inputs) || (field->only_taps && !writer->taps))
            continue;
        write_field(writer, field, record);
    }
    if (writer->json.failed)
        return;
    writer->json.buffer->buf[start] = '{';
    put_mark(writer, '}');
}

/* json-c's serializer: called with the object's own buffer, emptied. */
static int serialize(struct json_object *object, struct printbuf *buffer, int level, int flags)
{
    struct record_writer *writer = json_object_get_userdata(object);
    (void)level;
    (void)flags;
    json_writer_begin(&writer->json, buffer);
    write_object(writer, writer->table, writer->record);
    return json_writer_end(&writer->json);
}

static struct spelled_word spell_one(const char *word)
{
    struct spelled_word spelled = {.text = "null", .length = strlen("null")};
    if (!word)
        return spelled;
    spelled.length = strlen(word) + 2;
    assert(spelled.length < sizeof(spelled.text));
    snprintf(spelled.text, sizeof(spelled.text), "\"%s\"", word);
    return spelled;
}

static size_t count_words(void)
{
    size_t count = 0;
    for (enum vocabulary_id id = WORDS_NONE + 1; id < VOCABULARIES; id++)
        count += (size_t)(vocabulary_row(id)->last - vocabulary_row(id)->first + 1);
    return count;
}

static enum status spell_words(struct record_writer *writer)
{
    struct spelled_word *next = calloc(count_words(), sizeof(*next));
    if (!next)
        return STATUS_NO_MEMORY;
    writer->spelled = next;
    for (enum vocabulary_id id = WORDS_NONE + 1; id < VOCABULARIES; id++) {
        const struct vocabulary *row = vocabulary_row(id);
        writer->words[id] = next;
        for (int value = row->first; value <= row->last; value++)
            *next++ = spell_one(row->word(value));
    }
    return STATUS_OK;
}

enum status record_writer_init(struct record_writer *writer, const struct sink_options *options)
{
    memset(writer, 0, sizeof(*writer));
    json_writer_init(&writer->json, options->nano);
    writer->observer = options->observer;
    writer->inputs = options->inputs;
    writer->taps = options->taps;
    writer->object = json_object_new_object();
    if (!writer->object || spell_words(writer) != STATUS_OK) {
        record_writer_clear(writer);
        return STATUS_NO_MEMORY;
    }
    json_object_set_serializer(writer->object, serialize, writer, NULL);
    return STATUS_OK;
}

const char *record_writer_write(struct record_writer *writer, const struct field_table *table,
                                const void *record, size_t *ret_length)
{
    writer->table = table;
    writer->record = record;
    return json_object_to_json_string_length(writer->object, JSON_C_TO_STRING_PLAIN, ret_length);
}

void record_writer_clear(struct record_writer *writer)
{
    if (writer->object)
        json_object_put(writer->object);
    writer->object = NULL;
    free(writer->spelled);
    writer->spelled = NULL;
}
