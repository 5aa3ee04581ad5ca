/*
 * unreachable: a router or host said that the other side cannot be reached, and the connection
 * ended right after (EVENTS C7; RFC 5461 says what stacks make of such an error).
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "../flow/icmp_story.h"
#include "detectors.h"
#include "report.h"

/* Who sent the error. */
static struct endpoint_text speaker(const struct icmp_report *report)
{
    struct endpoint_text text = {""};
    inet_ntop(report->error.ip_version == 4 ? AF_INET : AF_INET6, report->error.from, text.text,
              sizeof(text.text));
    return text;
}

/* What a code of "destination unreachable" says: RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1. */
static const char *code_words(const struct icmp_error *error)
{
    static const char *const words4[] = {
        [0] = "network unreachable",
        [1] = "host unreachable",
        [2] = "protocol unreachable",
        [3] = "port unreachable",
        [5] = "source route failed",
        [6] = "network unknown",
        [7] = "host unknown",
        [9] = "network administratively prohibited",
        [10] = "host administratively prohibited",
        [13] = "communication administratively prohibited",
    };
    static const char *const words6[] = {
        [0] = "no route to destination",
        [1] = "communication administratively prohibited",
        [2] = "beyond scope of source address",
        [3] = "address unreachable",
        [4] = "port unreachable",
        [5] = "source address failed policy",
        [6] = "reject route to destination",
    };
    const char *const *words = error->ip_version == 4 ? words4 : words6;
    size_t count = error->ip_version == 4 ? sizeof(words4) / sizeof(words4[0])
                                          : sizeof(words6) / sizeof(words6[0]);
    return error->code < count && words[error->code] != NULL ? words[error->code]
                                                             : "destination unreachable";
}

/* SYNs of a side that would be syn_no_answer, but for the ICMP error that answers the last. */
static bool fits_no_answer(const struct occasion *occasion, int x)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct story *story = incarnation->story;
    return story != NULL && story->unanswered[x].copies > 0 &&
           time_since(occasion->now, story->unanswered[x].first.t) >= occasion->config->syn_wait &&
           !incarnation_raised(incarnation, EVENT_syn_no_answer);
}

static void tell(struct occasion *occasion, const struct icmp_report *report, bool reset)
{
    const struct incarnation *incarnation = occasion->incarnation;
    int x = report->side, y = side_other(x);
    struct packet_ref icmp = {
        .packet = report->packet, .t = report->t, .sequence = report->sequence, .from = (uint8_t)y};
    struct evidence_base base = report_base(incarnation);
    struct endpoint_text from = speaker(report);
    struct event_record event;
    report_begin(&event, EVENT_icmp_unreachable_reset, report->t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_NETWORK);
    for (int side = 0; side < SIDES; side++) {
        enum tcp_state now = (enum tcp_state)incarnation->connection.side[side].state;
        report_change(&event, side, incarnation->number,
                      occasion->step != NULL ? occasion->step->before[side] : now, now);
    }
    base.known[0] = base.known[1] = false; /* the error has no numbers of its own */
    report_evidence(&event, &base, &icmp, y, ROLE_TRIGGER, "ICMP from %s: %s", from.text,
                    code_words(&report->error));
    if (reset) {
        struct packet_ref rst = packet_ref_of(occasion->segment, x);
        struct evidence_base own = report_base(incarnation);
        report_evidence(&event, &own, &rst, x, ROLE_REACTION, "the %s aborts", report_side(x));
        report_number(&event, "delay_ns", time_since(rst.t, report->t));
        event.suppresses[event.suppress_count++] = EVENT_close_abortive_app;
    } else if (fits_no_answer(occasion, x)) {
        event.suppresses[event.suppress_count++] = EVENT_syn_no_answer;
    }
    report_number(&event, "icmp_type", report->error.type);
    report_number(&event, "icmp_code", report->error.code);
    report_number(&event, "icmp_errors", incarnation->icmp->errors);
    report_detail(&event, "end", reset ? "rst" : "syn_unanswered");
    report_explain(&event, "%s told %s that %s cannot be reached (packet %llu: %s), and %s %s.",
                   from.text, report_endpoint(occasion, x).text, report_endpoint(occasion, y).text,
                   (unsigned long long)report->packet, code_words(&report->error),
                   report_endpoint(occasion, x).text,
                   reset ? "aborted the connection right after" : "gave its attempt up");
    report_remedy(&event,
                  "Look at routes and filters of %s for %s: the error came from there, not from "
                  "the application.",
                  from.text, report_address(occasion, y).text);
    occasion->emit(occasion->context, &event);
}

/* A reset of the side that the error was sent to, within a second. */
void detect_icmp_abort(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    if (incarnation->icmp == NULL || occasion->step->injected ||
        incarnation_raised(incarnation, EVENT_icmp_unreachable_reset))
        return;
    const struct icmp_report *report = &incarnation->icmp->unreachable[occasion->from];
    nanotime after = time_since(occasion->segment->time, report->t);
    if (report->packet != 0 && after >= 0 && after <= icmp_right_after)
        tell(occasion, report, true);
}

/* The last SYN of an attempt drew the error, and no other SYN followed. */
void detect_icmp_syn_failure(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    if (incarnation->icmp == NULL || incarnation_raised(incarnation, EVENT_icmp_unreachable_reset))
        return;
    for (int x = 0; x < SIDES; x++) {
        const struct icmp_report *report = &incarnation->icmp->unreachable[x];
        bool alone = connection->side[x].state == STATE_SYN_SENT &&
                     connection->side[side_other(x)].tally.packets == 0;
        nanotime after = time_since(report->t, connection->side[x].last_t);
        if (report->packet != 0 && alone && after >= 0 && after <= icmp_right_after)
            tell(occasion, report, false);
    }
}
