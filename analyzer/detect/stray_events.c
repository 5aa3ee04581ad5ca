/*
 * stray_events: the second reason for TIME_WAIT.  A segment of an earlier incarnation appeared in a
 * later one: harmless, rejected, or accepted (EVENTS C4 and C5).
 */
#include "detectors.h"
#include "../tcp/window.h"
#include "report.h"

static const char *const verdict_words[] = {
    [STRAY_HARMLESS] = "it lies outside the receiver's window and is dropped",
    [STRAY_REJECTED_BY_PAWS] = "its old time stamp makes the receiver drop it (PAWS)",
    [STRAY_REJECTED_BY_ACK] = "its old acknowledgment number makes the receiver drop it",
    [STRAY_ACCEPTABLE_DUPLICATE] = "the receiver takes it for a duplicate and only acknowledges",
    [STRAY_HAZARD_DATA] = "the receiver would take its octets into the stream",
    [STRAY_HAZARD_RST] = "the receiver would end the new connection",
};

static const char *segment_words(const struct segment *segment)
{
    if ((segment->flags & TCP_RST) != 0)
        return "A reset";
    if ((segment->flags & TCP_SYN) != 0)
        return (segment->flags & TCP_ACK) != 0 ? "A SYN-ACK" : "A SYN";
    return segment->payload == 0 ? "An acknowledgment" : "A segment";
}

static enum confidence match_confidence(enum stray_match match)
{
    switch (match) {
    case STRAY_BY_ACK:
    case STRAY_BY_COPY:
        return CONFIDENCE_CERTAIN;
    case STRAY_BY_TIMESTAMP:
    case STRAY_BY_RANGE:
        return CONFIDENCE_PROBABLE;
    case STRAY_NONE:
        return CONFIDENCE_POSSIBLE;
    }
    return CONFIDENCE_POSSIBLE;
}

/* Evidence bases of the old incarnation, by the sides of the event's own flow. */
static struct evidence_base old_base(const struct incarnation *incarnation,
                                     const struct tombstone *old)
{
    const struct tombstone_side *client = &old->end[incarnation_end(incarnation, 0)];
    const struct tombstone_side *server = &old->end[incarnation_end(incarnation, 1)];
    return (struct evidence_base){
        .incarnation = old->incarnation,
        .known = {(client->flags & SIDE_ISS_KNOWN) != 0, (server->flags & SIDE_ISS_KNOWN) != 0},
        .iss = {client->iss, server->iss},
    };
}

static void report_states(struct event_record *event, const struct incarnation *incarnation)
{
    for (int side = 0; side < SIDES; side++) {
        enum tcp_state state = (enum tcp_state)incarnation->connection.side[side].state;
        report_change(event, side, incarnation->number, state, state);
    }
}

void detect_stray_old_segment(struct occasion *occasion)
{
    const struct stray *stray = occasion->stray;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct segment *segment = occasion->segment;
    int from = occasion->from;
    struct packet_ref ref = packet_ref_of(segment, from);
    struct evidence_base base = old_base(incarnation, stray->from);
    int end = incarnation_end(incarnation, from);
    struct event_record event;
    report_begin(&event, EVENT_stray_old_segment, segment->time,
                 report_gated(incarnation, match_confidence(stray->match)), BLAME_NETWORK);
    if (stray->verdict == STRAY_HAZARD_RST)
        event.level = LEVEL_WARNING;
    report_states(&event, incarnation);
    report_evidence(&event, &base, &ref, from, ROLE_TRIGGER,
                    "a segment in the numbers of incarnation %u", stray->from->incarnation);
    report_number(&event, "matched_incarnation", stray->from->incarnation);
    if (tombstone_end_is_numbered(stray->from, end))
        report_number(&event, "offset",
                      (int64_t)(uint32_t)(segment->sequence - stray->from->end[end].iss));
    report_number(&event, "payload_bytes", segment->payload);
    report_number(&event, "since_last_ns", time_since(segment->time, stray->from->last_t));
    if (stray->original != NULL) {
        struct packet_ref original = last_segment_ref(stray->original, from);
        report_evidence(&event, &base, &original, from, ROLE_REFERENCE,
                        "the same segment in its own time");
        report_number(&event, "is_retransmission_of", (int64_t)original.packet);
        report_number(&event, "age_ns", time_since(segment->time, original.t));
    }
    report_detail(&event, "verdict", stray_verdict_name(stray->verdict));
    report_detail(&event, "matched_by", stray_match_name(stray->match));
    if (stray->paws_no_option)
        report_detail(&event, "paws", "no_option");
    struct endpoint_text sender = report_endpoint(occasion, from),
                         receiver = report_endpoint(occasion, side_other(from));
    struct duration_text since = report_duration(time_since(segment->time, stray->from->last_t));
    report_explain(
        &event,
        "%s from %s to %s with %u octets (packet %llu) belongs to incarnation %u "
        "of this tuple, whose last packet had passed %s before; incarnation %u is running: %s.",
        segment_words(segment), sender.text, receiver.text, segment->payload,
        (unsigned long long)segment->packet, stray->from->incarnation, since.text,
        incarnation->number, verdict_words[stray->verdict]);
    report_remedy(&event,
                  "Find what held or repeated the segment on the path from %s; let the port rest "
                  "for 2MSL before it is used again.",
                  sender.text);
    bool stamps_help = !connection_uses_timestamps(&incarnation->connection) &&
                       (segment->flags & (TCP_RST | TCP_SYN)) == 0;
    if (stamps_help)
        report_remedy(&event, " Timestamps at both ends (net.ipv4.tcp_timestamps=1) let PAWS "
                              "reject such segments.");
    occasion->emit(occasion->context, &event);
}

void detect_stray_accepted_hazard(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct hazard *hazard = &incarnation_doubts(incarnation)->hazard;
    if (hazard->rst)
        return; /* stray_rst_hit */
    int to = hazard->to, from = side_other(to);
    struct evidence_base base = report_base(incarnation);
    bool delivered = occasion->delivered;
    enum confidence confidence =
        delivered ? match_confidence((enum stray_match)hazard->strength) : CONFIDENCE_POSSIBLE;
    struct event_record event;
    report_begin(&event, EVENT_stray_accepted_hazard, hazard->stray.t,
                 report_gated(incarnation, confidence), BLAME_NETWORK);
    if (!delivered)
        event.level = LEVEL_WARNING;
    report_states(&event, incarnation);
    report_evidence(&event, &base, &hazard->stray, from, ROLE_TRIGGER,
                    "a segment of incarnation %u that passes the %s's checks",
                    hazard->matched_number, report_side(to));
    const struct evidence_base old = {
        hazard->matched_number, {true, true}, {hazard->old_iss[0], hazard->old_iss[1]}};
    report_evidence(&event, &old, &hazard->original, from, ROLE_REFERENCE,
                    "the same segment in its own time");
    if (occasion->segment != NULL) {
        struct packet_ref reaction = packet_ref_of(occasion->segment, to);
        report_evidence(&event, &base, &reaction, to, delivered ? ROLE_CONSEQUENCE : ROLE_REACTION,
                        delivered ? "acknowledges octets that nobody of this incarnation had sent"
                                  : "the next acknowledgment does not show its octets");
    }
    report_number(&event, "matched_incarnation", hazard->matched_number);
    report_number(&event, "payload_bytes", hazard->stray.payload);
    report_number(&event, "delivered", delivered);
    if (hazard->original.packet != 0)
        report_number(&event, "is_retransmission_of", (int64_t)hazard->original.packet);
    if (hazard->age != NANOTIME_UNKNOWN)
        report_number(&event, "age_ns", hazard->age);
    report_detail(&event, "verdict", stray_verdict_name(STRAY_HAZARD_DATA));
    report_detail(&event, "matched_by", stray_match_name((enum stray_match)hazard->strength));
    report_detail(&event, "delivery",
                  delivered           ? "acknowledged"
                  : occasion->refuted ? "refuted"
                                      : "unknown");
    struct endpoint_text sender = report_endpoint(occasion, from),
                         receiver = report_endpoint(occasion, to);
    report_explain(&event,
                   "A segment of incarnation %u from %s to %s with %u octets (packet %llu) passes "
                   "every check of the receiver in incarnation %u.",
                   hazard->matched_number, sender.text, receiver.text, hazard->stray.payload,
                   (unsigned long long)hazard->stray.packet, incarnation->number);
    if (delivered)
        report_explain(
            &event,
            " The receiver acknowledged these octets (packet %llu) although nobody of the new "
            "connection had sent them: old octets were delivered into the new stream, "
            "the data is corrupt.",
            (unsigned long long)occasion->segment->packet);
    else
        report_explain(&event, " Whether its octets were delivered %s.",
                       occasion->refuted ? "is not shown: the next acknowledgment leaves them out"
                                         : "cannot be seen in this capture");
    report_remedy(&event,
                  "Timestamps at both ends (net.ipv4.tcp_timestamps=1) so that PAWS rejects old "
                  "segments; let the port rest for 2MSL; find what held the segment on the path "
                  "from %s.",
                  sender.text);
    occasion->emit(occasion->context, &event);
}

/* How far the number lies before the first of the connection; 0: it does not. */
static uint32_t octets_before(const struct side *side, seq number)
{
    bool before = side_has(side, SIDE_ISS_KNOWN) && seq_before(number, side->iss);
    return before ? (uint32_t)(side->iss - number) : 0;
}

void detect_stray_unmatched(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    const struct segment *segment = occasion->segment;
    int from = occasion->from;
    uint32_t sequence = octets_before(&connection->side[from], segment->sequence);
    uint32_t acknowledgment =
        (segment->flags & TCP_ACK) == 0
            ? 0
            : octets_before(&connection->side[side_other(from)], segment->acknowledgment);
    bool opening =
        occasion->step->before[0] == STATE_SYN_SENT || occasion->step->before[1] == STATE_SYN_SENT;
    if (opening || (sequence == 0 && acknowledgment == 0) ||
        incarnation_raised(incarnation, EVENT_stray_unmatched))
        return;
    struct packet_ref ref = packet_ref_of(segment, from);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_stray_unmatched, segment->time, CONFIDENCE_POSSIBLE, BLAME_NONE);
    report_states(&event, incarnation);
    report_evidence(&event, &base, &ref, from, ROLE_TRIGGER,
                    "a segment in numbers of no known incarnation");
    report_number(&event, "payload_bytes", segment->payload);
    if (sequence != 0)
        report_number(&event, "seq_before_iss", sequence);
    if (acknowledgment != 0)
        report_number(&event, "ack_before_iss", acknowledgment);
    report_number(&event, "ttl", segment->ttl);
    report_number(&event, "sender_ttl", connection->side[from].ttl);
    report_explain(&event,
                   "A segment from %s to %s with %u octets (packet %llu) lies before the first "
                   "numbers of this connection and in no earlier one that is remembered: of an "
                   "incarnation before the capture, of another host behind the same NAT address, "
                   "or injected.",
                   report_endpoint(occasion, from).text,
                   report_endpoint(occasion, side_other(from)).text, segment->payload,
                   (unsigned long long)segment->packet);
    report_remedy(&event,
                  "Compare TTL, IP ID and timestamps of packet %llu with those of the other "
                  "packets of %s; capture nearer to it.",
                  (unsigned long long)segment->packet, report_address(occasion, from).text);
    occasion->emit(occasion->context, &event);
}
