/*
 * handshake: how connections begin, and how they fail to (EVENTS C1).
 *
 * A SYN into an earlier incarnation is not told here: its one story is the collision's.
 */
#include "handshake.h"

#include "../flow/icmp_story.h"
#include "report.h"

/* The longest time between two copies of a SYN: TCP_RTO_MAX of Linux. */
static const nanotime longest_rto = 120 * (nanotime)NANO_PER_SECOND;

static const char *port_text(const char *endpoint)
{
    const char *last = endpoint;
    for (const char *at = endpoint; *at != '\0'; at++) {
        if (*at == ':')
            last = at + 1;
    }
    return last;
}

/* --- refused --- */

void detect_syn_refused(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    if (incarnation_raised(incarnation, EVENT_syn_refused) || handshake_is_told_elsewhere(occasion))
        return;
    if (step->from != SERVER || step->rst_form != RST_REPLY_ACK ||
        step->before[CLIENT] != STATE_SYN_SENT || side_has(&connection->side[SERVER], SIDE_HEARD))
        return;
    struct packet_ref syn = report_syn(incarnation, CLIENT);
    struct packet_ref rst = packet_ref_of(step->segment, SERVER);
    struct evidence_base base = report_base(incarnation);
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    struct event_record event;
    report_begin(&event, EVENT_syn_refused, syn.packet != 0 ? syn.t : rst.t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN), BLAME_SERVER);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &syn, CLIENT, ROLE_TRIGGER, "the client's SYN");
    report_evidence(&event, &base, &rst, SERVER, ROLE_REACTION,
                    "a reset that acknowledges it: nothing listens there");
    report_number(&event, "syn_count", connection->side[CLIENT].tally.syns);
    if (syn.packet != 0)
        report_number(&event, "answer_ns", time_since(rst.t, syn.t));
    report_detail(&event, "rst_form", rst_form_name(step->rst_form));
    report_explain(&event,
                   "%s refused the connection of %s: the SYN (packet %llu) was answered by a reset "
                   "(packet %llu). Nothing listens on port %s, or a firewall rejects in its name.",
                   server.text, client.text, (unsigned long long)syn.packet,
                   (unsigned long long)rst.packet, port_text(server.text));
    report_remedy(&event,
                  "On %s: start the service, check the address and port it listens on (ss -ltn), "
                  "and the firewall's REJECT rules.",
                  report_address(occasion, SERVER).text);
    occasion->emit(occasion->context, &event);
}

/* --- no answer --- */

/*
 * A SYN's answer may be an ICMP error, which is then the story (icmp_unreachable_reset).  Where one
 * came before, the latest SYN is given the time to draw another; unknown: it has.
 */
static nanotime without_icmp(const struct incarnation *incarnation, const struct unanswered *run)
{
    if (incarnation->icmp == NULL || incarnation->icmp->unreachable[CLIENT].packet == 0)
        return run->last.t;
    nanotime after = time_since(incarnation->icmp->unreachable[CLIENT].t, run->last.t);
    bool answered = after >= 0 && after <= icmp_right_after;
    return answered ? NANOTIME_UNKNOWN : time_after(run->last.t, icmp_right_after);
}

nanotime due_syn_no_answer(const struct incarnation *incarnation, const struct config *config)
{
    const struct connection *connection = &incarnation->connection;
    const struct story *story = incarnation->story;
    if (story == NULL || connection->side[CLIENT].state != STATE_SYN_SENT ||
        incarnation->collision != NULL || side_has(&connection->side[SERVER], SIDE_HEARD) ||
        incarnation_raised(incarnation, EVENT_syn_no_answer))
        return NANOTIME_UNKNOWN;
    const struct unanswered *run = &story->unanswered[CLIENT];
    if (run->copies == 0)
        return NANOTIME_UNKNOWN;
    nanotime least = without_icmp(incarnation, run);
    return least == NANOTIME_UNKNOWN
               ? least
               : time_later_of(time_after(run->first.t, config->syn_wait), least);
}

void detect_syn_no_answer(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct unanswered *run = &incarnation->story->unanswered[CLIENT];
    struct packet_ref syn = report_syn(incarnation, CLIENT);
    struct evidence_base base = report_base(incarnation);
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    nanotime waited = time_since(occasion->now, syn.t);
    struct duration_text waited_text = report_duration(waited);
    struct event_record event;
    report_begin(&event, EVENT_syn_no_answer, syn.t, report_gated(incarnation, CONFIDENCE_PROBABLE),
                 BLAME_NETWORK);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &syn, CLIENT, ROLE_TRIGGER, "the client's SYN, first copy");
    report_evidence(&event, &base, &run->last, CLIENT, ROLE_CONSEQUENCE,
                    "the same SYN again: no answer had arrived");
    report_number(&event, "syn_count", run->copies + 1);
    report_number(&event, "waited_ns", waited);
    report_number(&event, "last_interval_ns", run->interval);
    report_explain(
        &event,
        "%s sent its SYN to %s %u times in %s (packets %llu to %llu) and got no answer: "
        "the SYNs, or the answers, are filtered or lost, the host is down, or its listen "
        "queue is full.",
        client.text, server.text, run->copies + 1, waited_text.text, (unsigned long long)syn.packet,
        (unsigned long long)run->last.packet);
    report_remedy(&event,
                  "Check the firewalls between %s and %s; on %s ss -ltn (Recv-Q at its limit) and "
                  "nstat TcpExtListenOverflows; capture there to see whether the SYN arrives.",
                  report_address(occasion, CLIENT).text, report_address(occasion, SERVER).text,
                  report_address(occasion, SERVER).text);
    occasion->emit(occasion->context, &event);
}

/* --- the third packet --- */

/* The ACK of the SYN-ACK that the step shows to be lost; packet 0: none. */
static struct packet_ref lost_third(const struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct connection *connection = &occasion->incarnation->connection;
    struct packet_ref ack = {0};
    for (uint32_t i = 0; i < step->changes; i++) {
        const struct change *change = &step->change[i];
        if (change->kind != CHANGE_REVOKED || change->side != SERVER ||
            change->fact != FACT_SYN_ACKED)
            continue;
        bool plain = change->packet == connection->third_packet;
        if (!plain)
            continue; /* it came with data: its numbers are not kept */
        ack.packet = change->packet;
        ack.t = change->t;
        ack.sequence = connection->third_sequence;
        ack.acknowledgment = seq_add(connection->side[SERVER].iss, 1);
        ack.flags = connection->third_flags;
        ack.from = CLIENT;
    }
    return ack;
}

/* The queue for accept() is full: Linux drops the ACK, and the data behind it, in silence. */
static void tell_overflow(struct occasion *occasion, const struct packet_ref *ack)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct side *client = &incarnation->connection.side[CLIENT];
    struct packet_ref synack = report_syn(incarnation, SERVER);
    struct packet_ref again = packet_ref_of(occasion->segment, SERVER);
    struct evidence_base base = report_base(incarnation);
    bool insisted = client->tally.retransmitted > 0; /* the data was lost as well, and again */
    struct event_record event;
    report_begin(&event, EVENT_accept_queue_overflow, again.t,
                 report_gated(incarnation, insisted ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE),
                 BLAME_SERVER);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &synack, SERVER, ROLE_REFERENCE, "the server's SYN-ACK");
    report_evidence(&event, &base, ack, CLIENT, ROLE_REFERENCE, "the client's ACK of it");
    report_evidence(&event, &base, &again, SERVER, ROLE_TRIGGER,
                    "the SYN-ACK again: ACK and data were dropped");
    report_number(&event, "synack_count", incarnation->connection.side[SERVER].tally.syns);
    report_number(&event, "client_payload_bytes", (int64_t)client->tally.payload_bytes);
    report_number(&event, "waited_ns", time_since(again.t, ack->t));
    event.suppresses[event.suppress_count++] = EVENT_handshake_ack_lost;
    report_explain(
        &event,
        "%s acknowledged the SYN-ACK (packet %llu) and sent %llu octets, yet %s sent its "
        "SYN-ACK again (packet %llu) as if nothing had come: the queue of connections that "
        "wait for accept() is most likely full.",
        report_endpoint(occasion, CLIENT).text, (unsigned long long)ack->packet,
        (unsigned long long)client->tally.payload_bytes, report_endpoint(occasion, SERVER).text,
        (unsigned long long)again.packet);
    report_remedy(&event,
                  "On %s: accept() faster, a larger backlog in listen() and net.core.somaxconn; "
                  "nstat TcpExtListenOverflows counts such drops. If it does not count, look for "
                  "loss between the capture point and that host.",
                  report_address(occasion, SERVER).text);
    occasion->emit(occasion->context, &event);
}

static void tell_third_lost(struct occasion *occasion, const struct packet_ref *ack)
{
    const struct incarnation *incarnation = occasion->incarnation;
    struct packet_ref synack = report_syn(incarnation, SERVER);
    struct packet_ref again = packet_ref_of(occasion->segment, SERVER);
    struct evidence_base base = report_base(incarnation);
    struct duration_text later = report_duration(time_since(again.t, ack->t));
    struct event_record event;
    report_begin(&event, EVENT_handshake_ack_lost, again.t, CONFIDENCE_POSSIBLE, BLAME_NETWORK);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &synack, SERVER, ROLE_REFERENCE, "the server's SYN-ACK");
    report_evidence(&event, &base, ack, CLIENT, ROLE_REFERENCE,
                    "the client's ACK of it: it passed here");
    report_evidence(&event, &base, &again, SERVER, ROLE_TRIGGER,
                    "the SYN-ACK again: that ACK had not done its work");
    report_number(&event, "synack_count", incarnation->connection.side[SERVER].tally.syns);
    report_number(&event, "waited_ns", time_since(again.t, ack->t));
    report_explain(&event,
                   "%s acknowledged the SYN-ACK (packet %llu); %s later %s sent it again (packet "
                   "%llu): the third packet of the handshake was lost beyond the capture point, or "
                   "the server waits for data (TCP_DEFER_ACCEPT).",
                   report_endpoint(occasion, CLIENT).text, (unsigned long long)ack->packet,
                   later.text, report_endpoint(occasion, SERVER).text,
                   (unsigned long long)again.packet);
    report_remedy(&event, "Look for loss between the capture point and %s.",
                  report_address(occasion, SERVER).text);
    occasion->emit(occasion->context, &event);
}

void detect_handshake_ack(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct side *client = &connection->side[CLIENT];
    const struct segment *segment = occasion->segment;
    bool synack = (segment->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    if (occasion->from != SERVER || !synack || connection->simultaneous_open)
        return;
    struct packet_ref ack = lost_third(occasion);
    if (ack.packet == 0)
        return;
    bool data =
        client->tally.payload_bytes > client->syn_payload &&
        time_since(segment->time, client->last_data_t) > connection->side[SERVER].round_trip;
    if (data && !incarnation_raised(incarnation, EVENT_accept_queue_overflow))
        tell_overflow(occasion, &ack);
    else if (!data && !incarnation_raised(incarnation, EVENT_handshake_ack_lost))
        tell_third_lost(occasion, &ack);
}

/* --- given up --- */

void detect_isn_changed(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct side *client = &connection->side[CLIENT];
    const struct segment *segment = occasion->segment;
    struct packet_ref syn = report_syn(incarnation, CLIENT);
    bool unanswered = client->state == STATE_SYN_SENT && connection->closing == NULL &&
                      !side_has(&connection->side[SERVER], SIDE_HEARD);
    nanotime later = time_since(segment->time, client->last_t);
    if (!unanswered || syn.packet == 0 || later > longest_rto || incarnation->strays > 0 ||
        (incarnation->story != NULL && incarnation->story->strange.packet != 0))
        return;
    struct flow_key key;
    if (flow_key_of(segment, &key) != incarnation_end(incarnation, CLIENT))
        return;
    struct packet_ref fresh = packet_ref_of(segment, CLIENT);
    struct evidence_base base = report_base(incarnation), next = base;
    next.incarnation = incarnation->number + 1;
    next.known[CLIENT] = true;
    next.iss[CLIENT] = segment->sequence;
    struct event_record event;
    report_begin(&event, EVENT_syn_retransmit_isn_changed, fresh.t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_NONE);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &syn, CLIENT, ROLE_REFERENCE, "the SYN, never answered");
    report_evidence(&event, &next, &fresh, CLIENT, ROLE_TRIGGER,
                    "a SYN with another sequence number");
    report_number(&event, "syn_count", client->tally.syns);
    report_number(&event, "apart_ns", time_since(fresh.t, syn.t));
    report_number(&event, "isn_distance", seq_distance(segment->sequence, client->iss));
    struct duration_text apart = report_duration(time_since(fresh.t, syn.t));
    report_explain(
        &event,
        "%s began its attempt to reach %s (packet %llu) again %s later with another "
        "sequence number (packet %llu), although nothing had answered or ended the first.",
        report_endpoint(occasion, CLIENT).text, report_endpoint(occasion, SERVER).text,
        (unsigned long long)syn.packet, apart.text, (unsigned long long)fresh.packet);
    report_remedy(&event,
                  "On %s: a connect timeout shorter than the SYN's repetitions, or two processes "
                  "or hosts behind one NAT address that use the same port.",
                  report_address(occasion, CLIENT).text);
    occasion->emit(occasion->context, &event);
}

void detect_handshake_reset(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct segment *segment = occasion->segment;
    if (occasion->from != CLIENT || step->injected || handshake_is_told_elsewhere(occasion) ||
        incarnation_raised(incarnation, EVENT_data_before_handshake_reset))
        return;
    if (connection->synack_t == NANOTIME_UNKNOWN || connection->syn_t == NANOTIME_UNKNOWN ||
        side_has(&connection->side[CLIENT], SIDE_ACKED))
        return;
    nanotime after = time_since(segment->time, connection->synack_t);
    if (after > NANO_PER_SECOND)
        return;
    struct packet_ref syn = report_syn(incarnation, CLIENT),
                      synack = report_syn(incarnation, SERVER),
                      rst = packet_ref_of(segment, CLIENT);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_data_before_handshake_reset, rst.t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN), BLAME_CLIENT);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &syn, CLIENT, ROLE_REFERENCE, "the client's SYN");
    report_evidence(&event, &base, &synack, SERVER, ROLE_REFERENCE, "the server's SYN-ACK");
    report_evidence(&event, &base, &rst, CLIENT, ROLE_TRIGGER,
                    "the client's reset in place of an ACK");
    report_number(&event, "after_synack_ns", after);
    report_detail(&event, "rst_form", rst_form_name(step->rst_form));
    struct duration_text text = report_duration(after);
    report_explain(
        &event,
        "%s reset the connection to %s (packet %llu) %s after the SYN-ACK (packet %llu), "
        "before it had acknowledged anything: a health check that stops half way, a port "
        "scan, or an application that had given up.",
        report_endpoint(occasion, CLIENT).text, report_endpoint(occasion, SERVER).text,
        (unsigned long long)rst.packet, text.text, (unsigned long long)synack.packet);
    report_remedy(&event, "Nothing if a balancer checks so on purpose; else look at %s.",
                  report_address(occasion, CLIENT).text);
    occasion->emit(occasion->context, &event);
}
