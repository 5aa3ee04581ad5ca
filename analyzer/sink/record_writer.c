/*
 * record_writer: takes the steps of a layout.  A record has some two hundred values, so a value
 * costs one copy of the text before it and one switch; room is made for many at once.
 */
#include "record_writer.h"

#include <string.h>

#include "place.h"

static char *spell_steps(struct record_writer *writer, const struct layout *layout,
                         const uint8_t *record, char *out);
static void write_steps(struct record_writer *writer, const struct layout *layout,
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

static void put_word(struct record_writer *writer, enum vocabulary_id id, int value)
{
    char *out = json_writer_reserve(&writer->json, JSON_WORD);
    if (out)
        json_writer_commit(
            &writer->json,
            spelled_words_put(&writer->words, id, value - vocabulary_row(id)->first, out));
}

/* One element: a record of the field's table, a word, or a number. */
static void write_element(struct record_writer *writer, const struct step *step,
                          const uint8_t *element)
{
    const struct field *field = step->field;
    if (step->part)
        write_steps(writer, step->part, element);
    else if (field->words)
        put_word(writer, field->words, read_int(element));
    else
        json_put_unsigned(&writer->json, read_unsigned(element, field->size));
}

/* Records without anything wide, as those of a history: room is made for all of them at once. */
static void write_narrow_list(struct record_writer *writer, const struct step *step,
                              const uint8_t *elements, uint64_t count)
{
    const struct layout *part = step->part;
    char *out = json_writer_reserve(&writer->json, (part->room + 1) * count + 2);
    char mark = '[';
    for (uint64_t element = 0; element < count && out != NULL; element++) {
        *out = mark;
        out = spell_steps(writer, part, elements + element * step->field->size, out + 1);
        mark = ',';
    }
    if (out == NULL)
        return;
    if (count == 0)
        *out++ = mark;
    *out++ = ']';
    json_writer_commit(&writer->json, out);
}

static void write_list(struct record_writer *writer, const struct step *step, const uint8_t *record,
                       const uint8_t *elements)
{
    const struct field *field = step->field;
    uint64_t count = read_unsigned(record + field->count_offset, field->count_size);
    if (step->part != NULL && step->part->is_narrow && count <= RECORD_HISTORY) {
        write_narrow_list(writer, step, elements, count);
        return;
    }
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

/* What fits into JSON_SCALAR; wide kinds are written elsewhere. */
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
        return spelled_words_put(&writer->words, field->words,
                                 read_int(at) - vocabulary_row(field->words)->first, out);
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
    return out;
}

static void put_raw_text(struct record_writer *writer, const char *text)
{
    if (text)
        json_put_raw(&writer->json, text, strlen(text));
    else
        put_null(writer);
}

/* A value of any length; behind it there is room for the steps that follow. */
static void write_value(struct record_writer *writer, const struct step *step,
                        const uint8_t *record, const uint8_t *at)
{
    const struct field *field = step->field;
    switch ((enum field_kind)field->kind) {
    case FIELD_STRING:
        json_put_string(&writer->json, read_pointer(at));
        break;
    case FIELD_TEXT:
        json_put_string(&writer->json, (const char *)at);
        break;
    case FIELD_RAW:
        put_raw_text(writer, read_pointer(at));
        break;
    case FIELD_POINTED:
        write_steps(writer, step->part, read_pointer(at));
        break;
    case FIELD_LIST:
        write_list(writer, step, record, at);
        break;
    case FIELD_POINTED_LIST:
        write_list(writer, step, record, read_pointer(at));
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
    case FIELD_FIXED: /* text of the layout, as what is around the values of an object */
    case FIELD_OBJECT:
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

/* Pieces of fixed size: cheaper than one copy of any length, as most texts are short. */
static inline char *spell_text(char *out, const char *text, size_t length)
{
    memcpy(out, text, LAYOUT_CHUNK);
    for (size_t done = LAYOUT_CHUNK; done < length; done += LAYOUT_CHUNK)
        memcpy(out + done, text + done, LAYOUT_CHUNK);
    return out + length;
}

static inline char *spell_word_step(const struct record_writer *writer, const struct step *step,
                                    const uint8_t *record, char *out)
{
    return spelled_words_put(&writer->words, step->words,
                             read_int(record + step->offset) - step->first_word, out);
}

/* Where a phrase of those words is remembered: what is above the bits of a product is mixed best.
 */
static inline struct phrase *phrase_place(const struct step *step, uint32_t words)
{
    return &step->phrase[words * UINT32_C(0x9e3779b1) / (UINT32_MAX / PHRASES + 1)];
}

/* The numbers of the words that a phrase stands for. */
static inline uint32_t read_words(const struct step *phrase, const uint8_t *record)
{
    uint32_t words = 0;
    for (const struct step *step = phrase + 1; step <= phrase + phrase->skip; step++)
        words =
            words << PHRASE_BITS | (uint32_t)(read_int(record + step->offset) - step->first_word);
    return words;
}

/* Spells the words of a phrase one by one, and remembers what is not too long. */
static char *learn_phrase(const struct record_writer *writer, const struct layout *layout,
                          const struct step *step, const uint8_t *record, char *out)
{
    char *begin = out;
    for (const struct step *word = step + 1; word <= step + step->skip; word++) {
        out = spell_text(out, layout->text + word->text, word->length);
        out = spell_word_step(writer, word, record, out);
    }
    uint32_t words = read_words(step, record);
    struct phrase *phrase = phrase_place(step, words);
    if (out - begin > PHRASE_TEXT)
        return out;
    phrase->words = words;
    phrase->length = (uint32_t)(out - begin);
    memcpy(phrase->text, begin, phrase->length);
    return out;
}

static inline char *spell_phrase(const struct record_writer *writer, const struct layout *layout,
                                 const struct step *step, const uint8_t *record, char *out)
{
    uint32_t words = read_words(step, record);
    const struct phrase *phrase = phrase_place(step, words);
    if (phrase->length == 0 || phrase->words != words)
        return learn_phrase(writer, layout, step, record, out);
    return spell_text(out, phrase->text, phrase->length);
}

static inline uint64_t read_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* By words, the last of which may reach back. */
static inline bool is_zero(const uint8_t *at, size_t size)
{
    uint64_t any = 0;
    const uint8_t *last = at + size - sizeof(any);
    if (size < sizeof(any)) {
        for (; size > 0; size--)
            any |= *at++;
        return any == 0;
    }
    for (; at < last; at += sizeof(any))
        any |= read_word(at);
    return (any | read_word(last)) == 0;
}

static bool are_zeroes(const struct layout *layout, const struct step *step, const uint8_t *record)
{
    for (uint32_t i = 0; i < step->spans; i++) {
        const struct span *span = &layout->span[step->span + i];
        if (!is_zero(record + span->offset, span->size))
            return false;
    }
    return true;
}

/* The number of a packet; 0 is null. */
static inline char *spell_packet(char *out, uint64_t number)
{
    return number == 0 ? json_spell_null(out) : json_spell_unsigned(out, number);
}

static bool is_known(const struct step *step, const uint8_t *record)
{
    return step->field->known == NULL || step->field->known(record + step->record);
}

/* Writes the value of a wide step behind its text, which ends at out; returns where it goes on. */
static char *write_wide(struct record_writer *writer, const struct layout *layout,
                        const struct step *step, const uint8_t *record, char *out)
{
    json_writer_commit(&writer->json, out);
    if (is_known(step, record))
        write_value(writer, step, record + step->record, record + step->offset);
    else
        put_null(writer);
    return json_writer_reserve(&writer->json, layout->room);
}

/* Where there is room for the layout's; NULL: memory ran out. */
static char *spell_steps(struct record_writer *writer, const struct layout *layout,
                         const uint8_t *record, char *out)
{
    for (const struct step *step = layout->step; out != NULL; step++) {
        const uint8_t *at = record + step->offset;
        char *begin = out;
        out = spell_text(out, layout->text + step->text, step->length);
        switch ((enum step_kind)step->kind) {
        case STEP_TEXT:
            break;
        case STEP_ZEROES:
            if (are_zeroes(layout, step, record))
                step += step->skip;
            else
                out = begin;
            break;
        case STEP_PHRASE:
            out = spell_phrase(writer, layout, step, record, out);
            step += step->skip;
            break;
        case STEP_OPTION:
            if (is_known(step, record))
                break;
            out = json_spell_null(out);
            step += step->skip;
            break;
        case STEP_COUNT:
            out = json_spell_unsigned(out, read_word(at));
            break;
        case STEP_PACKET:
            out = spell_packet(out, read_word(at));
            break;
        case STEP_SMALL:
            out = json_spell_unsigned(out, read_unsigned(at, step->size));
            break;
        case STEP_BOOL:
            out = json_spell_bool(out, *at != 0);
            break;
        case STEP_WORD:
            out = spell_word_step(writer, step, record, out);
            break;
        case STEP_TIME:
            out = json_spell_time(&writer->json, out, read_time(at));
            break;
        case STEP_SPAN:
            out = json_spell_duration(out, read_time(at));
            break;
        case STEP_SCALAR:
            out = is_known(step, record) ? spell_scalar(writer, step->field, at, out)
                                         : json_spell_null(out);
            break;
        case STEP_WIDE:
            out = write_wide(writer, layout, step, record, out);
            break;
        case STEP_END:
            return out;
        }
    }
    return NULL;
}

static void write_steps(struct record_writer *writer, const struct layout *layout,
                        const uint8_t *record)
{
    char *out = json_writer_reserve(&writer->json, layout->room);
    if (out != NULL)
        out = spell_steps(writer, layout, record, out);
    if (out != NULL)
        json_writer_commit(&writer->json, out);
}

/* json-c's serializer: called with the object's own buffer, emptied. */
static int serialize(struct json_object *object, struct printbuf *buffer, int level, int flags)
{
    struct record_writer *writer = json_object_get_userdata(object);
    (void)level;
    (void)flags;
    json_writer_begin(&writer->json, buffer);
    write_steps(writer, writer->layout, writer->record);
    return json_writer_end(&writer->json);
}

enum status record_writer_init(struct record_writer *writer, const struct sink_options *options)
{
    memset(writer, 0, sizeof(*writer));
    json_writer_init(&writer->json, options->nano);
    writer->observer = options->observer;
    writer->inputs = options->inputs;
    writer->taps = options->taps;
    writer->object = json_object_new_object();
    if (!writer->object || spelled_words_init(&writer->words) != STATUS_OK) {
        record_writer_clear(writer);
        return STATUS_NO_MEMORY;
    }
    json_object_set_serializer(writer->object, serialize, writer, NULL);
    return STATUS_OK;
}

static struct layout_terms terms_of(const struct record_writer *writer)
{
    return (struct layout_terms){.observed = writer->observer != NULL,
                                 .several = writer->inputs != NULL,
                                 .taps = writer->taps != NULL};
}

const char *record_writer_write(struct record_writer *writer, const struct field_table *table,
                                const void *record, size_t *ret_length)
{
    if (!writer->layout || writer->layout->table != table)
        writer->layout = layout_find(&writer->layouts, table, terms_of(writer));
    if (!writer->layout)
        return NULL;
    writer->record = record;
    return json_object_to_json_string_length(writer->object, JSON_C_TO_STRING_PLAIN, ret_length);
}

void record_writer_clear(struct record_writer *writer)
{
    if (writer->object)
        json_object_put(writer->object);
    writer->object = NULL;
    layout_free_all(writer->layouts);
    writer->layouts = NULL;
    writer->layout = NULL;
    spelled_words_clear(&writer->words);
}
