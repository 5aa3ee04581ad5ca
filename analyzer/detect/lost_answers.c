/* lost_answers: see lost_answers.h. */
#include "lost_answers.h"

#include "report.h"

void lost_answers_tell_loop(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    bool answered = collision->resets > 0;
    bool waits = collision->state_after == STATE_TIME_WAIT;
    report_number(event, "challenges", collision->rounds);
    report_number(event, "resets", collision->resets);
    report_number(event, "syns", (int64_t)collision->syns + 1);
    report_explain(event,
                   "%s connected again (packet %llu), and %s, still in %s, answered in the old "
                   "numbers %u times (packets %llu to %llu); ",
                   client.text, (unsigned long long)collision->syn.packet, server.text,
                   tcp_state_name(collision->state_after), collision->rounds,
                   (unsigned long long)collision->challenge.packet,
                   (unsigned long long)collision->challenge_last.packet);
    if (answered)
        report_explain(event,
                       "%u resets of %s (last packet %llu) did not make it let go, and no SYN-ACK "
                       "was seen: they are filtered beyond the capture point%s.",
                       collision->resets, client.text,
                       (unsigned long long)collision->reset_last.packet,
                       waits ? ", or that side ignores resets in TIME_WAIT "
                               "(net.ipv4.tcp_rfc1337=1)"
                             : "");
    else
        report_explain(event,
                       "no reset of %s to any of them passed here, and no SYN-ACK: the answers do "
                       "not reach it, or its resets are filtered before the capture point.",
                       client.text);
    report_remedy(event,
                  "Look for a stateful firewall between %s and %s that drops the ACK (INVALID) or "
                  "the reset; on %s check net.ipv4.tcp_rfc1337; let ports rest for 2MSL on %s.",
                  report_address(occasion, CLIENT).text, report_address(occasion, SERVER).text,
                  report_address(occasion, SERVER).text, report_address(occasion, CLIENT).text);
}

void lost_answers_tell_silence(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    nanotime tried = time_since(collision->syn_last.t, collision->syn.t);
    report_number(event, "syns", (int64_t)collision->syns + 1);
    report_number(event, "tried_ns", tried);
    report_explain(event,
                   "%s connected again (packet %llu) and repeated its SYN %u times in %s; %s, "
                   "which held the old connection in %s, would have answered with an ACK in its "
                   "numbers: none passed here. The SYN or that answer was dropped on the way, or "
                   "the host limits such answers.",
                   report_endpoint(occasion, CLIENT).text,
                   (unsigned long long)collision->syn.packet, collision->syns,
                   report_duration(tried).text, report_endpoint(occasion, SERVER).text,
                   tcp_state_name(collision->state_after));
    report_remedy(event,
                  "Look for a firewall near %s that drops the SYN or the ACK as INVALID; on Linux "
                  "net.ipv4.tcp_invalid_ratelimit (500 ms) limits such ACKs.",
                  report_address(occasion, SERVER).text);
}

void lost_answers_tell_first_dropped(struct event_record *event, const struct occasion *occasion)
{
    const struct collision *collision = occasion->incarnation->collision;
    nanotime delay = time_since(collision->reply.t, collision->syn.t);
    report_number(event, "syns", (int64_t)collision->syns + 1);
    report_number(event, "connect_delay_ns", delay);
    report_explain(event,
                   "%s connected again (packet %llu) while %s was in TIME_WAIT; that SYN got no "
                   "answer, its repetition (packet %llu) was accepted: the connection came up %s "
                   "late. A balancer or firewall that drops the first SYN of a reused port does "
                   "that; loss of the SYN or its answer looks the same.",
                   report_endpoint(occasion, CLIENT).text,
                   (unsigned long long)collision->syn.packet,
                   report_endpoint(occasion, SERVER).text,
                   (unsigned long long)collision->syn_last.packet, report_duration(delay).text);
    report_remedy(event,
                  "On the balancer before %s: net.ipv4.vs.conn_reuse_mode (IPVS), or pf's state "
                  "timeouts; let ports rest longer on %s.",
                  report_address(occasion, SERVER).text, report_address(occasion, CLIENT).text);
}
