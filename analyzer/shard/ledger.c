/* ledger: see ledger.h. */
#include "ledger.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fetch.h"
#include "../event/told.h"

enum { ALIGN = 16, USUAL_TEXT = 4096 /* of a flow */ };

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* Makes room for that much more behind what is there: at first for all that may come, as memory
 * that is not written to is none.  false when memory ran out. */
static bool make_room(struct ledger *ledger, size_t size)
{
    size_t needed = ledger->used + size, whole = ledger->room + SPELLED_ROOM;
    if (needed <= ledger->size)
        return true;
    needed = needed < whole ? whole : 2 * needed;
    void *store = realloc(ledger->store, needed);
    if (store == NULL)
        return false;
    ledger->store = store;
    ledger->size = needed;
    return true;
}

/* The lines that the next records but one are likely to take: who read what was there is another
 * thread. */
static inline __attribute__((always_inline)) void fetch_next(const struct ledger *ledger)
{
    enum { LINE = 64, FAR = 4 * LINE, ENTRIES = 3 };
    const char *next = ledger->store + ledger->used + FAR;
    fetch_to_write(next);
    fetch_to_write(next + LINE);
    fetch_to_write(next + 2 * LINE);
    fetch_to_write(&ledger->entry[ledger->count + ENTRIES]);
}

/* Room for a record of that size at the end of the store, entered; NULL when memory ran out.  There
 * is room for `more` octets behind it, of which USUAL_TEXT are likely to be used. */
static void *enter(struct ledger *ledger, enum ledger_kind kind, size_t size, size_t more)
{
    size_t room = aligned(size);
    size_t wanted = room + (more < USUAL_TEXT ? more : USUAL_TEXT);
    if (ledger->count > 0 && ledger->used + wanted > ledger->room)
        ledger->drain(ledger);
    if (ledger->count == ledger->capacity) {
        size_t capacity = ledger->capacity == 0 ? 1024 : 2 * ledger->capacity;
        void *entry = realloc(ledger->entry, capacity * sizeof(*ledger->entry));
        if (entry == NULL)
            return NULL;
        ledger->entry = entry;
        ledger->capacity = capacity;
    }
    if (!make_room(ledger, room + more))
        return NULL;
    ledger->entry[ledger->count++] = (struct ledger_entry){*ledger->now, kind, ledger->used};
    void *record = ledger->store + ledger->used;
    ledger->used += room;
    fetch_next(ledger);
    return record;
}

static enum status keep(struct sink *sink, enum ledger_kind kind, const void *record, size_t size)
{
    void *place = enter((struct ledger *)sink, kind, size, 0);
    if (place == NULL)
        return STATUS_NO_MEMORY;
    memcpy(place, record, size);
    return STATUS_OK;
}

/*
 * A flow record is mostly room for history.  Packed, the two histories keep what they hold:
 *
 *     what stands where | all before the first history | its entries | all between | entries of
 * the second | the rest | the record's text
 *
 * Of one that needs no more, there is its plain_flow and the text.
 */
enum {
    FIRST_HISTORY = offsetof(struct flow_record, side[0].history),
    SECOND_HISTORY = offsetof(struct flow_record, side[1].history),
    HISTORY_SIZE = sizeof(((struct side_record *)NULL)->history),
    BETWEEN = SECOND_HISTORY - FIRST_HISTORY - HISTORY_SIZE,
    REST = sizeof(struct flow_record) - SECOND_HISTORY - HISTORY_SIZE
};

/* Stands before a packed flow. */
struct folded {
    size_t entries[2]; /* octets of the histories' entries */
    struct spelled spelled;
};

static size_t entries_size(const struct flow_record *flow, int side)
{
    return flow->side[side].history_count * sizeof(struct history_record);
}

/* Appends octets; returns where the next ones go. */
static char *append(char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

/* Has the flow spelled behind the entry that was made last, or copied there.  false: memory ran
 * out, and there is no text. */
static bool add_text(struct ledger *ledger, const struct flow_record *flow,
                     struct spelled *ret_spelled)
{
    struct spelled_room room = {ledger->store + ledger->used, SPELLED_ROOM};
    *ret_spelled = (struct spelled){.reader = NULL};
    if (ledger->speller == NULL)
        return true;
    bool spelled = ledger->speller->ops->flow(ledger->speller, flow, room, ret_spelled);
    if (!spelled || ret_spelled->text == NULL)
        return spelled;
    if (ret_spelled->text != room.begin) {
        if (!make_room(ledger, ret_spelled->length))
            return false;
        memcpy(ledger->store + ledger->used, ret_spelled->text, ret_spelled->length);
    }
    ledger->used += aligned(ret_spelled->length);
    return true;
}

static size_t text_room(const struct ledger *ledger)
{
    return ledger->speller == NULL ? 0 : SPELLED_ROOM;
}

/* Forgets the entry that was made last, from there on. */
static void forget(struct ledger *ledger, size_t offset)
{
    ledger->count--;
    ledger->used = offset;
}

static enum status keep_whole(struct ledger *ledger, const struct flow_record *flow)
{
    struct folded folded = {.entries = {entries_size(flow, 0), entries_size(flow, 1)}};
    const char *from = (const char *)flow;
    size_t size = sizeof(folded) + sizeof(*flow) - 2 * (size_t)HISTORY_SIZE + folded.entries[0] +
                  folded.entries[1];
    char *to = enter(ledger, LEDGER_FLOW, size, text_room(ledger));
    if (to == NULL)
        return STATUS_NO_MEMORY;
    size_t offset = (size_t)(to - ledger->store);
    if (!add_text(ledger, flow, &folded.spelled))
        folded.spelled.text = NULL; /* its reader makes one */
    to = append(ledger->store + offset, &folded, sizeof(folded));
    to = append(to, from, FIRST_HISTORY + folded.entries[0]);
    to = append(to, from + FIRST_HISTORY + HISTORY_SIZE, BETWEEN + folded.entries[1]);
    append(to, from + SECOND_HISTORY + HISTORY_SIZE, REST);
    return STATUS_OK;
}

static enum status keep_flow(struct sink *sink, const struct flow_record *flow)
{
    struct ledger *ledger = (struct ledger *)sink;
    struct plain_flow plain;
    if (!ledger->plain || !told_plain_flow(flow, &plain))
        return keep_whole(ledger, flow);
    size_t size = told_plain_size(&plain);
    char *to = enter(ledger, LEDGER_PLAIN, size, text_room(ledger));
    if (to == NULL)
        return STATUS_NO_MEMORY;
    size_t offset = (size_t)(to - ledger->store);
    if (add_text(ledger, flow, &plain.spelled)) {
        memcpy(ledger->store + offset, &plain, size);
        return STATUS_OK;
    }
    forget(ledger, offset);
    return keep_whole(ledger, flow);
}

static const struct flow_record *unfold(struct ledger *ledger, const char *from)
{
    char *to = (char *)&ledger->flow;
    const char *begin = from;
    struct folded folded;
    memcpy(&folded, from, sizeof(folded));
    from += sizeof(folded);
    memcpy(to, from, FIRST_HISTORY + folded.entries[0]);
    from += FIRST_HISTORY + folded.entries[0];
    memcpy(to + FIRST_HISTORY + HISTORY_SIZE, from, BETWEEN + folded.entries[1]);
    from += BETWEEN + folded.entries[1];
    memcpy(to + SECOND_HISTORY + HISTORY_SIZE, from, REST);
    ledger->spelled = folded.spelled;
    ledger->spelled.text = begin + aligned((size_t)(from + REST - begin));
    ledger->flow.spelled = folded.spelled.text == NULL ? NULL : &ledger->spelled;
    return &ledger->flow;
}

static const struct plain_flow *find_text(struct plain_flow *plain)
{
    if (plain->spelled.text != NULL)
        plain->spelled.text = (const char *)plain + aligned(told_plain_size(plain));
    return plain;
}

static enum status keep_event(struct sink *sink, const struct event_record *event)
{
    return keep(sink, LEDGER_EVENT, event, sizeof(*event));
}

static enum status keep_transition(struct sink *sink, const struct transition_record *transition)
{
    return keep(sink, LEDGER_TRANSITION, transition, sizeof(*transition));
}

static enum status keep_segment(struct sink *sink, const struct segment_record *segment)
{
    return keep(sink, LEDGER_SEGMENT, segment, sizeof(*segment));
}

static enum status keep_delta(struct sink *sink, const struct delta *delta)
{
    return keep(sink, LEDGER_DELTA, delta, sizeof(*delta));
}

static struct delta *place_delta(struct sink *sink)
{
    return enter((struct ledger *)sink, LEDGER_DELTA, sizeof(struct delta), 0);
}

/* Without a text. */
static enum status keep_plain(struct sink *sink, const struct plain_flow *plain)
{
    return keep(sink, LEDGER_PLAIN, plain, told_plain_size(plain));
}

static const struct sink_ops ledger_ops = {
    .flow = keep_flow,
    .event = keep_event,
    .transition = keep_transition,
    .segment = keep_segment,
    .delta = keep_delta,
    .place = place_delta,
};

/* Where nobody makes a text, whoever writes a record may leave it at its plain_flow. */
static const struct sink_ops plain_ops = {
    .flow = keep_flow,
    .plain = keep_plain,
    .event = keep_event,
    .transition = keep_transition,
    .segment = keep_segment,
    .delta = keep_delta,
    .place = place_delta,
};

void ledger_serve(struct ledger *ledger, struct speller *speller, bool plain)
{
    ledger->speller = speller;
    ledger->plain = plain;
    ledger->sink.ops = plain && speller == NULL ? &plain_ops : &ledger_ops;
}

void ledger_init(struct ledger *ledger, const struct ledger_key *now, size_t room,
                 void (*drain)(struct ledger *ledger))
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->room = room;
    ledger->drain = drain;
    ledger->sink.ops = &ledger_ops;
    ledger->now = now;
}

bool ledger_before(const struct ledger_entry *a, const struct ledger_entry *b)
{
    if (a->key.decided != b->key.decided)
        return time_is_before(a->key.decided, b->key.decided);
    if (a->key.packet != b->key.packet)
        return a->key.packet < b->key.packet;
    if (a->key.part != b->key.part)
        return a->key.part < b->key.part;
    return a->key.deadline < b->key.deadline;
}

enum status ledger_deliver(struct ledger *ledger, const struct ledger_entry *entry,
                           struct sink *sink)
{
    void *record = ledger->store + entry->offset;
    const struct sink_ops *ops = sink->ops;
    switch (entry->kind) {
    case LEDGER_FLOW:
        return ops->flow == NULL ? STATUS_OK : ops->flow(sink, unfold(ledger, record));
    case LEDGER_PLAIN:
        return ops->plain == NULL ? STATUS_OK : ops->plain(sink, find_text(record));
    case LEDGER_EVENT:
        return ops->event == NULL ? STATUS_OK : ops->event(sink, record);
    case LEDGER_TRANSITION:
        return ops->transition == NULL ? STATUS_OK : ops->transition(sink, record);
    case LEDGER_SEGMENT:
        return ops->segment == NULL ? STATUS_OK : ops->segment(sink, record);
    case LEDGER_DELTA:
        return ops->delta == NULL ? STATUS_OK : ops->delta(sink, record);
    }
    return STATUS_OK;
}

/* Asks for a record that another thread may just have written, and for the entry of a later one. */
static inline __attribute__((always_inline)) void ask(const struct ledger *ledger, size_t number)
{
    enum { LINE = 64 };
    if (number >= ledger->count)
        return;
    const char *record = ledger->store + ledger->entry[number].offset;
    for (size_t octet = 0; octet < sizeof(struct delta); octet += LINE)
        __builtin_prefetch(record + octet);
    if (number + LEDGER_AHEAD < ledger->count)
        __builtin_prefetch(&ledger->entry[number + LEDGER_AHEAD]);
}

/* The deltas of a group of entries, to be shown step by step; asks for those of the next group. */
static void gather(struct ledger *ledger, size_t group)
{
    struct foreseen *foreseen = &ledger->foreseen[group % FORESEE_STEPS];
    size_t next = group * LEDGER_AHEAD, end = next + LEDGER_AHEAD;
    foreseen->count = 0;
    for (size_t i = next; i < end && i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->entry[i];
        foreseen->delta[foreseen->count] = (void *)(ledger->store + entry->offset);
        foreseen->count += entry->kind == LEDGER_DELTA;
        ask(ledger, i + LEDGER_AHEAD);
    }
}

void ledger_foresee(struct ledger *ledger, size_t next, struct sink *sink)
{
    const size_t now = next / LEDGER_AHEAD, first = next == 0 ? 0 : now + FORESEE_STEPS - 1;
    if (sink->ops->foresee == NULL)
        return;
    for (size_t group = first; group < now + FORESEE_STEPS; group++)
        gather(ledger, group);
    for (int step = 0; step < FORESEE_STEPS; step++) {
        size_t last = now + (size_t)(FORESEE_STEPS - 1 - step);
        for (size_t group = next == 0 ? 0 : last; group <= last; group++) {
            const struct foreseen *foreseen = &ledger->foreseen[group % FORESEE_STEPS];
            sink->ops->foresee(sink, foreseen->delta, foreseen->count, step);
        }
    }
}

void ledger_reset(struct ledger *ledger)
{
    ledger->count = 0;
    ledger->used = 0;
}

void ledger_clear(struct ledger *ledger)
{
    free(ledger->entry);
    free(ledger->store);
    ledger->entry = NULL;
    ledger->store = NULL;
}
