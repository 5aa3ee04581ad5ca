/*
 * collision: a SYN into an existing incarnation, and its one outcome (EVENTS C3).
 *
 * Two events tell the story: incarnation_collision with all numbers of the two incarnations, and
 * the row that resolved it, caused by the collision.
 */
#include "detectors.h"
#include "lost_answers.h"
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

static void add_evidence(struct event_record *event, const struct incarnation *incarnation)
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
        return "whether old segments are kept out is not known: the capture lacks some of their options";
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
        report_explain(event, " %s opened it, too (packet %llu), before it could know.", server.text,
                       (unsigned long long)collision->peer_syn.packet);
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
    add_evidence(&event, incarnation);
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

/* --- the outcome, one function a row --- */

static void tell_last_ack_rst(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    struct duration_text age = report_duration(time_since(collision->syn.t, collision->old_fin.t));
    bool acked = collision->old_final_ack.packet != 0;
    bool doubtful = event->confidence == CONFIDENCE_POSSIBLE;
    report_explain(event,
                   "%s connected again from the same port (packet %llu) %s after the FIN of %s "
                   "(packet %llu)",
                   client.text, (unsigned long long)collision->syn.packet, age.text, server.text,
                   (unsigned long long)collision->old_fin.packet);
    report_explain(event,
                   doubtful
                       ? ", and %s answered with a reset (packet %llu): either it still waited "
                         "in LAST_ACK for the last ACK, lost beyond the capture point, or "
                         "nothing listens there any more, which looks the same."
                       : ", while %s still waited in LAST_ACK for the last ACK of the old "
                         "connection: it answered the SYN with a reset (packet %llu).",
                   server.text, (unsigned long long)collision->reply.packet);
    report_explain(event, collision->answer == ANSWER_RST_OLD
                              ? " The reset bears the old numbers, so the new attempt ignores it "
                                "and tries again."
                              : " connect() failed.");
    if (!doubtful)
        report_explain(event, acked ? " The last ACK had passed here and was lost beyond."
                                    : " No last ACK had passed here.");
    report_remedy(
        event,
        "On %s, which closed first: keep TIME_WAIT (no SO_LINGER 0, no low "
        "net.ipv4.tcp_max_tw_buckets, no reuse of the port at once), and retry connect().",
        report_address(occasion, CLIENT).text);
    if (doubtful)
        report_remedy(event, " On %s: check that the service listens (ss -ltn).",
                      report_address(occasion, SERVER).text);
}

static void tell_last_ack_challenged(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    bool up = collision->answer == ANSWER_SYNACK;
    bool challenged = collision->challenge.packet != 0;
    nanotime delay = up ? time_since(collision->reply.t, collision->syn.t) : NANOTIME_UNKNOWN;
    struct duration_text delay_text = report_duration(delay);
    report_explain(event,
                   "%s connected again from the same port while %s was still in LAST_ACK for the "
                   "old connection: the SYN (packet %llu) drew %s",
                   client.text, server.text, (unsigned long long)collision->syn.packet,
                   challenged ? "a challenge ACK in the old numbers"
                              : "no answer that was captured, then the old FIN came again");
    report_explain(event, " (packet %llu)",
                   (unsigned long long)(challenged ? collision->challenge.packet
                                                   : collision->fin_again.packet));
    if (collision->reset.packet != 0)
        report_explain(event, ", %s reset the old connection (packet %llu) and tried again",
                       client.text, (unsigned long long)collision->reset.packet);
    report_explain(event, up ? ". The connection came up %s after the first SYN." : ".%.0s",
                   delay_text.text);
    if (up)
        report_number(event, "connect_delay_ns", delay);
    report_remedy(event,
                  "On %s, which closed first: keep TIME_WAIT (no SO_LINGER 0, no low "
                  "net.ipv4.tcp_max_tw_buckets, no reuse of the port at once); look for the loss "
                  "of the last ACK between the two hosts.",
                  report_address(occasion, CLIENT).text);
}

/* The client had closed, and its FIN_WAIT_2 ran out; the server's application never closed. */
static void tell_close_wait(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    struct duration_text quiet =
        report_duration(time_since(collision->syn.t, collision->old_last_t));
    report_explain(event,
                   "%s used its port again (packet %llu) %s after the old connection's last "
                   "packet, but %s still held that one in CLOSE_WAIT: its application had not "
                   "closed after the FIN of %s.",
                   client.text, (unsigned long long)collision->syn.packet, quiet.text, server.text,
                   client.text);
    report_remedy(event,
                  "On %s: let the application close its socket when it reads the end of the "
                  "stream (ss -tn state close-wait shows how many wait).",
                  report_address(occasion, SERVER).text);
}

static void tell_synchronized(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    bool reset = event->id == EVENT_syn_in_synchronized_rst;
    report_explain(
        event,
        "%s opened a connection (packet %llu) that %s still held in %s: %s had "
        "forgotten it (crash, kill, expired NAT mapping), %s had not and answered with "
        "%s (packet %llu).",
        client.text, (unsigned long long)collision->syn.packet, server.text,
        tcp_state_name(collision->state_after), client.text, server.text,
        reset ? "a reset" : "a challenge ACK",
        (unsigned long long)(reset ? collision->reply.packet : collision->challenge.packet));
    report_remedy(event,
                  "On %s: keep-alives (SO_KEEPALIVE, net.ipv4.tcp_keepalive_time) so that dead "
                  "peers are noticed; check the idle limits of NAT devices and balancers between "
                  "the two; find out why %s forgot the connection.",
                  report_address(occasion, SERVER).text, report_address(occasion, CLIENT).text);
}

static void tell_unresolved(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    if (collision->state_after == STATE_CLOSE_WAIT) {
        tell_close_wait(event, occasion);
        return;
    }
    report_explain(event,
                   "%s connected again (packet %llu) while %s may still have held the old "
                   "connection in %s; no answer to that SYN is in the capture.",
                   client.text, (unsigned long long)collision->syn.packet, server.text,
                   tcp_state_name(collision->state_after));
    report_remedy(event, "Capture longer, or also at %s, to see its answer.",
                  report_address(occasion, SERVER).text);
}

static const char *rule_words(enum reopen_rule rule)
{
    switch (rule) {
    case REOPEN_TS:
        return "the newer time stamp of the SYN allows (RFC 6191)";
    case REOPEN_EQ:
        return "the higher sequence number of the SYN under an equal time stamp allows (RFC 6191)";
    case REOPEN_NEW_TS:
        return "the time stamps of the SYN allow, since the old connection had none (RFC 6191)";
    case REOPEN_SEQ:
        return "the sequence number of the SYN, above the old ones, allows (RFC 6191)";
    case REOPEN_UNKNOWN:
        return "may follow a rule: the capture cut the options of the SYN";
    case REOPEN_NONE:
        return "no rule allows";
    }
    return "no rule allows";
}

static void tell_reopen_accepted(struct event_record *event, const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    seq server_isn = incarnation->connection.side[1].iss;
    int32_t delta = seq_distance(server_isn, collision->old[1].snd_nxt);
    enum reopen_rule rule = resolve_rule(incarnation);
    nanotime age = time_since(collision->syn.t, collision->old_time_wait_since);
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    struct duration_text age_text = report_duration(age);
    report_number(event, "age_ns", age);
    report_number(event, "responder_isn_above", delta > 0);
    report_number(event, "linux_isn", delta == 65537); /* tcp_timewait_state_process */
    if (rule != REOPEN_UNKNOWN)
        report_number(event, "legal", rule != REOPEN_NONE);
    report_detail(event, "rule", reopen_rule_name(rule));
    report_explain(event,
                   "%s was in TIME_WAIT for %s when %s connected again (packet %llu); it accepted "
                   "(packet %llu), which %s.",
                   server.text, age_text.text, client.text,
                   (unsigned long long)collision->syn.packet,
                   (unsigned long long)collision->reply.packet, rule_words(rule));
    if (rule == REOPEN_NONE)
        report_remedy(event, "Enable timestamps at both ends (net.ipv4.tcp_timestamps=1): then "
                             "old segments are told from new ones.");
    else
        report_remedy(event, "Nothing: this is the reuse that RFC 6191 describes.");
}

static void tell_reopen_refused(struct event_record *event, const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    bool paws = resolve_paws_rejected(incarnation);
    bool up = collision->answer == ANSWER_SYNACK;
    nanotime delay = up ? time_since(collision->reply.t, collision->syn.t) : NANOTIME_UNKNOWN;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    struct duration_text delay_text = report_duration(delay);
    report_detail(event, "cause", paws ? "paws_reject" : "isn_not_newer");
    report_explain(event,
                   "%s connected again (packet %llu) while %s was in TIME_WAIT, and the SYN looked "
                   "like an old duplicate (%s): it drew an ACK in the old numbers (packet %llu).",
                   client.text, (unsigned long long)collision->syn.packet, server.text,
                   paws ? "its time stamp is older than the last one of the old connection"
                        : "its sequence number is not above the old ones and no newer time stamp "
                          "speaks for it",
                   (unsigned long long)collision->challenge.packet);
    if (collision->reset.packet != 0)
        report_explain(event, " %s reset the old connection (packet %llu).", client.text,
                       (unsigned long long)collision->reset.packet);
    if (up) {
        report_number(event, "connect_delay_ns", delay);
        report_explain(event, " The connection came up %s after the first SYN.", delay_text.text);
    }
    if (!paws)
        report_remedy(event, "Timestamps on at both ends (net.ipv4.tcp_timestamps=1). ");
    report_remedy(event,
                  "If a NAT mixes several hosts, whose time stamps differ, on one address, give it "
                  "a larger port range or pool; let ports rest for 2MSL on %s.",
                  report_address(occasion, CLIENT).text);
}

static void tell_outcome(struct event_record *event, const struct occasion *occasion)
{
    switch ((int)event->id) {
    case EVENT_syn_in_last_ack_rst:
        tell_last_ack_rst(event, occasion);
        break;
    case EVENT_syn_in_last_ack_challenged:
        tell_last_ack_challenged(event, occasion);
        break;
    case EVENT_syn_in_synchronized_rst:
    case EVENT_syn_in_established_challenged:
        tell_synchronized(event, occasion);
        break;
    case EVENT_syn_unresolved:
        tell_unresolved(event, occasion);
        break;
    case EVENT_tw_reopen_accepted:
        tell_reopen_accepted(event, occasion);
        break;
    case EVENT_challenge_loop:
        lost_answers_tell_loop(event, occasion);
        break;
    case EVENT_challenge_ack_dropped:
        lost_answers_tell_silence(event, occasion);
        break;
    case EVENT_tw_reopen_dropped:
        lost_answers_tell_first_dropped(event, occasion);
        break;
    default:
        tell_reopen_refused(event, occasion);
        break;
    }
}

void detect_collision_outcome(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    int outcome = resolve_outcome(collision);
    if (outcome < 0)
        return;
    enum event_id id = (enum event_id)outcome;
    struct event_record event;
    report_begin(&event, id, collision->syn.t,
                 report_gated(incarnation, resolve_confidence(collision, outcome)),
                 resolve_blame(collision, outcome));
    event.level = resolve_level(incarnation, outcome);
    event.caused_by = occasion->event_uid[EVENT_incarnation_collision];
    resolve_changes(incarnation, &event);
    add_evidence(&event, incarnation);
    report_number(&event, "gap_ns", time_since(collision->syn.t, collision->old_last_t));
    report_number(&event, "syn_in_window", resolve_syn_in_window(collision));
    bool reset = collision->answer == ANSWER_RST_NEW || collision->answer == ANSWER_RST_OLD;
    if (reset)
        report_detail(&event, "rst_form", rst_form_name(collision->reply_form));
    tell_outcome(&event, occasion);
    occasion->emit(occasion->context, &event);
}
