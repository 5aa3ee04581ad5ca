/*
 * ladder_book: an open-addressed table of ends leads to the ladders; each grows its own arrays.
 *
 * A recent book that is full forgets: a hand goes round over the ladders and takes the first that
 * is not needed and was not written to since it came by (second chance).
 */
#include "ladder_book.h"

#include <stdlib.h>
#include <string.h>

#include "ends.h"
#include "ladder_fate.h"

enum {
    KEPT_LADDERS = 100000,
    SEGMENTS_EACH = 10,     /* of all ladders together so many times theirs, 120 octets each */
    KEPT_FIRST = 1000,      /* ladders that are never forgotten: those who end first are shown */
    KEPT_WHOLE = 500,       /* segments of one that is kept although it has no event */
    KEPT_NOTES = 4096,      /* of one ladder */
    KEPT_QUIET = 10000,     /* segments of one ladder from which on quiet runs shrink */
    KEPT_LIVES = 4096,      /* of one ladder */
    TABLE_ROOM = 4 * 65536, /* a power of 2, over twice KEPT_LADDERS */
};

struct ladder_book {
    struct ladder_choice choice;
    struct hash_key key;
    uint32_t *table; /* index of the ladder, from 1; 0: free */
    struct ladder *ladders;
    uint32_t count, room, most;
    uint64_t numbered; /* ladders that there were */
    size_t segments;
    uint64_t left_out;
    bool recent;                  /* it forgets when it is full */
    int spared;                   /* ladders with an event of this level are not forgotten */
    uint32_t hand;                /* index of the next ladder to look at */
    const struct tap_names *taps; /* not owned */
    uint32_t vacant; /* place of a forgotten ladder, its next in that one's number; 0: none */
};

/* Makes room for one more element of an array; false when memory is out. */
static bool make_room(void **array, size_t size, size_t count, size_t *room)
{
    if (count < *room)
        return true;
    size_t wider = *room == 0 ? 8 : *room * 2;
    void *larger = realloc(*array, wider * size);
    if (larger == NULL)
        return false;
    *array = larger;
    *room = wider;
    return true;
}

static uint32_t *find_place(const struct ladder_book *book, const struct flow_identity *who)
{
    uint32_t index = (uint32_t)ends_hash(book->key, who) & (TABLE_ROOM - 1);
    while (book->table[index] != 0 && !ends_match(&book->ladders[book->table[index] - 1].who, who))
        index = (index + 1) & (TABLE_ROOM - 1);
    return &book->table[index];
}

static bool is_choice_end(const struct ladder_choice *choice, int end,
                          const struct endpoint_record *is)
{
    return choice->port[end] == is->port &&
           memcmp(choice->address[end], is->address, choice->ip_version == 4 ? 4 : 16) == 0;
}

static bool has_choice_ends(const struct ladder_choice *choice, const struct flow_identity *who)
{
    if (choice->ip_version != who->ip_version)
        return false;
    return (is_choice_end(choice, 0, &who->end[0]) && is_choice_end(choice, 1, &who->end[1])) ||
           (is_choice_end(choice, 1, &who->end[0]) && is_choice_end(choice, 0, &who->end[1]));
}

/* By the record alone; numbers are not known before the ladder is. */
static bool may_be_chosen(const struct ladder_choice *choice, const struct flow_identity *who)
{
    if (choice->kind == LADDER_UID)
        return who->flow_uid == choice->number;
    return choice->kind != LADDER_ENDS || has_choice_ends(choice, who);
}

bool ladder_book_chose(const struct ladder_book *book, const struct ladder *ladder)
{
    return book->choice.kind != LADDER_NUMBER || ladder->number == book->choice.number;
}

static void clear_ladder(struct ladder *ladder)
{
    for (uint32_t i = 0; i < ladder->life_count; i++) {
        free(ladder->lives[i].history[LEFT]);
        free(ladder->lives[i].history[RIGHT]);
    }
    free(ladder->lives);
    free(ladder->segments);
    free(ladder->notes);
}

/* Empties a place of the table; what stands behind it moves up to where it is looked for. */
static void clear_place(struct ladder_book *book, uint32_t place)
{
    const uint32_t mask = TABLE_ROOM - 1;
    for (uint32_t next = (place + 1) & mask; book->table[next] != 0; next = (next + 1) & mask) {
        const struct ladder *ladder = &book->ladders[book->table[next] - 1];
        uint32_t home = (uint32_t)ends_hash(book->key, &ladder->who) & mask;
        if (((next - home) & mask) < ((next - place) & mask))
            continue;
        book->table[place] = book->table[next];
        place = next;
    }
    book->table[place] = 0;
}

static void forget(struct ladder_book *book, uint32_t index)
{
    struct ladder *ladder = &book->ladders[index];
    clear_place(book, (uint32_t)(find_place(book, &ladder->who) - book->table));
    book->segments -= ladder->segment_count;
    clear_ladder(ladder);
    *ladder = (struct ladder){.vacant = true, .number = book->vacant};
    book->vacant = index + 1;
}

static bool may_be_forgotten(const struct ladder_book *book, const struct ladder *ladder)
{
    bool kept = ladder->kept && ladder->segment_count <= KEPT_WHOLE;
    return !ladder->vacant && !kept && (int)ladder->worst < book->spared;
}

/* Forgets a ladder, not the one given; false: there is none, and the book stays full. */
static bool make_space(struct ladder_book *book, const struct ladder *but)
{
    for (uint64_t looks = 0; book->recent; looks++) {
        if (looks == 2 * (uint64_t)book->count) { /* what is left is all needed: as much? */
            looks = 0;
            book->recent = book->spared++ < LEVEL_ERROR;
        }
        book->hand = book->hand + 1 < book->count ? book->hand + 1 : 0;
        struct ladder *ladder = &book->ladders[book->hand];
        bool wanted = ladder == but || ladder->touched || !may_be_forgotten(book, ladder);
        ladder->touched = false;
        if (wanted)
            continue;
        forget(book, book->hand);
        return true;
    }
    return false;
}

/* An index for a new ladder; false: there is no room. */
static enum status find_vacant(struct ladder_book *book, uint32_t *ret_index)
{
    if (book->vacant != 0) {
        *ret_index = book->vacant - 1;
        book->vacant = (uint32_t)book->ladders[*ret_index].number;
        return STATUS_OK;
    }
    size_t room = book->room;
    if (!make_room((void **)&book->ladders, sizeof *book->ladders, book->count, &room))
        return STATUS_NO_MEMORY;
    book->room = (uint32_t)room;
    *ret_index = book->count++;
    return STATUS_OK;
}

/* The ladder of a record, a new one where there is none; *ret_ladder is NULL without room. */
static enum status find_ladder(struct ladder_book *book, const struct flow_identity *who,
                               struct ladder **ret_ladder)
{
    uint32_t *place = find_place(book, who);
    *ret_ladder = NULL;
    if (*place == 0 && book->vacant == 0 && book->count == book->most && !make_space(book, NULL)) {
        book->left_out++;
        return STATUS_OK;
    }
    if (*place == 0) {
        uint32_t index = 0;
        if (find_vacant(book, &index) != STATUS_OK)
            return STATUS_NO_MEMORY;
        bool first = ++book->numbered <= KEPT_FIRST;
        book->ladders[index] = (struct ladder){
            .who = *who, .taps = book->taps, .number = book->numbered, .kept = first};
        *find_place(book, who) = index + 1; /* places may have moved */
        place = find_place(book, who);
    }
    struct ladder *ladder = &book->ladders[*place - 1];
    ladder->touched = true;
    *ret_ladder = ladder_book_chose(book, ladder) ? ladder : NULL;
    return STATUS_OK;
}

/* The incarnation of a record, a new one where there is none; *ret_life is NULL: no room. */
static enum status find_life(struct ladder *ladder, const struct flow_identity *who,
                             struct ladder_life **ret_life)
{
    *ret_life = NULL;
    for (uint32_t i = ladder->life_count; i-- > 0;) {
        if (ladder->lives[i].flow_uid != who->flow_uid)
            continue;
        *ret_life = &ladder->lives[i];
        return STATUS_OK;
    }
    if (ladder->life_count == KEPT_LIVES)
        return STATUS_OK;
    struct ladder_life *larger =
        realloc(ladder->lives, (ladder->life_count + 1) * sizeof *ladder->lives);
    if (larger == NULL)
        return STATUS_NO_MEMORY;
    ladder->lives = larger;
    struct ladder_life *life = &ladder->lives[ladder->life_count++];
    *life = (struct ladder_life){.flow_uid = who->flow_uid, .incarnation = who->incarnation};
    life->turned = !ends_is_same(&who->end[CLIENT], &ladder->who.end[CLIENT]);
    *ret_life = life;
    return STATUS_OK;
}

bool ladder_segment_is_quiet(const struct ladder_segment *before,
                             const struct ladder_segment *segment)
{
    enum { QUIET_FLAGS = 0x18 /* ACK and PSH (RFC 9293 3.1) */ };
    bool arrived = segment->fate == PATH_FATES || segment->fate == FATE_ARRIVED;
    return (segment->flags & ~QUIET_FLAGS) == 0 && segment->verdict == VERDICT_NEW && arrived &&
           before->life == segment->life &&
           memcmp(before->after, segment->after, sizeof before->after) == 0 &&
           memcmp(before->basis, segment->basis, sizeof before->basis) == 0;
}

/*
 * A long transfer must not leave its end without room: in a long ladder, the newest segment takes
 * the place of the one before when that one and its neighbours are quiet.
 */
static void shrink_quiet_run(struct ladder *ladder)
{
    if (ladder->segment_count < KEPT_QUIET)
        return;
    struct ladder_segment *newest = &ladder->segments[ladder->segment_count - 1];
    struct ladder_segment *middle = newest - 1;
    if (!ladder_segment_is_quiet(middle - 1, middle) || !ladder_segment_is_quiet(middle, newest) ||
        middle->folded == UINT32_MAX)
        return;
    newest->folded = middle->folded + 1;
    memcpy(newest->folded_octets, middle->folded_octets, sizeof newest->folded_octets);
    newest->folded_octets[middle->from] += middle->payload;
    *middle = *newest;
    ladder->segment_count--;
}

/* With taps, segments come in the order in which their fate is decided. */
static void put_in_order(struct ladder *ladder)
{
    size_t place = ladder->segment_count - 1;
    const struct ladder_segment newest = ladder->segments[place];
    for (; place > 0 && time_is_before(newest.t, ladder->segments[place - 1].t); place--)
        ladder->segments[place] = ladder->segments[place - 1];
    ladder->segments[place] = newest;
}

static void keep_segment(struct ladder *ladder, const struct segment_record *segment,
                         const struct ladder_life *life)
{
    struct ladder_segment *kept = &ladder->segments[ladder->segment_count++];
    int turned = !ends_is_same(&segment->who.end[CLIENT], &ladder->who.end[CLIENT]);
    *kept = (struct ladder_segment){
        .packet = ladder_place(segment->tap, segment->packet),
        .t = segment->t,
        .seq = segment->seq,
        .ack = segment->ack,
        .payload = segment->payload,
        .window = (uint32_t)segment->window, /* below 2^30 (RFC 7323 2.3) */
        .life = (uint32_t)(life - ladder->lives),
        .flags = segment->flags,
        .from = (uint8_t)(segment->from ^ turned),
        .seq_known = segment->relative_known,
        .ack_known = segment->ack_relative_known,
        .verdict = (uint8_t)segment->verdict,
    };
    if (!kept->seq_known)
        kept->seq = segment->seq_abs;
    if (!kept->ack_known)
        kept->ack = segment->ack_abs;
    for (int side = LEFT; side <= RIGHT; side++) {
        kept->after[side] = (uint8_t)segment->after[side ^ turned];
        kept->basis[side] = (uint8_t)segment->after_basis[side ^ turned];
    }
    ladder_fate_keep(kept, segment);
    if (ladder->taps != NULL)
        put_in_order(ladder);
}

enum status ladder_book_segment(struct ladder_book *book, const struct segment_record *segment)
{
    struct ladder *ladder;
    if (!may_be_chosen(&book->choice, &segment->who))
        return STATUS_OK;
    enum status status = find_ladder(book, &segment->who, &ladder);
    if (status != STATUS_OK || ladder == NULL)
        return status;
    struct ladder_life *life;
    status = find_life(ladder, &segment->who, &life);
    if (status != STATUS_OK)
        return status;
    bool room = life != NULL;
    while (room && book->segments >= SEGMENTS_EACH * (uint64_t)book->most)
        room = make_space(book, ladder);
    if (!room) {
        book->left_out++;
        return STATUS_OK;
    }
    if (!make_room((void **)&ladder->segments, sizeof *ladder->segments, ladder->segment_count,
                   &ladder->segment_room))
        return STATUS_NO_MEMORY;
    size_t before = ladder->segment_count;
    keep_segment(ladder, segment, life);
    shrink_quiet_run(ladder);
    book->segments += ladder->segment_count - before;
    return STATUS_OK;
}

static enum status keep_history(struct ladder_life *life, int side,
                                const struct side_record *record)
{
    size_t octets = record->history_count * sizeof *record->history;
    struct history_record *copy = malloc(octets + 1);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    memcpy(copy, record->history, octets);
    free(life->history[side]);
    life->history[side] = copy;
    life->history_count[side] = record->history_count;
    return STATUS_OK;
}

/* Of what was forgotten, what comes after it is not worth a ladder. */
static bool is_forgotten(const struct ladder_book *book, const struct flow_identity *who)
{
    return book->recent && *find_place(book, who) == 0;
}

enum status ladder_book_flow(struct ladder_book *book, const struct flow_record *flow)
{
    struct ladder *ladder;
    if (!may_be_chosen(&book->choice, &flow->who) || is_forgotten(book, &flow->who))
        return STATUS_OK;
    enum status status = find_ladder(book, &flow->who, &ladder);
    struct ladder_life *life = NULL;
    if (status == STATUS_OK && ladder != NULL)
        status = find_life(ladder, &flow->who, &life);
    if (life == NULL)
        return status;
    life->turned = !ends_is_same(&flow->who.end[CLIENT], &ladder->who.end[CLIENT]);
    life->ended = true;
    life->close_kind = flow->close_kind;
    life->time_wait_until = flow->time_wait_until;
    life->time_wait_restarts = flow->time_wait_restarts;
    for (int side = CLIENT; side <= SERVER && status == STATUS_OK; side++) {
        int here = side ^ (int)life->turned;
        life->time_wait[here] =
            flow->time_wait && (flow->time_wait_both || flow->time_wait_side == side);
        status = keep_history(life, here, &flow->side[side]);
    }
    return status;
}

static enum status keep_note(struct ladder *ladder, const struct event_record *event,
                             const struct evidence_record *evidence)
{
    size_t room = ladder->note_room;
    if (evidence->packet == 0 || ladder->note_count == KEPT_NOTES)
        return STATUS_OK;
    if (!make_room((void **)&ladder->notes, sizeof *ladder->notes, ladder->note_count, &room))
        return STATUS_NO_MEMORY;
    ladder->note_room = (uint32_t)room;
    uint32_t place = ladder->note_count++;
    uint64_t packet = ladder_place(evidence->tap, evidence->packet);
    for (; place > 0 && ladder->notes[place - 1].packet > packet; place--)
        ladder->notes[place] = ladder->notes[place - 1];
    struct ladder_note *note = &ladder->notes[place];
    *note = (struct ladder_note){.packet = packet, .level = event->level, .id = event->id};
    memcpy(note->says, evidence->says, sizeof note->says);
    return STATUS_OK;
}

enum status ladder_book_event(struct ladder_book *book, const struct event_record *event)
{
    struct ladder *ladder;
    bool of_neighbour = book->choice.kind == LADDER_UID && event->who.previous != 0 &&
                        event->who.previous == book->choice.number;
    if ((!may_be_chosen(&book->choice, &event->who) && !of_neighbour) ||
        is_forgotten(book, &event->who))
        return STATUS_OK;
    enum status status = find_ladder(book, &event->who, &ladder);
    if (status != STATUS_OK || ladder == NULL)
        return status;
    if (event->level > ladder->worst)
        ladder->worst = event->level;
    for (uint32_t i = 0; i < event->evidence_count && status == STATUS_OK; i++)
        status = keep_note(ladder, event, &event->evidence[i]);
    return status;
}

const struct ladder *ladder_book_list(const struct ladder_book *book, uint32_t *ret_count)
{
    *ret_count = book->count;
    return book->ladders;
}

void ladder_book_keep(struct ladder_book *book, const struct flow_identity *who)
{
    uint32_t place = *find_place(book, who);
    if (place != 0)
        book->ladders[place - 1].kept = true;
}

const struct ladder *ladder_book_find(const struct ladder_book *book,
                                      const struct flow_identity *who)
{
    uint32_t place = *find_place(book, who);
    return place == 0 ? NULL : &book->ladders[place - 1];
}

uint64_t ladder_book_left_out(const struct ladder_book *book)
{
    return book->left_out;
}

void ladder_book_free(struct ladder_book *book)
{
    if (book == NULL)
        return;
    for (uint32_t i = 0; i < book->count; i++)
        clear_ladder(&book->ladders[i]);
    free(book->ladders);
    free(book->table);
    free(book);
}

struct ladder_book *ladder_book_new(const struct ladder_choice *choice, bool recent, uint32_t most)
{
    struct ladder_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return NULL;
    book->choice = *choice;
    book->recent = recent;
    book->most = most == 0 || most > KEPT_LADDERS ? KEPT_LADDERS : most;
    book->spared = LEVEL_INFO;
    book->key = hash_key_draw();
    book->table = calloc(TABLE_ROOM, sizeof *book->table);
    if (book->table == NULL) {
        free(book);
        return NULL;
    }
    return book;
}

void ladder_book_name_taps(struct ladder_book *book, const struct tap_names *taps)
{
    book->taps = taps;
}
