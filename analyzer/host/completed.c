/* completed: see completed.h. */
#include "completed.h"

#include <string.h>

#include "worst_events.h"

enum { FLAG_FIN = 0x01, FLAG_SYN = 0x02 };

static struct census_key key_of(enum host_scope scope, const struct event_record *event)
{
    const struct endpoint_record *end = event->who.end;
    return census_key_of(scope, event->who.ip_version, end[CLIENT].address, end[SERVER].address,
                         end[SERVER].port);
}

static struct census_entry *find(const struct census *census, enum host_scope scope,
                                 const struct event_record *event)
{
    struct census_key key = key_of(scope, event);
    return census_find(census, &key);
}

static const struct evidence_record *trigger_of(const struct event_record *event)
{
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (event->evidence[i].role == ROLE_TRIGGER)
            return &event->evidence[i];
    }
    return NULL;
}

/* --- a SYN without an answer, where others had one --- */

/*
 * Whether another SYN was answered within a second of one of the event's.  A SYN with FIN is
 * dropped for what it is, by hosts and filters alike.
 */
static bool others_answered(const struct census_entry *service, const struct event_record *event)
{
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        const struct evidence_record *syn = &event->evidence[i];
        if ((syn->flags & (FLAG_SYN | FLAG_FIN)) == FLAG_SYN &&
            cohorts_answered(service->more->cohorts, time_since(syn->t, NANO_PER_SECOND),
                             time_after(syn->t, NANO_PER_SECOND)))
            return true;
    }
    return false;
}

static void explain_overflow(struct event_record *event, const struct census_entry *service,
                             bool same_source)
{
    struct host_text name = host_service(service);
    event->explanation[0] = event->remedy[0] = '\0';
    report_explain(event,
                   "Port %u sent its SYN %llu times and had no answer, while %s answered other "
                   "SYNs within a second of it%s: the service is up, and its queue of connections "
                   "that wait for accept() is most likely full; Linux then drops SYNs in silence.",
                   event->who.end[CLIENT].port, (unsigned long long)event->who.end[CLIENT].packets,
                   name.text, same_source ? ", some of them of the same client" : "");
    report_remedy(event,
                  "On the host of %s: accept() faster, a larger backlog in listen() and "
                  "net.core.somaxconn; nstat TcpExtListenOverflows counts such drops. If it does "
                  "not count, look for a limit or filter on the path%s.",
                  name.text, same_source ? "" : " that concerns this client alone");
}

static bool complete_no_answer(const struct census *census, const struct event_record *event,
                               struct event_record *room)
{
    const struct census_entry *service = find(census, HOST_SERVICE, event);
    const struct census_entry *pair = find(census, HOST_PAIR, event);
    if (event->confidence == CONFIDENCE_CERTAIN) /* another tap has shown why */
        return false;
    if (service == NULL || service->more == NULL || service->more->cohorts == NULL ||
        !others_answered(service, event))
        return false;
    bool same = pair != NULL && pair->alive[SERVER] != NANOTIME_UNKNOWN &&
                time_since(event->t, pair->alive[SERVER]) <= NANO_PER_SECOND;
    *room = *event;
    room->id = EVENT_accept_queue_overflow;
    room->level = event_row(room->id)->level;
    room->confidence = same ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE;
    room->blame = BLAME_SERVER;
    if (room->suppress_count < RECORD_SUPPRESSES)
        room->suppresses[room->suppress_count++] = EVENT_syn_no_answer;
    report_detail(room, "same_client_answered", same ? "yes" : "unknown");
    explain_overflow(room, service, same);
    return true;
}

/* --- sockets forgotten in CLOSE_WAIT --- */

static bool complete_leak(struct census *census, const struct event_record *event,
                          struct event_record *room)
{
    const struct evidence_record *trigger = trigger_of(event);
    if (trigger == NULL)
        return false;
    bool server = trigger->from == SERVER;
    struct census_entry *host = find(census, server ? HOST_SERVICE : HOST_PAIR, event);
    if (host == NULL || host->more == NULL)
        return false;
    struct census_more *more = host->more;
    if (more->leaks++ == 0)
        more->first_leak = event->t;
    census->starved |= worst_note_leak(more, event, trigger) != STATUS_OK;
    census->leaks = true;
    if (more->leaks < census->config->close_wait_leaks)
        return false;
    nanotime span = time_since(event->t, more->first_leak);
    *room = *event;
    room->level = LEVEL_ERROR;
    report_number(room, "leaks", (int64_t)more->leaks);
    report_number(room, "leaks_span_ns", span);
    report_number(room, "close_wait_now", (int64_t)host->close_wait[trigger->from].now);
    report_explain(room, " It is the %lluth there within %s: %s.", (unsigned long long)more->leaks,
                   report_duration(span).text,
                   "every one keeps a descriptor and memory until the process ends");
    if (span > 0)
        report_number(room, "leaks_per_hour",
                      (int64_t)((double)more->leaks * 3600 * NANO_PER_SECOND / (double)span));
    worst_tell_leaks(room, more);
    return true;
}

/* --- silence after idleness --- */

static void know_peer(struct event_record *event)
{
    for (uint32_t i = 0; i < event->detail_count; i++) {
        if (strcmp(event->details[i].name, "peer_on_other_flows") == 0)
            event->details[i].value = "alive";
    }
}

static bool complete_idle(const struct census *census, const struct event_record *event,
                          struct event_record *room)
{
    const struct evidence_record *trigger = trigger_of(event);
    if (trigger == NULL)
        return false;
    int peer = trigger->from == CLIENT ? SERVER : CLIENT;
    struct census_entry room_of_newcomer;
    struct census_key key = key_of(peer == SERVER ? HOST_SERVICE : HOST_SOURCE, event);
    const struct census_entry *host = census_look(census, &key, &room_of_newcomer);
    if (host == NULL || host->alive[peer] == NANOTIME_UNKNOWN ||
        time_is_before(host->alive[peer], trigger->t))
        return false;
    *room = *event;
    room->level = LEVEL_ERROR;
    room->confidence = CONFIDENCE_PROBABLE;
    know_peer(room);
    report_explain(room, " Other connections show that host alive meanwhile: a device on the path "
                         "forgot this one.");
    return true;
}

static void note_renamed(struct renamed *renamed, uint64_t flow_uid)
{
    renamed->flow_uid[renamed->count++ % COMPLETED_RENAMED] = flow_uid;
}

const struct event_record *completed_event(struct census *census, struct renamed *renamed,
                                           const struct event_record *event,
                                           struct event_record *room)
{
    bool changed = false;
    if (event->id == EVENT_syn_no_answer) {
        changed = complete_no_answer(census, event, room);
        if (changed)
            note_renamed(renamed, event->who.flow_uid);
    } else if (event->id == EVENT_close_wait_leak) {
        changed = complete_leak(census, event, room);
    } else if (event->id == EVENT_idle_drop_silent) {
        changed = complete_idle(census, event, room);
    }
    return changed ? room : event;
}

static bool was_renamed(const struct renamed *renamed, uint64_t flow_uid)
{
    uint32_t kept = renamed->count < COMPLETED_RENAMED ? renamed->count : COMPLETED_RENAMED;
    for (uint32_t i = 0; i < kept; i++) {
        if (renamed->flow_uid[i] == flow_uid)
            return true;
    }
    return false;
}

const struct flow_record *completed_flow(const struct renamed *renamed,
                                         const struct flow_record *flow, struct flow_record *room)
{
    for (uint32_t i = 0; renamed->count > 0 && i < flow->event_count; i++) {
        if (flow->events[i] != EVENT_syn_no_answer || !was_renamed(renamed, flow->who.flow_uid))
            continue;
        *room = *flow;
        room->events[i] = EVENT_accept_queue_overflow;
        room->spelled = NULL; /* it tells of the other event */
        return room;
    }
    return flow;
}
