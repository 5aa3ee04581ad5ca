/* deltas: see deltas.h. */
#include "deltas.h"

#include <stdlib.h>

enum status deltas_init(struct deltas *deltas)
{
    deltas->octets = malloc(DELTAS_ROOM);
    deltas_begin(deltas);
    return deltas->octets == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

bool deltas_are_full(const struct deltas *deltas)
{
    return DELTAS_ROOM - deltas->record.count < TOLD_OCTETS;
}

void deltas_begin(struct deltas *deltas)
{
    deltas->record = (struct deltas_record){.t = NANOTIME_UNKNOWN, .octets = deltas->octets};
}

static void add(struct deltas *deltas, nanotime t, size_t count)
{
    struct deltas_record *record = &deltas->record;
    record->t = record->items == 0 ? t : record->t;
    record->count += count;
    record->items++;
}

void deltas_add(struct deltas *deltas, const struct delta *delta)
{
    uint8_t *octets = deltas->octets + deltas->record.count;
    add(deltas, delta->t, told_pack_delta(delta, octets, DELTAS_ROOM - deltas->record.count));
}

void deltas_add_flow(struct deltas *deltas, const struct closed_flow *flow, nanotime t)
{
    uint8_t *octets = deltas->octets + deltas->record.count;
    add(deltas, t, told_pack_flow(flow, octets, DELTAS_ROOM - deltas->record.count));
}

void deltas_clear(struct deltas *deltas)
{
    free(deltas->octets);
}
