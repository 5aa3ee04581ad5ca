/*
 * close_ack: the first ACK of a close was lost after the capture point (EVENTS C4): a side that was
 * presumed in FIN_WAIT_2, or in TIME_WAIT out of CLOSING, repeats its FIN.
 */
#include "detectors.h"
#include "report.h"

/* The state in which the side shows itself again; CLOSED: the step shows nothing of the kind. */
static enum tcp_state shown_state(const struct step *step)
{
    for (uint32_t i = 0; i < step->changes; i++) {
        const struct change *change = &step->change[i];
        bool lost = change->kind == CHANGE_REVOKED && change->side == step->from &&
                    change->fact == FACT_FIN_ACKED;
        if (lost && (change->before == STATE_FIN_WAIT_1 || change->before == STATE_CLOSING))
            return change->before;
    }
    return STATE_CLOSED;
}

static void explain(struct event_record *event, const struct occasion *occasion, int x)
{
    const struct closing *closing = occasion->incarnation->connection.closing;
    const struct packet_ref *ack = &closing->fin_ack_last[x];
    struct endpoint_text end_x = report_endpoint(occasion, x),
                         end_y = report_endpoint(occasion, side_other(x));
    struct duration_text after = report_duration(time_since(occasion->step->segment->time, ack->t));
    bool doubtful = event->confidence == CONFIDENCE_POSSIBLE;
    report_explain(event,
                   "%s acknowledged the FIN of %s (packet %llu), but %s later %s repeated that FIN "
                   "(packet %llu): the acknowledgment %s lost beyond the capture point.",
                   end_y.text, end_x.text, (unsigned long long)ack->packet, after.text, end_x.text,
                   (unsigned long long)occasion->step->segment->packet,
                   doubtful ? "may have been" : "was");
    report_remedy(event,
                  "Nothing for this close. If it happens often, look for loss between the "
                  "capture point and %s.",
                  report_address(occasion, x).text);
}

void detect_close_ack_lost(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int x = step->from;
    if (!step->fin_repeated || incarnation_raised(incarnation, EVENT_close_ack_lost))
        return;
    enum tcp_state shown = shown_state(step);
    const struct packet_ref *ack = &closing->fin_ack_last[x];
    if (shown == STATE_CLOSED || ack->packet == 0)
        return;
    struct packet_ref again = packet_ref_of(step->segment, x);
    bool timed = connection->side[x].round_trip > 0;
    nanotime waited = time_since(again.t, ack->t);
    bool late = waited >= 200 * (nanotime)NANO_PER_MILLI; /* Linux TCP_RTO_MIN */
    if (!timed && !late)
        return; /* the two may have crossed */
    enum confidence confidence = timed ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_close_ack_lost, again.t, report_gated(incarnation, confidence),
                 BLAME_NETWORK);
    report_change(&event, x, incarnation->number, step->before[x],
                  (enum tcp_state)connection->side[x].state);
    report_change(&event, side_other(x), incarnation->number, step->before[side_other(x)],
                  (enum tcp_state)connection->side[side_other(x)].state);
    report_evidence(&event, &base, &closing->fin[x], x, ROLE_REFERENCE, "the %s's FIN",
                    report_side(x));
    report_evidence(&event, &base, ack, side_other(x), ROLE_REFERENCE,
                    "the %s's ACK of it: it passed here", report_side(side_other(x)));
    report_evidence(&event, &base, &again, x, ROLE_TRIGGER,
                    "the same FIN again: the %s is still in %s", report_side(x),
                    tcp_state_name(shown));
    report_number(&event, "fin_copies", closing->fins[x]);
    report_number(&event, "waited_ns", waited);
    explain(&event, occasion, x);
    occasion->emit(occasion->context, &event);
}
