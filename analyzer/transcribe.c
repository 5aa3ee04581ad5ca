/* transcribe: see transcribe.h.  What is asked of a segment is what brief.c, brief_moves.c and
 * course_lead.h ask, of a connection of which nothing is out of the ordinary. */
#include "transcribe.h"

#include <string.h>

#include "brief.h"
#include "decide.h"
#include "evict.h"
#include "flow/embryo.h"
#include "lives.h"
#include "schedule.h"
#include "stow.h"
#include "tcp/copies.h"
#include "tcp/course_lead.h"
#include "tell.h"

/* --- what is told --- */

static const uint8_t states_by_course[][SIDES] = {
    /* of the side that closes first, or will have opened, and of the other one */
    [COURSE_NONE] = {STATE_TIME_WAIT, STATE_CLOSED},
    [COURSE_BEGUN] = {STATE_SYN_SENT, STATE_CLOSED},
    [COURSE_ANSWERED] = {STATE_ESTABLISHED, STATE_SYN_RCVD},
    [COURSE_OPEN] = {STATE_ESTABLISHED, STATE_ESTABLISHED},
    [COURSE_PROVEN] = {STATE_ESTABLISHED, STATE_ESTABLISHED},
    [COURSE_PARTING] = {STATE_FIN_WAIT_1, STATE_CLOSE_WAIT},
    [COURSE_LEFT] = {STATE_FIN_WAIT_2, STATE_CLOSE_WAIT},
    [COURSE_PARTED] = {STATE_TIME_WAIT, STATE_LAST_ACK},
};

void transcribe_states(const struct progress *progress, uint8_t ret_state[SIDES])
{
    const uint8_t *state = states_by_course[progress->course];
    for (unsigned side = 0; side < SIDES; side++)
        ret_state[side] = state[side != progress->first];
}

static inline void recall(const struct tuple *tuple, struct life *ret_life)
{
    const struct transcript_head *head = &tuple->transcript->head;
    uint8_t state[SIDES];
    transcribe_states(&tuple->progress, state);
    ret_life->started = head->started;
    ret_life->uid = tuple->last_uid;
    ret_life->number = tuple->numbers;
    ret_life->client_end = head->client_end;
    ret_life->told_once = head->told_once;
    ret_life->answered = true;
    for (int side = 0; side < SIDES; side++) {
        ret_life->side[side].packets = head->packets[side];
        ret_life->side[side].ip_bytes = head->ip_bytes[side];
        ret_life->side[side].state = state[side];
        ret_life->side[side].told = head->told[side];
    }
}

/* The census, of the segment that was written down last. */
static void tell(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                 int from)
{
    struct transcript_head *head = &tuple->transcript->head;
    struct life life;
    recall(tuple, &life);
    tell_life(engine, tuple, &life, segment, from);
    head->told[0] = life.side[0].told;
    head->told[1] = life.side[1].told;
    head->told_once = life.told_once;
}

/* --- the SYN-ACK --- */

/* Of the SYN that the tuple is kept as; long headers find no room in an entry. */
static bool may_begin(const struct engine *engine, const struct embryo *embryo)
{
    return (embryo->options & OPTION_CUT) == 0 && embryo->ip_length <= UINT8_MAX &&
           embryo->checksum_verdict != CHECKSUM_BAD && engine->config.close_wait_slow > 0 &&
           engine->losses_known == 0 && !engine->trace_transitions;
}

static bool answers(const struct engine *engine, const struct embryo *embryo,
                    const struct segment *segment, int end)
{
    return end != embryo->end && course_is_bare(segment, TCP_SYN | TCP_ACK) &&
           segment->acknowledgment == seq_add(embryo->sequence, 1) &&
           time_since(segment->time, embryo->time) < decide_least_idle(&engine->config) &&
           decide_least_idle(&engine->config) > 0 &&
           transcript_holds(embryo->time, embryo->packet, segment) &&
           transcript_is_beside(embryo->vlans, &embryo->vlan, segment);
}

static void begin(struct transcript_head *head, const struct embryo *syn, uint32_t index)
{
    *head = (struct transcript_head){
        .first_packet = syn->packet,
        .started = syn->time,
        .index = index,
        .told = {HOLDING_OPENING, HOLDING_NOTHING},
        .client_end = syn->end,
        .vlan = syn->vlan,
        .vlans = syn->vlans,
    };
}

/* copies_print() of the SYN. */
static uint32_t print_of(const struct embryo *syn, unsigned ip_version)
{
    const struct copies_words words = {
        .numbers = syn->sequence,
        .stamps = (uint64_t)syn->tsecr << 32 | syn->tsval,
        .fields = (uint64_t)ip_version << 56 | (uint64_t)syn->flags << 48 |
                  (uint64_t)syn->options << 32 | (uint32_t)syn->checksum << 16 | syn->window,
    };
    return copies_print_of(&words);
}

/* What transcript_add() writes of the segment that embryo_hatch() makes of it. */
static void keep_syn(struct transcript *transcript, struct progress *progress,
                     const struct embryo *syn, unsigned ip_version)
{
    struct transcript_head *head = &transcript->head;
    head->iss[0] = syn->sequence;
    head->mss[0] = syn->mss;
    head->options[0] = syn->options;
    head->window_scale[0] = syn->window_scale;
    head->ip_bytes[0] = syn->ip_length;
    head->packets[0] = 1;
    transcript->print[0] = print_of(syn, ip_version);
    transcript->entry[0] = (struct transcript_entry){
        .tsval = syn->tsval,
        .tsecr = syn->tsecr,
        .window = syn->window,
        .checksum = syn->checksum,
        .flags = syn->flags,
        .headers = (uint8_t)syn->ip_length,
        .ip_id = syn->ip_id,
        .origin = (uint8_t)(syn->seen_on << 1),
        .ttl = syn->ttl,
        .checksum_verdict = syn->checksum_verdict,
        .cut = syn->cut,
        .stamped = (syn->options & OPTION_TIMESTAMPS) != 0,
    };
    *progress = (struct progress){
        .course = COURSE_ANSWERED,
        .count = 1,
        .client_end = syn->end,
        .window = {syn->window},
        .last_t = syn->time,
        .iss = {syn->sequence},
        .snd_nxt = {seq_add(syn->sequence, 1)},
    };
}

static void keep_answer(struct transcript *transcript, struct progress *progress,
                        const struct segment *segment)
{
    struct transcript_head *head = &transcript->head;
    head->iss[1] = progress->iss[1] = segment->sequence;
    head->mss[1] = segment->mss;
    head->options[1] = segment->options;
    head->window_scale[1] = segment->window_scale;
    transcript_add(transcript, progress, segment, 1, copies_print(segment));
}

/* Room for the transcript of a tuple; NULL: none.  What is taken once stays taken: so a crowd
 * leaves room for the rest. */
static struct transcript *take_room(struct engine *engine, uint32_t *ret_index)
{
    struct pool *pool = &engine->table.transcripts;
    if (stow_is_due(engine) && !stow_oldest(engine))
        return NULL;
    *ret_index = pool_take_unclear(pool);
    return *ret_index != 0 ? pool_at(pool, *ret_index) : NULL;
}

bool transcribe_begin(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                      int end)
{
    if (!may_begin(engine, &tuple->embryo) || !answers(engine, &tuple->embryo, segment, end) ||
        !brief_is_unwatched(engine)) /* short of memory or not: this way takes least of it */
        return false;
    uint32_t index;
    struct transcript *transcript = take_room(engine, &index);
    if (transcript == NULL)
        return false;
    const struct embryo syn = tuple->embryo; /* where it stands, other things do from here on */
    memset(transcript->print, 0, sizeof(transcript->print));
    begin(&transcript->head, &syn, index);
    tuple->embryonic = false;
    tuple->is_transcribed = true;
    tuple->numbers = 1;
    tuple->transcript = transcript;
    keep_syn(transcript, &tuple->progress, &syn, tuple->key.ip_version);
    keep_answer(transcript, &tuple->progress, segment);
    if (tuple->last_uid == 0) /* where nobody was told of the SYN */
        tuple->last_uid = flow_key_uid(&tuple->key, syn.end, syn.sequence, syn.time);
    engine->counts.segments += 2;
    engine_spend_ease(engine); /* memory was taken */
    tell(engine, tuple, segment, 1);
    evict_enqueue(engine, tuple);
    return true;
}

/* --- whether a segment is the next one --- */

static bool is_bare_ack(const struct segment *segment)
{
    return course_is_bare(segment, TCP_ACK) && segment->window != 0 &&
           (segment->options & ~OPTION_TIMESTAMPS) == 0;
}

/* A number of this connection, up to what was sent: the distances are short. */
static bool is_near(const struct progress *progress, const struct segment *segment, int from)
{
    const int peer = side_other(from);
    return segment->sequence == progress->snd_nxt[from] &&
           (seq_distance(segment->acknowledgment, progress->rcv_nxt[from]) |
            seq_distance(progress->snd_nxt[peer], segment->acknowledgment)) >= 0;
}

/* Without data, and the same as the one before while something is in flight.  No branch: each of
 * these alone holds of many. */
static bool is_repeated(const struct progress *progress, const struct segment *segment, int from)
{
    const bool no_data = segment->payload == 0,
               same_ack = segment->acknowledgment == progress->rcv_nxt[from],
               same_window = segment->window == progress->window[from],
               in_flight = segment->acknowledgment != progress->snd_nxt[side_other(from)];
    return no_data & same_ack & same_window & in_flight;
}

/* New data or a new ACK, in order. */
static bool is_ordinary(const struct progress *progress, const struct segment *segment, int from)
{
    return ordinary_is_plain(segment, segment->payload > 0) && is_near(progress, segment, from) &&
           !is_repeated(progress, segment, from);
}

/* The server's first word: data, or the ACK of data. */
static bool proves(const struct progress *progress, const struct segment *segment)
{
    return segment->payload > 0 || seq_after(segment->acknowledgment, seq_add(progress->iss[0], 1));
}

/* Since the other FIN was acknowledged, which is all that passed since. */
static bool comes_soon(const struct engine *engine, const struct tuple *tuple,
                       const struct segment *segment)
{
    const struct transcript *transcript = tuple->transcript;
    nanotime taken =
        transcript_time(&transcript->head, &transcript->entry[tuple->progress.count - 1]);
    return segment->payload == 0 &&
           time_since(segment->time, taken) < engine->config.close_wait_slow;
}

/* What course_fits_parting() asks. */
static enum course after_parting(const struct engine *engine, const struct tuple *tuple,
                                 const struct segment *segment, int from)
{
    const struct progress *progress = &tuple->progress;
    const bool fin = (segment->flags & TCP_FIN) != 0, is_first = progress->first == (unsigned)from;
    const bool all = segment->acknowledgment == progress->snd_nxt[side_other(from)];
    const enum course course = (enum course)progress->course;
    if (!course_is_plain(segment) || !is_near(progress, segment, from))
        return COURSE_BEGUN;
    if (course == COURSE_PROVEN && fin)
        return COURSE_PARTING;
    if (course == COURSE_PARTING && all && !is_first)
        return fin ? COURSE_PARTED : COURSE_LEFT;
    if (course == COURSE_LEFT && all && fin && !is_first && comes_soon(engine, tuple, segment))
        return COURSE_PARTED;
    if (course == COURSE_PARTED && all && !fin && is_first)
        return COURSE_NONE;
    return COURSE_BEGUN;
}

/* How far a segment that is no ordinary one brings the connection; COURSE_BEGUN, where it is no
 * longer: it is not the next one. */
static enum course course_after(const struct engine *engine, const struct tuple *tuple,
                                const struct segment *segment, int from)
{
    const struct progress *progress = &tuple->progress;
    if (progress->course == COURSE_ANSWERED)
        return from == 0 && is_bare_ack(segment) && segment->sequence == progress->snd_nxt[0] &&
                       segment->acknowledgment == progress->snd_nxt[1]
                   ? COURSE_OPEN
                   : COURSE_BEGUN;
    return after_parting(engine, tuple, segment, from);
}

/* Whether there is room for it, and nothing passed meanwhile that might concern it. */
static inline bool may_go_on(const struct engine *engine, const struct tuple *tuple,
                             const struct segment *segment)
{
    const struct transcript_head *head = &tuple->transcript->head;
    return engine->losses_known == 0 && tuple->progress.count < TRANSCRIPT_MOST &&
           transcript_holds(head->started, head->first_packet, segment) &&
           transcript_is_beside(head->vlans, &head->vlan, segment);
}

/* Whether it comes so late that somebody may ask why.  Of a connection that is open nobody does,
 * unless what breaks the silence finds no answer: retrace.h. */
static bool is_late(const struct engine *engine, const struct tuple *tuple,
                    const struct segment *segment, enum course after)
{
    nanotime idle = time_since(segment->time, tuple->progress.last_t);
    return after != COURSE_PARTING && idle >= decide_least_idle(&engine->config);
}

/* --- taking it --- */

/* When the side of the segment, which the FIN that it acknowledges brought into CLOSE_WAIT, is
 * looked at: its last data may be later where the clock was set back (detect/stuck.c).  Where it
 * was not, none of the entries, which nobody fetched, is read. */
static nanotime leak_due(const struct engine *engine, const struct tuple *tuple,
                         const struct segment *segment, int from)
{
    const struct transcript *transcript = tuple->transcript;
    nanotime since = segment->time;
    if (tuple->progress.last_t == since)
        return time_after(since, engine->config.close_wait_leak);
    for (uint32_t i = tuple->progress.count; i-- > 0;) {
        const struct transcript_entry *entry = &transcript->entry[i];
        if (transcript_side(entry) != from ||
            (entry->payload == 0 && (entry->flags & (TCP_SYN | TCP_FIN)) == 0))
            continue;
        since = time_later_of(since, transcript_time(&transcript->head, entry));
        break;
    }
    return time_after(since, engine->config.close_wait_leak);
}

/* A side moved, or a deadline is set; of both sides that parted the first waits for 2MSL. */
static __attribute__((noinline)) bool move(struct engine *engine, struct tuple *tuple,
                                           const struct segment *segment, int from)
{
    const enum course course = (enum course)tuple->progress.course;
    const nanotime two_msl = lives_two_msl(engine);
    if (course != COURSE_LEFT) /* of FIN_WAIT_2 nothing is told */
        tell(engine, tuple, segment, from);
    if (course == COURSE_LEFT)
        schedule_arm(engine, tuple, leak_due(engine, tuple, segment, from));
    else if (course == COURSE_PARTED)
        schedule_arm(engine, tuple, time_after(segment->time, two_msl));
    else if (course == COURSE_NONE)
        schedule_park_transcript(engine, tuple, time_after(segment->time, two_msl));
    return true;
}

/* Writes it down; false: it may be a copy of one of the last few. */
static inline bool take(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int from)
{
    const uint32_t print = copies_print(segment);
    if (copies_among(tuple->transcript->print, print))
        return false;
    transcript_add(tuple->transcript, &tuple->progress, segment, from, print);
    engine->counts.segments++;
    return true;
}

bool transcribe_ordinary(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                         int end)
{
    struct progress *progress = &tuple->progress;
    const int from = end ^ (int)progress->client_end;
    const bool word = progress->course == COURSE_OPEN && from == 1;
    if ((progress->course != COURSE_PROVEN && progress->course != COURSE_OPEN) ||
        !is_ordinary(progress, segment, from) || (word && !proves(progress, segment)) ||
        !may_go_on(engine, tuple, segment) || !take(engine, tuple, segment, from))
        return false;
    if (word)
        progress->course = COURSE_PROVEN;
    return true;
}

bool transcribe_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int end)
{
    struct progress *progress = &tuple->progress;
    const int from = end ^ (int)progress->client_end;
    const enum course after = course_after(engine, tuple, segment, from);
    if (after == COURSE_BEGUN || is_late(engine, tuple, segment, after) ||
        !may_go_on(engine, tuple, segment) || !take(engine, tuple, segment, from))
        return false;
    if (after == COURSE_PARTING)
        progress->first = (unsigned)from & 1;
    progress->course = (unsigned)after & 7;
    return move(engine, tuple, segment, from);
}
