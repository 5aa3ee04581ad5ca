/*
 * account: see account.h.
 *
 * Of such a connection nearly all is known: the arrows of figure 5, which of its segments led along
 * them, and which proved them.  What differs are numbers, times, and sums.
 */
#include "account.h"

#include <string.h>

#include "account_parts.h"
#include "expand.h"
#include "flow/park.h"
#include "lives.h"
#include "tcp/window.h"

/* --- the course --- */

/* The segments that move a side, or prove where it is. */
enum milestone_id { SYN, SYNACK, THIRD, WORD, FIN, FIN_ACKED, FIN_TOO, LAST, NEVER, MILESTONES };

struct milestone {
    nanotime t;
    uint64_t packet; /* 0: it never came */
};

/* An entry of a side's history: what moved it, and what proved that. */
struct arrow {
    uint8_t state, fact, basis;
    uint8_t moved, proved; /* enum milestone_id */
};

/* What course_opening.c and course_parting.c write: a side opens, and closes first or second. */
static const struct arrow opening[SIDES][2] = {
    {{STATE_SYN_SENT, FACT_SND_SYN, BASIS_SENT, SYN, SYN},
     {STATE_ESTABLISHED, FACT_GOT_SYNACK, BASIS_ACKED, SYNACK, THIRD}},
    {{STATE_SYN_RCVD, FACT_SND_SYNACK, BASIS_SENT, SYNACK, SYNACK},
     {STATE_ESTABLISHED, FACT_SYN_ACKED, BASIS_ACKED, THIRD, WORD}},
};

enum { CLOSES_FIRST, CLOSES_SECOND };

static const struct arrow parting[SIDES][3] = {
    {{STATE_FIN_WAIT_1, FACT_SND_FIN, BASIS_SENT, FIN, FIN},
     {STATE_FIN_WAIT_2, FACT_FIN_ACKED, BASIS_ACKED, FIN_ACKED, LAST},
     {STATE_TIME_WAIT, FACT_GOT_FIN, BASIS_ACKED, FIN_TOO, LAST}},
    {{STATE_CLOSE_WAIT, FACT_GOT_FIN, BASIS_ACKED, FIN, FIN_ACKED},
     {STATE_LAST_ACK, FACT_SND_FIN, BASIS_SENT, FIN_TOO, FIN_TOO},
     {STATE_CLOSED, FACT_FIN_ACKED, BASIS_PRESUMED, LAST, NEVER}},
};

/* Where the entries of a history stand that the record speaks of, too. */
enum { PARTED = 2, WAITED = 3, ENDED = 4 };

/* --- the record --- */

static struct milestone milestone_of(const struct account *account, uint32_t i)
{
    const struct transcript_head *head = account->head;
    const struct transcript_entry *entry = &account->entry[i];
    return (struct milestone){transcript_time(head, entry), head->first_packet + entry->packets};
}

/* Which segments they are. */
static void find_milestones(const struct account *account,
                            struct milestone ret_milestone[MILESTONES])
{
    const uint32_t last = transcript_count(account->head) - 1, fin_acked = last - 2;
    const bool at_once = (account->entry[fin_acked].flags & TCP_FIN) != 0; /* the second FIN */
    const uint32_t which[] = {
        [SYN] = 0,
        [SYNACK] = 1,
        [THIRD] = 2,
        [WORD] = account->word,
        [FIN] = at_once ? fin_acked : last - 3,
        [FIN_ACKED] = at_once ? last - 1 : fin_acked,
        [FIN_TOO] = last - 1,
        [LAST] = last,
    };
    for (int i = 0; i < NEVER; i++)
        ret_milestone[i] = milestone_of(account, which[i]);
    ret_milestone[NEVER] = (struct milestone){0, 0};
}

/* Along some arrows; the entries of a side stand in time order, though a clock be set back. */
static void move(struct side_record *side, const struct arrow *arrow, uint32_t arrows,
                 const struct milestone milestone[MILESTONES])
{
    nanotime t = side->history_count > 0 ? side->history[side->history_count - 1].t
                                         : milestone[arrow->moved].t;
    for (uint32_t i = 0; i < arrows; i++, arrow++) {
        t = time_later_of(t, milestone[arrow->moved].t);
        side->history[side->history_count++] = (struct history_record){
            .t = t,
            .packet = milestone[arrow->moved].packet,
            .proof = milestone[arrow->proved].packet,
            .state = (enum tcp_state)arrow->state,
            .fact = (enum fact)arrow->fact,
            .basis = (enum basis)arrow->basis,
        };
        side->state = (enum tcp_state)arrow->state;
        side->basis = (enum basis)arrow->basis;
    }
}

static void end_wait(struct side_record *side, nanotime due)
{
    side->history[side->history_count++] = (struct history_record){
        .t = time_later_of(due, side->history[ENDED].t),
        .state = STATE_CLOSED,
        .fact = FACT_TWO_MSL,
        .basis = BASIS_TIMER,
    };
    side->state = STATE_CLOSED;
    side->basis = BASIS_TIMER;
}

static void tell_side(const struct account *account, int side, struct side_record *record)
{
    const struct transcript_head *head = account->head;
    record->iss_known = true;
    record->iss = head->iss[side];
    record->syn_count = record->fin_count = record->fin_copies = 1;
    record->mss_known = account_offers(head, side, OPTION_MSS);
    record->mss = record->mss_known ? head->mss[side] : 0;
    record->window_scale_known = account_offers(head, side, OPTION_WINDOW_SCALE);
    record->window_scale = record->window_scale_known ? window_shift(head->window_scale[side]) : 0;
    record->sack_known = record->timestamps_known = true;
    record->sack = account_offers(head, side, OPTION_SACK_PERMITTED);
    record->timestamps = account_offers(head, side, OPTION_TIMESTAMPS);
    record->ttl = account->entry[side].ttl;
    expand_round_trips(&account->speaker[side].rtt, record);
}

static void tell_fin(struct side_record *record, const struct milestone *fin, uint64_t acked_by)
{
    record->fin_packet = fin->packet;
    record->fin_time = fin->t;
    record->fin_acked_by = acked_by;
}

static void tell_close(const struct milestone milestone[MILESTONES], int first, nanotime two_msl,
                       struct flow_record *flow)
{
    const struct history_record *x = flow->side[first].history,
                                *y = flow->side[side_other(first)].history;
    const nanotime between = time_since(milestone[FIN_TOO].t, milestone[FIN].t);
    flow->handshake_complete = true;
    flow->close_kind = CLOSE_ORDERLY;
    flow->initiator = first == CLIENT ? INITIATOR_CLIENT : INITIATOR_SERVER;
    flow->fin_to_fin = between < 0 ? -between : between;
    flow->close_wait = time_since(y[WAITED].t, y[PARTED].t);
    flow->fin_wait_2 = time_since(x[ENDED].t, x[WAITED].t);
    flow->time_wait = true;
    flow->time_wait_side = first;
    flow->time_wait_since = x[ENDED].t;
    flow->time_wait_until = time_after(milestone[LAST].t, two_msl);
}

static void tell_identity(const struct tuple *tuple, const struct transcript_head *head,
                          struct flow_identity *who)
{
    who->ip_version = tuple->key.ip_version;
    for (int side = 0; side < SIDES; side++) {
        const int end = side ^ head->client_end;
        memcpy(who->end[side].address, tuple->key.address[end], 16);
        who->end[side].port = tuple->key.port[end];
        who->end[side].packets = head->packets[side];
        who->end[side].ip_bytes = head->ip_bytes[side];
    }
    who->flow_uid = tuple->last_uid;
    who->incarnation = tuple->numbers;
    who->vlans = head->vlans;
    who->vlan[0] = head->vlan;
}

/* How it was opened, and how it was closed. */
static void tell_course(const struct account *account, nanotime two_msl, struct flow_record *flow)
{
    const int first = (int)transcript_side(&account->entry[transcript_count(account->head) - 1]);
    struct side_record *x = &flow->side[first], *y = &flow->side[side_other(first)];
    struct milestone milestone[MILESTONES];
    find_milestones(account, milestone);
    for (int side = 0; side < SIDES; side++)
        move(&flow->side[side], opening[side], 2, milestone);
    move(x, parting[CLOSES_FIRST], 3, milestone);
    move(y, parting[CLOSES_SECOND], 3, milestone);
    tell_fin(x, &milestone[FIN], milestone[FIN_ACKED].packet);
    tell_fin(y, &milestone[FIN_TOO], milestone[LAST].packet);
    expand_handshake(milestone[SYN].t, milestone[SYNACK].t, milestone[THIRD].t, flow);
    tell_close(milestone, first, two_msl, flow);
}

bool account_flow(const struct engine *engine, const struct tuple *tuple, bool met,
                  struct flow_record *ret_flow)
{
    struct transcript_head head;
    struct transcript_entry entry[TRANSCRIPT_MOST];
    struct account account = {.head = &head, .entry = entry, .flow = ret_flow};
    if (engine->losses_known > 0) /* it may be a caveat */
        return false;
    park_read_transcript(&engine->table.parking, tuple->parked, &head, entry);
    expand_clear(ret_flow);
    if (!account_read(&account))
        return false;
    tell_identity(tuple, &head, &ret_flow->who);
    ret_flow->start = head.started;
    ret_flow->end = account.last_t;
    ret_flow->final = true;
    ret_flow->part = head.parts + 1u;
    ret_flow->direction = DIRECTION_SYN;
    for (int side = 0; side < SIDES; side++)
        tell_side(&account, side, &ret_flow->side[side]);
    tell_course(&account, lives_two_msl(engine), ret_flow);
    ret_flow->zeek_state = "SF";
    ret_flow->events[ret_flow->event_count++] = EVENT_close_graceful;
    if (met)
        end_wait(&ret_flow->side[ret_flow->time_wait_side], tuple->due);
    else
        ret_flow->caveats |= UINT64_C(1) << NOTE_end_of_capture_open;
    return true;
}
