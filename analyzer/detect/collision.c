/*
 * collision: a SYN into an existing incarnation, with all numbers of the two incarnations (EVENTS
 * C3).  How it was resolved is an event of its own, which this one causes: collision_outcome.c.
 */
#include "collision.h"

#include "detectors.h"
#include "report.h"
#include "resolve.h"

/* Evidence base of the old incarnation, in the candidate's roles. */
static struct evidence_base old_base(const struct collision *collision)
{
    return (struct evidence_base){
        .incarnation = collision->old_number,
        .known = {(collision->old[0].flags & SIDE_ISS_KNOWN) != 0,
                  (collision->old[1].flags & SIDE_ISS_KNOWN) != 0},
        .iss = {collision->old[0].iss, collision->old[1].iss},
    };
}

/* What the packet that answers the SYN shows. */
static const char *reply_says(const struct collision *collision)
{
    if (collision->answer != ANSWER_SYNACK)
        return "the reset that answers the SYN";
    if ((collision->reply.flags & TCP_SYN) != 0)
        return "the SYN-ACK of the new connection";
    return collision->reply.from == CLIENT
               ? "the client goes on in the new connection: its SYN-ACK was not captured"
               : "the server speaks in the new connection: its SYN-ACK was not captured";
}

void collision_add_evidence(struct event_record *event, const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    struct evidence_base fresh = report_base(incarnation), old = old_base(collision);
    bool fin_is_responders = collision->old_fin.from == collision->old_side_of[1];
    if (fin_is_responders)
        report_evidence(event, &old, &collision->old_fin, SERVER, ROLE_REFERENCE,
                        "the server's FIN in the old connection");
    report_evidence(event, &old, &collision->old_final_ack, CLIENT, ROLE_REFERENCE,
                    "the segment that acknowledges that FIN");
    report_evidence(event, &fresh, &collision->syn, CLIENT, ROLE_TRIGGER,
                    "the SYN of incarnation %u", incarnation->number);
    report_evidence(event, &fresh, &collision->peer_syn, SERVER, ROLE_REFERENCE,
                    "the server's own SYN: both opened at once");
    report_evidence(event, &old, &collision->challenge, SERVER, ROLE_REACTION,
                    "an ACK in the numbers of incarnation %u: the old connection is alive, %s",
                    collision->old_number, tcp_state_name(collision->state_after));
    report_evidence(event, &old, &collision->fin_again, SERVER, ROLE_REACTION,
                    "the old FIN again: LAST_ACK for certain");
    report_evidence(event, &old, &collision->reset, CLIENT, ROLE_REACTION,
                    "the client resets the old connection");
    if (collision->rounds > 1)
        report_evidence(event, &old, &collision->challenge_last, SERVER, ROLE_REACTION,
                        "the latest ACK in the old numbers");
    if (collision->resets > 1)
        report_evidence(event, &old, &collision->reset_last, CLIENT, ROLE_REACTION,
                        "the latest reset of it");
    if (collision->syn_last.packet != collision->syn.packet)
        report_evidence(event, &fresh, &collision->syn_last, CLIENT,
                        collision->answer == ANSWER_SYNACK ? ROLE_REPAIR : ROLE_REFERENCE,
                        "the same SYN again");
    bool accepted = collision->answer == ANSWER_SYNACK;
    bool old_numbers = collision->answer == ANSWER_RST_OLD;
    report_evidence(event, old_numbers ? &old : &fresh, &collision->reply, collision->reply.from,
                    accepted && collision->challenges > 0 ? ROLE_REPAIR : ROLE_REACTION, "%s",
                    reply_says(collision));
}

static const char *answer_name(enum syn_answer answer)
{
    switch (answer) {
    case ANSWER_NONE:
        return "none";
    case ANSWER_SYNACK:
        return "synack";
    case ANSWER_RST_NEW:
        return "rst";
    case ANSWER_RST_OLD:
        return "rst_old_numbers";
    }
    return "none";
}

static void add_deltas(struct event_record *event, const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    const struct side *side = incarnation->connection.side;
    report_number(event, "gap_ns", time_since(collision->syn.t, collision->old_last_t));
    if (tombstone_side_knows_next(&collision->old[0]))
        report_number(event, "isn_delta_client",
                      seq_distance(side[0].iss, collision->old[0].snd_nxt));
    if (side_has(&side[1], SIDE_SYN_SEEN) && tombstone_side_knows_next(&collision->old[1]))
        report_number(event, "isn_delta_server",
                      seq_distance(side[1].iss, collision->old[1].snd_nxt));
    bool stamped = collision->syn_timestamps && (collision->old[0].flags & SIDE_TSVAL) != 0;
    if (stamped)
        report_number(event, "tsval_delta_client",
                      seq_distance(collision->syn_tsval, collision->old[0].tsval_last));
    report_number(event, "challenges", collision->challenges);
}

/* The old responder's state: what its answer showed, where that differs from what was presumed. */
static enum tcp_state shown_state(const struct collision *collision)
{
    bool shown = collision->state_before[1] == STATE_CLOSED;
    return shown ? collision->state_after : collision->state_before[1];
}

static enum basis shown_basis(const struct collision *collision)
{
    bool same = shown_state(collision) == collision->state_before[1];
    return same ? collision->basis_before[1] : BASIS_SENT; /* its own answer shows it */
}

static const char *safe_words(enum safe_by safe_by, bool rested)
{
    if (rested)
        return "more than 2MSL had passed, so that old segments are gone";
    switch (safe_by) {
    case SAFE_BY_ISN:
        return "old segments are kept out by its sequence numbers, which lie above the old ones";
    case SAFE_BY_PAWS:
        return "old segments are kept out by their older time stamps (PAWS)";
    case SAFE_BY_UNKNOWN:
        return "whether old segments are kept out is not known: the capture lacks some of their "
               "options";
    case SAFE_BY_NONE:
        return "nothing keeps old segments out";
    }
    return "nothing keeps old segments out";
}

static void explain_collision(struct event_record *event, const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    struct duration_text gap = report_duration(time_since(collision->syn.t, collision->old_last_t));
    if (collision->resumed) {
        report_explain(event,
                       "A SYN from %s to %s (packet %llu) came into a running connection, whose "
                       "sender then went on in it: the SYN was not of its own making.",
                       client.text, server.text, (unsigned long long)collision->syn.packet);
        return;
    }
    report_explain(event,
                   "%s connected to %s again (packet %llu) %s after the last packet of incarnation "
                   "%u, whose sides stood in %s (client's address) and %s (server's).",
                   client.text, server.text, (unsigned long long)collision->syn.packet, gap.text,
                   collision->old_number, tcp_state_name(collision->state_before[0]),
                   tcp_state_name(shown_state(collision)));
    if (collision->peer_syn.packet != 0)
        report_explain(event, " %s opened it, too (packet %llu), before it could know.",
                       server.text, (unsigned long long)collision->peer_syn.packet);
    switch (collision->answer) {
    case ANSWER_NONE:
        report_explain(event, " No SYN-ACK and no reset of the new connection was seen.");
        break;
    case ANSWER_SYNACK:
        report_explain(event, " It was accepted (packet %llu); %s.",
                       (unsigned long long)collision->reply.packet,
                       safe_words(resolve_safe_by(incarnation),
                                  time_since(collision->syn.t, collision->old_last_t) >=
                                      2 * occasion->config->msl));
        break;
    case ANSWER_RST_NEW:
        report_explain(event, " It was reset (packet %llu).",
                       (unsigned long long)collision->reply.packet);
        break;
    case ANSWER_RST_OLD:
        report_explain(event, " A reset in the old numbers ended the old connection (packet %llu).",
                       (unsigned long long)collision->reply.packet);
        break;
    }
}

static void remedy_collision(struct event_record *event, const struct occasion *occasion)
{
    if (occasion->incarnation->collision->resumed) {
        report_remedy(event, "Find out who sent that SYN: compare its TTL and IP ID with those of "
                             "the sender's other packets.");
        return;
    }
    struct endpoint_text client = report_address(occasion, CLIENT);
    if (event->level == LEVEL_INFO && occasion->incarnation->collision->answer == ANSWER_NONE) {
        report_remedy(event, "Capture longer to see whether the connection comes up.");
        return;
    }
    if (event->level == LEVEL_INFO) {
        report_remedy(event, "Nothing: the port came back safely.");
        return;
    }
    report_remedy(event,
                  "On %s: let ports rest for 2MSL (a wider net.ipv4.ip_local_port_range, fewer "
                  "short connections through keep-alive or pooling).",
                  client.text);
    const struct collision *collision = occasion->incarnation->collision;
    if (!collision->syn_timestamps && !collision->syn_cut)
        report_remedy(event, " Timestamps on at both ends (net.ipv4.tcp_timestamps=1) let PAWS "
                             "reject old segments.");
}

void detect_incarnation_collision(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    int outcome = resolve_outcome(collision);
    struct event_record event;
    report_begin(&event, EVENT_incarnation_collision, collision->syn.t,
                 report_gated(incarnation, resolve_confidence(collision, outcome)),
                 resolve_blame(collision, outcome));
    event.level = resolve_collision_level(incarnation, outcome, 2 * occasion->config->msl);
    event.outcome = outcome;
    if (event.level == LEVEL_ERROR && event.blame == BLAME_NONE)
        event.blame = BLAME_CLOSER; /* whose port came back while old segments were about */
    if (collision->resumed) {
        event.level = LEVEL_NOTICE;
        event.blame = BLAME_ATTACKER;
        event.confidence = CONFIDENCE_POSSIBLE;
    }
    resolve_changes(incarnation, &event);
    collision_add_evidence(&event, incarnation);
    add_deltas(&event, incarnation);
    report_detail(&event, "safe_by", safe_by_name(resolve_safe_by(incarnation)));
    report_detail(&event, "answer", answer_name(collision->answer));
    report_detail(&event, "old_state_client", tcp_state_name(collision->state_before[0]));
    report_detail(&event, "old_state_server", tcp_state_name(shown_state(collision)));
    report_detail(&event, "old_basis_client", basis_name(collision->basis_before[0]));
    report_detail(&event, "old_basis_server", basis_name(shown_basis(collision)));
    explain_collision(&event, occasion);
    remedy_collision(&event, occasion);
    occasion->emit(occasion->context, &event);
}
