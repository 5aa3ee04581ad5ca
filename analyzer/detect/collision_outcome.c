/*
 * collision_outcome: how a SYN into an existing incarnation was resolved, one function a row of
 * EVENTS C3; caused by the collision.
 */
#include "collision.h"
#include "detectors.h"
#include "lost_answers.h"
#include "report.h"
#include "resolve.h"

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
    event.caused_by = occasion->collision_uid;
    resolve_changes(incarnation, &event);
    collision_add_evidence(&event, incarnation);
    report_number(&event, "gap_ns", time_since(collision->syn.t, collision->old_last_t));
    report_number(&event, "syn_in_window", resolve_syn_in_window(collision));
    bool reset = collision->answer == ANSWER_RST_NEW || collision->answer == ANSWER_RST_OLD;
    if (reset)
        report_detail(&event, "rst_form", rst_form_name(collision->reply_form));
    tell_outcome(&event, occasion);
    occasion->emit(occasion->context, &event);
}
