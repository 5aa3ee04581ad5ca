/* retrace: see retrace.h. */
#include "retrace.h"

#include "brief.h"
#include "brief_moves.h"
#include "decide.h"
#include "evict.h"
#include "flow/park.h"
#include "flow/story.h"
#include "lives.h"
#include "tcp/copies.h"
#include "tcp/course.h"

static bool is_open(const struct tuple *tuple)
{
    const unsigned course = tuple->current->connection.course;
    return course == COURSE_OPEN || course == COURSE_PROVEN;
}

/* Whether the segment moves no side: an ordinary one of a side that is known to be there. */
static bool moves_none(const struct tuple *tuple, const struct segment *segment, int from)
{
    const unsigned course = tuple->current->connection.course;
    return (segment->flags & TCP_FIN) == 0 &&
           (course == COURSE_PROVEN || (course == COURSE_OPEN && from == 0));
}

/* Of the memory against copies the last few segments are all that is left, each in its turn. */
static void remember(struct connection *connection, const struct transcript_reader *reader,
                     const struct segment *segment, int from)
{
    if (reader->left >= RECENT_PACKETS)
        return;
    const uint32_t place = transcript_count(reader->head) - reader->left - 1;
    connection->recent_next = place % RECENT_PACKETS;
    copies_remember(connection, segment, from, copies_print(segment));
}

/* Silence is a story, from the segment that breaks it until both sides spoke again.  Taken it was;
 * idle: how long nothing had passed before it. */
static void follow_story(struct engine *engine, struct incarnation *current,
                         const struct segment *segment, int from, nanotime idle)
{
    const nanotime least = decide_least_idle(&engine->config);
    if (current->story == NULL && idle < least)
        return;
    const struct step step = {
        .segment = segment,
        .from = from,
        .end = seq_add(segment->sequence, transcript_occupies(segment->flags, segment->payload)),
        .idle = idle,
    };
    if (!story_follow(&current->story, &current->connection, &step, least))
        engine->status = STATUS_NO_MEMORY;
}

/* The segments after the first. */
static void take_rest(struct engine *engine, struct tuple *tuple, struct transcript_reader *reader)
{
    const struct segment *segment;
    int from;
    while ((segment = transcript_read(reader, &from)) != NULL) {
        const int end = incarnation_end(tuple->current, from);
        const nanotime idle = time_since(segment->time, tuple->current->connection.last_t);
        remember(&tuple->current->connection, reader, segment, from);
        if (moves_none(tuple, segment, from)) {
            brief_take_again(tuple, segment, end);
        } else {
            brief_moves_take_again(engine, tuple, segment, end);
            tuple->calm = is_open(tuple) ? brief_calm_on_course(tuple) & 0xf : 0;
        }
        follow_story(engine, tuple->current, segment, from, idle);
    }
}

/* Where the tuple's connection was kept so, stands an incarnation; false: no memory. */
static bool read_again(struct engine *engine, struct tuple *tuple,
                       const struct transcript_head *head, const struct transcript_entry *entry)
{
    struct transcript_reader reader;
    int from;
    transcript_begin(&reader, head, entry, &tuple->key);
    const struct segment *syn = transcript_read(&reader, &from);
    if (syn == NULL || !lives_restart(engine, tuple, syn, head->client_end))
        return false;
    take_rest(engine, tuple, &reader);
    tuple->current->told[0] = head->told[0];
    tuple->current->told[1] = head->told[1];
    tuple->current->told_once = head->told_once;
    tuple->current->seen_t = head->seen_t;
    tuple->current->part = head->parts;
    engine_spend_ease(engine); /* memory was taken */
    return true;
}

bool retrace(struct engine *engine, struct tuple *tuple)
{
    struct transcript *transcript = tuple->transcript;
    if (!read_again(engine, tuple, &transcript->head, transcript->entry))
        return false;
    pool_give(&engine->table.transcripts, transcript->head.index);
    tuple->is_transcribed = false;
    if (tuple->current->story != NULL) {
        tuple->calm = 0;
        flow_table_count_beside(&engine->table, tuple);
    }
    evict_enqueue(engine, tuple);
    return true;
}

bool retrace_beside(struct engine *engine, struct tuple *tuple)
{
    const struct transcript *transcript = tuple->transcript;
    return read_again(engine, tuple, &transcript->head, transcript->entry);
}

bool retrace_parked(struct engine *engine, struct tuple *tuple, const struct parked *parked)
{
    struct transcript_head head;
    struct transcript_entry entry[TRANSCRIPT_MOST];
    park_read_transcript(&engine->table.parking, parked, &head, entry);
    if (!read_again(engine, tuple, &head, entry))
        return false;
    park_forget_recent(&tuple->current->connection);
    return true;
}
