/* explain: the rows of events.def and notes.def, told. */
#include "explain.h"

#include <json-c/json.h>
#include <string.h>

#include "output.h"
#include "prose.h"
#include "sinks.h"
#include "tree.h"

enum { ID_COLUMN = 30, LEVEL_COLUMN = 9, LABEL_COLUMN = 12, USUAL_COLUMNS = 80 };

/* What the families of events are about, in the order of the catalogue. */
static const struct {
    const char *family, *title;
} families[] = {
    {"C1", "How connections start"},
    {"C2", "How connections close"},
    {"C3", "A SYN into an old connection"},
    {"C4", "Last acknowledgments, TIME_WAIT and old segments"},
    {"C5", "Verdicts on old segments"},
    {"C6", "States that last too long"},
    {"C7", "Middle boxes and the network"},
};

static struct prose start_prose(int columns)
{
    return (struct prose){.columns = columns > 0 ? columns : USUAL_COLUMNS};
}

static enum status print_prose(FILE *stream, struct prose *prose)
{
    enum status status = STATUS_NO_MEMORY;
    if (!prose->failed)
        status = output_print(stream, prose->text ? prose->text : "", prose->length);
    prose_clear(prose);
    return status;
}

enum status sink_explain_list_events(FILE *stream, int columns)
{
    struct prose prose = start_prose(columns);
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        const struct event_row *row = event_row(id);
        char label[ID_COLUMN + LEVEL_COLUMN];
        snprintf(label, sizeof(label), "%-*s%s", ID_COLUMN, row->id, level_name(row->level));
        prose_paragraph(&prose, STYLE_PLAIN, label, ID_COLUMN + LEVEL_COLUMN, row->title);
    }
    return print_prose(stream, &prose);
}

enum status sink_explain_list_notes(FILE *stream, int columns)
{
    struct prose prose = start_prose(columns);
    for (enum note_id id = 0; id < NOTE_IDS; id++)
        prose_paragraph(&prose, STYLE_PLAIN, note_row(id)->id, ID_COLUMN, note_row(id)->meaning);
    return print_prose(stream, &prose);
}

enum status sink_explain_event(FILE *stream, int columns, enum event_id id)
{
    const struct event_row *row = event_row(id);
    struct prose prose = start_prose(columns);
    prose_paragraph(&prose, STYLE_HEADING, row->id, 0, "");
    prose_paragraph(&prose, STYLE_PLAIN, "", LABEL_COLUMN, row->title);
    prose_paragraph(&prose, STYLE_PLAIN, "level", LABEL_COLUMN, level_name(row->level));
    prose_paragraph(&prose, STYLE_PLAIN, "raised when", LABEL_COLUMN, row->condition);
    prose_paragraph(&prose, STYLE_PLAIN, "means", LABEL_COLUMN, row->meaning);
    prose_paragraph(&prose, STYLE_PLAIN, "to do", LABEL_COLUMN, row->remedy);
    prose_paragraph(&prose, STYLE_PLAIN, "rests on", LABEL_COLUMN, row->reference);
    return print_prose(stream, &prose);
}

static bool add_string(struct json_object *object, const char *key, const char *text)
{
    struct json_object *value = json_object_new_string(text);
    return value && json_object_object_add(object, key, value) == 0;
}

static bool add_event(struct json_object *list, const struct event_row *row)
{
    struct json_object *object = json_object_new_object();
    return object && json_object_array_add(list, object) == 0 &&
           add_string(object, "id", row->id) && add_string(object, "family", row->family) &&
           add_string(object, "level", level_name(row->level)) &&
           add_string(object, "title", row->title) &&
           add_string(object, "condition", row->condition) &&
           add_string(object, "meaning", row->meaning) &&
           add_string(object, "remedy", row->remedy) &&
           add_string(object, "reference", row->reference);
}

static bool add_note(struct json_object *list, const struct note_row *row)
{
    struct json_object *object = json_object_new_object();
    return object && json_object_array_add(list, object) == 0 &&
           add_string(object, "id", row->id) && add_string(object, "meaning", row->meaning);
}

static bool add_lists(struct json_object *root)
{
    struct json_object *events = json_object_new_array();
    struct json_object *notes = json_object_new_array();
    bool whole = root && events && notes && add_string(root, "schema", SINK_SCHEMA_VERSION) &&
                 json_object_object_add(root, "events", events) == 0 &&
                 json_object_object_add(root, "notes", notes) == 0;
    for (enum event_id id = 0; whole && id < EVENT_IDS; id++)
        whole = add_event(events, event_row(id));
    for (enum note_id id = 0; whole && id < NOTE_IDS; id++)
        whole = add_note(notes, note_row(id));
    return whole;
}

enum status sink_explain_list_json(FILE *stream)
{
    struct json_object *root = json_object_new_object();
    enum status status = add_lists(root) ? tree_print(stream, root) : STATUS_NO_MEMORY;
    json_object_put(root);
    return status;
}

static void print_markdown_event(FILE *stream, const struct event_row *row)
{
    fprintf(stream, "\n### `%s`\n\n", row->id);
    fprintf(stream, "**%s**: %s.\n\n", level_name(row->level), row->title);
    fprintf(stream, "- Raised when %s.\n", row->condition);
    fprintf(stream, "- Meaning: %s\n", row->meaning);
    fprintf(stream, "- To do: %s\n", row->remedy);
    fprintf(stream, "- Rests on <%s>\n", row->reference);
}

static void print_markdown_family(FILE *stream, const char *family, const char *title)
{
    bool started = false;
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        if (strcmp(event_row(id)->family, family) != 0)
            continue;
        if (!started)
            fprintf(stream, "\n## %s\n", title);
        started = true;
        print_markdown_event(stream, event_row(id));
    }
}

enum status sink_explain_markdown(FILE *stream)
{
    fprintf(stream, "# Events\n\nMade from the catalogue in analyzer/detect/events.def and "
                    "analyzer/event/notes.def; do not edit.\n");
    for (size_t row = 0; row < sizeof(families) / sizeof(families[0]); row++)
        print_markdown_family(stream, families[row].family, families[row].title);
    fprintf(stream, "\n## Integrity notes\n\nCaveats on flows and events, never records.\n\n"
                    "| note | meaning |\n|---|---|\n");
    for (enum note_id id = 0; id < NOTE_IDS; id++)
        fprintf(stream, "| `%s` | %s |\n", note_row(id)->id, note_row(id)->meaning);
    return output_print(stream, "\n", 1);
}
