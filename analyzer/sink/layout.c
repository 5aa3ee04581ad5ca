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

struct draft {
    struct layout **first;
    struct layout_terms terms;
    struct heap text, zeroes, steps, spans; /* zeroes: the texts of runs, behind the others later */
    size_t pending;                         /* in text, from here on */
    bool in_run, in_phrase;
    size_t run, phrase; /* the steps that they began with */
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

/* A step with the text that is pending; NULL when memory ran out. */
static struct step *add_step(struct draft *draft, enum step_kind kind)
{
    struct step *step = add(draft, &draft->steps, 1);
    if (step == NULL)
        return NULL;
    *step = (struct step){.kind = (uint8_t)kind,
                          .text = (uint32_t)draft->pending,
                          .length = (uint32_t)(draft->text.count - draft->pending)};
    draft->pending = draft->text.count;
    return step;
}

/* Begins a run; its text gathers elsewhere, as the steps that it stands for need theirs. */
static void begin_run(struct draft *draft)
{
    size_t pending = draft->pending;
    draft->run = draft->steps.count;
    struct step *run = add_step(draft, STEP_ZEROES);
    draft->pending = pending; /* leads to the first field, too */
    if (run == NULL)
        return;
    run->text = (uint32_t)draft->zeroes.count;
    run->length = 0;
    run->span = (uint32_t)draft->spans.count;
    draft->in_run = true;
}

/* Whether the words of a field may be part of a phrase. */
static bool is_phrased(const struct field *field)
{
    if (field->kind != FIELD_WORD || field->known != NULL)
        return false;
    const struct vocabulary *words = vocabulary_row(field->words);
    return words->last - words->first < 1 << PHRASE_BITS;
}

/* Begins a phrase; the steps that it stands for keep their texts. */
static void begin_phrase(struct draft *draft)
{
    size_t pending = draft->pending;
    struct phrase *phrase = calloc(PHRASES, sizeof(*phrase));
    draft->failed |= phrase == NULL;
    draft->phrase = draft->steps.count;
    draft->pending = draft->text.count;
    struct step *step = add_step(draft, STEP_PHRASE);
    draft->pending = pending;
    if (step == NULL)
        free(phrase);
    else
        step->phrase = phrase;
}

/* Takes a field of words into the phrase, or begins one where another follows. */
static void extend_phrase(struct draft *draft, const struct field *field)
{
    bool goes_on = is_phrased(field) && is_phrased(field + 1);
    if (!draft->in_phrase && goes_on)
        begin_phrase(draft);
    draft->in_phrase |= goes_on;
    if (draft->failed || !draft->in_phrase)
        return;
    struct step *phrase = step_at(draft, draft->phrase);
    phrase->skip++;
    draft->in_phrase = goes_on && phrase->skip < PHRASE_WORDS;
}

/* Adds the part of the record where a field lies, to the one before it where they touch. */
static void add_span(struct draft *draft, struct step *run, uint32_t offset, uint32_t size)
{
    struct span *last =
        run->spans == 0 ? NULL : (struct span *)draft->spans.items + draft->spans.count - 1;
    bool behind = last != NULL && last->offset + last->size == offset;
    bool before = last != NULL && offset + size == last->offset;
    if (behind || before) {
        last->offset = before ? offset : last->offset;
        last->size += size;
        return;
    }
    struct span *span = add(draft, &draft->spans, 1);
    if (span == NULL)
        return;
    *span = (struct span){offset, size};
    run->spans++;
}

/* Takes a field, with the text that is pending, into the run. */
static void extend_run(struct draft *draft, const struct field *field, uint32_t offset)
{
    if (!draft->in_run)
        begin_run(draft);
    if (draft->failed)
        return;
    struct step *run = step_at(draft, draft->run);
    const char *zero = field->kind == FIELD_BOOL ? "false" : field->zero_is_null ? "null" : "0";
    put(draft, &draft->zeroes, (const char *)draft->text.items + draft->pending,
        draft->text.count - draft->pending);
    put(draft, &draft->zeroes, zero, strlen(zero));
    run->length = (uint32_t)draft->zeroes.count - run->text;
    run->skip++;
    add_span(draft, run, offset, field->size);
}

/* How a value is written, by its kind. */
static const uint8_t step_of_field[] = {
    [FIELD_FIXED] = STEP_TEXT,    [FIELD_BOOL] = STEP_BOOL,
    [FIELD_COUNT] = STEP_SCALAR,  [FIELD_TIME] = STEP_TIME,
    [FIELD_DURATION] = STEP_SPAN, [FIELD_UID] = STEP_SCALAR,
    [FIELD_WORD] = STEP_WORD,     [FIELD_STRING] = STEP_WIDE,
    [FIELD_TEXT] = STEP_WIDE,     [FIELD_RAW] = STEP_WIDE,
    [FIELD_OBJECT] = STEP_TEXT,   [FIELD_POINTED] = STEP_WIDE,
    [FIELD_LIST] = STEP_WIDE,     [FIELD_POINTED_LIST] = STEP_WIDE,
    [FIELD_FILE] = STEP_WIDE,     [FIELD_FILE_PACKET] = STEP_SCALAR,
    [FIELD_TALLY] = STEP_WIDE,    [FIELD_WRITTEN] = STEP_WIDE,
};

static enum step_kind kind_of_count(const struct field *field)
{
    if (field->size == sizeof(uint64_t))
        return field->zero_is_null ? STEP_PACKET : STEP_COUNT;
    return field->zero_is_null ? STEP_SCALAR : STEP_SMALL;
}

static enum step_kind kind_of(const struct field *field)
{
    enum step_kind kind = (enum step_kind)step_of_field[field->kind];
    if (kind == STEP_WIDE)
        return kind;
    if (field->known != NULL)
        return STEP_SCALAR;
    return field->kind == FIELD_COUNT ? kind_of_count(field) : kind;
}

static void draft_value(struct draft *draft, const struct field *field, uint32_t record)
{
    bool leads_on = field->kind != FIELD_RAW && field->table != NULL;
    const struct layout *part =
        leads_on ? layout_find(draft->first, field->table, draft->terms) : NULL;
    draft->failed |= leads_on && part == NULL;
    if (field->seldom)
        extend_run(draft, field, record + field->offset);
    draft->in_run &= field->seldom;
    extend_phrase(draft, field);
    struct step *step = add_step(draft, kind_of(field));
    if (step == NULL)
        return;
    step->field = field;
    step->size = (uint8_t)field->size;
    step->words = field->words;
    if (step->kind == STEP_WORD)
        step->first_word = (int16_t)vocabulary_row(field->words)->first;
    step->record = record;
    step->offset = record + field->offset;
    step->part = part;
}

/* An object that may be null ends with a step of text, where those without it go on. */
static void draft_option(struct draft *draft, const struct field *field, uint32_t record)
{
    size_t option = draft->steps.count;
    struct step *step = add_step(draft, STEP_OPTION);
    if (step == NULL)
        return;
    step->field = field;
    step->record = record;
    draft_table(draft, field->table, record + field->offset);
    draft->in_run = false;
    add_step(draft, STEP_TEXT);
    if (!draft->failed)
        step_at(draft, option)->skip = (uint16_t)(draft->steps.count - option - 1);
}

static void draft_field(struct draft *draft, const struct field *field, uint32_t record)
{
    if (field->kind == FIELD_FIXED) {
        put(draft, &draft->text, field->schema, field->size);
    } else if (field->kind == FIELD_OBJECT && field->known != NULL) {
        draft->in_run = false;
        draft_option(draft, field, record);
    } else if (field->kind == FIELD_OBJECT) {
        draft_table(draft, field->table, record + field->offset);
    } else {
        draft_value(draft, field, record);
    }
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

/* The texts of runs go behind the others. */
static void join_texts(struct draft *draft)
{
    for (size_t i = 0; i < draft->steps.count; i++) {
        if (step_at(draft, i)->kind == STEP_ZEROES)
            step_at(draft, i)->text += (uint32_t)draft->text.count;
    }
    put(draft, &draft->text, draft->zeroes.items, draft->zeroes.count);
    char *beyond = add(draft, &draft->text, LAYOUT_CHUNK);
    if (beyond != NULL)
        memset(beyond, 0, LAYOUT_CHUNK);
}

static uint32_t room_of(const struct layout *layout)
{
    uint32_t room = 0, most = 0;
    for (uint32_t i = 0; i < layout->steps; i++) {
        const struct step *step = &layout->step[i];
        room += step->length + LAYOUT_CHUNK + JSON_SCALAR;
        most = room > most ? room : most;
        if (step->kind == STEP_WIDE)
            room = 0;
    }
    return most;
}

/* It is in the list before it is filled: a table may lead to itself. */
static bool fill(struct layout *layout, struct layout **first, struct layout_terms terms)
{
    struct draft draft = {.first = first,
                          .terms = terms,
                          .text.unit = 1,
                          .zeroes.unit = 1,
                          .steps.unit = sizeof(struct step),
                          .spans.unit = sizeof(struct span)};
    draft_table(&draft, layout->table, 0);
    add_step(&draft, STEP_END);
    join_texts(&draft);
    free(draft.zeroes.items);
    layout->text = draft.text.items;
    layout->span = draft.spans.items;
    layout->step = draft.steps.items;
    layout->steps = (uint32_t)draft.steps.count;
    layout->room = room_of(layout);
    layout->is_narrow = true;
    for (uint32_t i = 0; i < layout->steps; i++)
        layout->is_narrow &= layout->step[i].kind != STEP_WIDE;
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

void layout_free_all(struct layout *first)
{
    while (first != NULL) {
        struct layout *next = first->next;
        for (uint32_t i = 0; i < first->steps; i++)
            free(first->step[i].phrase);
        free(first->step);
        free(first->span);
        free(first->text);
        free(first);
        first = next;
    }
}
