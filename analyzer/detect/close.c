/*
 * close: how connections end (EVENTS C2).  What a FIN or a reset meets that no longer knows the
 * connection is told by the families of TIME_WAIT and of collisions.
 */
#include "detectors.h"
#include "report.h"

static const nanotime least_round_trip = NANO_PER_MILLI;
static const nanotime unknown_round_trip = 200 * (nanotime)NANO_PER_MILLI;
static const nanotime unread_within = NANO_PER_SECOND;

static seq fin_number(const struct packet_ref *fin)
{
    return seq_add(fin->sequence, fin->payload + ((fin->flags & TCP_SYN) != 0));
}

/* --- both at once --- */

void detect_close_simultaneous(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int b = occasion->from, a = side_other(b);
    const struct packet_ref *fin_a = &closing->fin[a], *fin_b = &closing->fin[b];
    if (incarnation_raised(incarnation, EVENT_close_simultaneous) || fin_a->packet == 0 ||
        fin_b->packet != occasion->segment->packet)
        return;
    bool crossed = seq_at_or_before(fin_b->acknowledgment, connection->side[a].fin_seq) &&
                   seq_at_or_before(fin_a->acknowledgment, connection->side[b].fin_seq) &&
                   closing->fin_ack[a].packet == 0;
    if (!crossed)
        return;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_close_simultaneous, fin_b->t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_NONE);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, fin_a, a, ROLE_REFERENCE, "the %s's FIN", report_side(a));
    report_evidence(&event, &base, fin_b, b, ROLE_TRIGGER,
                    "the %s's FIN, which does not acknowledge the other", report_side(b));
    report_number(&event, "apart_ns", time_since(fin_b->t, fin_a->t));
    report_explain(&event,
                   "%s and %s closed at the same time: neither FIN (packets %llu and %llu) "
                   "acknowledges the other. Both sides hold TIME_WAIT after it.",
                   report_endpoint(occasion, a).text, report_endpoint(occasion, b).text,
                   (unsigned long long)fin_a->packet, (unsigned long long)fin_b->packet);
    report_remedy(&event, "Nothing. Where TIME_WAIT fills the server, let the client close first.");
    occasion->emit(occasion->context, &event);
}

/* --- half-close --- */

/* From end to end and back; where the handshake told only one part of it, with a good margin. */
static nanotime longest_round_trip(const struct connection *connection)
{
    nanotime a = connection->side[0].round_trip, b = connection->side[1].round_trip;
    if (a == 0 || b == 0)
        return time_later_of(2 * (a + b), unknown_round_trip);
    return time_later_of(least_round_trip, a + b);
}

/* Octets of data that the segment acknowledges and that were sent after the ACK of the FIN. */
static int64_t octets_acknowledged(const struct side *y, const struct packet_ref *acked,
                                   const struct segment *segment)
{
    seq until = segment->acknowledgment;
    if (side_has(y, SIDE_FIN_SENT) && seq_after(until, y->fin_seq))
        until = y->fin_seq;
    return seq_distance(until, seq_add(acked->sequence, acked->payload));
}

void detect_close_half(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int x = occasion->from, y = side_other(x);
    if (closing == NULL || incarnation_raised(incarnation, EVENT_close_half) ||
        (occasion->segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
        return;
    const struct packet_ref *fin = &closing->fin[x], *acked = &closing->fin_ack[x];
    if (fin->packet == 0 || acked->packet == 0)
        return;
    nanotime round_trip = longest_round_trip(connection);
    nanotime since = time_since(occasion->segment->time, acked->t);
    int64_t octets = octets_acknowledged(&connection->side[y], acked, occasion->segment);
    if (octets <= 0 || since <= round_trip)
        return;
    struct packet_ref ack = packet_ref_of(occasion->segment, x);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_close_half, ack.t, report_gated(incarnation, CONFIDENCE_CERTAIN),
                 BLAME_NONE);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, fin, x, ROLE_REFERENCE, "the %s's FIN", report_side(x));
    report_evidence(&event, &base, acked, y, ROLE_REFERENCE, "the ACK of it");
    report_evidence(&event, &base, &ack, x, ROLE_TRIGGER,
                    "the %s, closed for sending, acknowledges data", report_side(x));
    report_number(&event, "since_fin_acked_ns", since);
    report_number(&event, "payload_bytes", octets);
    struct duration_text text = report_duration(since);
    report_explain(&event,
                   "%s closed its half (packet %llu), and %s, which acknowledged that, went on "
                   "sending: %s later %s had taken %lld octets more (packet %llu): a half-close.",
                   report_endpoint(occasion, x).text, (unsigned long long)fin->packet,
                   report_endpoint(occasion, y).text, text.text, report_endpoint(occasion, x).text,
                   (long long)octets, (unsigned long long)ack.packet);
    report_remedy(&event, "Nothing, unless such connections break: then look at the timeout of "
                          "middle boxes for half-closed connections.");
    occasion->emit(occasion->context, &event);
}

/* --- FINs that no stack sends --- */

static void tell_beyond(struct occasion *occasion, enum event_id id, const char *says,
                        int64_t distance)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int x = occasion->from;
    struct packet_ref odd = packet_ref_of(occasion->segment, x);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, id, odd.t, report_gated(incarnation, CONFIDENCE_PROBABLE),
                 BLAME_MIDDLEBOX);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &closing->fin[x], x, ROLE_REFERENCE, "the %s's FIN",
                    report_side(x));
    report_evidence(&event, &base, &odd, x, ROLE_TRIGGER, "%s", says);
    report_number(&event, "distance", distance);
    report_number(&event, "since_fin_ns", time_since(odd.t, closing->fin[x].t));
    struct endpoint_text end = report_endpoint(occasion, x);
    if (id == EVENT_fin_seq_changed)
        report_explain(&event,
                       "%s ended its stream in packet %llu, and again in packet %llu at another "
                       "place, %lld octets away.",
                       end.text, (unsigned long long)closing->fin[x].packet,
                       (unsigned long long)odd.packet, (long long)distance);
    else
        report_explain(&event,
                       "%s ended its stream in packet %llu, yet packet %llu carries data up to "
                       "%lld octets behind that end.",
                       end.text, (unsigned long long)closing->fin[x].packet,
                       (unsigned long long)odd.packet, (long long)distance);
    report_explain(&event, " No stack does that: a device that rewrites sequence numbers, or an "
                           "injected segment.");
    report_remedy(&event,
                  "Capture on both sides of the middle boxes on the path of %s and compare.",
                  report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

void detect_fin_seq_changed(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    const struct step *step = occasion->step;
    const struct packet_ref *fin = &closing->fin[occasion->from];
    if (fin->packet == 0 || fin->packet == step->segment->packet || step->damaged ||
        incarnation_raised(incarnation, EVENT_fin_seq_changed) || closing->rst[0].packet != 0 ||
        closing->rst[1].packet != 0)
        return;
    seq number = step->end - 1;
    if (number != fin_number(fin))
        tell_beyond(occasion, EVENT_fin_seq_changed, "a FIN at another place",
                    seq_distance(number, fin_number(fin)));
}

void detect_data_beyond_fin(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    const struct step *step = occasion->step;
    const struct segment *segment = step->segment;
    if (closing == NULL || step->keep_alive || step->window_probe || step->damaged ||
        incarnation_raised(incarnation, EVENT_data_beyond_fin) ||
        (segment->flags & (TCP_SYN | TCP_RST)) != 0)
        return;
    const struct packet_ref *fin = &closing->fin[occasion->from];
    seq last = seq_add(segment->sequence, segment->payload);
    bool probe = segment->payload == 1 && segment->sequence == fin_number(fin);
    if (fin->packet == 0 || fin->packet == segment->packet || probe ||
        !seq_after(last, fin_number(fin)))
        return;
    tell_beyond(occasion, EVENT_data_beyond_fin, "data behind that FIN",
                seq_distance(last, fin_number(fin)));
}

/* --- resets of a live connection --- */

/* Whether the host gave up for want of answers: told by the families of timeouts. */
static bool is_given_up(const struct incarnation *incarnation, int x)
{
    enum { PROBES = 3, COPIES = 5 };
    const struct story *story = incarnation->story;
    return story != NULL &&
           (story->unanswered[x].probes >= PROBES || story->unanswered[x].copies >= COPIES);
}

/* Whether what packets tell of unread data fits: the peer's data came, and no answer to it. */
static bool left_unread(const struct connection *connection, int x, const struct packet_ref *rst)
{
    const struct side *side = &connection->side[x], *peer = &connection->side[side_other(x)];
    bool spoke = side->tally.payload_bytes > rst->payload; /* a reset may carry its reason */
    return peer->tally.payload_bytes > peer->syn_payload &&
           time_since(rst->t, peer->last_data_t) <= unread_within &&
           (!spoke || side->last_data_packet < peer->last_data_packet);
}

/*
 * What X has acknowledged since its own last payload, with the reset's own acknowledgment.  Payload
 * that went with the SYN acknowledged nothing.
 */
static int64_t unread_octets(const struct connection *connection, int x,
                             const struct packet_ref *rst)
{
    const struct side *side = &connection->side[x], *peer = &connection->side[side_other(x)];
    seq first = seq_add(peer->iss, 1);
    seq to = seq_later_of(side->rcv_nxt, rst->acknowledgment);
    bool spoke = side->tally.payload_bytes > (uint64_t)side->syn_payload + rst->payload;
    bool answered = spoke && seq_within(side->acked_with_data, first, to);
    return seq_distance(to, answered ? side->acked_with_data : first);
}

static void tell_abort(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    int x = occasion->from, y = side_other(x);
    const struct side *peer = &connection->side[y];
    struct packet_ref rst = packet_ref_of(occasion->segment, x);
    bool unread = left_unread(connection, x, &rst);
    int64_t octets = unread_octets(connection, x, &rst);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_close_abortive_app, rst.t,
                 report_gated(incarnation, unread ? CONFIDENCE_POSSIBLE : CONFIDENCE_PROBABLE),
                 report_blame(x));
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &rst, x, ROLE_TRIGGER,
                    "the %s's reset in its own numbers, without a FIN", report_side(x));
    if (unread && octets > 0)
        report_number(&event, "unread_bytes", octets);
    if (peer->last_data_packet != 0)
        report_number(&event, "since_peer_data_ns", time_since(rst.t, peer->last_data_t));
    report_detail(&event, "cause", unread ? "unread_data" : "unknown");
    report_detail(&event, "rst_form", rst_form_name(occasion->step->rst_form));
    struct endpoint_text end = report_endpoint(occasion, x);
    report_explain(&event,
                   "The application on %s aborted the connection to %s: its host sent a reset in "
                   "the connection's own numbers (packet %llu) and no FIN.",
                   end.text, report_endpoint(occasion, y).text, (unsigned long long)rst.packet);
    if (unread && octets > 0)
        report_explain(&event,
                       " %lld octets had come since it last sent data and were most likely not "
                       "read (SO_LINGER 0 looks the same).",
                       (long long)octets);
    else
        report_explain(&event, " SO_LINGER 0, a killed process, or a timeout of the host's own.");
    report_remedy(&event,
                  unread ? "On %s: read to the end before close(); remove SO_LINGER 0."
                         : "On %s: remove SO_LINGER 0; find what killed the process or gave up "
                           "(keep-alive, TCP_USER_TIMEOUT).",
                  report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

static void tell_reset_after_fin(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int x = occasion->from;
    struct packet_ref rst = packet_ref_of(occasion->segment, x);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_close_reset_after_fin, rst.t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), report_blame(x));
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &closing->fin[x], x, ROLE_REFERENCE, "the %s's FIN",
                    report_side(x));
    report_evidence(&event, &base, &rst, x, ROLE_TRIGGER, "its reset, in its own numbers");
    report_number(&event, "since_fin_ns", time_since(rst.t, closing->fin[x].t));
    report_detail(&event, "rst_form", rst_form_name(occasion->step->rst_form));
    struct duration_text text = report_duration(time_since(rst.t, closing->fin[x].t));
    report_explain(&event,
                   "%s had closed the connection (packet %llu) and reset it %s later (packet "
                   "%llu): SO_LINGER, or its host gave the orphaned connection up.",
                   report_endpoint(occasion, x).text, (unsigned long long)closing->fin[x].packet,
                   text.text, (unsigned long long)rst.packet);
    report_remedy(&event,
                  "On %s: remove SO_LINGER; nstat TcpExtTCPAbortOnMemory, TcpExtTCPAbortOnTimeout "
                  "and TcpExtTCPAbortOnLinger tell which it was.",
                  report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

void detect_close_reset(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct side *side = &incarnation->connection.side[occasion->from];
    bool contested = occasion->tuple->candidate != NULL; /* then its outcome tells it */
    if (step->rst_form != RST_ACTIVE || step->injected || contested ||
        side->snd_nxt != step->segment->sequence || side->tally.rsts > 1)
        return;
    if (side_has(side, SIDE_FIN_SENT)) {
        if (!incarnation_raised(incarnation, EVENT_close_reset_after_fin))
            tell_reset_after_fin(occasion);
        return;
    }
    enum tcp_state before = step->before[occasion->from];
    bool open = before == STATE_ESTABLISHED || before == STATE_CLOSE_WAIT;
    if (open && side_has(side, SIDE_ACKED) && !is_given_up(incarnation, occasion->from) &&
        !incarnation_raised(incarnation, EVENT_data_before_handshake_reset) &&
        !incarnation_raised(incarnation, EVENT_icmp_unreachable_reset) &&
        !incarnation_raised(incarnation, EVENT_zero_window_stall_close) &&
        !incarnation_raised(incarnation, EVENT_rst_injected_suspected) &&
        !incarnation_raised(incarnation, EVENT_close_abortive_app))
        tell_abort(occasion);
}

/* --- FINs again --- */

/* What tells the same packets better. */
static bool is_told_better(const struct incarnation *incarnation, int x)
{
    const struct final_ack_story *story = &incarnation_doubts(incarnation)->final_ack;
    bool final_ack = (story->open || story->told) && story->side == x;
    return final_ack || incarnation_raised(incarnation, EVENT_rst_to_retransmitted_fin) ||
           incarnation_raised(incarnation, EVENT_fin_wait_1_stuck) ||
           incarnation_raised(incarnation, EVENT_last_ack_stuck) ||
           incarnation_raised(incarnation, EVENT_closing_stuck) ||
           (incarnation->flags & INCARNATION_COLLIDED) != 0; /* its story has the FINs in it */
}

static void tell_fin_repeated(struct occasion *occasion, int x, const struct packet_ref *answer)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    const struct packet_ref *fin = &closing->fin[x], *again = &closing->fin_again[x];
    uint32_t copies = closing->fins[x] - 1;
    nanotime tried = time_since(again->t, fin->t);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_fin_retransmitted, again->t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_NETWORK);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, fin, x, ROLE_REFERENCE, "the %s's FIN", report_side(x));
    report_evidence(&event, &base, again, x, ROLE_TRIGGER, "the same FIN again, the last copy");
    if (answer != NULL)
        report_evidence(&event, &base, answer, side_other(x), ROLE_REPAIR, "the %s acknowledges it",
                        report_side(side_other(x)));
    report_number(&event, "copies", copies);
    report_number(&event, "tried_ns", tried);
    report_number(&event, "acknowledged", answer != NULL);
    struct duration_text text = report_duration(tried);
    report_explain(&event, "%s sent its FIN (packet %llu) %u more %s in %s (last in packet %llu)",
                   report_endpoint(occasion, x).text, (unsigned long long)fin->packet, copies,
                   copies == 1 ? "time" : "times", text.text, (unsigned long long)again->packet);
    if (answer != NULL)
        report_explain(&event, " before %s acknowledged it (packet %llu).",
                       report_endpoint(occasion, side_other(x)).text,
                       (unsigned long long)answer->packet);
    else
        report_explain(&event, "; no acknowledgment of it was seen.");
    report_remedy(&event, "If it happens often, look for loss between %s and %s.",
                  report_address(occasion, x).text, report_address(occasion, side_other(x)).text);
    occasion->emit(occasion->context, &event);
}

/* Whether the side's FIN was sent again before it was acknowledged; then *ret_answer is the ACK. */
static bool was_repeated(const struct closing *closing, int x, const struct packet_ref **ret_answer)
{
    const struct packet_ref *answer = &closing->fin_ack[x];
    *ret_answer = answer->packet != 0 ? answer : NULL;
    return closing->fins[x] > 1 &&
           (answer->packet == 0 || closing->fin_again[x].packet < answer->packet);
}

void detect_fin_repeated_acked(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    const struct packet_ref *answer;
    int x = side_other(occasion->from);
    if (closing == NULL || closing->fin_ack[x].packet != occasion->segment->packet ||
        !was_repeated(closing, x, &answer) || is_told_better(incarnation, x) ||
        incarnation_raised(incarnation, EVENT_fin_retransmitted))
        return;
    tell_fin_repeated(occasion, x, answer);
}

void detect_fin_repeated_end(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    for (int x = 0; closing != NULL && x < SIDES; x++) {
        const struct packet_ref *answer;
        bool opening = incarnation->connection.side[x].state == STATE_SYN_SENT;
        if (opening || !was_repeated(closing, x, &answer) || is_told_better(incarnation, x) ||
            incarnation_raised(incarnation, EVENT_fin_retransmitted))
            continue;
        tell_fin_repeated(occasion, x, answer);
    }
}
