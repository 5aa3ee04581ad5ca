/* table_nested: lone SYNs that stand in the nest, as the table's index has them; see table.h. */
#include "table.h"

struct nested *flow_table_add_nested(struct flow_table *table, uint64_t hash)
{
    uint32_t code;
    struct nested *nested = flow_table_make_slot(table) ? nest_append(&table->nest, &code) : NULL;
    if (nested != NULL)
        flow_table_enter(table, hash, code);
    return nested;
}

struct tuple *flow_table_unnest(struct flow_table *table, uint32_t code)
{
    struct nested *nested = nest_at(&table->nest, code);
    uint32_t index = pool_take(&table->tuples);
    if (index == 0)
        return NULL;
    struct tuple *tuple = flow_table_tuple(table, index);
    nested_restore(nested, tuple);
    tuple->index = index;
    tuple->armed = NANOTIME_UNKNOWN;
    tuple->queue = QUEUE_NEST;
    tuple->previous = code;
    flow_table_slot_of(table, nested_hash(table->secret, nested), code)->index = index;
    nested->is = NESTED_TUPLE;
    nested->tuple = index;
    return tuple;
}

/* Of what has its tag in the nest.  Apart: seldom anything has. */
static __attribute__((noinline)) struct tuple *
reach_nested(struct flow_table *table, const struct flow_key *key, uint32_t tag)
{
    for (uint32_t i = tag & table->mask; table->slot[i].index != 0; i = (i + 1) & table->mask) {
        const struct table_slot slot = table->slot[i];
        if (slot.tag == tag && nest_is_code(slot.index) &&
            nested_is_of(nest_at(&table->nest, slot.index), key))
            return flow_table_unnest(table, slot.index);
    }
    return NULL;
}

struct tuple *flow_table_reach(struct flow_table *table, const struct flow_key *key, uint64_t hash)
{
    bool nested = false;
    struct tuple *tuple = flow_table_look(table, key, hash, &nested);
    return nested && tuple == NULL ? reach_nested(table, key, flow_table_tag(hash)) : tuple;
}

void flow_table_remove_nested(struct flow_table *table, uint32_t code)
{
    flow_table_leave(table, nested_hash(table->secret, nest_at(&table->nest, code)), code);
    nest_leave(&table->nest, code);
}
