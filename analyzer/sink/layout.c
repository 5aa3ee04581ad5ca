/* layout: see layout.h.  A draft gathers text and steps; what of the text no step has yet is
 * pending, and leads to the next one. */
#include "layout.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

/* An array that grows. */
struct heap {
    void *items;
    size_t unit, count, room;
};

/* Octets of a record from begin up to end. */
struct hull {
    uint32_t begin, end;
};

struct draft {
    struct layout **first;
    struct layout_terms terms;
    struct heap text, zeroes, steps; /* zeroes: the texts of runs, behind the others later */
    size_t pending;                  /* in text, from here on */
    bool in_run, in_phrase, in_loop;
    size_t run, phrase; /* the steps that they began with */
    struct hull hull;   /* of the phrase */
    bool failed;
};

static void draft_table(struct draft *draft, const struct field_table *table, uint32_t record);

/* Room for more items at the end; NULL when memory ran out, with failed set. */
static void *add(struct draft *draft, struct heap *heap, size_t count)
{
    size_t room = heap->room == 0 ? FIRST_ROOM : heap->room;
    while (room < heap->count + count)
        room *= 2;
    if (room > heap->room) {
        void *items = realloc(heap->items, room * heap->unit);
        if (items == NULL) {
            draft->failed = true;
            return NULL;
        }
        heap->items = items;
        heap->room = room;
    }
    char *added = (char *)heap->items + heap->count * heap->unit;
    heap->count += count;
    return added;
}

static void put(struct draft *draft, struct heap *heap, const char *text, size_t length)
{
    char *place = add(draft, heap, length);
    if (place != NULL && length > 0) /* of nothing, text may be NULL */
        memcpy(place, text, length);
}

static struct step *step_at(const struct draft *draft, size_t index)
{
    return (struct step *)draft->steps.items + index;
}

/* A step with so much of the text that is pending; NULL when memory ran out. */
static struct step *add_step_of(struct draft *draft, enum step_kind kind, size_t length)
{
    struct step *step = add(draft, &draft->steps, 1);
    if (step == NULL)
        return NULL;
    *step = (struct step){
        .kind = (uint8_t)kind, .begin = (uint32_t)draft->pending, .length = (uint16_t)length};
    draft->pending += length;
    return step;
}

/* A step with the text that is pending; NULL when memory ran out.  What leads to a value is a chunk
 * at most, so that nobody asks how long it is: of a longer text the rest is a step of its own. */
static struct step *add_step(struct draft *draft, enum step_kind kind)
{
    size_t length = draft->text.count - draft->pending;
    if (kind == STEP_TEXT || kind == STEP_END || length <= LAYOUT_CHUNK)
        return add_step_of(draft, kind, length);
    add_step_of(draft, STEP_TEXT, length - LAYOUT_CHUNK);
    return add_step_of(draft, kind, LAYOUT_CHUNK);
}

/* A step without text: what is pending leads to the next one. */
static struct step *add_mute_step(struct draft *draft, enum step_kind kind)
{
    size_t pending = draft->pending;
    draft->pending = draft->text.count;
    struct step *step = add_step(draft, kind);
    draft->pending = pending;
    return step;
}

static struct hull hull_of(struct hull hull, uint32_t offset, uint32_t size)
{
    hull.begin = offset < hull.begin ? offset : hull.begin;
    hull.end = offset + size > hull.end ? offset + size : hull.end;
    return hull;
}

/* Begins a run; its text gathers elsewhere, as the steps that it stands for need theirs. */
static void begin_run(struct draft *draft, uint32_t offset)
{
    draft->run = draft->steps.count;
    struct step *run = add_mute_step(draft, STEP_ZEROES);
    if (run == NULL)
        return;
    run->begin = (uint32_t)draft->zeroes.count;
    run->offset = offset;
    draft->in_run = true;
}

/* Takes a field, with the text that is pending, into the run. */
static void extend_run(struct draft *draft, const struct field *field, uint32_t offset)
{
    if (!draft->in_run)
        begin_run(draft, offset);
    if (draft->failed)
        return;
    struct step *run = step_at(draft, draft->run);
    const char *zero = field->kind == FIELD_BOOL ? "false" : field->zero_is_null ? "null" : "0";
    put(draft, &draft->zeroes, (const char *)draft->text.items + draft->pending,
        draft->text.count - draft->pending);
    put(draft, &draft->zeroes, zero, strlen(zero));
    struct hull hull =
        hull_of((struct hull){run->offset, run->offset + run->size}, offset, field->size);
    run->offset = hull.begin;
    run->size = (uint16_t)(hull.end - hull.begin);
    run->length = (uint16_t)(draft->zeroes.count - run->begin);
}

/* What is looked at is words: of a part of the record that is smaller the steps are taken. */
static void mute(struct step *step)
{
    step->kind = STEP_TEXT;
    step->length = 0;
}

/* Each in lines of its own; one more, as the last one's text is copied in whole pieces, too. */
static struct phrase *new_phrases(void)
{
    const size_t size = (PHRASES + 1) * sizeof(struct phrase);
    struct phrase *phrases = aligned_alloc(sizeof(struct phrase), size);
    if (phrases != NULL)
        memset(phrases, 0, size);
    return phrases;
}

/* Ends the phrase, if there is one: of a single value, or of too few octets, it is none. */
static void end_phrase(struct draft *draft)
{
    if (!draft->in_phrase || draft->failed)
        return;
    draft->in_phrase = false;
    struct step *phrase = step_at(draft, draft->phrase);
    phrase->skip = (uint16_t)(draft->steps.count - draft->phrase); /* with the step that learns */
    phrase->offset = draft->hull.begin;
    phrase->size = (uint16_t)(draft->hull.end - draft->hull.begin);
    if (phrase->skip <= 2 || phrase->size < sizeof(uint64_t)) {
        mute(phrase);
        return;
    }
    phrase->phrase = new_phrases();
    draft->failed |= phrase->phrase == NULL;
    struct step *learn = add_mute_step(draft, STEP_LEARN);
    phrase = step_at(draft, draft->phrase);
    if (learn == NULL)
        return;
    learn->offset = phrase->offset;
    learn->size = phrase->size;
    learn->phrase = phrase->phrase;
}

/* The octets that the value of a field depends on. */
static struct hull field_hull(const struct field *field, uint32_t record)
{
    struct hull hull = {record + field->offset, record + field->offset + field->size};
    if (field->known_size > 0)
        hull = hull_of(hull, record + field->known_offset, field->known_size);
    return hull;
}

static bool is_phrased(const struct field *field)
{
    return field->known == NULL && (field->kind == FIELD_WORD || field->alike);
}

/* Takes a field into the phrase where it fits, or else begins another if the next one fits to it.
 */
static void extend_phrase(struct draft *draft, const struct field *field, uint32_t record)
{
    struct hull hull = field_hull(field, record), next = field_hull(field + 1, record);
    struct hull both = hull_of(hull, draft->hull.begin, draft->hull.end - draft->hull.begin);
    if (draft->in_phrase && is_phrased(field) && both.end - both.begin <= PHRASE_OCTETS) {
        draft->hull = both;
        return;
    }
    end_phrase(draft);
    both = hull_of(hull, next.begin, next.end - next.begin);
    if (!is_phrased(field) || !is_phrased(field + 1) || both.end - both.begin > PHRASE_OCTETS)
        return;
    draft->phrase = draft->steps.count;
    draft->hull = hull;
    draft->in_phrase = add_mute_step(draft, STEP_PHRASE) != NULL;
}

/* How a value is written, by its kind. */
static const uint8_t step_of_field[] = {
    [FIELD_FIXED] = STEP_TEXT,      [FIELD_BOOL] = STEP_BOOL,
    [FIELD_COUNT] = STEP_SCALAR,    [FIELD_TIME] = STEP_TIME,
    [FIELD_DURATION] = STEP_SPAN,   [FIELD_UID] = STEP_SCALAR,
    [FIELD_WORD] = STEP_WORD,       [FIELD_STRING] = STEP_STRING_AT,
    [FIELD_TEXT] = STEP_STRING,     [FIELD_RAW] = STEP_WIDE,
    [FIELD_OBJECT] = STEP_TEXT,     [FIELD_POINTED] = STEP_WIDE,
    [FIELD_LIST] = STEP_WIDE,       [FIELD_POINTED_LIST] = STEP_WIDE,
    [FIELD_FILE] = STEP_WIDE,       [FIELD_FILE_PACKET] = STEP_SCALAR,
    [FIELD_TALLY] = STEP_WIDE,      [FIELD_BITS] = STEP_BITS,
    [FIELD_SPELLED] = STEP_SPELLED, [FIELD_WRITTEN] = STEP_WIDE,
};

static enum step_kind kind_of_count(const struct field *field)
{
    static const uint8_t of_size[] = {
        [1] = STEP_COUNT_1, [2] = STEP_COUNT_2, [4] = STEP_COUNT_4, [8] = STEP_COUNT_8};
    if (!field->zero_is_null)
        return (enum step_kind)of_size[field->size];
    return field->size == sizeof(uint64_t) ? STEP_PACKET : STEP_SCALAR;
}

/* Values of any length: what the steps after them need is made room for anew. */
static bool makes_room(enum step_kind kind)
{
    return kind == STEP_WIDE || kind == STEP_STRING || kind == STEP_STRING_AT || kind == STEP_LIST;
}

static bool may_be_unknown(const struct field *field)
{
    return field->known != NULL || field->known_size > 0;
}

static enum step_kind kind_of_unknown(const struct field *field, enum step_kind kind)
{
    bool is_count = field->kind == FIELD_COUNT && field->size == sizeof(uint32_t);
    if (is_count && field->known_size == sizeof(uint8_t) && !field->zero_is_null)
        return STEP_KNOWN_4;
    return makes_room(kind) ? STEP_WIDE : STEP_SCALAR;
}

static enum step_kind kind_of(const struct field *field)
{
    enum step_kind kind = (enum step_kind)step_of_field[field->kind];
    if (field->kind == FIELD_LIST && field->table == NULL)
        kind = STEP_LIST;
    if (may_be_unknown(field))
        return kind_of_unknown(field, kind);
    if (field->kind == FIELD_TEXT && field->size <= LAYOUT_SHORT)
        return STEP_SHORT;
    if (field->kind == FIELD_UID)
        return field->zero_is_null ? STEP_UID_0 : STEP_UID;
    return field->kind == FIELD_COUNT ? kind_of_count(field) : kind;
}

/* A step that has the value of a field. */
static struct step *add_value(struct draft *draft, enum step_kind kind, const struct field *field,
                              uint32_t record)
{
    struct step *step = add_step(draft, kind);
    if (step == NULL)
        return NULL;
    step->field = field;
    step->size = (uint16_t)field->size;
    step->words = field->words;
    if (field->words != WORDS_NONE)
        step->first_word = vocabulary_row(field->words)->first;
    if (kind == STEP_BITS)
        step->size = (uint16_t)(vocabulary_row(field->words)->last + 1);
    step->record = record;
    step->offset = record + field->offset;
    return step;
}

/* The steps that `index` stands for end here. */
static void close_steps(struct draft *draft, size_t index)
{
    if (!draft->failed)
        step_at(draft, index)->skip = (uint16_t)(draft->steps.count - index - 1);
}

static void draft_value(struct draft *draft, const struct field *field, uint32_t record)
{
    bool leads_on = field->kind != FIELD_RAW && field->table != NULL;
    const struct layout *part =
        leads_on ? layout_find(draft->first, field->table, draft->terms) : NULL;
    draft->failed |= leads_on && part == NULL;
    extend_phrase(draft, field, record);
    if (field->seldom)
        extend_run(draft, field, record + field->offset);
    draft->in_run &= field->seldom;
    struct step *step = add_value(draft, kind_of(field), field, record);
    if (step != NULL)
        step->part = part;
    if (draft->in_run)
        close_steps(draft, draft->run);
}

/* What is not a value of the same object as the one before: no run and no phrase goes on. */
static void interrupt(struct draft *draft)
{
    draft->in_run = false;
    end_phrase(draft);
}

static enum step_kind option_of(const struct field *field)
{
    if (field->known_size == sizeof(uint8_t))
        return STEP_OPTION_1;
    return field->known_size == sizeof(uint64_t) ? STEP_OPTION_8 : STEP_OPTION;
}

/* An object that may be null ends with a step of text, where those without it go on. */
static void draft_option(struct draft *draft, const struct field *field, uint32_t record)
{
    interrupt(draft);
    struct step *step = add_value(draft, option_of(field), field, record);
    size_t option = draft->steps.count - 1;
    if (step != NULL && field->known_size > 0)
        step->offset = record + field->known_offset;
    draft_table(draft, field->table, record + field->offset);
    interrupt(draft);
    add_step(draft, STEP_TEXT);
    close_steps(draft, option);
}

/* The objects of an array: their steps count from where the element begins. */
static void draft_loop(struct draft *draft, const struct field *field, uint32_t record)
{
    interrupt(draft);
    put(draft, &draft->text, "[", 1);
    add_value(draft, STEP_LOOP, field, record);
    size_t loop = draft->steps.count - 1;
    draft->in_loop = true;
    draft_table(draft, field->table, 0);
    interrupt(draft);
    draft->in_loop = false;
    add_step(draft, STEP_NEXT);
    close_steps(draft, loop);
    put(draft, &draft->text, "]", 1);
}

static void draft_field(struct draft *draft, const struct field *field, uint32_t record)
{
    bool is_loop = field->kind == FIELD_LIST && field->table != NULL && !may_be_unknown(field);
    if (field->kind == FIELD_FIXED)
        put(draft, &draft->text, field->schema, field->size);
    else if (field->kind == FIELD_OBJECT && may_be_unknown(field))
        draft_option(draft, field, record);
    else if (field->kind == FIELD_OBJECT)
        draft_table(draft, field->table, record + field->offset);
    else if (is_loop && !draft->in_loop)
        draft_loop(draft, field, record);
    else
        draft_value(draft, field, record);
}

/* Every key brings its comma; the first one's becomes the opening brace. */
static void draft_table(struct draft *draft, const struct field_table *table, uint32_t record)
{
    const char *before = "{";
    for (const struct field *field = table->rows; field->key_length > 0; field++) {
        if ((field->only_observed && !draft->terms.observed) ||
            (field->only_several && !draft->terms.several) ||
            (field->only_taps && !draft->terms.taps))
            continue;
        put(draft, &draft->text, before, 1);
        put(draft, &draft->text, field->key + 1, field->key_length - 1U);
        draft_field(draft, field, record);
        before = ",";
    }
    put(draft, &draft->text, "}", 1);
}

/* The texts of runs go behind the others; now that they stay where they are, steps point to them.
 */
static void join_texts(struct draft *draft)
{
    size_t others = draft->text.count;
    put(draft, &draft->text, draft->zeroes.items, draft->zeroes.count);
    char *beyond = add(draft, &draft->text, LAYOUT_PIECE);
    if (beyond == NULL)
        return;
    memset(beyond, 0, LAYOUT_PIECE);
    for (size_t i = 0; i < draft->steps.count; i++) {
        struct step *step = step_at(draft, i);
        step->begin += step->kind == STEP_ZEROES ? (uint32_t)others : 0;
        if (step->kind == STEP_ZEROES && step->size < sizeof(uint64_t))
            mute(step);
        else if (step->kind == STEP_ZEROES && step->size <= 2 * sizeof(uint64_t))
            step->kind = STEP_ZEROES_2;
        step->text = (const char *)draft->text.items + step->begin;
        step->take = draft->terms.takes[step->kind];
    }
}

static uint32_t room_of_value(const struct step *step)
{
    if (step->kind == STEP_PHRASE)
        return PHRASE_TEXT;
    if (step->kind == STEP_SHORT)
        return step->size * JSON_ESCAPED + JSON_STRING;
    if (step->kind != STEP_BITS)
        return JSON_SCALAR;
    const struct vocabulary *words = vocabulary_row(step->words);
    return (uint32_t)(words->last - words->first + 1) * (JSON_WORD + 1) + JSON_WORD;
}

/* A loop makes room for each further element; the last one, too, and what follows, fit into that.
 */
static uint32_t room_of(const struct layout *layout)
{
    uint32_t room = 0;
    for (uint32_t i = 0; i < layout->steps; i++)
        room += layout->step[i].length + LAYOUT_CHUNK + room_of_value(&layout->step[i]);
    return room;
}

/* It is in the list before it is filled: a table may lead to itself. */
static bool fill(struct layout *layout, struct layout **first, struct layout_terms terms)
{
    struct draft draft = {.first = first,
                          .terms = terms,
                          .text.unit = 1,
                          .zeroes.unit = 1,
                          .steps.unit = sizeof(struct step)};
    draft_table(&draft, layout->table, 0);
    interrupt(&draft);
    add_step(&draft, STEP_END);
    join_texts(&draft);
    free(draft.zeroes.items);
    layout->text = draft.text.items;
    layout->step = draft.steps.items;
    layout->steps = (uint32_t)draft.steps.count;
    layout->room = room_of(layout);
    return !draft.failed;
}

const struct layout *layout_find(struct layout **first, const struct field_table *table,
                                 struct layout_terms terms)
{
    for (struct layout *layout = *first; layout != NULL; layout = layout->next) {
        if (layout->table == table)
            return layout;
    }
    struct layout *layout = calloc(1, sizeof(*layout));
    if (layout == NULL)
        return NULL;
    layout->table = table;
    layout->next = *first;
    *first = layout;
    if (fill(layout, first, terms))
        return layout;
    layout->table = NULL; /* nobody finds it */
    return NULL;
}

static void free_phrase(struct step *step)
{
    if (step->kind == STEP_PHRASE)
        free(step->phrase);
}

void layout_free_all(struct layout *first)
{
    while (first != NULL) {
        struct layout *next = first->next;
        for (uint32_t i = 0; i < first->steps; i++)
            free_phrase(&first->step[i]);
        free(first->step);
        free(first->text);
        free(first);
        first = next;
    }
}
