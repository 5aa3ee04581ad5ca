/* tap_set: see tap_set.h. */
#include "tap_set.h"

enum {
    ALTERNATE = 20000, /* packets of a tap that are read before its time stamps are believed */
};

/* Clocks that differ by more than this are not believed at all: one of them was never set. */
static const nanotime believable = 86400 * (nanotime)NANO_PER_SECOND;

static enum status open_tap(struct tap *tap, const struct tap_option *option,
                            const struct source_options *wanted, char *message)
{
    struct source_options options = *wanted;
    enum status status =
        file_set_expand(&tap->files, option->files, option->file_count, false, message);
    if (status != STATUS_OK)
        return status;
    options.files = (const char *const *)tap->files.names;
    options.file_count = tap->files.count;
    return source_open(&options, &tap->source, message);
}

enum status tap_set_open(struct tap_set *set, const struct options *options,
                         const struct source_options *wanted, struct source *first, char *message)
{
    uint32_t count = (uint32_t)options->tap_count;
    set->named = (struct tap_names){set->names, set->spans, count};
    for (uint32_t i = 0; i < count; i++) {
        set->names[i] = options->taps[i].name;
        set->spans[i] = &set->tap[i].places.spans;
    }
    set->tap[0].source = set->sources[0] = first;
    for (uint32_t i = 1; i < count; i++) {
        enum status status = open_tap(&set->tap[i], &options->taps[i], wanted, message);
        if (status != STATUS_OK)
            return status;
        set->sources[i] = set->tap[i].source;
    }
    return STATUS_OK;
}

/* Fetches the next packet of a tap, unless it is there. */
static enum source_result fetch(struct tap *tap)
{
    if (tap->has_head)
        return SOURCE_PACKET;
    enum source_result result = source_next(tap->source, &tap->head);
    tap->has_head = result == SOURCE_PACKET;
    return result;
}

/* Fetches every tap's next packet; SOURCE_IDLE when one of them has to be waited for. */
static enum source_result fetch_all(struct tap_set *set, struct analyzer *analyzer)
{
    for (uint32_t i = 0; i < set->named.count; i++) {
        struct tap *tap = &set->tap[i];
        if (tap->ended)
            continue;
        enum source_result result = fetch(tap);
        if (result == SOURCE_IDLE)
            return result;
        if (result == SOURCE_END) {
            tap->ended = true;
            analyzer_tap_end(analyzer, i);
        }
    }
    return SOURCE_PACKET;
}

/* Whether a's packet is to be taken before b's. */
static bool comes_first(const struct tap_set *set, struct analyzer *analyzer, uint32_t a,
                        uint32_t b)
{
    const struct tap *x = &set->tap[a], *y = &set->tap[b];
    nanotime at_x = analyzer_tap_time(analyzer, a, x->head.time);
    nanotime at_y = analyzer_tap_time(analyzer, b, y->head.time);
    if (at_x != NANOTIME_UNKNOWN && at_y != NANOTIME_UNKNOWN)
        return time_is_before(at_x, at_y);
    nanotime apart = time_since(x->head.time, y->head.time);
    bool early = x->packets < ALTERNATE && y->packets < ALTERNATE;
    bool strange = apart > believable || apart < -believable;
    return early || strange ? x->packets < y->packets : apart < 0;
}

enum source_result tap_set_next(struct tap_set *set, struct analyzer *analyzer,
                                struct captured_packet *ret_packet, uint32_t *ret_tap)
{
    uint32_t first = OPTIONS_TAPS;
    if (fetch_all(set, analyzer) == SOURCE_IDLE)
        return SOURCE_IDLE;
    for (uint32_t i = 0; i < set->named.count; i++) {
        if (!set->tap[i].has_head)
            continue;
        if (first == OPTIONS_TAPS || comes_first(set, analyzer, i, first))
            first = i;
    }
    if (first == OPTIONS_TAPS)
        return SOURCE_END;
    struct tap *tap = &set->tap[first];
    tap->has_head = false;
    tap->packets++;
    *ret_packet = tap->head;
    *ret_tap = first;
    return SOURCE_PACKET;
}

enum status tap_set_note_place(struct tap_set *set, uint32_t tap,
                               const struct captured_packet *packet)
{
    return input_places_note(&set->tap[tap].places, set->tap[tap].source, packet);
}

void tap_set_clear(struct tap_set *set)
{
    for (uint32_t i = 0; i < set->named.count; i++) {
        if (i > 0)
            source_free(set->tap[i].source);
        file_set_clear(&set->tap[i].files);
        input_places_clear(&set->tap[i].places);
    }
    *set = (struct tap_set){0};
}
