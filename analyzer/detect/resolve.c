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
    if (collision->resumed || (collision->peer_syn.packet != 0 && !is_reset(collision)))
        return -1; /* nobody's SYN; or both opened at once, and the responder left by itself */
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

static enum confidence usual_confidence(const struct collision *collision, int outcome)
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

enum confidence resolve_confidence(const struct collision *collision, int outcome)
{
    enum confidence confidence = usual_confidence(collision, outcome);
    if (collision->old_gapped)
        return CONFIDENCE_POSSIBLE;
    return collision->old_midstream ? report_weaker(confidence, CONFIDENCE_PROBABLE) : confidence;
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

/* What is known of something: an answer, or that there is none. */
enum known { KNOWN_NO, KNOWN_YES, NOT_KNOWN };

/* Whether the side had time stamps: by its SYN, else by what it sent since (RFC 7323 3.2). */
static enum known has_stamps(unsigned side_flags)
{
    if ((side_flags & SIDE_TIMESTAMPS) != 0)
        return KNOWN_YES;
    if ((side_flags & SIDE_SYN_SEEN) != 0)
        return (side_flags & SIDE_SYN_CUT) != 0 ? NOT_KNOWN : KNOWN_NO;
    bool bare = (side_flags & SIDE_HEARD) != 0 && (side_flags & SIDE_TSVAL) == 0;
    return bare ? KNOWN_NO : NOT_KNOWN;
}

/* Whether the side's new time stamps are above the old ones. */
static enum known has_newer_stamps(const struct side *side, const struct tombstone_side *old)
{
    if (!side_has(side, SIDE_TSVAL) || (old->flags & SIDE_TSVAL) == 0)
        return NOT_KNOWN;
    return seq_after(side->tsval_first, old->tsval_last) ? KNOWN_YES : KNOWN_NO;
}

/* Both, of either side: one that is not so decides. */
static enum known protects(const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    enum known all = KNOWN_YES;
    for (int i = 0; i < SIDES; i++) {
        const struct side *side = &incarnation->connection.side[i];
        const enum known facts[] = {has_stamps(side->flags), has_stamps(collision->old[i].flags),
                                    has_newer_stamps(side, &collision->old[i])};
        for (size_t j = 0; j < sizeof(facts) / sizeof(facts[0]); j++) {
            if (facts[j] == KNOWN_NO)
                return KNOWN_NO;
            all = facts[j] == NOT_KNOWN ? NOT_KNOWN : all;
        }
    }
    return all;
}

enum safe_by resolve_safe_by(const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    const struct side *client = &incarnation->connection.side[0];
    const struct side *server = &incarnation->connection.side[1];
    bool answered = side_has(server, SIDE_SYN_SEEN);
    bool known = tombstone_side_knows_next(&collision->old[0]) &&
                 (!answered || tombstone_side_knows_next(&collision->old[1]));
    bool client_above = known && seq_at_or_after(client->iss, collision->old[0].snd_nxt);
    bool server_above = !answered || seq_at_or_after(server->iss, collision->old[1].snd_nxt);
    if (client_above && server_above)
        return SAFE_BY_ISN;
    switch (protects(incarnation)) {
    case KNOWN_YES:
        return SAFE_BY_PAWS;
    case NOT_KNOWN:
        return SAFE_BY_UNKNOWN;
    case KNOWN_NO:
        break;
    }
    return known ? SAFE_BY_NONE : SAFE_BY_UNKNOWN;
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
