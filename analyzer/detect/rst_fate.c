/*
 * rst_fate: what a reset really was and what came of it: challenged, ignored, sent by a third party
 * (EVENTS C7), or an old one that killed a new connection (C4).
 *
 * A host that sent a reset is done with the connection.  One that goes on had not sent it.
 */
#include "answered.h"
#include "detectors.h"
#include "report.h"
#include "../tcp/window.h"

static void report_step_states(struct event_record *event, const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    for (int side = 0; side < SIDES; side++)
        report_change(event, side, incarnation->number, occasion->step->before[side],
                      (enum tcp_state)incarnation->connection.side[side].state);
}

/* --- rst_challenged --- */

void detect_rst_challenged(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int x = occasion->from, y = side_other(x);
    const struct aftermath *aftermath = &closing->aftermath[x];
    bool now = aftermath->exact.packet == occasion->segment->packet;
    bool contested = occasion->tuple->candidate != NULL; /* the SYN's outcome tells it */
    if (!now || contested || closing->rst_fit[x] != RST_FIT_IN_WINDOW ||
        incarnation_raised(incarnation, EVENT_rst_challenged))
        return;
    const struct packet_ref *rst = &closing->rst[x];
    int32_t apart = seq_distance(rst->sequence, aftermath->challenge.acknowledgment);
    nanotime delay = time_since(aftermath->exact.t, rst->t);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_rst_challenged, rst->t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN), BLAME_NONE);
    report_step_states(&event, occasion);
    report_evidence(&event, &base, rst, x, ROLE_TRIGGER,
                    "a reset in the window of the %s, but not at its RCV.NXT", report_side(y));
    report_evidence(&event, &base, &aftermath->challenge, y, ROLE_REACTION,
                    "the challenge ACK: it names RCV.NXT");
    report_evidence(&event, &base, &aftermath->exact, x, ROLE_CONSEQUENCE,
                    "the reset again, exactly there");
    report_number(&event, "seq_off_rcv_nxt", apart);
    report_number(&event, "delay_ns", delay);
    report_explain(&event,
                   "%s reset the connection (packet %llu) at a sequence number %d octets off what "
                   "%s expected; it was asked again by a challenge ACK (packet %llu) and answered "
                   "with an exact reset (packet %llu) %s later: the two steps of RFC 5961.",
                   report_endpoint(occasion, x).text, (unsigned long long)rst->packet, (int)apart,
                   report_endpoint(occasion, y).text,
                   (unsigned long long)aftermath->challenge.packet,
                   (unsigned long long)aftermath->exact.packet, report_duration(delay).text);
    report_remedy(&event, "Nothing: the challenge keeps forged resets out.");
    occasion->emit(occasion->context, &event);
}

/* --- rst_ignored --- */

/* The side whose reset both ends went on after, as this step shows; -1: neither. */
static int find_ignored(const struct occasion *occasion)
{
    const struct closing *closing = occasion->incarnation->connection.closing;
    const struct segment *segment = occasion->segment;
    int peer = side_other(occasion->from);
    if (closing == NULL || (segment->flags & TCP_ACK) == 0)
        return -1;
    for (int x = 0; x < SIDES; x++) {
        const struct aftermath *aftermath = &closing->aftermath[x];
        bool beyond = aftermath->numbered[peer] &&
                      seq_after(segment->acknowledgment, aftermath->snd_nxt[peer]) &&
                      seq_at_or_before(segment->acknowledgment,
                                       occasion->incarnation->connection.side[peer].snd_nxt);
        if (closing->rst[x].packet != 0 && aftermath->went_on.packet != 0 && beyond &&
            answered_in_connection(aftermath) && closing->rst[side_other(x)].packet == 0)
            return x;
    }
    return -1;
}

void detect_rst_ignored(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    if (incarnation_raised(incarnation, EVENT_rst_ignored))
        return;
    int x = find_ignored(occasion), y = side_other(x);
    if (x < 0)
        return;
    const struct closing *closing = incarnation->connection.closing;
    const struct aftermath *aftermath = &closing->aftermath[x];
    const struct packet_ref *rst = &closing->rst[x];
    enum rst_fit fit = (enum rst_fit)closing->rst_fit[x];
    struct packet_ref shown = packet_ref_of(occasion->segment, occasion->from);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_rst_ignored, rst->t, report_gated(incarnation, CONFIDENCE_CERTAIN),
                 BLAME_MIDDLEBOX);
    report_step_states(&event, occasion);
    report_evidence(&event, &base, rst, x, ROLE_TRIGGER, "a reset in the name of the %s",
                    report_side(x));
    if (aftermath->went_on.packet != shown.packet)
        report_evidence(&event, &base, &aftermath->went_on, x, ROLE_REACTION,
                        "the %s goes on as if it had not sent it", report_side(x));
    report_evidence(&event, &base, &shown, occasion->from, ROLE_CONSEQUENCE,
                    "what was sent after the reset is acknowledged");
    if (aftermath->numbered[x])
        report_number(&event, "seq_off_snd_nxt",
                      seq_distance(rst->sequence, aftermath->snd_nxt[x]));
    report_detail(&event, "rst_fit", rst_fit_name(fit));
    report_detail(&event, "rst_form", rst_form_name((enum rst_form)closing->rst_form[x]));
    report_explain(&event,
                   "A reset from %s to %s (packet %llu) ended nothing: both went on, and data sent "
                   "after it was acknowledged (packet %llu). %s had most likely not sent it.",
                   report_endpoint(occasion, x).text, report_endpoint(occasion, y).text,
                   (unsigned long long)rst->packet, (unsigned long long)shown.packet,
                   report_endpoint(occasion, x).text);
    report_remedy(&event,
                  "Find who sends resets in the name of %s: compare TTL and IP ID of packet %llu "
                  "with its other packets; look at firewalls and intrusion prevention on the path.",
                  report_address(occasion, x).text, (unsigned long long)rst->packet);
    occasion->emit(occasion->context, &event);
}

/* --- resets of a third party --- */

/* A host's own resets lie within what it sent; one beyond that guesses at its next windows. */
static bool steps_ahead(const struct occasion *occasion)
{
    const struct connection *connection = &occasion->incarnation->connection;
    const struct packet_ref *first = &connection->closing->rst[occasion->from];
    const struct side *x = &connection->side[occasion->from];
    seq sequence = occasion->segment->sequence;
    uint32_t reach = x->max_window > 65535 ? x->max_window : 65535;
    return first->packet != occasion->segment->packet && connection->capture_gaps == 0 &&
           side_has(x, SIDE_HEARD) && seq_after(sequence, x->snd_nxt) &&
           seq_after(sequence, first->sequence) &&
           seq_distance(sequence, first->sequence) <= (int64_t)reach * 4;
}

/* It acknowledges what cannot have reached its alleged sender yet. */
static bool is_too_early(const struct occasion *occasion)
{
    const struct connection *connection = &occasion->incarnation->connection;
    const struct segment *segment = occasion->segment;
    const struct side *x = &connection->side[occasion->from];
    const struct side *y = &connection->side[side_other(occasion->from)];
    const struct rtt *rtt = &connection->side[side_other(occasion->from)].rtt;
    nanotime least = x->round_trip;
    if (rtt->samples > 0)
        least = time_earlier_of(least, rtt->least);
    bool acks_newest = (segment->flags & TCP_ACK) != 0 && side_has(y, SIDE_HEARD) &&
                       segment->acknowledgment == y->snd_nxt &&
                       !(side_has(x, SIDE_ACKED) && x->rcv_nxt == y->snd_nxt);
    return acks_newest && least >= 4 * (nanotime)NANO_PER_MILLI &&
           time_since(segment->time, y->last_data_t) < least / 2;
}

struct injection_reason {
    const char *name, *words;
};

static const struct injection_reason foreign_ttl = {
    "ttl", "its TTL is unlike that of its alleged sender's other packets"};
static const struct injection_reason sequence_steps = {
    "sequence_steps",
    "it lies beyond anything that its alleged sender had sent, a step ahead of an earlier reset"};
static const struct injection_reason too_early = {
    "too_early", "it acknowledges what cannot have reached its alleged sender yet"};

static const struct injection_reason *find_reason(const struct occasion *occasion)
{
    if (occasion->step->injected)
        return &foreign_ttl;
    if (steps_ahead(occasion))
        return &sequence_steps;
    return is_too_early(occasion) ? &too_early : NULL;
}

/* After a long silence a device that forgot the connection answers in the other side's name. */
static const struct unanswered *idle_run(const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    if (incarnation->story == NULL || !occasion->step->injected)
        return NULL;
    const struct unanswered *run = &incarnation->story->reset_run[occasion->from];
    const struct closing *closing = incarnation->connection.closing;
    bool first = closing->rst[occasion->from].packet == occasion->segment->packet;
    bool answers = run->first.packet != 0 && (occasion->segment->flags & TCP_ACK) == 0 &&
                   run->first.acknowledgment == occasion->segment->sequence;
    return first && answers && run->idle >= occasion->config->idle_least ? run : NULL;
}

static void begin_foreign(struct event_record *event, const struct occasion *occasion,
                          enum event_id id)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct side *x = &incarnation->connection.side[occasion->from];
    report_begin(event, id, occasion->segment->time, CONFIDENCE_POSSIBLE, BLAME_MIDDLEBOX);
    report_step_states(event, occasion);
    report_number(event, "rst_ttl", occasion->segment->ttl);
    report_number(event, "sender_ttl", x->ttl);
    report_detail(event, "rst_form", rst_form_name(occasion->step->rst_form));
    report_detail(event, "rst_fit", rst_fit_name(occasion->step->rst_fit));
}

void detect_idle_drop_rst(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct unanswered *run = idle_run(occasion);
    int x = occasion->from, y = side_other(x);
    if (run == NULL || incarnation_raised(incarnation, EVENT_idle_drop_rst))
        return;
    struct packet_ref rst = packet_ref_of(occasion->segment, x);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    begin_foreign(&event, occasion, EVENT_idle_drop_rst);
    event.t = run->first.t;
    report_evidence(&event, &base, &run->first, y, ROLE_TRIGGER,
                    "the %s speaks again after a long silence", report_side(y));
    report_evidence(&event, &base, &rst, x, ROLE_REACTION,
                    "a reset in the name of the %s, with another TTL", report_side(x));
    report_number(&event, "idle_ns", run->idle);
    event.suppresses[event.suppress_count++] = EVENT_rst_injected_suspected;
    report_explain(&event,
                   "Nothing had passed for %s when %s sent again (packet %llu); the answer was a "
                   "reset in the name of %s (packet %llu) with TTL %u, where its own packets have "
                   "%u: most likely a balancer, NAT or firewall on the path had forgotten the idle "
                   "connection.",
                   report_duration(run->idle).text, report_endpoint(occasion, y).text,
                   (unsigned long long)run->first.packet, report_endpoint(occasion, x).text,
                   (unsigned long long)rst.packet, occasion->segment->ttl,
                   incarnation->connection.side[x].ttl);
    report_remedy(&event,
                  "On %s or %s: keep-alives at an interval below the idle limit of the device "
                  "(net.ipv4.tcp_keepalive_time, here below %s), or raise that limit.",
                  report_address(occasion, y).text, report_address(occasion, x).text,
                  report_duration(run->idle).text);
    occasion->emit(occasion->context, &event);
}

void detect_rst_injected_suspected(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int x = occasion->from;
    if (incarnation_raised(incarnation, EVENT_rst_injected_suspected) ||
        incarnation_raised(incarnation, EVENT_idle_drop_rst) || occasion->step->stray)
        return;
    const struct injection_reason *reason = find_reason(occasion);
    if (reason == NULL)
        return;
    struct packet_ref rst = packet_ref_of(occasion->segment, x), own = report_syn(incarnation, x);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    begin_foreign(&event, occasion, EVENT_rst_injected_suspected);
    if (closing->rst[x].packet != rst.packet)
        report_evidence(&event, &base, &closing->rst[x], x, ROLE_REFERENCE, "an earlier reset");
    if (own.packet != 0)
        report_evidence(&event, &base, &own, x, ROLE_REFERENCE,
                        "a packet of the %s itself, to compare TTL and IP ID with", report_side(x));
    report_evidence(&event, &base, &rst, x, ROLE_TRIGGER, "a reset in the name of the %s",
                    report_side(x));
    report_detail(&event, "reason", reason->name);
    if (occasion->step->rst_form == RST_ACTIVE)
        event.suppresses[event.suppress_count++] = EVENT_close_abortive_app;
    report_explain(&event,
                   "The reset from %s to %s (packet %llu, TTL %u) may come from a third party: %s "
                   "(TTL %u).",
                   report_endpoint(occasion, x).text, report_endpoint(occasion, side_other(x)).text,
                   (unsigned long long)rst.packet, occasion->segment->ttl, reason->words,
                   incarnation->connection.side[x].ttl);
    report_remedy(&event,
                  "Look for what resets connections between the two: firewall (REJECT with "
                  "tcp-reset), intrusion prevention, proxy, censorship. Capture at %s to see "
                  "whether it sent packet %llu.",
                  report_address(occasion, x).text, (unsigned long long)rst.packet);
    occasion->emit(occasion->context, &event);
}

/* --- the host's own kernel resets what was not translated --- */

static bool had_trouble(const struct connection *connection, int x)
{
    const struct tally *mine = &connection->side[x].tally;
    const struct tally *theirs = &connection->side[side_other(x)].tally;
    return theirs->retransmitted > 0 || theirs->out_of_order > 0 || mine->duplicate_acks > 0 ||
           mine->sack_blocks > 0;
}

void detect_conntrack_invalid_rst(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int x = occasion->from, y = side_other(x);
    if (closing == NULL || incarnation_raised(incarnation, EVENT_conntrack_invalid_rst))
        return;
    const struct aftermath *aftermath = &closing->aftermath[x];
    const struct packet_ref *rst = &closing->rst[x];
    bool now = aftermath->went_on.packet == occasion->segment->packet && rst->packet != 0;
    if (!now || aftermath->before[x] != STATE_ESTABLISHED ||
        closing->rst_form[x] != RST_REPLY_NO_ACK || !had_trouble(connection, x))
        return;
    struct packet_ref data = answered_by_reset(incarnation, rst);
    if (data.packet == 0 || data.payload == 0)
        return;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_conntrack_invalid_rst, data.t, CONFIDENCE_POSSIBLE, BLAME_MIDDLEBOX);
    report_step_states(&event, occasion);
    report_evidence(&event, &base, &data, y, ROLE_TRIGGER, "data of the %s", report_side(y));
    report_evidence(&event, &base, rst, x, ROLE_REACTION,
                    "the %s's address answers as if it had no such connection", report_side(x));
    report_evidence(&event, &base, &aftermath->went_on, x, ROLE_CONSEQUENCE,
                    "and goes on in that very connection");
    report_number(&event, "retransmitted", connection->side[y].tally.retransmitted);
    report_number(&event, "out_of_order", connection->side[y].tally.out_of_order);
    report_number(&event, "duplicate_acks", connection->side[x].tally.duplicate_acks);
    report_detail(&event, "rst_form", rst_form_name(RST_REPLY_NO_ACK));
    report_explain(&event,
                   "%s answered data of %s (packet %llu) with a reset (packet %llu) and then went "
                   "on in the same connection (packet %llu). After loss or reordering, connection "
                   "tracking on the path may have called a segment INVALID and let it through "
                   "without translating its address: the host then knew no such connection.",
                   report_endpoint(occasion, x).text, report_endpoint(occasion, y).text,
                   (unsigned long long)data.packet, (unsigned long long)rst->packet,
                   (unsigned long long)aftermath->went_on.packet);
    report_remedy(&event,
                  "On the device that translates addresses before %s: "
                  "net.netfilter.nf_conntrack_tcp_be_liberal=1, or drop packets of state INVALID.",
                  report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}
