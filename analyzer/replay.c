/* replay: tapes of an analyzer's engines, and tapes analysed again (analyzer_replay in analyzer.h).
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer_parts.h"
#include "tape.h"

enum { ENGINES = CONFIG_MOST_THREADS };

/* --- a piece --- */

static uint32_t engines_of(struct analyzer *analyzer, struct engine **engines)
{
    if (analyzer->shards != NULL)
        return shards_engines(analyzer->shards, engines, ENGINES);
    engines[0] = &analyzer->engine;
    return 1;
}

enum status analyzer_make_tapes(struct analyzer *analyzer)
{
    struct engine *engines[ENGINES];
    uint32_t count = engines_of(analyzer, engines);
    for (uint32_t i = 0; i < count; i++) {
        engines[i]->tape = tape_new(engines[i]->config.msl * 4);
        if (engines[i]->tape == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void analyzer_begin_tapes(struct analyzer *analyzer, nanotime begin)
{
    struct engine *engines[ENGINES];
    uint32_t count = engines_of(analyzer, engines);
    for (uint32_t i = 0; i < count && engines[i]->tape != NULL; i++)
        tape_begin(engines[i]->tape, begin);
}

enum status analyzer_write_tapes(struct analyzer *analyzer)
{
    struct engine *engines[ENGINES];
    struct tape *tapes[ENGINES] = {NULL};
    uint32_t count = engines_of(analyzer, engines);
    for (uint32_t i = 0; i < count; i++)
        tapes[i] = engines[i]->tape;
    return tapes[0] == NULL ? STATUS_OK : tapes_write(tapes, count, analyzer->sink);
}

/* --- all pieces --- */

/* A tape with its key; those of one tuple share a number. */
struct reading {
    const struct analyzer_tape *tape;
    struct flow_key key;
    size_t begin; /* of the items */
    uint32_t tuple;
};

/* Where an item is, and what orders it. */
struct place {
    uint64_t packet;
    uint32_t part, reading;
    size_t offset;
};

struct replay {
    struct reading *readings;
    uint32_t count;
    struct place *places;
    size_t items, room;
    const struct analyzer_told *others;
    struct told told; /* what comes next of the others */
    bool has_told;
    uint32_t *piece; /* by tuple: 1 more than the piece of its latest item; 0: none yet */
};

static int compare_readings(const void *a, const void *b)
{
    const struct reading *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof(x->key));
    if (order != 0)
        return order;
    return x->tape->piece < y->tape->piece ? -1 : x->tape->piece > y->tape->piece;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->packet != y->packet)
        return x->packet < y->packet ? -1 : 1;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static enum status read_keys(struct replay *replay, const struct analyzer_tape *tapes)
{
    for (uint32_t i = 0; i < replay->count; i++) {
        struct reading *reading = &replay->readings[i];
        reading->tape = &tapes[i];
        reading->begin = tape_read_key(tapes[i].octets, tapes[i].count, &reading->key);
        if (reading->begin == 0)
            return STATUS_UNREADABLE;
    }
    qsort(replay->readings, replay->count, sizeof(*replay->readings), compare_readings);
    for (uint32_t i = 1; i < replay->count; i++) {
        struct reading *reading = &replay->readings[i];
        bool same = flow_key_equal(&reading->key, &reading[-1].key);
        reading->tuple = reading[-1].tuple + !same;
    }
    return STATUS_OK;
}

static enum status note_place(struct replay *replay, struct place place)
{
    if (replay->items == replay->room) {
        size_t room = replay->room == 0 ? 1024 : replay->room * 2;
        struct place *places = realloc(replay->places, room * sizeof(*places));
        if (places == NULL)
            return STATUS_NO_MEMORY;
        replay->places = places;
        replay->room = room;
    }
    replay->places[replay->items++] = place;
    return STATUS_OK;
}

static enum status read_places(struct replay *replay, uint32_t number)
{
    const struct reading *reading = &replay->readings[number];
    const struct analyzer_tape *tape = reading->tape;
    size_t offset = reading->begin, taken;
    for (; offset < tape->count; offset += taken) {
        struct engine_item item;
        taken = tape_read(&reading->key, tape->octets + offset, tape->count - offset, &item);
        if (taken == 0)
            return STATUS_UNREADABLE;
        struct place place = {item.segment.packet + tape->packets_before, item.part, number,
                              offset};
        enum status status = note_place(replay, place);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void feed(struct analyzer *analyzer, struct engine_item *item)
{
    engine_identify(analyzer->engine.table.secret, item->context, item);
    const struct engine_turn turn = engine_turn_of(item, 0);
    analyzer->clock = item->clock = time_later_of(analyzer->clock, item->clock);
    analyzer->number = item->segment.packet;
    engine_batch(&analyzer->engine, item, &turn, 1, false);
}

/* Told so of an item, or of the end: the deadlines of a moment come before its packets. */
static bool is_before(const struct told *told, nanotime clock, uint64_t packet)
{
    const struct delta *delta = &told->delta;
    return told->is_flow || delta->t < clock || (delta->t == clock && delta->packet < packet);
}

static enum status next_told(struct replay *replay)
{
    return replay->others->next(replay->others->context, &replay->told, &replay->has_told);
}

/* Tells the census of other connections what came before the moment and packet. */
static enum status tell_until(struct analyzer *analyzer, struct replay *replay, nanotime clock,
                              uint64_t packet)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && replay->has_told && is_before(&replay->told, clock, packet)) {
        if (!replay->told.is_flow)
            status = analyzer_tick(analyzer, replay->told.delta.t);
        if (status == STATUS_OK)
            status = host_tell(analyzer->host, &replay->told);
        if (status == STATUS_OK)
            status = next_told(replay);
    }
    return status;
}

/* An item; before the first of another piece, that the tuple goes on there. */
static enum status play(struct analyzer *analyzer, struct replay *replay, const struct place *place)
{
    const struct reading *reading = &replay->readings[place->reading];
    const struct analyzer_tape *tape = reading->tape;
    struct engine_item item;
    tape_read(&reading->key, tape->octets + place->offset, tape->count - place->offset, &item);
    item.segment.packet = place->packet;
    item.clock = time_later_of(item.clock, tape->clock_before);
    enum status status = tell_until(analyzer, replay, item.clock, place->packet);
    if (status != STATUS_OK)
        return status;
    uint32_t *piece = &replay->piece[reading->tuple];
    if (*piece != 0 && *piece != tape->piece + 1) {
        struct engine_item edge = item;
        edge.kind = ITEM_EDGE;
        feed(analyzer, &edge);
    }
    *piece = tape->piece + 1;
    feed(analyzer, &item);
    return analyzer_take_status(analyzer);
}

static enum status play_all(struct analyzer *analyzer, struct replay *replay)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < replay->count && status == STATUS_OK; i++)
        status = read_places(replay, i);
    if (replay->items > 0)
        qsort(replay->places, replay->items, sizeof(*replay->places), compare_places);
    for (size_t i = 0; i < replay->items && status == STATUS_OK; i++)
        status = play(analyzer, replay, &replay->places[i]);
    if (status == STATUS_OK)
        status = tell_until(analyzer, replay, INT64_MAX, UINT64_MAX);
    return status;
}

enum status analyzer_replay(struct analyzer *analyzer, const struct analyzer_tape *tapes,
                            uint32_t count, const struct analyzer_told *others)
{
    struct replay replay = {
        .count = count,
        .others = others,
        .readings = calloc((size_t)count + 1, sizeof(*replay.readings)),
        .piece = calloc((size_t)count + 1, sizeof(*replay.piece)),
    };
    enum status status = STATUS_NO_MEMORY;
    if (replay.readings != NULL && replay.piece != NULL)
        status = read_keys(&replay, tapes);
    if (status == STATUS_OK)
        status = next_told(&replay);
    if (status == STATUS_OK)
        status = play_all(analyzer, &replay);
    free(replay.readings);
    free(replay.places);
    free(replay.piece);
    return status;
}
