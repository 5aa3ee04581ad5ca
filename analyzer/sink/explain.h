/*
 * explain: the catalogue of events for people and for machines.  All print to an open stream and
 * fail with STATUS_WRITE, STATUS_CLOSED or STATUS_NO_MEMORY.
 */
#ifndef LASTACK_SINK_EXPLAIN_H
#define LASTACK_SINK_EXPLAIN_H

#include <stdio.h>

#include "../base/status.h"
#include "../event/catalogue.h"

/* One line an event: id, level, title. */
enum status sink_explain_list_events(FILE *stream, int columns);

/* One line an integrity note: id, meaning. */
enum status sink_explain_list_notes(FILE *stream, int columns);

/* The same as one JSON document: {"events":[...],"notes":[...]}. */
enum status sink_explain_list_json(FILE *stream);

/* All that the catalogue says of one event. */
enum status sink_explain_event(FILE *stream, int columns, enum event_id id);

/* All of it as Markdown: the event reference. */
enum status sink_explain_markdown(FILE *stream);

#endif
