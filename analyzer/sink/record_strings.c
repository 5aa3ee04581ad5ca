/*
 * record_strings: taking the steps of values that may be of any length: strings, lists, and what
 * record_values writes.  Where they may take more than a scalar does, they make room for the steps
 * that follow, too.
 */
#include "taking.h"

char *taking_short(struct taking *taking, const struct step *step, const uint8_t *record, char *out)
{
    const char *text = (const char *)record + step->offset;
    out = taking_lead(step, out);
    if (*text == '\0' && step->field->empty_is_null)
        return taking_next(taking, step, record, json_spell_null(out));
    return taking_next(taking, step, record, json_spell_string(out, text, strlen(text)));
}

static char *take_text_of(struct taking *taking, const struct step *step, const uint8_t *record,
                          const char *text, char *out)
{
    bool is_null = text == NULL || (*text == '\0' && step->field->empty_is_null);
    size_t length = is_null ? 0 : strlen(text), room = length * JSON_ESCAPED + JSON_STRING;
    out = taking_lead(step, out);
    if (room > JSON_SCALAR)
        out = taking_make_room(taking->writer, out, room + taking->layout->room);
    if (out == NULL)
        return NULL;
    out = is_null ? json_spell_null(out) : json_spell_string(out, text, length);
    return taking_next(taking, step, record, out);
}

char *taking_string(struct taking *taking, const struct step *step, const uint8_t *record,
                    char *out)
{
    return take_text_of(taking, step, record, (const char *)record + step->offset, out);
}

char *taking_string_at(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    const char *text;
    memcpy(&text, record + step->offset, sizeof(text));
    return take_text_of(taking, step, record, text, out);
}

/* An element of a list without a table: a word, or a number. */
static inline char *spell_element(const struct record_writer *writer, const struct step *step,
                                  const uint8_t *element, char *out)
{
    if (step->words != WORDS_NONE)
        return taking_spell_word(writer, step, record_read_int(element), out);
    return json_spell_unsigned(out, record_read_unsigned(element, step->size));
}

char *taking_list(struct taking *taking, const struct step *step, const uint8_t *record, char *out)
{
    uint64_t count = taking_count(step, record);
    const uint8_t *element = record + step->offset;
    out = taking_lead(step, out);
    memcpy(out, "[]", 2);
    if (count == 0)
        return taking_next(taking, step, record, out + 2);
    out = taking_make_room(taking->writer, out, (count + 1) * JSON_SCALAR + taking->layout->room);
    if (out == NULL)
        return NULL;
    *out = '[';
    for (; count > 0; count--, element += step->size) {
        out = spell_element(taking->writer, step, element, out + 1);
        *out = ',';
    }
    *out = ']';
    return taking_next(taking, step, record, out + 1);
}

char *taking_wide(struct taking *taking, const struct step *step, const uint8_t *record, char *out)
{
    struct record_writer *writer = taking->writer;
    json_writer_commit(&writer->json, taking_lead(step, out));
    if (record_is_known(step, record))
        record_values_write(writer, step, record);
    else
        json_put_raw(&writer->json, "null", 4);
    out = json_writer_reserve(&writer->json, taking->layout->room);
    return out == NULL ? NULL : taking_next(taking, step, record, out);
}
