/* input_places: see input_places.h. */
#include "input_places.h"

#include <stdlib.h>

enum {
    FIRST_SPANS = 64,
    MOST_SPANS = 4 * 1024 * 1024, /* overlapping files alternate; 96 MiB of places, then no more */
};

/* Makes room for a further span. */
static enum status make_room(struct input_places *places)
{
    if (places->spans.count < places->room)
        return STATUS_OK;
    uint32_t room = places->room == 0 ? FIRST_SPANS : places->room * 2;
    struct input_span *spans = realloc(places->owned, room * sizeof *spans);
    if (spans == NULL)
        return STATUS_NO_MEMORY;
    places->owned = spans;
    places->room = room;
    places->spans.spans = spans;
    return STATUS_OK;
}

void input_places_restart(struct input_places *places)
{
    places->spans = (struct input_spans){.spans = places->owned};
}

enum status input_places_note(struct input_places *places, const struct source *source,
                              const struct captured_packet *packet)
{
    bool goes_on = places->spans.count > 0 && packet->input == places->current;
    if (goes_on || places->spans.known > 0)
        return STATUS_OK;
    if (places->spans.count >= MOST_SPANS) {
        places->spans.known = packet->number - 1; /* of later packets the file is not told */
        return STATUS_OK;
    }
    if (make_room(places) != STATUS_OK)
        return STATUS_NO_MEMORY;
    places->current = packet->input;
    places->owned[places->spans.count++] = (struct input_span){
        .name = source_input(source, packet->input)->name,
        .before = packet->number - 1,
        .file_before = packet->input_packet - 1,
    };
    return STATUS_OK;
}

void input_places_clear(struct input_places *places)
{
    free(places->owned);
    *places = (struct input_places){0};
}
