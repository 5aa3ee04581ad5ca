/*
 * record_parts: what the files of the record writer share: reading members of a record, and the two
 * ways to spell a value.  Values of bounded length are spelled one behind the other into room that
 * was made for all of them (record_steps); those of any length make their own (record_values).
 */
#ifndef LASTACK_SINK_RECORD_PARTS_H
#define LASTACK_SINK_RECORD_PARTS_H

#include <string.h>

#include "record_writer.h"

/* Takes the steps of a layout; there is room for them at out.  Returns the end; NULL: no memory. */
char *record_steps_spell(struct record_writer *writer, const struct layout *layout,
                         const uint8_t *record, char *out);

/* For layouts: how each kind of step is taken. */
extern char *(*const record_steps_takes[])(struct taking *taking, const struct step *step,
                                           const uint8_t *record, char *out);

/* Appends the value of a wide step's field. */
void record_values_write(struct record_writer *writer, const struct step *step,
                         const uint8_t *record);

/* An unsigned member of 1, 2, 4 or 8 octets. */
static inline uint64_t record_read_unsigned(const uint8_t *at, size_t size)
{
    uint64_t full;
    uint32_t word;
    uint16_t half;
    switch (size) {
    case sizeof(full):
        memcpy(&full, at, sizeof(full));
        return full;
    case sizeof(word):
        memcpy(&word, at, sizeof(word));
        return word;
    case sizeof(half):
        memcpy(&half, at, sizeof(half));
        return half;
    default:
        return *at;
    }
}

static inline int record_read_int(const uint8_t *at)
{
    int value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline nanotime record_read_time(const uint8_t *at)
{
    nanotime value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Whether the field has a value in the record. */
static inline bool record_is_known(const struct step *step, const uint8_t *record)
{
    const struct field *field = step->field;
    const uint8_t *at = record + step->record;
    if (field->known_size > 0)
        return record_read_unsigned(at + field->known_offset, field->known_size) != 0;
    return field->known == NULL || field->known(at);
}

#endif
