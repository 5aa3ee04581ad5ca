/*
 * stuck: states of the close that last too long (EVENTS C6).
 */
#include "detectors.h"
#include "report.h"

enum { FIN_SENDINGS = 4 }; /* of a FIN: fewer may be an ordinary loss */

/* --- CLOSE_WAIT --- */

/* Since when the side has done nothing in CLOSE_WAIT; NANOTIME_UNKNOWN where it is not there. */
static nanotime idle_in_close_wait(const struct connection *connection, int x)
{
    const struct closing *closing = connection->closing;
    const struct side *side = &connection->side[x];
    /* one that sent nothing since the capture began may have closed before it did */
    bool may_have_closed = connection->midstream && side->tally.payload_bytes == 0;
    if (closing == NULL || side->state != STATE_CLOSE_WAIT || may_have_closed ||
        closing->fin_ack[side_other(x)].packet == 0)
        return NANOTIME_UNKNOWN;
    return time_later_of(closing->fin_ack[side_other(x)].t, side->last_data_t);
}

nanotime due_close_wait_leak(const struct incarnation *incarnation, const struct config *config)
{
    if (incarnation_raised(incarnation, EVENT_close_wait_leak))
        return NANOTIME_UNKNOWN;
    for (int x = 0; x < SIDES; x++) {
        nanotime since = idle_in_close_wait(&incarnation->connection, x);
        if (since != NANOTIME_UNKNOWN)
            return time_after(since, config->close_wait_leak);
    }
    return NANOTIME_UNKNOWN;
}

static void tell_close_wait(struct occasion *occasion, enum event_id id, int x,
                            const struct packet_ref *fin)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int y = side_other(x);
    const struct packet_ref *taken = &closing->fin_ack[y];
    nanotime dwell = time_since(fin != NULL ? fin->t : occasion->now, taken->t);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, id, taken->t,
                 report_gated(incarnation, fin != NULL ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE),
                 report_blame(x));
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &closing->fin[y], y, ROLE_REFERENCE, "the %s's FIN",
                    report_side(y));
    report_evidence(&event, &base, taken, x, ROLE_TRIGGER,
                    "the %s's ACK of it: CLOSE_WAIT from here on", report_side(x));
    if (fin != NULL)
        report_evidence(&event, &base, fin, x, ROLE_CONSEQUENCE, "its FIN, at last");
    report_number(&event, "dwell_ns", dwell);
    report_number(&event, "censored", fin == NULL);
    struct endpoint_text end = report_endpoint(occasion, x), peer = report_endpoint(occasion, y);
    struct duration_text text = report_duration(dwell);
    if (fin == NULL)
        report_explain(&event,
                       "%s closed (packet %llu) and %s acknowledged it (packet %llu), but its "
                       "application has not closed its socket for %s: it is left in CLOSE_WAIT. "
                       "The leak is on %s, not on the network.",
                       peer.text, (unsigned long long)closing->fin[y].packet, end.text,
                       (unsigned long long)taken->packet, text.text,
                       report_address(occasion, x).text);
    else
        report_explain(&event,
                       "%s closed (packet %llu) and %s acknowledged it (packet %llu); its "
                       "application closed only %s later (packet %llu).",
                       peer.text, (unsigned long long)closing->fin[y].packet, end.text,
                       (unsigned long long)taken->packet, text.text,
                       (unsigned long long)fin->packet);
    report_remedy(&event,
                  "On %s: close() when read() returns 0; ss -tnp state close-wait names the "
                  "process.",
                  report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

void detect_close_wait_leak(struct occasion *occasion)
{
    for (int x = 0; x < SIDES; x++) {
        if (idle_in_close_wait(&occasion->incarnation->connection, x) == NANOTIME_UNKNOWN)
            continue;
        tell_close_wait(occasion, EVENT_close_wait_leak, x, NULL);
        return;
    }
}

void detect_close_wait_slow(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int x = occasion->from;
    const struct packet_ref *taken = &closing->fin_ack[side_other(x)], *fin = &closing->fin[x];
    if (occasion->step->before[x] != STATE_CLOSE_WAIT || taken->packet == 0 ||
        fin->packet != occasion->segment->packet ||
        incarnation_raised(incarnation, EVENT_close_wait_slow) ||
        incarnation_raised(incarnation, EVENT_close_wait_leak))
        return;
    nanotime since = time_later_of(taken->t, occasion->step->occupied.t);
    bool slow = time_since(fin->t, since) >= occasion->config->close_wait_slow &&
                occasion->segment->payload == 0;
    if (slow)
        tell_close_wait(occasion, EVENT_close_wait_slow, x, fin);
}

/* --- FIN_WAIT_2 --- */

/* What side y said after a long silence and side x answers in this step; NULL: no such thing. */
static const struct unanswered *awakened(const struct occasion *occasion, int x, nanotime least)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    const struct story *story = incarnation->story;
    if (closing == NULL || story == NULL || closing->fin_ack[x].packet == 0)
        return NULL;
    const struct unanswered *said = &story->answered;
    bool late = said->first.packet > closing->fin_ack[x].packet && said->first.from != x &&
                said->idle >= least;
    return late ? said : NULL;
}

static void tell_fin_wait_2(struct occasion *occasion, enum event_id id,
                            const struct unanswered *said)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int x = occasion->from, y = side_other(x);
    bool reset = id == EVENT_fin_wait_2_timeout;
    struct packet_ref answer = packet_ref_of(occasion->segment, x);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, id, said->first.t, report_gated(incarnation, CONFIDENCE_PROBABLE),
                 report_blame(y));
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &closing->fin[x], x, ROLE_REFERENCE, "the %s's FIN",
                    report_side(x));
    report_evidence(&event, &base, &closing->fin_ack[x], y, ROLE_REFERENCE,
                    "the ACK of it: FIN_WAIT_2");
    report_evidence(&event, &base, &said->first, y, ROLE_TRIGGER,
                    "the %s speaks after a long silence", report_side(y));
    report_evidence(&event, &base, &answer, x, ROLE_REACTION,
                    reset ? "a reset: the %s no longer has the connection"
                          : "the %s still has the connection",
                    report_side(x));
    report_number(&event, "silence_ns", said->idle);
    report_number(&event, "fin_wait_2_ns", time_since(said->first.t, closing->fin_ack[x].t));
    struct endpoint_text end = report_endpoint(occasion, x), peer = report_endpoint(occasion, y);
    struct duration_text text = report_duration(said->idle);
    if (reset) {
        report_detail(&event, "rst_form", rst_form_name(occasion->step->rst_form));
        report_explain(&event,
                       "%s closed (packet %llu) and waited in FIN_WAIT_2; when %s spoke again "
                       "after %s (packet %llu), it had given the connection up and reset it "
                       "(packet %llu).",
                       end.text, (unsigned long long)closing->fin[x].packet, peer.text, text.text,
                       (unsigned long long)said->first.packet, (unsigned long long)answer.packet);
        if (said->first.payload > 0 && said->probes == 0) {
            event.suppresses[event.suppress_count++] = EVENT_data_after_close_reset;
            report_explain(&event, " What %s sent is lost.", peer.text);
        }
        report_remedy(&event, "Let %s close sooner, or raise net.ipv4.tcp_fin_timeout on %s.",
                      peer.text, report_address(occasion, x).text);
    } else {
        report_explain(&event,
                       "%s closed its half (packet %llu); %s was silent for %s and then spoke "
                       "(packet %llu), and %s still answered (packet %llu): the connection stays "
                       "half-closed as long as %s does not close.",
                       end.text, (unsigned long long)closing->fin[x].packet, peer.text, text.text,
                       (unsigned long long)said->first.packet, end.text,
                       (unsigned long long)answer.packet, peer.text);
        report_remedy(&event, "On %s: close the socket; on %s a read timeout.",
                      report_address(occasion, y).text, report_address(occasion, x).text);
    }
    occasion->emit(occasion->context, &event);
}

void detect_fin_wait_2_timeout(struct occasion *occasion)
{
    const struct unanswered *said =
        awakened(occasion, occasion->from, occasion->config->fin_timeout);
    if (said == NULL || occasion->step->rst_form != RST_REPLY_NO_ACK || occasion->step->injected ||
        occasion->tuple->candidate != NULL ||
        incarnation_raised(occasion->incarnation, EVENT_fin_wait_2_timeout) ||
        incarnation_raised(occasion->incarnation, EVENT_rst_to_retransmitted_fin))
        return;
    tell_fin_wait_2(occasion, EVENT_fin_wait_2_timeout, said);
}

void detect_fin_wait_2_stuck(struct occasion *occasion)
{
    const struct unanswered *said =
        awakened(occasion, occasion->from, 2 * occasion->config->fin_timeout);
    if (said == NULL || (occasion->segment->flags & TCP_RST) != 0 ||
        incarnation_raised(occasion->incarnation, EVENT_fin_wait_2_stuck))
        return;
    tell_fin_wait_2(occasion, EVENT_fin_wait_2_stuck, said);
}

/* --- FINs without an answer --- */

/* The event for a side whose FIN is not acknowledged, by its state; EVENT_IDS for none. */
static enum event_id stuck_event(const struct connection *connection, int x)
{
    switch ((enum tcp_state)connection->side[x].state) {
    case STATE_FIN_WAIT_1:
        return EVENT_fin_wait_1_stuck;
    case STATE_LAST_ACK:
        return EVENT_last_ack_stuck;
    case STATE_CLOSING:
        return EVENT_closing_stuck;
    case STATE_CLOSED:
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_SYN_RCVD:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT:
    case STATE_TIME_WAIT:
    case STATE_UNKNOWN:
    case TCP_STATES:
        return EVENT_IDS;
    }
    return EVENT_IDS;
}

/*
 * Whether the side sent its FIN often enough, and nothing answered any of them: of a side that the
 * capture sees at all.
 */
static bool insists(const struct incarnation *incarnation, int x)
{
    const struct closing *closing = incarnation->connection.closing;
    const struct story *story = incarnation->story;
    bool heard = side_has(&incarnation->connection.side[side_other(x)], SIDE_HEARD);
    return heard && closing != NULL && story != NULL && closing->fins[x] >= FIN_SENDINGS &&
           closing->fin_ack[x].packet == 0 && story->unanswered[x].copies + 1 >= FIN_SENDINGS;
}

/*
 * The segment that shut the peer's window, where that window holds the FIN of a side in FIN_WAIT_1:
 * the peer answers, and takes neither the FIN nor what stands before it (RFC 9293 3.8.6.1).
 */
static const struct packet_ref *holding_window(const struct incarnation *incarnation, int x)
{
    const struct closing *closing = incarnation->connection.closing;
    const struct side *peer = &incarnation->connection.side[side_other(x)];
    const struct story *story = incarnation->story;
    bool holds = closing != NULL && story != NULL && story->shut[side_other(x)].packet != 0 &&
                 side_has(peer, SIDE_ZERO_WINDOW) && closing->fin[x].packet != 0 &&
                 closing->fin_ack[x].packet == 0 &&
                 incarnation->connection.side[x].state == STATE_FIN_WAIT_1;
    return holds ? &story->shut[side_other(x)] : NULL;
}

/* Behind a shut window four sendings tell, and about twice the last interval; probes, the time. */
static nanotime due_behind_window(const struct closing *closing, int x, nanotime closing_wait)
{
    if (closing->fins[x] < FIN_SENDINGS)
        return time_after(closing->fin[x].t, closing_wait);
    const struct packet_ref *last = &closing->fin_again[x];
    return time_after(last->t, time_later_of(0, time_since(last->t, closing->fin[x].t)));
}

static nanotime due_of_side(const struct incarnation *incarnation, int x,
                            const struct config *config)
{
    const struct closing *closing = incarnation->connection.closing;
    enum event_id id = stuck_event(&incarnation->connection, x);
    if (closing == NULL || id == EVENT_IDS || incarnation_raised(incarnation, id) ||
        closing->fin[x].packet == 0)
        return NANOTIME_UNKNOWN;
    if (id == EVENT_closing_stuck) {
        nanotime last =
            time_later_of(closing->fin[x].t, incarnation->connection.side[side_other(x)].last_t);
        return time_after(last, config->closing_wait);
    }
    if (holding_window(incarnation, x) != NULL)
        return due_behind_window(closing, x, config->closing_wait);
    if (!insists(incarnation, x))
        return NANOTIME_UNKNOWN;
    const struct unanswered *run = &incarnation->story->unanswered[x];
    return time_after(run->last.t, 2 * run->interval);
}

nanotime due_fin_stuck(const struct incarnation *incarnation, const struct config *config)
{
    nanotime first = due_of_side(incarnation, 0, config),
             second = due_of_side(incarnation, 1, config);
    if (first == NANOTIME_UNKNOWN || second == NANOTIME_UNKNOWN)
        return first == NANOTIME_UNKNOWN ? second : first;
    return time_earlier_of(first, second);
}

static void explain_fin_stuck(struct event_record *event, const struct occasion *occasion, int x,
                              const struct packet_ref *window)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    struct endpoint_text end = report_endpoint(occasion, x),
                         peer = report_endpoint(occasion, side_other(x));
    struct duration_text text = report_duration(time_since(occasion->now, closing->fin[x].t));
    report_explain(event,
                   "%s sent its FIN %u %s since packet %llu, and %s after the first nothing of %s "
                   "has acknowledged it: it is left in %s.",
                   end.text, closing->fins[x], closing->fins[x] == 1 ? "time" : "times",
                   (unsigned long long)closing->fin[x].packet, text.text, peer.text,
                   tcp_state_name((enum tcp_state)incarnation->connection.side[x].state));
    if (window != NULL)
        report_explain(event, " The window of %s is 0 since packet %llu and holds it up.",
                       peer.text, (unsigned long long)window->packet);
}

static void tell_fin_stuck(struct occasion *occasion, enum event_id id, int x)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    const struct packet_ref *fin = &closing->fin[x], *again = &closing->fin_again[x];
    const struct packet_ref *window = holding_window(incarnation, x);
    int y = side_other(x);
    nanotime waited = time_since(occasion->now, fin->t);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, id, fin->t, report_gated(incarnation, CONFIDENCE_PROBABLE),
                 window != NULL               ? report_blame(y)
                 : id == EVENT_last_ack_stuck ? BLAME_MIDDLEBOX
                                              : BLAME_NETWORK);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, fin, x, ROLE_TRIGGER, "the %s's FIN", report_side(x));
    report_evidence(&event, &base, again, x, ROLE_CONSEQUENCE, "the same FIN again, the last copy");
    if (window != NULL)
        report_evidence(&event, &base, window, y, ROLE_REFERENCE,
                        "the %s's window is 0 from here on", report_side(y));
    report_number(&event, "fin_count", closing->fins[x]);
    report_number(&event, "waited_ns", waited);
    report_number(&event, "censored", 1);
    if (closing->fins[x] > 1)
        event.suppresses[event.suppress_count++] = EVENT_fin_retransmitted;
    explain_fin_stuck(&event, occasion, x, window);
    if (window != NULL)
        report_detail(&event, "cause", "zero_window");
    if (window != NULL)
        report_remedy(
            &event,
            "On %s: find out why the application does not read (ss -tnp shows Recv-Q); on "
            "%s net.ipv4.tcp_orphan_retries and TCP_USER_TIMEOUT bound the wait.",
            report_address(occasion, y).text, report_address(occasion, x).text);
    else if (id == EVENT_last_ack_stuck)
        report_remedy(&event,
                      "Look at firewalls and balancers between the two that forget a connection at "
                      "its first FIN, and on %s at whether TIME_WAIT is kept.",
                      report_address(occasion, y).text);
    else
        report_remedy(&event,
                      "Look at %s and the path to it; on %s net.ipv4.tcp_orphan_retries and "
                      "TCP_USER_TIMEOUT bound the wait.",
                      report_address(occasion, y).text, report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

void detect_fin_stuck(struct occasion *occasion)
{
    for (int x = 0; x < SIDES; x++) {
        nanotime due = due_of_side(occasion->incarnation, x, occasion->config);
        if (due != NANOTIME_UNKNOWN && !time_is_before(occasion->now, due))
            tell_fin_stuck(occasion, stuck_event(&occasion->incarnation->connection, x), x);
    }
}

/* The end comes before the wait is over: four sendings without an answer are enough. */
void detect_fin_stuck_end(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    for (int x = 0; x < SIDES; x++) {
        enum event_id id = stuck_event(&incarnation->connection, x);
        bool fits = id == EVENT_fin_wait_1_stuck || id == EVENT_last_ack_stuck;
        bool held = holding_window(incarnation, x) != NULL &&
                    incarnation->connection.closing->fins[x] >= FIN_SENDINGS;
        if (fits && (held || insists(incarnation, x)) && !incarnation_raised(incarnation, id))
            tell_fin_stuck(occasion, id, x);
    }
}
