/* host_events: what the events of hosts have in common. */
#include "host_events.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"

struct host_text host_source(const struct census_entry *entry)
{
    struct host_text text;
    *text_put_address(text.text, entry->key.ip_version, entry->key.source) = '\0';
    return text;
}

struct host_text host_service(const struct census_entry *entry)
{
    char address[TEXT_ADDRESS + 1];
    struct host_text text;
    *text_put_address(address, entry->key.ip_version, entry->key.destination) = '\0';
    snprintf(text.text, sizeof(text.text), entry->key.ip_version == 4 ? "%s:%u" : "[%s]:%u",
             address, entry->key.port);
    return text;
}

void host_begin(struct event_record *event, enum event_id id, const struct delta *delta,
                enum confidence confidence, enum blame blame)
{
    report_begin(event, id, delta->t, confidence, blame);
    event->who.ip_version = delta->ip_version;
    event->who.end[CLIENT] = delta->end[CLIENT];
    event->who.end[SERVER] = delta->end[SERVER];
    event->who.flow_uid = delta->flow_uid;
    event->who.incarnation = delta->incarnation;
    for (int side = 0; side < 2; side++)
        report_change(event, side, delta->incarnation, (enum tcp_state)delta->state[side],
                      (enum tcp_state)delta->state[side]);
}

void host_evidence_plain(struct event_record *event, const struct census_ref *ref,
                         enum evidence_role role, const char *says)
{
    if (ref->packet == 0 || event->evidence_count == RECORD_EVIDENCE)
        return;
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (event->evidence[i].packet == ref->packet)
            return;
    }
    struct evidence_record *evidence = &event->evidence[event->evidence_count++];
    *evidence = (struct evidence_record){
        .packet = ref->packet,
        .t = ref->t,
        .incarnation = ref->incarnation,
        .from = ref->from,
        .flags = ref->flags,
        .seq_abs = ref->seq_abs,
        .ack_abs = ref->ack_abs,
        .role = role,
    };
    snprintf(evidence->says, sizeof(evidence->says), "%s", says);
}

void host_evidence(struct event_record *event, const struct census_ref *ref,
                   enum evidence_role role, const char *says)
{
    char words[HOST_SAYS];
    snprintf(words, sizeof(words), "source port %u: %s", ref->port, says);
    host_evidence_plain(event, ref, role, words);
}

void host_trigger(struct event_record *event, const struct delta *delta, const char *says)
{
    struct census_ref ref;
    census_refer(delta, &ref);
    host_evidence(event, &ref, ROLE_TRIGGER, says);
}

void host_add_refs(struct event_record *event, const struct census_entry *entry,
                   const char *says_first, const char *says)
{
    const struct census_more *more = entry->more;
    uint32_t kept = more->refs < CENSUS_REFS ? more->refs : CENSUS_REFS;
    host_evidence(event, &more->first_ref, ROLE_REFERENCE, says_first);
    for (uint32_t i = more->refs - kept; i < more->refs; i++)
        host_evidence(event, &more->ref[i % CENSUS_REFS], ROLE_REFERENCE, says);
}
