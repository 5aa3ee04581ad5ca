/*
 * time_wait: the first reason for TIME_WAIT.  The final ACK was lost or never came; a FIN met a
 * host that had forgotten the connection; TIME_WAIT itself was ended by a reset (EVENTS C4).
 */
#include "detectors.h"
#include "report.h"

static bool is_one_sided(const struct connection *connection)
{
    return !side_has(&connection->side[0], SIDE_HEARD) ||
           !side_has(&connection->side[1], SIDE_HEARD);
}

/* How the other side answered, if it did: again with an ACK, or with a reset. */
static void explain_answer(struct event_record *event, const struct occasion *occasion, int a)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct final_ack_story *story = &incarnation_doubts(incarnation)->final_ack;
    const struct packet_ref *rst = &incarnation->connection.closing->rst[a];
    struct endpoint_text end_a = report_endpoint(occasion, a);
    if (story->repair.packet != 0)
        report_explain(event, " %s answered again (packet %llu): this is what TIME_WAIT is for.",
                       end_a.text, (unsigned long long)story->repair.packet);
    else if (rst->packet > story->again.packet)
        report_explain(event,
                       " %s answered with a reset (packet %llu): it no longer had the "
                       "connection.",
                       end_a.text, (unsigned long long)rst->packet);
    else
        report_explain(event, " No repetition of the ACK was seen in time.");
    if (story->losses > 1)
        report_explain(event, " In all the ACK was lost %u times over.", story->losses);
}

static void explain_final_ack_lost(struct event_record *event, const struct occasion *occasion,
                                   int b)
{
    const struct final_ack_story *story = &incarnation_doubts(occasion->incarnation)->final_ack;
    int a = side_other(b);
    struct endpoint_text end_a = report_endpoint(occasion, a), end_b = report_endpoint(occasion, b);
    struct duration_text after = report_duration(time_since(story->again.t, story->final_ack.t));
    bool doubtful = event->confidence == CONFIDENCE_POSSIBLE;
    report_explain(event, "%s acknowledged the FIN of %s (packet %llu); %s later ", end_a.text,
                   end_b.text, (unsigned long long)story->final_ack.packet, after.text);
    report_explain(event,
                   doubtful ? "%s sent from LAST_ACK (packet %llu): that last ACK may have been "
                              "lost beyond the capture point, or this was under way already."
                            : "%s showed that it was still in LAST_ACK (packet %llu): that last "
                              "ACK was lost beyond the capture point.",
                   end_b.text, (unsigned long long)story->again.packet);
    explain_answer(event, occasion, a);
    if (story->repair.packet != 0 && !doubtful)
        report_remedy(event, "Nothing: TIME_WAIT on %s repaired it. ",
                      report_address(occasion, a).text);
    report_remedy(event, "If it happens often, look for loss between the capture point and %s.",
                  report_address(occasion, b).text);
}

static void explain_final_ack_missing(struct event_record *event, const struct occasion *occasion,
                                      int b)
{
    const struct final_ack_story *story = &incarnation_doubts(occasion->incarnation)->final_ack;
    const struct closing *closing = occasion->incarnation->connection.closing;
    int a = side_other(b);
    struct endpoint_text end_a = report_endpoint(occasion, a), end_b = report_endpoint(occasion, b);
    struct duration_text after = report_duration(time_since(story->again.t, closing->fin[b].t));
    report_explain(event,
                   "%s sent its FIN (packet %llu) and %s later still waited for the ACK of it in "
                   "LAST_ACK (packet %llu); no ACK of that FIN had passed the capture point until "
                   "then.",
                   end_b.text, (unsigned long long)closing->fin[b].packet, after.text,
                   (unsigned long long)story->again.packet);
    if (story->echoed)
        report_explain(event,
                       " The FIN itself had arrived: the time stamp that %s echoes later is "
                       "that of its first copy.",
                       end_a.text);
    else if (story->repair.packet != 0)
        report_explain(event, " Whether the FIN or the ACK of it was lost cannot be told.");
    explain_answer(event, occasion, a);
    report_remedy(event, "Look for loss between %s and the capture point",
                  report_address(occasion, a).text);
    if (story->repair.packet == 0)
        report_remedy(event,
                      "; on %s, check that TIME_WAIT is kept (net.ipv4.tcp_max_tw_buckets, "
                      "nstat TcpExtTCPTimeWaitOverflow)",
                      report_address(occasion, a).text);
    report_remedy(event, ".");
}

void detect_final_ack(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct final_ack_story *story = &incarnation_doubts(incarnation)->final_ack;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int b = story->side, a = side_other(b);
    if (story->missing && is_one_sided(connection))
        return;
    struct evidence_base base = report_base(incarnation);
    enum event_id id = story->missing ? EVENT_final_ack_missing : EVENT_final_ack_lost;
    bool timed = connection->side[b].round_trip > 0;
    nanotime least_rto = 200 * (nanotime)NANO_PER_MILLI; /* Linux TCP_RTO_MIN */
    bool late = time_since(story->again.t, story->final_ack.t) >= least_rto;
    enum confidence confidence = timed  ? CONFIDENCE_CERTAIN
                                 : late ? CONFIDENCE_PROBABLE
                                        : CONFIDENCE_POSSIBLE; /* it may have been in flight */
    if (story->missing) /* without the echo, the FIN itself may have been what was lost */
        confidence = story->echoed ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE;
    struct event_record event;
    report_begin(&event, id, story->again.t, report_gated(incarnation, confidence), BLAME_NETWORK);
    report_change(&event, a, incarnation->number, (enum tcp_state)story->peer_state,
                  (enum tcp_state)connection->side[a].state);
    report_change(&event, b, incarnation->number, STATE_LAST_ACK,
                  (enum tcp_state)connection->side[b].state);
    report_evidence(&event, &base, &closing->fin[b], b, ROLE_REFERENCE,
                    "the %s's FIN: LAST_ACK from here on", report_side(b));
    if (!story->missing)
        report_evidence(&event, &base, &story->final_ack, a, ROLE_REFERENCE,
                        event.confidence == CONFIDENCE_POSSIBLE
                            ? "the %s's ACK of it: it passed here"
                            : "the %s's ACK of it: it passed here and was lost beyond",
                        report_side(a));
    report_evidence(&event, &base, &story->again, b, ROLE_TRIGGER,
                    event.confidence == CONFIDENCE_POSSIBLE
                        ? "the %s in LAST_ACK speaks again"
                        : "the %s shows that it is still in LAST_ACK",
                    report_side(b));
    report_evidence(&event, &base, &story->repair, a, ROLE_REPAIR, "the %s answers again",
                    report_side(a));
    report_number(&event, "fin_copies", closing->fins[b]);
    report_number(&event, "losses", story->losses);
    report_number(&event, "repairs", story->repairs);
    report_number(
        &event, "waited_ns",
        time_since(story->again.t, story->missing ? closing->fin[b].t : story->final_ack.t));
    if (story->missing)
        explain_final_ack_missing(&event, occasion, b);
    else
        explain_final_ack_lost(&event, occasion, b);
    occasion->emit(occasion->context, &event);
}

/* Whether the FIN of side b, its latest copy, is what this reset of side a answers. */
static bool answers_fin(const struct connection *connection, const struct step *step, int b)
{
    const struct closing *closing = connection->closing;
    const struct packet_ref *fin =
        closing->fin_again[b].packet != 0 ? &closing->fin_again[b] : &closing->fin[b];
    bool answered = closing->fin_ack_last[b].packet > fin->packet;
    return fin->packet != 0 && !answered && fin->packet == connection->side[b].last_data_packet &&
           step->segment->sequence == fin->acknowledgment;
}

/* Data of side b had not been taken by side a: the reset may answer that, not the FIN. */
static bool data_is_open(const struct connection *connection, int a, int b)
{
    return seq_before(connection->side[a].rcv_nxt, connection->side[b].fin_seq);
}

/* The state of a side before the step, after what the step revoked. */
static enum tcp_state state_before(const struct step *step, int side)
{
    for (uint32_t i = step->changes; i > 0; i--) {
        const struct change *change = &step->change[i - 1];
        if (change->side == side && change->kind == CHANGE_REVOKED)
            return change->before;
    }
    return step->before[side];
}

/* Why the side that closed first no longer knows the connection. */
static void explain_retransmitted_fin(struct event_record *event, const struct occasion *occasion,
                                      const struct packet_ref *fin, nanotime waited, bool expired)
{
    int a = occasion->step->from, b = side_other(a);
    struct endpoint_text end_a = report_endpoint(occasion, a), end_b = report_endpoint(occasion, b);
    struct duration_text wait_text = report_duration(waited);
    report_explain(event,
                   "%s closed first, but when the FIN of %s came (packet %llu) it no longer knew "
                   "the connection and answered with a reset (packet %llu): the application on %s "
                   "sees ECONNRESET or EPIPE after a clean close.",
                   end_a.text, end_b.text, (unsigned long long)fin->packet,
                   (unsigned long long)occasion->segment->packet, end_b.text);
    if (expired)
        report_explain(event,
                       " %s had waited %s in FIN_WAIT_2: its tcp_fin_timeout had most "
                       "likely run out.",
                       end_a.text, wait_text.text);
    if (expired)
        report_remedy(event,
                      "On %s: net.ipv4.tcp_fin_timeout above the time that %s takes to "
                      "close (here %s); or let %s close sooner.",
                      report_address(occasion, a).text, report_address(occasion, b).text,
                      wait_text.text, report_address(occasion, b).text);
    else
        report_remedy(event,
                      "On %s: find out why TIME_WAIT was not kept: "
                      "net.ipv4.tcp_max_tw_buckets, a restart, a balancer that sent the "
                      "segment to another host.",
                      report_address(occasion, a).text);
}

void detect_rst_to_retransmitted_fin(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int a = step->from, b = side_other(a);
    const struct side *side_b = &connection->side[b];
    bool raised = incarnation_raised(incarnation, EVENT_rst_to_retransmitted_fin);
    bool contested = occasion->tuple->candidate != NULL; /* then it answers a challenge */
    if (raised || contested || step->rst_form != RST_REPLY_NO_ACK || step->injected)
        return;
    if (!side_has(&connection->side[a], SIDE_FIN_SENT) || !side_has(side_b, SIDE_FIN_SENT))
        return;
    if (!answers_fin(connection, step, b) || side_b->holes > 0)
        return;
    const struct packet_ref *acked = &closing->fin_ack[a];
    const struct packet_ref *fin =
        closing->fin_again[b].packet != 0 ? &closing->fin_again[b] : &closing->fin[b];
    nanotime waited =
        acked->packet != 0 ? time_since(closing->fin[b].t, acked->t) : NANOTIME_UNKNOWN;
    bool expired = waited != NANOTIME_UNKNOWN && waited >= occasion->config->fin_timeout;
    if (!expired && data_is_open(connection, a, b))
        return; /* data_after_close_reset */
    struct packet_ref rst = packet_ref_of(step->segment, a);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_rst_to_retransmitted_fin, fin->t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN),
                 a == CLIENT ? BLAME_CLIENT : BLAME_SERVER);
    report_change(&event, a, incarnation->number, state_before(step, a),
                  (enum tcp_state)connection->side[a].state);
    report_change(&event, b, incarnation->number, step->before[b],
                  (enum tcp_state)connection->side[b].state);
    report_evidence(&event, &base, &closing->fin[a], a, ROLE_REFERENCE,
                    "the %s closed first: its FIN", report_side(a));
    report_evidence(&event, &base, acked, b, ROLE_REFERENCE, "the ACK of that FIN");
    report_evidence(&event, &base, fin, b, ROLE_TRIGGER, "the %s's FIN, in order", report_side(b));
    report_evidence(&event, &base, &rst, a, ROLE_REACTION,
                    "RST without ACK, SEQ = the FIN's ACK: the %s has no such connection",
                    report_side(a));
    report_number(&event, "fin_copies", closing->fins[b]);
    if (waited != NANOTIME_UNKNOWN)
        report_number(&event, "fin_wait_2_ns", waited);
    report_detail(&event, "cause", expired ? "fw2_timeout" : "time_wait_absent");
    report_detail(&event, "rst_form", rst_form_name(step->rst_form));
    const struct story *story = incarnation->story;
    if (expired && story != NULL && story->answered.idle >= occasion->config->fin_timeout)
        event.suppresses[event.suppress_count++] = EVENT_fin_wait_2_timeout;
    explain_retransmitted_fin(&event, occasion, fin, waited, expired);
    occasion->emit(occasion->context, &event);
}

/* Which hazard of RFC 1337 a segment like this one becomes once TIME_WAIT is gone. */
static const char *hazard_kind(const struct packet_ref *old)
{
    if ((old->flags & TCP_RST) != 0)
        return "H3";
    return old->payload > 0 ? "H1" : "H2";
}

/* When the side entered TIME_WAIT, as its history has it. */
static nanotime time_wait_since(const struct connection *connection, int side)
{
    const struct history *history = &connection->history;
    for (int i = history->count - 1; i >= 0; i--) {
        const struct history_entry *entry = history_peek(history, i);
        if (entry->side == (unsigned)side && entry->state == STATE_TIME_WAIT && !entry->revoked)
            return entry->t;
    }
    return connection->closing->time_wait_started[side];
}

void detect_tw_assassination(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int b = step->from, a = side_other(b);
    bool raised = incarnation_raised(incarnation, EVENT_tw_assassination);
    bool contested = occasion->tuple->candidate != NULL; /* then the outcome of its SYN says it */
    if (raised || contested || (step->segment->flags & TCP_RST) == 0 || step->injected)
        return;
    if (step->before[a] != STATE_TIME_WAIT ||
        step->segment->sequence != connection->side[a].rcv_nxt)
        return;
    const struct packet_ref *stray = &closing->to_time_wait, *answer = &closing->time_wait_ack;
    if (stray->packet == 0 || stray->from != b || answer->from != a ||
        answer->packet < stray->packet)
        return;
    struct packet_ref rst = packet_ref_of(step->segment, b);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_tw_assassination, stray->t, CONFIDENCE_POSSIBLE, BLAME_NETWORK);
    report_change(&event, a, incarnation->number, STATE_TIME_WAIT,
                  (enum tcp_state)connection->side[a].state);
    report_change(&event, b, incarnation->number, step->before[b],
                  (enum tcp_state)connection->side[b].state);
    report_evidence(&event, &base, stray, b, ROLE_TRIGGER,
                    "an old segment reaches the %s in TIME_WAIT", report_side(a));
    report_evidence(&event, &base, answer, a, ROLE_REACTION, "the %s answers with an ACK",
                    report_side(a));
    report_evidence(&event, &base, &rst, b, ROLE_CONSEQUENCE,
                    "the %s, without the connection, resets that ACK at RCV.NXT", report_side(b));
    nanotime age = time_since(rst.t, time_wait_since(connection, a));
    nanotime left =
        time_since(time_after(closing->time_wait_started[a], occasion->config->msl * 2), rst.t);
    report_number(&event, "time_wait_age_ns", age);
    report_number(&event, "time_wait_left_ns", left);
    report_detail(&event, "hazard", hazard_kind(stray));
    report_detail(&event, "rst_form", rst_form_name(step->rst_form));
    struct endpoint_text end_a = report_endpoint(occasion, a), end_b = report_endpoint(occasion, b);
    struct duration_text age_text = report_duration(age);
    report_explain(
        &event,
        "An old segment (packet %llu) met %s in TIME_WAIT, which answered (packet %llu); "
        "%s no longer had the connection and reset that answer (packet %llu). If %s "
        "follows RFC 793, TIME_WAIT ended there, %s after its start, and old duplicates "
        "may meet a new connection on these ports. The packets look the same when it "
        "did not end.",
        (unsigned long long)stray->packet, end_a.text, (unsigned long long)answer->packet,
        end_b.text, (unsigned long long)rst.packet, end_a.text, age_text.text);
    report_remedy(&event,
                  "On %s: net.ipv4.tcp_rfc1337=1 keeps TIME_WAIT, but only if resets are not "
                  "needed for reuse of ports; find what delays or repeats old segments.",
                  report_address(occasion, a).text);
    occasion->emit(occasion->context, &event);
}
