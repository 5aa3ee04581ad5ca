/* record_values: values of any length; see record_parts.h. */
#include "place.h"
#include "record_parts.h"

static const void *read_pointer(const uint8_t *at)
{
    const void *value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static void put_mark(struct record_writer *writer, char mark)
{
    json_put_raw(&writer->json, &mark, 1);
}

static void put_null(struct record_writer *writer)
{
    json_put_raw(&writer->json, "null", 4);
}

static void put_word(struct record_writer *writer, enum vocabulary_id id, int value)
{
    char *out = json_writer_reserve(&writer->json, JSON_WORD);
    if (out)
        json_writer_commit(
            &writer->json,
            spelled_words_put(&writer->words, id, value - vocabulary_row(id)->first, out));
}

static void write_part(struct record_writer *writer, const struct layout *layout,
                       const uint8_t *record)
{
    char *out = json_writer_reserve(&writer->json, layout->room);
    if (out != NULL)
        out = record_steps_spell(writer, layout, record, out);
    if (out != NULL)
        json_writer_commit(&writer->json, out);
}

/* One element: a record of the field's table, a word, or a number. */
static void write_element(struct record_writer *writer, const struct step *step,
                          const uint8_t *element)
{
    const struct field *field = step->field;
    if (step->part)
        write_part(writer, step->part, element);
    else if (field->words)
        put_word(writer, field->words, record_read_int(element));
    else
        json_put_unsigned(&writer->json, record_read_unsigned(element, field->size));
}

static void write_list(struct record_writer *writer, const struct step *step, const uint8_t *record,
                       const uint8_t *elements)
{
    const struct field *field = step->field;
    uint64_t count = record_read_unsigned(record + field->count_offset, field->count_size);
    put_mark(writer, '[');
    for (uint64_t element = 0; element < count; element++) {
        if (element > 0)
            put_mark(writer, ',');
        write_element(writer, step, elements + element * field->size);
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
        json_put_unsigned(&writer->json, record_read_unsigned(counts, sizeof(uint64_t)));
    }
    put_mark(writer, '}');
}

static void put_file(struct record_writer *writer, uint64_t packet)
{
    const struct input_span *span = place_find(writer->inputs, packet);
    json_put_string(&writer->json, span ? span->name : NULL);
}

static void put_raw_text(struct record_writer *writer, const char *text)
{
    if (text)
        json_put_raw(&writer->json, text, strlen(text));
    else
        put_null(writer);
}

void record_values_write(struct record_writer *writer, const struct step *step,
                         const uint8_t *record)
{
    const struct field *field = step->field;
    const uint8_t *at = record + step->offset;
    record += step->record;
    switch ((enum field_kind)field->kind) {
    case FIELD_STRING:
        json_put_string(&writer->json, read_pointer(at));
        break;
    case FIELD_TEXT:
        json_put_string(&writer->json,
                        *at == '\0' && field->empty_is_null ? NULL : (const char *)at);
        break;
    case FIELD_RAW:
        put_raw_text(writer, read_pointer(at));
        break;
    case FIELD_POINTED:
        write_part(writer, step->part, read_pointer(at));
        break;
    case FIELD_LIST:
        write_list(writer, step, record, at);
        break;
    case FIELD_POINTED_LIST:
        write_list(writer, step, record, read_pointer(at));
        break;
    case FIELD_FILE:
        put_file(writer, record_read_unsigned(at, sizeof(uint64_t)));
        break;
    case FIELD_TALLY:
        write_tally(writer, field->words, at);
        break;
    case FIELD_WRITTEN:
        field->write(writer, record);
        break;
    case FIELD_FIXED: /* text of the layout, as what is around the values of an object */
    case FIELD_OBJECT:
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_FILE_PACKET:
    case FIELD_TIME:
    case FIELD_DURATION:
    case FIELD_UID:
    case FIELD_WORD:
    case FIELD_BITS:
    case FIELD_SPELLED:
        break;
    }
}
