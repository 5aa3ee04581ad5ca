/* engine: see engine.h.  engine_segment() is the data flow of one segment, in order. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "brief.h"
#include "brief_moves.h"
#include "crowd.h"
#include "dispatch.h"
#include "evict.h"
#include "flow/embryo.h"
#include "flow/icmp_story.h"
#include "flow/park.h"
#include "lives.h"
#include "retrace.h"
#include "schedule.h"
#include "stow.h"
#include "tape.h"
#include "tell.h"
#include "transcribe.h"

enum status engine_init(struct engine *engine, const struct config *config, struct sink *sink)
{
    memset(engine, 0, sizeof(*engine));
    engine->config = *config;
    engine->room = config->max_memory;
    engine->sink = sink;
    engine->clock = INT64_MIN + 1;
    engine->crowd = CROWD_BEGINS;
    engine->transcripts_part = STOW_PART;
    detect_index_init(&engine->detectors);
    return flow_table_init(&engine->table) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The tuples that come next are fetched, and what they point to. */
static inline __attribute__((always_inline)) void fetch_next_deadlines(const struct engine *engine)
{
    const struct agenda_entry *far = agenda_look_ahead(&engine->agenda, FETCH_TUPLE_AHEAD);
    const struct agenda_entry *near = agenda_look_ahead(&engine->agenda, FETCH_PARKED_AHEAD);
    if (far != NULL)
        tuple_fetch(flow_table_tuple(&engine->table, far->index));
    if (near == NULL)
        return;
    const struct tuple *tuple = flow_table_tuple(&engine->table, near->index);
    if (tuple->is_parked && tuple->due <= near->due) /* else it stays parked */
        flow_table_prefetch_parked(tuple);
    if (tuple->resting && tuple->armed == near->due) /* its rest is over, and it goes */
        flow_table_prefetch_removal(&engine->table, tuple);
}

/*
 * Of the capture's losses a deadline knows those that were told before the clock came to it: with
 * several threads this engine hears of more, as the packet that set the clock was another one's.
 */
static uint32_t losses_known_at(const struct engine *engine, nanotime due)
{
    uint32_t known = engine->losses_known;
    if (known == 0 || !time_is_before(engine->clock, due))
        return known;
    return moments_told_before(engine->losses, known, due);
}

/* Meets the deadlines up to now.  What is then decided, `item` decided; the clock when it is NULL.
 */
static void meet_deadlines_due(struct engine *engine, nanotime now, const struct engine_item *item)
{
    const uint32_t losses_known = engine->losses_known;
    struct ledger_key key = {.packet = item != NULL ? item->segment.packet : 0,
                             .part = item != NULL ? item->part : 0};
    while (agenda_is_due(&engine->agenda, now)) {
        engine_spend_ease(engine);
        struct agenda_entry entry = agenda_take(&engine->agenda);
        struct tuple *tuple = flow_table_tuple(&engine->table, entry.index);
        fetch_next_deadlines(engine);
        if (tuple->armed != entry.due)
            continue; /* the tuple has an earlier deadline, or none, or is gone */
        engine->losses_known = losses_known_at(engine, entry.due);
        engine->clock = time_later_of(engine->clock, entry.due);
        key.decided = engine->clock;
        key.deadline = entry.key;
        engine->now = key;
        schedule_deadline(engine, tuple, entry.due);
        engine->losses_known = losses_known;
        flow_table_draw_in(&engine->table);
    }
}

/* As a rule there is none. */
static inline void meet_deadlines(struct engine *engine, nanotime now,
                                  const struct engine_item *item)
{
    if (agenda_is_due(&engine->agenda, now))
        meet_deadlines_due(engine, now, item);
}

/* Once the deadlines before it are met: they may have settled what came before. */
static inline void keep_on_tape(struct engine *engine, const struct engine_item *item)
{
    if (engine->tape != NULL && tape_take(engine->tape, item) != STATUS_OK)
        engine->status = STATUS_NO_MEMORY;
}

/* Brings out what is kept small or packed away; false when memory ran out. */
static bool make_whole(struct engine *engine, struct tuple *tuple)
{
    if (!tuple->embryonic && !tuple->is_parked && !tuple->is_transcribed)
        return true;
    engine_spend_ease(engine);
    if (tuple->embryonic)
        lives_hatch(engine, tuple);
    if (tuple->is_transcribed)
        return retrace(engine, tuple);
    return !tuple->is_parked || schedule_unpark(engine, tuple);
}

/* The first segment of a tuple. */
static struct tuple *add_tuple(struct engine *engine, const struct engine_item *item)
{
    struct tuple *tuple = flow_table_add(&engine->table, &item->key, item->hash);
    engine_spend_ease(engine);
    if (tuple == NULL)
        engine->status = STATUS_NO_MEMORY;
    return tuple;
}

/* Whether the first segment of a tuple is kept small: a lone SYN, where nobody wants to see every
 * segment. */
static bool is_kept_small(const struct engine *engine, const struct segment *segment)
{
    return embryo_fits(segment) && !engine->trace_segments && !engine->trace_transitions;
}

static void keep_small(struct engine *engine, const struct engine_item *item)
{
    const struct segment *segment = &item->segment;
    engine->lone_disorder |= segment->packet < engine->lone_packet;
    engine->lone_packet = segment->packet;
    if (crowd_is_there(engine) && crowd_keep(engine, item))
        return;
    struct tuple *tuple = add_tuple(engine, item);
    if (tuple == NULL)
        return;
    embryo_keep(tuple, segment, item->end);
    tell_embryo(engine, tuple, segment);
    evict_enqueue(engine, tuple);
    evict_to_limit(engine, tuple);
}

/* The longest way: whatever the segment is. */
static void take_fully(struct engine *engine, const struct engine_item *item, struct tuple *tuple)
{
    engine_spend_ease(engine);
    dispatch_segment(engine, tuple, &item->segment, item->end);
    evict_to_limit(engine, tuple);
    schedule_tuple(engine, tuple);
}

/* A connection that was packed away has room again, for which another may have to give its own. */
static bool bring_back(struct engine *engine, struct tuple *tuple)
{
    if (tuple->parked->form == PARKED_OPEN && stow_is_due(engine))
        stow_oldest(engine);
    return stow_bring_back(engine, tuple);
}

/* The shortest way: of a connection that is, or from here on is to be, kept as its segments. */
static inline bool take_transcribed(struct engine *engine, const struct engine_item *item,
                                    struct tuple *tuple, bool was_stowed)
{
    const struct segment *segment = &item->segment;
    if (was_stowed && tuple->is_transcribed &&
        transcribe_ordinary(engine, tuple, segment, item->end))
        return true;
    if (tuple->is_transcribed)
        return transcribe_segment(engine, tuple, segment, item->end);
    return tuple->embryonic && transcribe_begin(engine, tuple, segment, item->end);
}

/* The way of a segment that moves something; tuple NULL: the first of its tuple. */
static __attribute__((noinline)) void
take_at_length(struct engine *engine, const struct engine_item *item, struct tuple *tuple)
{
    const struct berths *whole = &engine->table.incarnations;
    const uint64_t were_whole = whole->taken;
    bool first = tuple == NULL;
    engine->now = (struct ledger_key){engine->clock, item->segment.packet, item->part, 0};
    engine->shares_frames |= item->part > 0;
    if (first && is_kept_small(engine, &item->segment)) {
        keep_small(engine, item);
        return;
    }
    if (first)
        tuple = add_tuple(engine, item);
    if (tuple == NULL)
        return;
    const bool was_stowed = tuple_is_stowed(tuple);
    if (was_stowed && !bring_back(engine, tuple))
        return;
    if (!take_transcribed(engine, item, tuple, was_stowed)) {
        if (!make_whole(engine, tuple))
            return;
        if (!brief_moves_segment(engine, tuple, &item->segment, item->end))
            take_fully(engine, item, tuple);
        else if (whole->taken > were_whole)
            evict_to_limit(engine, tuple);
        if (whole->taken > were_whole && stow_is_worth(engine))
            evict_pack(engine, tuple, STOW_SILENCE);
    }
    flow_table_draw_in(&engine->table);
    /* what a time stamp from the past leaves overdue is met now: with several threads, the next
     * packet that this engine sees is another one */
    meet_deadlines(engine, engine->clock, item);
}

void engine_segment(struct engine *engine, const struct engine_item *item, struct tuple *likely)
{
    engine->losses_known = item->losses;
    meet_deadlines(engine, item->clock, NULL);
    engine->clock = time_later_of(engine->clock, item->clock);
    keep_on_tape(engine, item);
    struct tuple *tuple = likely;
    if (tuple == NULL || !flow_table_is_of(tuple, &item->key))
        tuple = flow_table_reach(&engine->table, &item->key, item->hash);
    if (tuple != NULL && tuple->is_transcribed &&
        transcribe_ordinary(engine, tuple, &item->segment, item->end))
        return;
    if (tuple == NULL || !brief_segment(engine, tuple, &item->segment, item->end))
        take_at_length(engine, item, tuple);
}

/* Whether a tuple of one SYN, kept small, is to be made whole for an error: that SYN is quoted. */
static bool quotes_embryo(const struct tuple *tuple, const struct engine_item *item)
{
    return tuple->embryo.end == item->end && tuple->embryo.sequence == item->segment.sequence;
}

static void count_icmp(struct engine *engine, enum icmp_match match)
{
    switch (match) {
    case ICMP_MATCHED:
        engine->counts.icmp_matched++;
        break;
    case ICMP_COPY:
        engine->counts.icmp_copies++;
        break;
    case ICMP_NO_MEMORY:
        engine->status = STATUS_NO_MEMORY;
        engine->counts.icmp_matched++;
        break;
    case ICMP_UNMATCHED:
        engine->counts.icmp_unmatched++;
        break;
    }
}

/* Shows the error to a tuple; false where that cannot have sent what it quotes. */
static bool take_icmp(struct engine *engine, struct tuple *tuple, const struct engine_item *item)
{
    if (tuple == NULL || (tuple->embryonic && !quotes_embryo(tuple, item)) ||
        !make_whole(engine, tuple))
        return false;
    count_icmp(engine, icmp_story_take(tuple, &item->segment, item->end, &item->icmp,
                                       engine->config.copy_window));
    flow_table_count_beside(&engine->table, tuple);
    evict_to_limit(engine, tuple);
    schedule_tuple(engine, tuple);
    return true;
}

void engine_icmp(struct engine *engine, const struct engine_item *item)
{
    engine->losses_known = item->losses;
    engine_advance(engine, item->clock);
    keep_on_tape(engine, item);
    engine_spend_ease(engine);
    engine->now = (struct ledger_key){engine->clock, item->segment.packet, item->part, 0};
    struct tuple *tuple = flow_table_reach(&engine->table, &item->key, item->hash);
    if (!take_icmp(engine, tuple, item))
        count_icmp(engine, ICMP_UNMATCHED);
    meet_deadlines(engine, engine->clock, item);
}

/* Of several incarnations an edge concerns all, a packet the one that takes packets. */
static void note_lives(const struct tuple *tuple, enum item_kind kind)
{
    struct incarnation *first = tuple->current != NULL ? tuple->current : tuple->candidate;
    struct incarnation *lives[] = {first, tuple->candidate, tuple->retiring};
    size_t count = kind == ITEM_EDGE ? sizeof(lives) / sizeof(lives[0]) : 1;
    enum note_id note = kind == ITEM_EDGE ? NOTE_piece_boundary : NOTE_fragment_incomplete;
    for (size_t i = 0; i < count; i++) {
        if (lives[i] != NULL)
            lives[i]->notes |= UINT64_C(1) << note;
    }
}

void engine_note(struct engine *engine, const struct engine_item *item)
{
    engine->losses_known = item->losses;
    engine_advance(engine, item->clock);
    keep_on_tape(engine, item);
    engine_spend_ease(engine);
    engine->now = (struct ledger_key){engine->clock, item->segment.packet, item->part, 0};
    struct tuple *tuple = flow_table_reach(&engine->table, &item->key, item->hash);
    if (tuple == NULL || !make_whole(engine, tuple))
        return;
    note_lives(tuple, (enum item_kind)item->kind);
    evict_to_limit(engine, tuple);
    schedule_tuple(engine, tuple);
    meet_deadlines(engine, engine->clock, item);
}

void engine_advance(struct engine *engine, nanotime now)
{
    meet_deadlines(engine, now, NULL);
    engine->clock = time_later_of(engine->clock, now);
}

void engine_add_counts(struct engine_counts *sum, const struct engine_counts *counts)
{
    const uint64_t *from = (const uint64_t *)(const void *)counts;
    uint64_t *to = (uint64_t *)(void *)sum;
    for (size_t i = 0; i < sizeof(*counts) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

void engine_clear(struct engine *engine)
{
    free(engine->survivors);
    tape_free(engine->tape);
    flow_table_clear(&engine->table, engine->tombstones > 0);
    agenda_clear(&engine->agenda);
}
