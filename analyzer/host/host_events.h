/*
 * host_events: the detectors of hosts and services.  They keep nothing of their own: episodes and
 * floods are the census's.
 */
#ifndef LASTACK_HOST_HOST_EVENTS_H
#define LASTACK_HOST_HOST_EVENTS_H

#include "../event/report.h"
#include "census.h"

/* What a detector of hosts looks at. */
struct host_occasion {
    const struct config *config;
    const struct census *census;
    struct census_place place;
    const struct delta *delta;
    nanotime now; /* capture clock */
    void (*emit)(void *context, struct event_record *event);
    void *context;
};

/* Detectors of pairs, shown every delta of one with several connections. */
void host_time_wait_stock(struct host_occasion *occasion);
void host_port_exhaustion(struct host_occasion *occasion);
void host_churn(struct host_occasion *occasion);

/* A detector of services, shown each at the end. */
void host_server_closes(struct host_occasion *occasion);

/* Texts: "10.0.0.1", "10.0.0.2:443". */
enum { HOST_TEXT = 64 };
struct host_text {
    char text[HOST_TEXT];
};
struct host_text host_source(const struct census_entry *entry);
struct host_text host_service(const struct census_entry *entry);

/* Begins an event about the connection of a delta, which is its trigger. */
void host_begin(struct event_record *event, enum event_id id, const struct delta *delta,
                enum confidence confidence, enum blame blame);

/* Adds the delta's own packet; or one that the census kept, its port named or not. */
enum { HOST_SAYS = 160 };
void host_trigger(struct event_record *event, const struct delta *delta, const char *says);
void host_evidence(struct event_record *event, const struct census_ref *ref,
                   enum evidence_role role, const char *says);
void host_evidence_plain(struct event_record *event, const struct census_ref *ref,
                         enum evidence_role role, const char *says);

/* The openings that the entry kept, as evidence. */
void host_add_refs(struct event_record *event, const struct census_entry *entry,
                   const char *says_first, const char *says);

#endif
