/*
 * record_steps: taking the steps of a layout.  A flow has some hundred and fifty values, so one
 * costs a copy of the text before it and one jump; nothing asks for room but what may be of any
 * length (record_strings).
 */
#include "place.h"
#include "taking.h"

/* Of eight octets at least: by four words, or one, the last of which may reach back. */
static inline bool is_zero(const uint8_t *at, size_t size)
{
    const uint8_t *last = at + size - sizeof(uint64_t);
    uint64_t any = taking_read_word(at) | taking_read_word(last);
    for (at += 8; last - at > 32; at += 32)
        any |= taking_read_word(at) | taking_read_word(at + 8) | taking_read_word(at + 16) |
               taking_read_word(at + 24);
    for (; at < last; at += 8)
        any |= taking_read_word(at);
    return any == 0;
}

/* Where the phrase of these octets is remembered, or would be: the bits on top of a product are
 * mixed best. */
static inline struct phrase *phrase_place(const struct step *step, uint64_t first, uint64_t last)
{
    uint64_t hash = first * UINT64_C(0x9e3779b97f4a7c15) + last * UINT64_C(0xc2b2ae3d27d4eb4f);
    return &step->phrase[hash >> (64 - PHRASE_BITS) << (PHRASES_THERE - 1)];
}

static inline bool phrase_is_of(const struct phrase *phrase, uint64_t first, uint64_t last)
{
    return ((phrase->first ^ first) | (phrase->last ^ last)) == 0 && phrase->length > 0;
}

/* In the first place, for the one there in the second, whose phrase is forgotten. */
static __attribute__((noinline)) void learn_phrase(const struct step *step, const uint8_t *at,
                                                   const char *begin, const char *end)
{
    uint64_t first = taking_read_word(at), last = taking_read_word(at + step->size - sizeof(last));
    struct phrase *phrase = phrase_place(step, first, last);
    if (end - begin > PHRASE_TEXT)
        return;
    phrase[1] = phrase[0];
    phrase->first = first;
    phrase->last = last;
    phrase->length = (uint64_t)(end - begin);
    memcpy(phrase->text, begin, phrase->length);
}

static char *spell_file_packet(const struct record_writer *writer, uint64_t packet, char *out)
{
    const struct input_span *span = place_find(writer->inputs, packet);
    return span ? json_spell_unsigned(out, place_in_file(span, packet)) : json_spell_null(out);
}

/* A value of bounded length that is known. */
static char *spell_known(struct record_writer *writer, const struct step *step,
                         const uint8_t *record, char *out)
{
    const struct field *field = step->field;
    const uint8_t *at = record + step->offset;
    uint64_t number;
    switch ((enum field_kind)field->kind) {
    case FIELD_BOOL:
        return json_spell_bool(out, *at != 0);
    case FIELD_COUNT:
        number = record_read_unsigned(at, field->size);
        return number == 0 && field->zero_is_null ? json_spell_null(out)
                                                  : json_spell_unsigned(out, number);
    case FIELD_UID:
        number = taking_read_word(at);
        return number == 0 && field->zero_is_null ? json_spell_null(out)
                                                  : json_spell_uid(out, number);
    case FIELD_FILE_PACKET:
        return spell_file_packet(writer, taking_read_word(at), out);
    case FIELD_TIME:
        return json_spell_time(&writer->json, out, record_read_time(at));
    case FIELD_DURATION:
        return json_spell_duration(out, record_read_time(at));
    case FIELD_WORD:
        return taking_spell_word(writer, step, record_read_int(at), out);
    case FIELD_SPELLED:
        return field->spell(writer, record + step->record, out);
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
    case FIELD_BITS:
    case FIELD_WRITTEN:
        break;
    }
    return out;
}

static char *take_text(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    return taking_next(taking, step, record, taking_spell_text(out, step->text, step->length));
}

static char *take_zeroes(struct taking *taking, const struct step *step, const uint8_t *record,
                         char *out)
{
    if (!is_zero(record + step->offset, step->size))
        return taking_next(taking, step, record, out);
    out = taking_spell_text(out, step->text, step->length);
    return taking_next(taking, step + step->skip, record, out);
}

static char *take_zeroes_2(struct taking *taking, const struct step *step, const uint8_t *record,
                           char *out)
{
    const uint8_t *at = record + step->offset;
    if ((taking_read_word(at) | taking_read_word(at + step->size - sizeof(uint64_t))) != 0)
        return taking_next(taking, step, record, out);
    out = taking_spell_text(out, step->text, step->length);
    return taking_next(taking, step + step->skip, record, out);
}

static char *take_phrase(struct taking *taking, const struct step *step, const uint8_t *record,
                         char *out)
{
    const uint8_t *at = record + step->offset;
    uint64_t first = taking_read_word(at), last = taking_read_word(at + step->size - sizeof(last));
    const struct phrase *phrase = phrase_place(step, first, last);
    if (!phrase_is_of(phrase, first, last) && !phrase_is_of(++phrase, first, last)) {
        taking->phrase = out;
        return taking_next(taking, step, record, out);
    }
    out = taking_spell_text(out, phrase->text, phrase->length);
    return taking_next(taking, step + step->skip, record, out);
}

static char *take_learn(struct taking *taking, const struct step *step, const uint8_t *record,
                        char *out)
{
    learn_phrase(step, record + step->offset, taking->phrase, out);
    return taking_next(taking, step, record, out);
}

static char *take_option(struct taking *taking, const struct step *step, const uint8_t *record,
                         char *out)
{
    out = taking_lead(step, out);
    if (record_is_known(step, record))
        return taking_next(taking, step, record, out);
    return taking_next(taking, step + step->skip, record, json_spell_null(out));
}

/* The same where a member of one octet, or of eight, says it. */

static char *take_option_1(struct taking *taking, const struct step *step, const uint8_t *record,
                           char *out)
{
    out = taking_lead(step, out);
    if (record[step->offset] != 0)
        return taking_next(taking, step, record, out);
    return taking_next(taking, step + step->skip, record, json_spell_null(out));
}

static char *take_option_8(struct taking *taking, const struct step *step, const uint8_t *record,
                           char *out)
{
    out = taking_lead(step, out);
    if (taking_read_word(record + step->offset) != 0)
        return taking_next(taking, step, record, out);
    return taking_next(taking, step + step->skip, record, json_spell_null(out));
}

static char *take_loop(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    uint64_t count = taking_count(step, record);
    out = taking_lead(step, out);
    if (count == 0)
        return taking_next(taking, step + step->skip, record, out);
    taking->loop = step;
    taking->outer = record;
    taking->left = count;
    return taking_next(taking, step, record + step->offset, out);
}

static __attribute__((noinline)) char *
take_next_anew(struct taking *taking, const struct step *step, const uint8_t *record, char *out)
{
    out = taking_make_room(taking->writer, out, taking->layout->room);
    return out == NULL ? NULL : taking_next(taking, step, record, out);
}

/* Behind an element: on to the next one, or back to the record. */
static char *take_next(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    out = taking_lead(step, out);
    if (--taking->left == 0)
        return taking_next(taking, step, taking->outer, out);
    *out++ = ',';
    step = taking->loop;
    record += step->size;
    if (taking->writer->json.limit - out <= (ptrdiff_t)taking->layout->room)
        return take_next_anew(taking, step, record, out);
    return taking_next(taking, step, record, out);
}

/*
 * The steps that there are most of end in a jump, and call nothing: what needs a call, as it seldom
 * comes, is another function that they jump to.  So no register is saved.
 */

static __attribute__((noinline)) char *
take_long_count(struct taking *taking, const struct step *step, const uint8_t *record, char *out)
{
    uint64_t value = record_read_unsigned(record + step->offset, step->size);
    return taking_next(taking, step, record, json_spell_unsigned(taking_lead(step, out), value));
}

static __attribute__((noinline)) char *
take_long_span(struct taking *taking, const struct step *step, const uint8_t *record, char *out)
{
    nanotime duration = record_read_time(record + step->offset);
    return taking_next(taking, step, record, json_spell_duration(taking_lead(step, out), duration));
}

static __attribute__((noinline)) char *take_new_time(struct taking *taking, const struct step *step,
                                                     const uint8_t *record, char *out)
{
    nanotime moment = record_read_time(record + step->offset);
    out = json_spell_time(&taking->writer->json, taking_lead(step, out), moment);
    return taking_next(taking, step, record, out);
}

static char *take_count_1(struct taking *taking, const struct step *step, const uint8_t *record,
                          char *out)
{
    out = digits_put_number(taking_lead(step, out), record[step->offset]);
    return taking_next(taking, step, record, out);
}

static char *take_count_2(struct taking *taking, const struct step *step, const uint8_t *record,
                          char *out)
{
    uint32_t value = (uint32_t)record_read_unsigned(record + step->offset, 2);
    return taking_next(taking, step, record, digits_put_number(taking_lead(step, out), value));
}

static char *take_count_4(struct taking *taking, const struct step *step, const uint8_t *record,
                          char *out)
{
    uint32_t value = (uint32_t)record_read_unsigned(record + step->offset, 4);
    if (value >= DIGITS_SHORT)
        return take_long_count(taking, step, record, out);
    return taking_next(taking, step, record, digits_put_number(taking_lead(step, out), value));
}

static char *take_count_8(struct taking *taking, const struct step *step, const uint8_t *record,
                          char *out)
{
    uint64_t value = taking_read_word(record + step->offset);
    if (value >= DIGITS_SHORT)
        return take_long_count(taking, step, record, out);
    out = taking_lead(step, out);
    if (value >= 10)
        return taking_next(taking, step, record, digits_put_number(out, (uint32_t)value));
    *out = (char)('0' + value);
    return taking_next(taking, step, record, out + 1);
}

static char *take_packet(struct taking *taking, const struct step *step, const uint8_t *record,
                         char *out)
{
    uint64_t number = taking_read_word(record + step->offset);
    if (number >= DIGITS_SHORT)
        return take_long_count(taking, step, record, out);
    out = taking_lead(step, out);
    if (number == 0)
        return taking_next(taking, step, record, json_spell_null(out));
    return taking_next(taking, step, record, digits_put_number(out, (uint32_t)number));
}

static char *take_bool(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    out = json_spell_bool(taking_lead(step, out), record[step->offset] != 0);
    return taking_next(taking, step, record, out);
}

static char *take_word(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    int value = record_read_int(record + step->offset);
    return taking_next(taking, step, record,
                       taking_spell_word(taking->writer, step, value, taking_lead(step, out)));
}

static char *take_time(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    const struct json_writer *json = &taking->writer->json;
    nanotime moment = record_read_time(record + step->offset);
    uint32_t nanos;
    const struct json_second *second = json_writer_second(json, moment, &nanos);
    if (second == NULL)
        return take_new_time(taking, step, record, out);
    return taking_next(taking, step, record,
                       json_spell_within(json, taking_lead(step, out), second, nanos));
}

static char *take_span(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    nanotime duration = record_read_time(record + step->offset);
    if (duration < 0 || duration >= DIGITS_SHORT) /* or unknown */
        return take_long_span(taking, step, record, out);
    return taking_next(taking, step, record,
                       digits_put_number(taking_lead(step, out), (uint32_t)duration));
}

static char *take_uid(struct taking *taking, const struct step *step, const uint8_t *record,
                      char *out)
{
    out = json_spell_uid(taking_lead(step, out), taking_read_word(record + step->offset));
    return taking_next(taking, step, record, out);
}

static char *take_uid_0(struct taking *taking, const struct step *step, const uint8_t *record,
                        char *out)
{
    if (taking_read_word(record + step->offset) != 0)
        return take_uid(taking, step, record, out);
    return taking_next(taking, step, record, json_spell_null(taking_lead(step, out)));
}

static char *take_known_4(struct taking *taking, const struct step *step, const uint8_t *record,
                          char *out)
{
    uint32_t value = (uint32_t)record_read_unsigned(record + step->offset, 4);
    if (record[step->record + step->field->known_offset] == 0)
        return taking_next(taking, step, record, json_spell_null(taking_lead(step, out)));
    out = taking_lead(step, out);
    if (value < DIGITS_SHORT)
        return taking_next(taking, step, record, digits_put_number(out, value));
    *out = (char)('0' + value / DIGITS_SHORT);
    return taking_next(taking, step, record, digits_put_nine(out + 1, value % DIGITS_SHORT));
}

static char *take_spelled(struct taking *taking, const struct step *step, const uint8_t *record,
                          char *out)
{
    out = step->field->spell(taking->writer, record + step->record, taking_lead(step, out));
    return taking_next(taking, step, record, out);
}

/* The words of the bits that are set; of bits that have none, as a state from elsewhere may, none.
 */
static char *take_bits(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out)
{
    uint64_t bits = taking_read_word(record + step->offset) & UINT64_MAX >> (64 - step->size);
    out = taking_lead(step, out);
    *out = '[';
    for (; bits != 0; bits &= bits - 1) {
        out = taking_spell_word(taking->writer, step, __builtin_ctzll(bits), out + 1);
        *out = ',';
    }
    out += *out == '[';
    *out = ']';
    return taking_next(taking, step, record, out + 1);
}

static char *take_scalar(struct taking *taking, const struct step *step, const uint8_t *record,
                         char *out)
{
    out = taking_lead(step, out);
    out = record_is_known(step, record) ? spell_known(taking->writer, step, record, out)
                                        : json_spell_null(out);
    return taking_next(taking, step, record, out);
}

static char *take_end(struct taking *taking, const struct step *step, const uint8_t *record,
                      char *out)
{
    (void)taking;
    (void)record;
    return taking_spell_text(out, step->text, step->length);
}

char *(*const record_steps_takes[])(struct taking *taking, const struct step *step,
                                    const uint8_t *record, char *out) = {
    [STEP_TEXT] = take_text,         [STEP_ZEROES] = take_zeroes,
    [STEP_ZEROES_2] = take_zeroes_2, [STEP_PHRASE] = take_phrase,
    [STEP_LEARN] = take_learn,       [STEP_OPTION] = take_option,
    [STEP_OPTION_1] = take_option_1, [STEP_OPTION_8] = take_option_8,
    [STEP_UID] = take_uid,           [STEP_UID_0] = take_uid_0,
    [STEP_KNOWN_4] = take_known_4,   [STEP_SHORT] = taking_short,
    [STEP_LOOP] = take_loop,         [STEP_NEXT] = take_next,
    [STEP_COUNT_1] = take_count_1,   [STEP_COUNT_2] = take_count_2,
    [STEP_COUNT_4] = take_count_4,   [STEP_COUNT_8] = take_count_8,
    [STEP_PACKET] = take_packet,     [STEP_BOOL] = take_bool,
    [STEP_WORD] = take_word,         [STEP_TIME] = take_time,
    [STEP_SPAN] = take_span,         [STEP_SPELLED] = take_spelled,
    [STEP_BITS] = take_bits,         [STEP_SCALAR] = take_scalar,
    [STEP_STRING] = taking_string,   [STEP_STRING_AT] = taking_string_at,
    [STEP_LIST] = taking_list,       [STEP_WIDE] = taking_wide,
    [STEP_END] = take_end,
};

char *record_steps_spell(struct record_writer *writer, const struct layout *layout,
                         const uint8_t *record, char *out)
{
    struct taking taking = {.writer = writer, .layout = layout};
    return layout->step->take(&taking, layout->step, record, out);
}
