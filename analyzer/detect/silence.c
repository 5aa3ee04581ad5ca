/*
 * silence: one side speaks and nothing comes back, or the window stays shut: keep-alives and
 * retransmissions without an answer, and what ended them (EVENTS C7).
 */
#include "detectors.h"
#include "report.h"

enum { PROBES = 3, IDLE_COPIES = 3, RTO_COPIES = 5 };

static void report_states_now(struct event_record *event, const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    for (int side = 0; side < SIDES; side++) {
        enum tcp_state now = (enum tcp_state)incarnation->connection.side[side].state;
        enum tcp_state before = occasion->step != NULL ? occasion->step->before[side] : now;
        report_change(event, side, incarnation->number, before, now);
    }
}

static bool both_heard(const struct connection *connection)
{
    return side_has(&connection->side[0], SIDE_HEARD) && side_has(&connection->side[1], SIDE_HEARD);
}

/* --- keepalive_timeout --- */

void detect_keepalive_timeout(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    int x = occasion->from, y = side_other(x);
    if (incarnation->story == NULL || occasion->step->rst_form != RST_ACTIVE ||
        incarnation_raised(incarnation, EVENT_keepalive_timeout))
        return;
    const struct unanswered *run = &incarnation->story->unanswered[x];
    bool waits = side_has(&connection->side[y], SIDE_ZERO_WINDOW); /* then they probe the window */
    if (run->probes < PROBES || run->copies > 0 || waits || !both_heard(connection))
        return;
    struct packet_ref rst = packet_ref_of(occasion->segment, x);
    nanotime dead = time_since(rst.t, connection->side[y].last_t);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_keepalive_timeout, rst.t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_PEER);
    report_states_now(&event, occasion);
    report_evidence(&event, &base, &run->first, x, ROLE_REFERENCE,
                    "the first keep-alive without an answer");
    report_evidence(&event, &base, &run->last, x, ROLE_REFERENCE, "the last one");
    report_evidence(&event, &base, &rst, x, ROLE_TRIGGER, "the %s gives up", report_side(x));
    report_number(&event, "probes", run->probes);
    event.suppresses[event.suppress_count++] = EVENT_close_abortive_app;
    report_number(&event, "peer_silent_ns", dead);
    report_explain(&event,
                   "%s sent %u keep-alives to %s (packets %llu to %llu) without an answer and then "
                   "reset the connection (packet %llu): %s had been silent for %s and is dead or "
                   "out of reach.",
                   report_endpoint(occasion, x).text, run->probes,
                   report_endpoint(occasion, y).text, (unsigned long long)run->first.packet,
                   (unsigned long long)run->last.packet, (unsigned long long)rst.packet,
                   report_address(occasion, y).text, report_duration(dead).text);
    report_remedy(&event,
                  "Find out what became of %s (crash, power, network, a NAT that forgot the "
                  "connection). On %s the time until this is noticed is "
                  "net.ipv4.tcp_keepalive_time + probes x tcp_keepalive_intvl.",
                  report_address(occasion, y).text, report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

/* --- data without an answer --- */

/* Data that is sent again and again; FINs and SYNs have events of their own (EVENTS C1, C6). */
static const struct unanswered *find_run(const struct incarnation *incarnation, int x)
{
    const struct connection *connection = &incarnation->connection;
    if (incarnation->story == NULL || !both_heard(connection) ||
        side_has(&connection->side[x], SIDE_FIN_SENT))
        return NULL;
    const struct unanswered *run = &incarnation->story->unanswered[x];
    bool one_range = run->first.sequence == run->last.sequence;
    bool waits = side_has(&connection->side[side_other(x)], SIDE_ZERO_WINDOW);
    return run->copies > 0 && run->first.payload > 0 && one_range && !waits ? run : NULL;
}

/* The next repetition is due one doubled interval after the last; it did not come. */
static nanotime silent_after(const struct unanswered *run)
{
    nanotime least = 3 * (nanotime)NANO_PER_SECOND;
    return time_after(run->last.t, time_later_of(3 * run->interval, least));
}

static bool was_idle(const struct unanswered *run, const struct config *config)
{
    return run->idle >= config->idle_least;
}

static nanotime earlier_known(nanotime a, nanotime b)
{
    return a == NANOTIME_UNKNOWN ? b : time_earlier_of(a, b);
}

nanotime detect_idle_drop_due(const struct incarnation *incarnation, const struct config *config)
{
    nanotime due = NANOTIME_UNKNOWN;
    for (int x = 0; x < SIDES && incarnation->story != NULL; x++) {
        const struct unanswered *run = find_run(incarnation, x);
        if (run != NULL && was_idle(run, config) && run->copies >= IDLE_COPIES &&
            !incarnation_raised(incarnation, EVENT_idle_drop_silent))
            due = earlier_known(due, silent_after(run));
    }
    return due;
}

nanotime detect_rto_abort_due(const struct incarnation *incarnation, const struct config *config)
{
    nanotime due = NANOTIME_UNKNOWN;
    for (int x = 0; x < SIDES && incarnation->story != NULL; x++) {
        const struct unanswered *run = find_run(incarnation, x);
        if (run != NULL && !was_idle(run, config) && run->copies >= RTO_COPIES &&
            !incarnation_raised(incarnation, EVENT_rto_abort))
            due = earlier_known(due, silent_after(run));
    }
    return due;
}

static void add_run(struct event_record *event, const struct occasion *occasion,
                    const struct unanswered *run, int x)
{
    struct evidence_base base = report_base(occasion->incarnation);
    report_evidence(event, &base, &run->first, x, ROLE_TRIGGER, "data of the %s: no answer",
                    report_side(x));
    report_evidence(event, &base, &run->last, x, ROLE_REFERENCE, "the same data for the last time");
    if (occasion->step != NULL) {
        struct packet_ref rst = packet_ref_of(occasion->segment, x);
        report_evidence(event, &base, &rst, x, ROLE_CONSEQUENCE, "the %s gives up", report_side(x));
    }
    report_number(event, "copies", run->copies + 1);
    report_number(event, "tried_ns", time_since(run->last.t, run->first.t));
}

/* Raised by the deadline, or by the reset with which the side gives up. */
static void idle_drop(struct occasion *occasion, const struct unanswered *run, int x)
{
    int y = side_other(x);
    struct event_record event;
    /* That the other host lives is what its other connections tell; where nobody knows, a dead
     * host looks the same and the event stays a possibility. */
    report_begin(&event, EVENT_idle_drop_silent, run->first.t, CONFIDENCE_POSSIBLE,
                 BLAME_MIDDLEBOX);
    event.level = LEVEL_WARNING;
    report_states_now(&event, occasion);
    add_run(&event, occasion, run, x);
    report_number(&event, "idle_ns", run->idle);
    report_detail(&event, "peer_on_other_flows", "unknown");
    if (run->copies >= RTO_COPIES)
        event.suppresses[event.suppress_count++] = EVENT_rto_abort;
    report_explain(&event,
                   "Nothing had passed for %s when %s sent data again (packet %llu); it sent it %u "
                   "times (last packet %llu) and nothing of %s came back: a device on the path may "
                   "have forgotten the idle connection, or %s is gone.",
                   report_duration(run->idle).text, report_endpoint(occasion, x).text,
                   (unsigned long long)run->first.packet, run->copies + 1,
                   (unsigned long long)run->last.packet, report_endpoint(occasion, y).text,
                   report_address(occasion, y).text);
    report_remedy(&event,
                  "If %s still answers other connections: keep-alives below %s on either end "
                  "(net.ipv4.tcp_keepalive_time, SO_KEEPALIVE), or a longer idle limit on the "
                  "firewall, NAT or balancer between the two.",
                  report_address(occasion, y).text, report_duration(run->idle).text);
    occasion->emit(occasion->context, &event);
}

static void rto_abort(struct occasion *occasion, const struct unanswered *run, int x)
{
    const struct incarnation *incarnation = occasion->incarnation;
    int y = side_other(x);
    bool reset = occasion->step != NULL;
    struct event_record event;
    report_begin(&event, EVENT_rto_abort, run->first.t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_NETWORK);
    report_states_now(&event, occasion);
    add_run(&event, occasion, run, x);
    report_detail(&event, "end", reset ? "rst" : "silence");
    report_explain(&event,
                   "%s sent the same data %u times in %s (packets %llu to %llu) without any answer "
                   "of %s and %s: the path or %s was gone.",
                   report_endpoint(occasion, x).text, run->copies + 1,
                   report_duration(time_since(run->last.t, run->first.t)).text,
                   (unsigned long long)run->first.packet, (unsigned long long)run->last.packet,
                   report_endpoint(occasion, y).text,
                   reset ? "then reset the connection" : "fell silent itself",
                   report_address(occasion, y).text);
    report_remedy(&event,
                  "Look for the loss between the two, and for what became of %s. How long %s tries "
                  "is net.ipv4.tcp_retries2, or TCP_USER_TIMEOUT on the socket.",
                  report_address(occasion, y).text, report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

/* On a deadline: the run whose time has come; on a reset, that of its sender. */
static const struct unanswered *run_of(const struct occasion *occasion, uint32_t copies, bool idle,
                                       int *ret_x)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct step *step = occasion->step;
    for (int x = 0; x < SIDES; x++) {
        const struct unanswered *run = find_run(incarnation, x);
        if (run == NULL || run->copies < copies || was_idle(run, occasion->config) != idle)
            continue;
        bool ends = step != NULL ? step->from == x && step->rst_form == RST_ACTIVE
                                 : !time_is_before(occasion->now, silent_after(run));
        *ret_x = x;
        if (ends)
            return run;
    }
    return NULL;
}

void detect_idle_drop_silent(struct occasion *occasion)
{
    int x = 0;
    const struct unanswered *run = run_of(occasion, IDLE_COPIES, true, &x);
    if (run != NULL && !incarnation_raised(occasion->incarnation, EVENT_idle_drop_silent))
        idle_drop(occasion, run, x);
}

void detect_rto_abort(struct occasion *occasion)
{
    int x = 0;
    const struct unanswered *run = run_of(occasion, RTO_COPIES, false, &x);
    if (run != NULL && !incarnation_raised(occasion->incarnation, EVENT_rto_abort))
        rto_abort(occasion, run, x);
}

/* --- zero_window_stall_close --- */

void detect_zero_window_stall_close(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct story *story = incarnation->story;
    int from = occasion->from;
    if (story == NULL || incarnation_raised(incarnation, EVENT_zero_window_stall_close) ||
        occasion->step->injected || occasion->step->fin_repeated)
        return;
    int x = story->shut[from].packet != 0 ? from : side_other(from);
    const struct packet_ref *shut = &story->shut[x], *knock = &story->knock[x];
    nanotime stalled = time_since(occasion->segment->time, shut->t);
    bool waited_for = knock->packet > shut->packet;
    if (shut->packet == 0 || stalled < occasion->config->zero_window_stall || !waited_for)
        return;
    struct packet_ref end = packet_ref_of(occasion->segment, from);
    bool still_shut = from == x && (end.flags & TCP_RST) == 0; /* the FIN's own window is 0 */
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_zero_window_stall_close, end.t,
                 report_gated(incarnation, still_shut ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE),
                 x == CLIENT ? BLAME_CLIENT : BLAME_SERVER);
    report_states_now(&event, occasion);
    report_evidence(&event, &base, shut, x, ROLE_REFERENCE, "the %s's window is 0 from here on",
                    report_side(x));
    report_evidence(&event, &base, knock, side_other(x), ROLE_REFERENCE,
                    "the %s asks whether it is open", report_side(side_other(x)));
    report_evidence(&event, &base, &end, from, ROLE_TRIGGER, "the %s %s", report_side(from),
                    (end.flags & TCP_RST) != 0 ? "resets the connection" : "closes");
    report_number(&event, "stalled_ns", stalled);
    report_detail(&event, "end", (end.flags & TCP_RST) != 0 ? "rst" : "fin");
    if (occasion->step->rst_form == RST_ACTIVE)
        event.suppresses[event.suppress_count++] = EVENT_close_abortive_app;
    report_explain(&event,
                   "The window of %s was 0 for %s (from packet %llu on): its application did not "
                   "read, and %s could not send on. Then %s %s (packet %llu).",
                   report_endpoint(occasion, x).text, report_duration(stalled).text,
                   (unsigned long long)shut->packet, report_endpoint(occasion, side_other(x)).text,
                   report_endpoint(occasion, from).text,
                   (end.flags & TCP_RST) != 0 ? "reset the connection" : "closed",
                   (unsigned long long)end.packet);
    report_remedy(&event,
                  "On %s: find out why the application does not read (ss -tnp shows Recv-Q: a "
                  "blocked thread, a slow disk, a full queue).",
                  report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}
