/* report: see report.h. */
#include "report.h"

#include <stdarg.h>
#include <string.h>

#include "../base/format.h"
#include "../base/text.h"

_Static_assert(ENDPOINT_TEXT > 3 + TEXT_ADDRESS + TEXT_DECIMAL, "[address]:port, and NUL");

struct endpoint_text report_address(const struct occasion *occasion, int side)
{
    struct endpoint_text text;
    const struct flow_key *key = &occasion->tuple->key;
    int end = incarnation_end(occasion->incarnation, side);
    *text_put_address(text.text, key->ip_version, key->address[end]) = '\0';
    return text;
}

struct endpoint_text report_endpoint(const struct occasion *occasion, int side)
{
    struct endpoint_text text;
    const struct flow_key *key = &occasion->tuple->key;
    int end = incarnation_end(occasion->incarnation, side);
    char *at = text.text;
    if (key->ip_version != 4)
        *at++ = '[';
    at = text_put_address(at, key->ip_version, key->address[end]);
    if (key->ip_version != 4)
        *at++ = ']';
    *at++ = ':';
    *text_put_decimal(at, key->port[end]) = '\0';
    return text;
}

struct evidence_base report_base(const struct incarnation *incarnation)
{
    const struct side *side = incarnation->connection.side;
    return (struct evidence_base){
        .incarnation = incarnation->number,
        .known = {side_has(&side[0], SIDE_ISS_KNOWN), side_has(&side[1], SIDE_ISS_KNOWN)},
        .iss = {side[0].iss, side[1].iss},
    };
}

void report_evidence(struct event_record *event, const struct evidence_base *base,
                     const struct packet_ref *ref, int from, enum evidence_role role,
                     const char *format, ...)
{
    if (ref->packet == 0 || event->evidence_count == RECORD_EVIDENCE)
        return;
    struct evidence_record *evidence = &event->evidence[event->evidence_count++];
    evidence->packet = ref->packet;
    evidence->t = ref->t;
    evidence->incarnation = base->incarnation;
    evidence->from = from;
    evidence->flags = ref->flags;
    evidence->relative_known = base->known[from];
    evidence->ack_relative_known = base->known[side_other(from)];
    evidence->seq_abs = ref->sequence;
    evidence->ack_abs = ref->acknowledgment;
    evidence->seq = ref->sequence - base->iss[from];
    evidence->ack = ref->acknowledgment - base->iss[side_other(from)];
    evidence->payload = ref->payload;
    evidence->role = role;
    va_list arguments;
    va_start(arguments, format);
    format_put(evidence->says, sizeof(evidence->says), format, arguments);
    va_end(arguments);
}

struct packet_ref report_syn(const struct incarnation *incarnation, int side)
{
    const struct side *x = &incarnation->connection.side[side];
    if (!side_has(x, SIDE_SYN_SEEN))
        return (struct packet_ref){0};
    return (struct packet_ref){
        .packet = x->syn_packet,
        .t = x->syn_t,
        .sequence = x->iss,
        .acknowledgment = x->syn_acknowledgment,
        .payload = x->syn_payload,
        .flags = x->syn_flags,
        .from = (uint8_t)side,
    };
}

/* The state of a side before the step, without what the step showed never to have been. */
static enum tcp_state state_before(const struct step *step, int side)
{
    for (uint32_t i = step->changes; i > 0; i--) {
        const struct change *change = &step->change[i - 1];
        bool never = change->kind == CHANGE_REVOKED || change->kind == CHANGE_CROSSED;
        if (change->side == side && never)
            return change->before;
    }
    return step->before[side];
}

void report_step_changes(struct event_record *event, const struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    for (int side = 0; side < SIDES; side++)
        report_change(event, side, incarnation->number,
                      occasion->step != NULL
                          ? state_before(occasion->step, side)
                          : (enum tcp_state)incarnation->connection.side[side].state,
                      (enum tcp_state)incarnation->connection.side[side].state);
}

enum blame report_blame(int side)
{
    return side == CLIENT ? BLAME_CLIENT : BLAME_SERVER;
}

enum confidence report_weaker(enum confidence a, enum confidence b)
{
    return a < b ? a : b;
}

enum confidence report_gated(const struct incarnation *incarnation, enum confidence confidence)
{
    const struct connection *connection = &incarnation->connection;
    if (connection->capture_gaps > 0)
        return CONFIDENCE_POSSIBLE;
    bool lossy = (incarnation->notes >> NOTE_capture_drop & 1) != 0;
    if (lossy && confidence > CONFIDENCE_POSSIBLE)
        confidence = (enum confidence)(confidence - 1);
    return connection->midstream ? report_weaker(confidence, CONFIDENCE_PROBABLE) : confidence;
}
