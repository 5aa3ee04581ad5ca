/*
 * record_writer: a C record in, one JSON object out, as its field_table says.
 *
 * The text is made by a json-c object with a serializer of its own, so that no tree is built
 * (json_object_set_serializer).
 */
#ifndef LASTACK_SINK_RECORD_WRITER_H
#define LASTACK_SINK_RECORD_WRITER_H

#include <json-c/json_object.h>

#include "../base/community_id.h"
#include "../base/status.h"
#include "../event/record.h"
#include "fields.h"
#include "layout.h"
#include "sinks.h"
#include "spelled_words.h"

/* The tuple of the record before: records of one flow often come together. */
struct community_cache {
    uint8_t address[2][16];
    uint16_t port[2];
    uint8_t ip_version; /* 0: empty */
    char text[COMMUNITY_ID_SIZE];
};

struct record_writer {
    struct json_writer json;
    const char *observer;             /* NULL: no observer object */
    const struct input_spans *inputs; /* NULL: packets' places are left out */
    const struct tap_names *taps;     /* NULL: one tap without a name */
    struct community_cache community;
    struct spelled_words words;
    struct layout *layouts; /* those needed so far */
    struct json_object *object;
    const struct layout *layout; /* of what is written, or was last */
    const void *record;
};

/* What options point to must outlive the writer.  The writer must not move afterwards. */
enum status record_writer_init(struct record_writer *writer, const struct sink_options *options);

/*
 * Serialises record by table.  Returns the text, *ret_length octets and a NUL, valid until the next
 * call; NULL when out of memory.
 */
const char *record_writer_write(struct record_writer *writer, const struct field_table *table,
                                const void *record, size_t *ret_length);

/* Appends the same text to a buffer.  false: out of memory, and the buffer ends as before. */
bool record_writer_append(struct record_writer *writer, const struct field_table *table,
                          const void *record, struct printbuf *buffer);

/* Spells the same text, without its NUL, into a room.  Returns its length; 0: it may not fit, or
 * memory ran out. */
size_t record_writer_fill(struct record_writer *writer, const struct field_table *table,
                          const void *record, struct spelled_room room);

void record_writer_clear(struct record_writer *writer);

#endif
