/* ledger: see ledger.h. */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 };

static void *grown(void *old, size_t *capacity, size_t needed, size_t unit)
{
    size_t wanted = *capacity == 0 ? 1024 : *capacity;
    while (wanted < needed)
        wanted *= 2;
    void *bigger = realloc(old, wanted * unit);
    if (bigger != NULL)
        *capacity = wanted;
    return bigger;
}

static enum status keep(struct sink *sink, enum ledger_kind kind, const void *record, size_t size)
{
    struct ledger *ledger = (struct ledger *)sink;
    size_t room = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (ledger->count == ledger->capacity) {
        void *entry =
            grown(ledger->entry, &ledger->capacity, ledger->count + 1, sizeof(*ledger->entry));
        if (entry == NULL)
            return STATUS_NO_MEMORY;
        ledger->entry = entry;
    }
    if (ledger->used + room > ledger->size) {
        void *store = grown(ledger->store, &ledger->size, ledger->used + room, 1);
        if (store == NULL)
            return STATUS_NO_MEMORY;
        ledger->store = store;
    }
    memcpy(ledger->store + ledger->used, record, size);
    ledger->entry[ledger->count++] = (struct ledger_entry){*ledger->now, kind, ledger->used};
    ledger->used += room;
    return STATUS_OK;
}

static enum status keep_flow(struct sink *sink, const struct flow_record *flow)
{
    return keep(sink, LEDGER_FLOW, flow, sizeof(*flow));
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

static const struct sink_ops ledger_ops = {
    .flow = keep_flow,
    .event = keep_event,
    .transition = keep_transition,
    .segment = keep_segment,
};

void ledger_init(struct ledger *ledger, const struct ledger_key *now)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->sink.ops = &ledger_ops;
    ledger->now = now;
}

bool ledger_before(const struct ledger_entry *a, const struct ledger_entry *b)
{
    if (a->key.decided != b->key.decided)
        return time_is_before(a->key.decided, b->key.decided);
    if (a->key.packet != b->key.packet)
        return a->key.packet < b->key.packet;
    return a->key.deadline < b->key.deadline;
}

enum status ledger_deliver(const struct ledger *ledger, const struct ledger_entry *entry,
                           struct sink *sink)
{
    const void *record = ledger->store + entry->offset;
    const struct sink_ops *ops = sink->ops;
    switch (entry->kind) {
    case LEDGER_FLOW:
        return ops->flow == NULL ? STATUS_OK : ops->flow(sink, record);
    case LEDGER_EVENT:
        return ops->event == NULL ? STATUS_OK : ops->event(sink, record);
    case LEDGER_TRANSITION:
        return ops->transition == NULL ? STATUS_OK : ops->transition(sink, record);
    case LEDGER_SEGMENT:
        return ops->segment == NULL ? STATUS_OK : ops->segment(sink, record);
    }
    return STATUS_OK;
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
