/* resolve: see resolve.h. */
#include "resolve.h"

#include "report.h"

static const char *const rule_names[] = {
    [REOPEN_NONE] = "none",       [REOPEN_TS] = "rfc6191_ts",
    [REOPEN_EQ] = "rfc6191_eq",   [REOPEN_NEW_TS] = "rfc6191_newts",
    [REOPEN_SEQ] = "rfc6191_seq", [REOPEN_UNKNOWN] = "unknown",
};

static const char *const safe_names[] = {
    [SAFE_BY_NONE] = "none",
    [SAFE_BY_ISN] = "isn_newer",
    [SAFE_BY_PAWS] = "paws",
    [SAFE_BY_UNKNOWN] = "unknown",
};

const char *reopen_rule_name(enum reopen_rule rule)
{
    return rule_names[rule];
}

const char *safe_by_name(enum safe_by safe_by)
{
    return safe_names[safe_by];
}

static bool is_reset(const struct collision *collision)
{
    return collision->answer == ANSWER_RST_NEW || collision->answer == ANSWER_RST_OLD;
}

/*
 * The final ACK had passed, so the responder was presumed CLOSED; a reset of the new SYN alone does
 * not tell LAST_ACK from a host without socket and listener.  It is worth naming while the FIN is
 * young enough for LAST_ACK to be alive.
 */
static bool may_be_last_ack(const struct collision *collision)
{
    nanotime young = 60 * (nanotime)NANO_PER_SECOND;
    return collision->state_before[1] == STATE_CLOSED &&
           collision->basis_before[1] == BASIS_PRESUMED && collision->old_fin.packet != 0 &&
           collision->old_final_ack.packet != 0 &&
           collision->old_fin.from == collision->old_side_of[1] &&
           time_since(collision->syn.t, collision->old_fin.t) < young;
}

static int resolve_reset(const struct collision *collision)
{
    switch (collision->state_after) {
    case STATE_LAST_ACK:
        return EVENT_syn_in_last_ack_rst;
    case STATE_CLOSED:
        return may_be_last_ack(collision) ? (int)EVENT_syn_in_last_ack_rst : -1;
    case STATE_SYN_RCVD:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT:
    case STATE_CLOSING:
    case STATE_TIME_WAIT:
        return EVENT_syn_in_synchronized_rst;
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_UNKNOWN:
    case TCP_STATES:
        return -1;
    }
    return -1;
}

static int resolve_challenge(const struct collision *collision)
{
    switch (collision->state_after) {
    case STATE_LAST_ACK:
        return EVENT_syn_in_last_ack_challenged;
    case STATE_TIME_WAIT:
        return EVENT_tw_reopen_refused_ack;
    case STATE_SYN_RCVD:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT:
    case STATE_CLOSING:
    case STATE_UNKNOWN:
        return EVENT_syn_in_established_challenged;
    case STATE_CLOSED:
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case TCP_STATES:
        return -1;
    }
    return -1;
}

static bool is_synchronized(enum tcp_state state)
{
    return state != STATE_CLOSED && state != STATE_LISTEN && state != STATE_SYN_SENT &&
           state != STATE_UNKNOWN;
}

/* A SYN again after its timeout: Linux waits 1 s, others longer. */
static bool syn_timed_out(const struct collision *collision)
{
    nanotime least = 900 * (nanotime)NANO_PER_MILLI;
    return collision->syns > 0 && time_since(collision->syn_last.t, collision->syn.t) >= least;
}

/* Round after round, and no SYN-ACK: or challenges that no reset answers. */
static bool goes_round(const struct collision *collision)
{
    bool rounds = collision->rounds >= 2 && collision->resets >= 2;
    bool unanswered = collision->rounds >= 2 && collision->resets == 0;
    return collision->answer == ANSWER_NONE && (rounds || unanswered);
}

/* The first SYN into TIME_WAIT was swallowed, the next one accepted at once. */
static bool was_dropped_first(const struct collision *collision)
{
    return collision->answer == ANSWER_SYNACK && collision->challenges == 0 &&
           collision->state_before[1] == STATE_TIME_WAIT && syn_timed_out(collision);
}

static int resolve_silence(const struct collision *collision)
{
    bool dropped = syn_timed_out(collision) && is_synchronized(collision->state_after);
    return dropped ? EVENT_challenge_ack_dropped : EVENT_syn_unresolved;
}

int resolve_outcome(const struct collision *collision)
{
    bool last_ack_shown = collision->fin_after_syn && collision->state_after == STATE_LAST_ACK;
    if (collision->resumed)
        return -1;
    if (is_reset(collision))
        return resolve_reset(collision);
    if (goes_round(collision))
        return EVENT_challenge_loop;
    if (was_dropped_first(collision))
        return EVENT_tw_reopen_dropped;
    if (collision->challenges > 0 || (last_ack_shown && collision->answer == ANSWER_SYNACK))
        return resolve_challenge(collision);
    if (collision->answer == ANSWER_NONE)
        return resolve_silence(collision);
    return collision->state_before[1] == STATE_TIME_WAIT ? (int)EVENT_tw_reopen_accepted : -1;
}

static enum confidence last_ack_rst_confidence(const struct collision *collision)
{
    bool old_numbers =
        collision->reply.sequence == collision->old[1].snd_nxt && collision->reply.sequence != 0;
    if (old_numbers || collision->fin_after_syn)
        return CONFIDENCE_CERTAIN;
    return collision->state_after == STATE_LAST_ACK ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE;
}

enum confidence resolve_confidence(const struct collision *collision, int outcome)
{
    bool presumed = collision->basis_before[1] == BASIS_PRESUMED;
    switch (outcome) {
    case EVENT_syn_in_last_ack_rst:
        return last_ack_rst_confidence(collision);
    case EVENT_syn_in_synchronized_rst:
        return collision->answer == ANSWER_RST_OLD ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE;
    case EVENT_syn_unresolved:
    case EVENT_challenge_ack_dropped:
    case EVENT_tw_reopen_dropped:
        return CONFIDENCE_POSSIBLE;
    case EVENT_challenge_loop:
        return collision->resets > 0 ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE;
    case EVENT_tw_reopen_accepted:
        return presumed ? CONFIDENCE_PROBABLE : CONFIDENCE_CERTAIN;
    default:
        return outcome < 0 && presumed ? CONFIDENCE_PROBABLE : CONFIDENCE_CERTAIN;
    }
}

enum level resolve_level(const struct incarnation *incarnation, int outcome)
{
    if (outcome < 0)
        return LEVEL_INFO;
    if (outcome == EVENT_tw_reopen_accepted && resolve_rule(incarnation) == REOPEN_NONE)
        return LEVEL_NOTICE;
    if (outcome == EVENT_syn_in_last_ack_rst &&
        resolve_confidence(incarnation->collision, outcome) == CONFIDENCE_POSSIBLE)
        return LEVEL_WARNING;
    if (outcome == EVENT_challenge_loop && incarnation->collision->resets == 0)
        return LEVEL_WARNING;
    return event_row((enum event_id)outcome)->level;
}

enum level resolve_collision_level(const struct incarnation *incarnation, int outcome,
                                   nanotime two_msl)
{
    const struct collision *collision = incarnation->collision;
    bool accepted = collision->answer == ANSWER_SYNACK;
    bool some_left = time_since(collision->syn.t, collision->old_last_t) < two_msl;
    if (accepted && some_left && resolve_safe_by(incarnation) == SAFE_BY_NONE)
        return LEVEL_ERROR;
    return resolve_level(incarnation, outcome);
}

enum blame resolve_blame(const struct collision *collision, int outcome)
{
    switch (outcome) {
    case EVENT_syn_in_last_ack_rst:
    case EVENT_syn_in_last_ack_challenged:
        return collision->old_final_ack.packet != 0 ? BLAME_NETWORK : BLAME_CLIENT;
    case EVENT_syn_in_synchronized_rst:
    case EVENT_syn_in_established_challenged: /* in CLOSE_WAIT its application never closed */
        return collision->state_after == STATE_CLOSE_WAIT ? BLAME_SERVER : BLAME_CLIENT;
    case EVENT_tw_reopen_refused_ack:
        return BLAME_CLIENT;
    case EVENT_challenge_loop:
    case EVENT_challenge_ack_dropped:
    case EVENT_tw_reopen_dropped:
        return BLAME_MIDDLEBOX;
    default:
        return BLAME_NONE;
    }
}

static bool old_has_timestamps(const struct collision *collision)
{
    return (collision->old[0].flags & SIDE_TIMESTAMPS) != 0 &&
           (collision->old[1].flags & SIDE_TIMESTAMPS) != 0;
}

enum reopen_rule resolve_rule(const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    bool above = seq_after(collision->syn.sequence, collision->old[1].rcv_nxt);
    if (collision->syn_timestamps && !old_has_timestamps(collision))
        return REOPEN_NEW_TS;
    if (collision->syn_cut)
        return REOPEN_UNKNOWN;
    if (!collision->syn_timestamps)
        return above ? REOPEN_SEQ : REOPEN_NONE;
    if (seq_after(collision->syn_tsval, collision->responder_ts_recent))
        return REOPEN_TS;
    bool equal = collision->syn_tsval == collision->responder_ts_recent;
    return equal && above ? REOPEN_EQ : REOPEN_NONE;
}

bool resolve_paws_rejected(const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    return collision->syn_timestamps && old_has_timestamps(collision) &&
           seq_before(collision->syn_tsval, collision->responder_ts_recent);
}

/* Whether the capture cut options, so that timestamps may have been among them. */
static bool is_cut(unsigned side_flags)
{
    return (side_flags & SIDE_SYN_CUT) != 0 && (side_flags & SIDE_TIMESTAMPS) == 0;
}

enum safe_by resolve_safe_by(const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    const struct side *client = &incarnation->connection.side[0];
    const struct side *server = &incarnation->connection.side[1];
    bool server_known = side_has(server, SIDE_SYN_SEEN);
    bool client_above = seq_at_or_after(client->iss, collision->old[0].snd_nxt);
    bool server_above = !server_known || seq_at_or_after(server->iss, collision->old[1].snd_nxt);
    if (client_above && server_above)
        return SAFE_BY_ISN;
    bool stamped = side_has(client, SIDE_TIMESTAMPS) && side_has(server, SIDE_TIMESTAMPS) &&
                   old_has_timestamps(collision);
    bool newer = seq_after(client->tsval_first, collision->old[0].tsval_last) &&
                 seq_after(server->tsval_first, collision->old[1].tsval_last);
    if (stamped && newer)
        return SAFE_BY_PAWS;
    bool old_may = old_has_timestamps(collision) || is_cut(collision->old[0].flags) ||
                   is_cut(collision->old[1].flags);
    bool cut = is_cut(client->flags) || is_cut(server->flags) || is_cut(collision->old[0].flags) ||
               is_cut(collision->old[1].flags);
    return cut && old_may && !stamped ? SAFE_BY_UNKNOWN : SAFE_BY_NONE;
}

bool resolve_syn_in_window(const struct collision *collision)
{
    seq next = collision->old[1].rcv_nxt;
    if (!seq_after(collision->responder_right_edge, next))
        return false;
    return seq_within(collision->syn.sequence, next, collision->responder_right_edge - 1);
}

void resolve_changes(const struct incarnation *incarnation, struct event_record *event)
{
    const struct collision *collision = incarnation->collision;
    const struct side *client = &incarnation->connection.side[0];
    bool ended =
        is_reset(collision) || collision->answer == ANSWER_SYNACK || collision->rst_by_initiator;
    report_change(event, CLIENT, incarnation->number, STATE_SYN_SENT,
                  (enum tcp_state)client->state);
    report_change(event, SERVER, collision->old_number, collision->state_after,
                  ended ? STATE_CLOSED : collision->state_after);
}
