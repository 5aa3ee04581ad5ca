/*
 * lone: how a tuple ends that has seen one SYN and nothing else, without being hatched.
 *
 * Nothing can have become of such a SYN: no detector has anything to say of it, its connection was
 * never answered, and its record follows from struct embryo.  tests/unit/test_lone.c holds it to
 * the way of every other connection.
 */
#ifndef LASTACK_LONE_H
#define LASTACK_LONE_H

#include "engine.h"

/* Ends an embryonic tuple: counted, told, and written where somebody wants the record.  notes: bits
 * of the integrity notes of the reason.  False: it must be hatched, and nothing was done. */
bool lone_end(struct engine *engine, struct tuple *tuple, uint64_t notes);

/* Its flow record, as the capture ends. */
void lone_record(const struct tuple *tuple, uint64_t notes, struct flow_record *ret_flow);

#endif
