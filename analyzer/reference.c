/* reference: the catalogue as people and programs ask for it. */
#include "reference.h"

#include <string.h>

#include "event/catalogue.h"
#include "nearest.h"
#include "sink/sinks.h"

static const char *next_id(size_t index)
{
    if (index < EVENT_IDS)
        return event_row((enum event_id)index)->id;
    index -= EVENT_IDS;
    return index < NOTE_IDS ? note_row((enum note_id)index)->id : NULL;
}

/* The catalogue's own strings: only quotes and backslashes need an escape. */
static void put_string(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void put_member(FILE *stream, const char *name, const char *value, const char *separator)
{
    put_string(stream, name);
    fputc(':', stream);
    put_string(stream, value);
    fputs(separator, stream);
}

static void put_event(FILE *stream, const struct event_row *row)
{
    fputc('{', stream);
    put_member(stream, "id", row->id, ",");
    put_member(stream, "family", row->family, ",");
    put_member(stream, "level", level_name(row->level), ",");
    put_member(stream, "reference", row->reference, ",");
    put_member(stream, "title", row->title, ",");
    put_member(stream, "condition", row->condition, ",");
    put_member(stream, "meaning", row->meaning, ",");
    put_member(stream, "remedy", row->remedy, "}");
}

static void put_note(FILE *stream, const struct note_row *row)
{
    fputc('{', stream);
    put_member(stream, "id", row->id, ",");
    put_member(stream, "meaning", row->meaning, "}");
}

static void explain_event(FILE *stream, const struct event_row *row)
{
    fprintf(stream, "%s (%s, %s)\n", row->id, level_name(row->level), row->family);
    fprintf(stream, "\n  %s\n", row->title);
    fprintf(stream, "\nRaised when: %s.\n", row->condition);
    fprintf(stream, "\nMeaning: %s\n", row->meaning);
    fprintf(stream, "\nRemedy: %s\n", row->remedy);
    fprintf(stream, "\nReference: %s\n", row->reference);
}

void reference_list(FILE *stream, bool notes)
{
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        const struct event_row *row = event_row(id);
        fprintf(stream, "%-32s %-8s %-2s  %s\n", row->id, level_name(row->level), row->family,
                row->title);
    }
    for (enum note_id id = 0; notes && id < NOTE_IDS; id++)
        fprintf(stream, "%-32s %-8s %-2s  %s\n", note_row(id)->id, "note", "",
                note_row(id)->meaning);
}

void reference_list_json(FILE *stream, bool notes)
{
    fputs("{\"events\":[", stream);
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        fputs(id == 0 ? "\n" : ",\n", stream);
        put_event(stream, event_row(id));
    }
    fputs("]", stream);
    if (notes)
        fputs(",\n\"notes\":[", stream);
    for (enum note_id id = 0; notes && id < NOTE_IDS; id++) {
        fputs(id == 0 ? "\n" : ",\n", stream);
        put_note(stream, note_row(id));
    }
    fputs(notes ? "]}\n" : "}\n", stream);
}

bool reference_explain(FILE *stream, const char *id)
{
    enum event_id event = event_find(id);
    if (event != EVENT_IDS) {
        explain_event(stream, event_row(event));
        return true;
    }
    for (enum note_id note = 0; note < NOTE_IDS; note++) {
        if (strcmp(note_row(note)->id, id) != 0)
            continue;
        fprintf(stream, "%s (caveat on flows and events)\n\n  %s\n", id, note_row(note)->meaning);
        return true;
    }
    return false;
}

const char *reference_nearest(const char *id)
{
    return nearest_word(id, next_id);
}

void reference_version(FILE *stream)
{
    fprintf(stream,
            "lastack %s\nschema %s\ndecompresses %s\nprotects with %s\ndraws with %s\n"
            "answers with %s\nsends to %s\n",
            PACKAGE_VERSION, SINK_SCHEMA_VERSION, LASTACK_DECOMPRESSES, LASTACK_PROTECTS,
            LASTACK_DRAWS, LASTACK_ANSWERS, LASTACK_SENDS);
}
