/*
 * handshake_answers: SYN-ACKs that answer another SYN, what becomes of the side that is half open,
 * and SYNs that cross (EVENTS C1).
 */
#include "handshake.h"
#include "report.h"

/* --- answers to another SYN --- */

/* Whether an incarnation before this one had that number next: then it is a late answer. */
static bool answers_earlier(const struct occasion *occasion, seq acknowledgment)
{
    const struct tuple *tuple = occasion->tuple;
    int end = incarnation_end(occasion->incarnation, CLIENT);
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next) {
        if (tombstone_end_is_numbered(old, end) &&
            seq_within(acknowledgment, seq_add(old->end[end].iss, 1), old->end[end].snd_nxt))
            return true;
    }
    return tuple->retiring != NULL || tuple->candidate != NULL;
}

/* The SYN-ACK to the client's SYN that acknowledges another, and is not of an earlier life. */
static const struct packet_ref *mismatched(const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct story *story = incarnation->story;
    if (story == NULL || story->strange.from != SERVER ||
        (story->strange.flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) ||
        handshake_is_told_elsewhere(occasion) ||
        incarnation_raised(incarnation, EVENT_synack_ack_mismatch) ||
        answers_earlier(occasion, story->strange.acknowledgment))
        return NULL;
    return &story->strange;
}

static void tell_mismatch(struct occasion *occasion, const struct packet_ref *strange,
                          const struct packet_ref *reset)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct side *client = &incarnation->connection.side[CLIENT];
    struct packet_ref syn = report_syn(incarnation, CLIENT), answer = *strange;
    struct evidence_base base = report_base(incarnation);
    int32_t apart = seq_distance(answer.acknowledgment, seq_add(client->iss, 1));
    struct event_record event;
    bool denied = reset != NULL || time_is_before(answer.t, client->last_t); /* the client spoke */
    report_begin(&event, EVENT_synack_ack_mismatch, answer.t,
                 report_gated(incarnation, denied ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE),
                 BLAME_MIDDLEBOX);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &syn, CLIENT, ROLE_REFERENCE, "the client's SYN");
    report_evidence(&event, &base, &answer, SERVER, ROLE_TRIGGER,
                    "a SYN-ACK that does not acknowledge that SYN");
    if (reset != NULL)
        report_evidence(&event, &base, reset, CLIENT, ROLE_REACTION,
                        "the client resets it: SEQ = its ACK");
    report_number(&event, "ack_distance", apart);
    report_explain(&event,
                   "%s answered the SYN of %s (packet %llu) with a SYN-ACK (packet %llu) that "
                   "acknowledges another one: %d away from where it should.",
                   report_endpoint(occasion, SERVER).text, report_endpoint(occasion, CLIENT).text,
                   (unsigned long long)syn.packet, (unsigned long long)answer.packet, apart);
    if (reset != NULL)
        report_explain(&event, " The client reset it (packet %llu).",
                       (unsigned long long)reset->packet);
    else
        report_explain(&event, " A client resets such an answer; its reset was not captured.");
    report_remedy(&event,
                  "Compare captures on both sides of the middle boxes between %s and %s "
                  "(SYN proxies, balancers, firewalls that rewrite sequence numbers).",
                  report_address(occasion, CLIENT).text, report_address(occasion, SERVER).text);
    occasion->emit(occasion->context, &event);
}

/* The client resets it: this is no SYN that the capture missed. */
void detect_synack_ack_mismatch(struct occasion *occasion)
{
    const struct packet_ref *strange = mismatched(occasion);
    if (occasion->from != CLIENT || strange == NULL ||
        occasion->segment->sequence != strange->acknowledgment)
        return;
    struct packet_ref reset = packet_ref_of(occasion->segment, CLIENT);
    tell_mismatch(occasion, strange, &reset);
}

/* No reset was seen; but had the client taken it, it would have gone on from there. */
void detect_synack_mismatch_end(struct occasion *occasion)
{
    const struct packet_ref *strange = mismatched(occasion);
    const struct side *client = &occasion->incarnation->connection.side[CLIENT];
    if (strange != NULL && !seq_within(strange->acknowledgment, client->iss, client->snd_nxt))
        tell_mismatch(occasion, strange, NULL);
}

void detect_half_open_reset(struct occasion *occasion)
{
    const struct step *step = occasion->step;
    const struct incarnation *incarnation = occasion->incarnation;
    const struct story *story = incarnation->story;
    const struct segment *segment = occasion->segment;
    if (occasion->from != CLIENT || story == NULL || story->strange.packet == 0 ||
        step->before[CLIENT] != STATE_SYN_SENT || handshake_is_told_elsewhere(occasion) ||
        incarnation_raised(incarnation, EVENT_half_open_reset) ||
        incarnation_raised(incarnation, EVENT_synack_ack_mismatch))
        return;
    bool answers =
        (segment->flags & TCP_ACK) == 0 && segment->sequence == story->strange.acknowledgment;
    if (!answers)
        return;
    struct packet_ref syn = report_syn(incarnation, CLIENT);
    struct packet_ref rst = packet_ref_of(segment, CLIENT);
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_half_open_reset, story->strange.t,
                 report_gated(incarnation, CONFIDENCE_PROBABLE), BLAME_PEER);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &syn, CLIENT, ROLE_REFERENCE, "the client's SYN");
    report_evidence(&event, &base, &story->strange, SERVER, ROLE_TRIGGER,
                    "an answer in the numbers of another connection");
    report_evidence(&event, &base, &rst, CLIENT, ROLE_REACTION,
                    "the client, in SYN_SENT, resets it: SEQ = the answer's ACK");
    report_number(&event, "ack_distance",
                  seq_distance(story->strange.acknowledgment,
                               seq_add(incarnation->connection.side[CLIENT].iss, 1)));
    report_detail(&event, "rst_form", rst_form_name(step->rst_form));
    report_explain(&event,
                   "%s answered the SYN of %s (packet %llu) in the numbers of another connection "
                   "(packet %llu), which %s reset (packet %llu): %s still holds an earlier "
                   "connection of these addresses and ports, of which this capture has nothing.",
                   report_endpoint(occasion, SERVER).text, report_endpoint(occasion, CLIENT).text,
                   (unsigned long long)syn.packet, (unsigned long long)story->strange.packet,
                   report_endpoint(occasion, CLIENT).text, (unsigned long long)rst.packet,
                   report_address(occasion, SERVER).text);
    report_remedy(&event,
                  "Keep-alives on %s; a longer capture, or one at the other end, shows the earlier "
                  "connection.",
                  report_address(occasion, SERVER).text);
    occasion->emit(occasion->context, &event);
}

/* --- both at once --- */

void detect_simultaneous_open(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct connection *connection = &incarnation->connection;
    if (!connection->simultaneous_open || incarnation_raised(incarnation, EVENT_simultaneous_open))
        return;
    struct packet_ref first = report_syn(incarnation, CLIENT),
                      second = report_syn(incarnation, SERVER);
    if (first.packet == 0 || second.packet == 0)
        return;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_simultaneous_open, second.t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN), BLAME_NONE);
    report_step_changes(&event, occasion);
    report_evidence(&event, &base, &first, CLIENT, ROLE_REFERENCE, "the SYN of one side");
    report_evidence(&event, &base, &second, SERVER, ROLE_TRIGGER,
                    "the SYN of the other, before either answered");
    report_number(&event, "apart_ns", time_since(second.t, first.t));
    report_explain(&event,
                   "%s and %s opened the connection towards each other at the same time (packets "
                   "%llu and %llu).",
                   report_endpoint(occasion, CLIENT).text, report_endpoint(occasion, SERVER).text,
                   (unsigned long long)first.packet, (unsigned long long)second.packet);
    report_remedy(&event, "Nothing: one connection comes of it.");
    occasion->emit(occasion->context, &event);
}
