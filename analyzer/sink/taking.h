/*
 * taking: what the functions that take the steps of a record share; known to record_steps and
 * record_strings alone.
 */
#ifndef LASTACK_SINK_TAKING_H
#define LASTACK_SINK_TAKING_H

#include "record_parts.h"

/* What the steps of a record share.  Where memory runs out, the end of the text is NULL. */
struct taking {
    struct record_writer *writer;
    const struct layout *layout;
    char *phrase;            /* where the phrase began that is to be learned */
    const struct step *loop; /* of the array that is gone through */
    const uint8_t *outer;    /* the record that has it */
    uint64_t left;           /* elements, with this one */
};

/* Calls in this place become jumps: taking the next step costs little more than finding it. */
static inline char *taking_next(struct taking *taking, const struct step *step,
                                const uint8_t *record, char *out)
{
    return step[1].take(taking, step + 1, record, out);
}

/* What leads to a value: a chunk at most. */
static inline char *taking_lead(const struct step *step, char *out)
{
    memcpy(out, step->text, LAYOUT_CHUNK);
    return out + step->length;
}

static inline uint64_t taking_read_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* Pieces of fixed size: cheaper than one copy of any length, as most texts are short. */
static inline char *taking_spell_text(char *out, const char *text, size_t length)
{
    char *end = out + length;
    memcpy(out, text, LAYOUT_PIECE);
    while (__builtin_expect(end - out > LAYOUT_PIECE, false)) {
        out += LAYOUT_PIECE;
        text += LAYOUT_PIECE;
        memcpy(out, text, LAYOUT_PIECE);
    }
    return end;
}

/* The word of that value: a copy of fixed size costs less than one of its own length. */
static inline char *taking_spell_word(const struct record_writer *writer, const struct step *step,
                                      int value, char *out)
{
    return spelled_words_put(&writer->words, step->words, value - step->first_word, out);
}

/* Elements of the list whose step this is. */
static inline uint64_t taking_count(const struct step *step, const uint8_t *record)
{
    const struct field *field = step->field;
    return record_read_unsigned(record + step->record + field->count_offset, field->count_size);
}

/* Room for size more octets behind those up to out; NULL: memory ran out. */
static inline char *taking_make_room(struct record_writer *writer, char *out, size_t size)
{
    json_writer_commit(&writer->json, out);
    return json_writer_reserve(&writer->json, size);
}

/* Values of any length. */

char *taking_short(struct taking *taking, const struct step *step, const uint8_t *record,
                   char *out);
char *taking_string(struct taking *taking, const struct step *step, const uint8_t *record,
                    char *out);
char *taking_string_at(struct taking *taking, const struct step *step, const uint8_t *record,
                       char *out);
char *taking_list(struct taking *taking, const struct step *step, const uint8_t *record, char *out);
char *taking_wide(struct taking *taking, const struct step *step, const uint8_t *record, char *out);

#endif
