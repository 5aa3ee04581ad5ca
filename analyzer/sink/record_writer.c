/* record_writer: see record_writer.h; how records are spelled stands in record_steps. */
#include "record_writer.h"

#include "record_parts.h"

/* Appends the record that the writer was given; returns where the buffer ends now, or -1. */
static int append(struct record_writer *writer, struct printbuf *buffer)
{
    json_writer_begin(&writer->json, buffer);
    char *out = json_writer_reserve(&writer->json, writer->layout->room);
    if (out != NULL)
        out = record_steps_spell(writer, writer->layout, writer->record, out);
    if (out != NULL)
        json_writer_commit(&writer->json, out);
    return json_writer_end(&writer->json);
}

/* json-c's serializer: called with the object's own buffer, emptied. */
static int serialize(struct json_object *object, struct printbuf *buffer, int level, int flags)
{
    (void)level;
    (void)flags;
    return append(json_object_get_userdata(object), buffer);
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
    return (struct layout_terms){.takes = record_steps_takes,
                                 .observed = writer->observer != NULL,
                                 .several = writer->inputs != NULL,
                                 .taps = writer->taps != NULL};
}

/* Takes a record to be written; false: out of memory. */
static bool take(struct record_writer *writer, const struct field_table *table, const void *record)
{
    if (!writer->layout || writer->layout->table != table)
        writer->layout = layout_find(&writer->layouts, table, terms_of(writer));
    writer->record = record;
    return writer->layout != NULL;
}

const char *record_writer_write(struct record_writer *writer, const struct field_table *table,
                                const void *record, size_t *ret_length)
{
    if (!take(writer, table, record))
        return NULL;
    return json_object_to_json_string_length(writer->object, JSON_C_TO_STRING_PLAIN, ret_length);
}

bool record_writer_append(struct record_writer *writer, const struct field_table *table,
                          const void *record, struct printbuf *buffer)
{
    int before = buffer->bpos;
    if (take(writer, table, record) && append(writer, buffer) >= 0)
        return true;
    buffer->bpos = before;
    return false;
}

size_t record_writer_fill(struct record_writer *writer, const struct field_table *table,
                          const void *record, struct spelled_room room)
{
    struct printbuf buffer = {.buf = room.begin, .size = (int)room.size};
    if (!take(writer, table, record))
        return 0;
    writer->json.fixed = true;
    int length = append(writer, &buffer);
    writer->json.fixed = false;
    return length < 0 ? 0 : (size_t)length;
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
