/* path_events: see path_events.h. */
#include "path_events.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../event/report.h"

enum { ENDPOINT = TEXT_ADDRESS + 16, WORDS = 128 };

struct endpoint_words {
    char text[ENDPOINT];
};

static struct endpoint_words endpoint(const struct journey *journey, int side)
{
    char address[TEXT_ADDRESS + 1];
    struct endpoint_words words;
    const struct endpoint_record *end = &journey->who.end[side];
    *text_put_address(address, journey->who.ip_version, end->address) = '\0';
    snprintf(words.text, sizeof(words.text), journey->who.ip_version == 4 ? "%s:%u" : "[%s]:%u",
             address, end->port);
    return words;
}

/* What a segment is, in a few words: "FIN", "ACK", "18 octets". */
static struct endpoint_words kind_of(const struct sighting *seen)
{
    struct endpoint_words words;
    const char *name = (seen->flags & TCP_RST) != 0                                 ? "reset"
                       : (seen->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) ? "SYN-ACK"
                       : (seen->flags & TCP_SYN) != 0                               ? "SYN"
                       : (seen->flags & TCP_FIN) != 0                               ? "FIN"
                                                                                    : "ACK";
    bool plain = seen->payload > 0 && (seen->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
    if (plain)
        snprintf(words.text, sizeof(words.text), "segment of %u octets", seen->payload);
    else
        snprintf(words.text, sizeof(words.text), "%s", name);
    return words;
}

static const char *name_of(const struct path_occasion *occasion, int tap)
{
    return occasion->names[occasion->tap[tap]];
}

static void add_evidence(struct event_record *event, const struct path_occasion *occasion, int tap,
                         const struct sighting *seen, enum evidence_role role, const char *says)
{
    const struct journey *journey = occasion->journey;
    if (seen->packet == 0 || event->evidence_count == RECORD_EVIDENCE)
        return;
    int from = journey_side(journey, occasion->crossing->end);
    const uint32_t *shifts = occasion->crossing->shift;
    int end = occasion->crossing->end;
    uint32_t shift = occasion->base[end] + (tap == 1 ? shifts[end] : 0);
    uint32_t ack_shift = occasion->base[1 - end] + (tap == 1 ? shifts[1 - end] : 0);
    struct evidence_record *evidence = &event->evidence[event->evidence_count++];
    *evidence = (struct evidence_record){
        .packet = seen->packet,
        .tap = (int)occasion->tap[tap],
        .t = seen->t,
        .incarnation = journey->who.incarnation,
        .from = from,
        .flags = seen->flags,
        .relative_known = journey->iss_known[from],
        .ack_relative_known = journey->iss_known[1 - from],
        .seq = seen->sequence - shift - journey->iss[from],
        .ack = seen->acknowledgment - ack_shift - journey->iss[1 - from],
        .seq_abs = seen->sequence,
        .ack_abs = seen->acknowledgment,
        .payload = seen->payload,
        .role = role,
    };
    snprintf(evidence->says, sizeof(evidence->says), "%s", says);
}

static void begin(struct event_record *event, const struct path_occasion *occasion,
                  enum event_id id, enum blame blame)
{
    const struct journey *journey = occasion->journey;
    const struct crossing *crossing = occasion->crossing;
    int tap = crossing->at[0].packet != 0 ? 0 : 1;
    report_begin(event, id, occasion->t[tap], crossing->confidence, blame);
    event->who = journey->who;
    for (int side = 0; side < SIDE_COUNT; side++)
        report_change(event, side, journey->who.incarnation, journey->state[side],
                      journey->state[side]);
    report_number(event, "len", crossing->at[tap].payload);
    report_number(event, "least_delay_ns", occasion->least);
}

/* How sure the loss is, and why not more. */
static const char *doubt_of_loss(const struct crossing *crossing)
{
    if (crossing->shown && crossing->confidence != CONFIDENCE_CERTAIN)
        return "; its receiver did not have it when it was due, but it may have come late, and "
               "that "
               "capture may have missed it then";
    if (crossing->shown)
        return "; what the receiver sent since shows that it does not have it";
    if (crossing->unjoined)
        return "; that tap shows nothing of the connection, which may take another way";
    if (crossing->at_edge)
        return "; that capture does not reach so far, so this rests on what was captured before";
    return "; nothing that followed shows whether its capture missed it";
}

static bool tell_lost(const struct path_occasion *occasion, struct event_record *event)
{
    const struct crossing *crossing = occasion->crossing;
    int tap = crossing->at[0].packet != 0 ? 0 : 1;
    const struct sighting *seen = &crossing->at[tap];
    int from = journey_side(occasion->journey, crossing->end);
    const char *here = name_of(occasion, tap), *there = name_of(occasion, 1 - tap);
    char says[WORDS];
    begin(event, occasion, EVENT_lost_between_taps, BLAME_NETWORK);
    report_detail(event, "left", here);
    report_detail(event, "missing_at", there);
    snprintf(says, sizeof(says), "left here, and did not come to tap %.64s", there);
    add_evidence(event, occasion, tap, seen, ROLE_TRIGGER, says);
    report_explain(event,
                   "The %s of %s to %s passed tap %s (packet %llu there) and did not come to tap "
                   "%s: it was lost between the two%s.",
                   kind_of(seen).text, endpoint(occasion->journey, from).text,
                   endpoint(occasion->journey, 1 - from).text, here,
                   (unsigned long long)seen->packet, there, doubt_of_loss(crossing));
    report_remedy(event,
                  "Look at what lies between tap %s and tap %s: queues that overflow, rate limits, "
                  "firewalls that drop (their counters), links with errors; a tap half way says in "
                  "which half.",
                  here, there);
    return true;
}

static bool tell_injected(const struct path_occasion *occasion, struct event_record *event)
{
    const struct crossing *crossing = occasion->crossing;
    int tap = crossing->at[0].packet != 0 ? 0 : 1;
    const struct sighting *seen = &crossing->at[tap];
    int from = journey_side(occasion->journey, crossing->end);
    const char *here = name_of(occasion, tap), *there = name_of(occasion, 1 - tap);
    char says[WORDS];
    begin(event, occasion, EVENT_injected_between_taps, BLAME_MIDDLEBOX);
    report_detail(event, "entered_before", here);
    report_detail(event, "never_left", there);
    report_number(event, "ttl", seen->ttl);
    snprintf(says, sizeof(says), "came here, and had not passed tap %.64s", there);
    add_evidence(event, occasion, tap, seen, ROLE_TRIGGER, says);
    report_explain(
        event,
        "A %s in the name of %s came to tap %s (packet %llu there), towards %s, but "
        "never passed tap %s on the sender's side: something between the two made "
        "it%s%s%s.",
        kind_of(seen).text, endpoint(occasion->journey, from).text, here,
        (unsigned long long)seen->packet, endpoint(occasion->journey, 1 - from).text, there,
        crossing->ttl_differs ? "; its TTL is unlike the sender's other segments" : "",
        crossing->went_on ? "; the alleged sender goes on afterwards" : "",
        crossing->ttl_differs || crossing->went_on ? "" : ", or that tap's capture missed it");
    report_remedy(event,
                  "Find the device between tap %s and tap %s that sends in another's name: "
                  "firewall, intrusion prevention, proxy, load balancer.",
                  here, there);
    return true;
}

/* The names of what changed, with commas. */
static void name_changes(uint8_t changed, char text[WORDS])
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < PATH_CHANGES; i++) {
        if ((changed >> i & 1) != 0)
            used += (size_t)snprintf(text + used, WORDS - used, "%s%s", used > 0 ? ", " : "",
                                     path_change_name(i));
    }
}

/*
 * Whether it may be another sending of the same numbers that came: a new window, say.  What takes
 * no sequence space is sent with the same numbers as often as its sender likes.
 */
static bool may_be_another(const struct crossing *crossing)
{
    const struct sighting *seen = &crossing->at[0];
    bool occupies = seen->payload > 0 || (seen->flags & (TCP_SYN | TCP_FIN)) != 0;
    return !crossing->marked && (crossing->confidence != CONFIDENCE_CERTAIN || !occupies);
}

/* A device that rewrites does so with every segment: each kind of change is told once. */
static bool tell_changed(const struct path_occasion *occasion, struct event_record *event)
{
    const struct crossing *crossing = occasion->crossing;
    struct leg *leg = &occasion->journey->leg[occasion->pair];
    char what[WORDS];
    if ((crossing->changed & ~leg->changed) == 0)
        return false;
    leg->changed |= crossing->changed;
    int from = journey_side(occasion->journey, crossing->end);
    begin(event, occasion, EVENT_changed_between_taps, BLAME_MIDDLEBOX);
    bool another = may_be_another(crossing);
    if (another)
        event->confidence = CONFIDENCE_POSSIBLE;
    name_changes(crossing->changed, what);
    /* the words must outlive this call: they are spelled from the constant set in the catalogue */
    report_detail(event, "first_of_them",
                  (crossing->changed & CHANGED_PAYLOAD) != 0          ? "payload"
                  : (crossing->changed & CHANGED_ACKNOWLEDGMENT) != 0 ? "acknowledgment"
                  : (crossing->changed & CHANGED_WINDOW_SCALE) != 0   ? "window_scale"
                  : (crossing->changed & CHANGED_MSS) != 0            ? "mss"
                  : (crossing->changed & CHANGED_OPTIONS) != 0        ? "options"
                  : (crossing->changed & CHANGED_TIMESTAMPS) != 0     ? "timestamps"
                  : (crossing->changed & CHANGED_FLAGS) != 0          ? "flags"
                                                                      : "window");
    report_number(event, "changes", crossing->changed);
    add_evidence(event, occasion, 0, &crossing->at[0], ROLE_TRIGGER, "the segment at this tap");
    add_evidence(event, occasion, 1, &crossing->at[1], ROLE_REFERENCE, "the same segment here");
    report_explain(event,
                   "The %s of %s is not the same at both taps (packet %llu at %s, packet %llu at "
                   "%s): %s differ%s.  Something between the taps rewrites it%s.",
                   kind_of(&crossing->at[0]).text, endpoint(occasion->journey, from).text,
                   (unsigned long long)crossing->at[0].packet, name_of(occasion, 0),
                   (unsigned long long)crossing->at[1].packet, name_of(occasion, 1), what,
                   strchr(what, ',') == NULL ? "s" : "",
                   another ? ", or these are two sendings of the same numbers" : "");
    report_remedy(event,
                  "Find the device between tap %s and tap %s that rewrites TCP headers (MSS "
                  "clamping, option stripping, proxies), and whether it is meant to.",
                  name_of(occasion, 0), name_of(occasion, 1));
    return true;
}

static bool tell_delayed(const struct path_occasion *occasion, struct event_record *event)
{
    const struct crossing *crossing = occasion->crossing;
    bool away = crossing->direction == TOWARDS_SECOND;
    int left = away ? 0 : 1, came = 1 - left;
    int from = journey_side(occasion->journey, crossing->end);
    const struct journey *next = occasion->next;
    begin(event, occasion, EVENT_delayed_between_taps, BLAME_NETWORK);
    if (crossing->copy.packet != 0 || !crossing->marked) /* else another sending may have come */
        event->confidence = CONFIDENCE_PROBABLE;
    if (next != NULL)
        event->level = LEVEL_WARNING;
    report_number(event, "held_ns", crossing->held);
    report_number(event, "delay_ns", crossing->delay);
    report_number(
        event, "into_incarnation",
        (int64_t)(next != NULL ? next->who.incarnation : occasion->journey->who.incarnation));
    report_detail(event, "left", name_of(occasion, left));
    report_detail(event, "came_to", name_of(occasion, came));
    add_evidence(event, occasion, left, &crossing->at[left], ROLE_TRIGGER, "left here");
    add_evidence(event, occasion, came, &crossing->at[came], ROLE_CONSEQUENCE, "came here");
    if (crossing->copy.packet != 0)
        add_evidence(event, occasion, crossing->copied_at, &crossing->copy, ROLE_REFERENCE,
                     "the same packet here once more");
    report_explain(event,
                   "The %s of %s left tap %s (packet %llu there) and came to tap %s (packet %llu) "
                   "%s later, %s more than the way takes: it was held on the path",
                   kind_of(&crossing->at[left]).text, endpoint(occasion->journey, from).text,
                   name_of(occasion, left), (unsigned long long)crossing->at[left].packet,
                   name_of(occasion, came), (unsigned long long)crossing->at[came].packet,
                   report_duration(crossing->delay).text, report_duration(crossing->held).text);
    if (next != NULL)
        report_explain(event, ", and delivered into the next connection on the same ports");
    report_explain(event,
                   crossing->copy.packet != 0
                       ? ".  The same packet was captured twice at one tap, so it may be a "
                         "copy of it that came late."
                   : !crossing->marked
                       ? ".  Nothing tells it from another sending of the same octets, so "
                         "that may be what came."
                   : crossing->confidence != CONFIDENCE_CERTAIN
                       ? ".  It may be one that looks the same, or a clock was set about then."
                       : ".");
    report_remedy(
        event,
        "Look for long queues, rate limits or rerouting between tap %s and tap %s; old "
        "duplicates do harm only where ports are reused sooner than they can live (2MSL).",
        name_of(occasion, left), name_of(occasion, came));
    return true;
}

/* The segment that a copy is one of, as that tap saw it. */
static struct sighting original_at(const struct crossing *crossing, int came, int tap)
{
    struct sighting seen = crossing->at[came];
    seen.packet = crossing->original[tap].packet;
    seen.t = crossing->original[tap].t;
    uint32_t turn = tap == came ? 0 : tap == 0 ? 0 - 1u : 1;
    seen.sequence += turn * crossing->shift[crossing->end];
    seen.acknowledgment += turn * crossing->shift[1 - crossing->end];
    return seen;
}

/* A copy that the path kept, while the segment itself went through: an old duplicate. */
static bool tell_late_copy(const struct path_occasion *occasion, struct event_record *event)
{
    const struct crossing *crossing = occasion->crossing;
    int came = crossing->at[0].packet != 0 ? 0 : 1, left = 1 - came;
    int towards = crossing->direction == TOWARDS_SECOND ? 1 : 0;
    const struct journey *next = occasion->next;
    if (crossing->direction == TOWARDS_UNKNOWN || towards != came || crossing->passed_on ||
        crossing->original[left].packet == 0)
        return false;
    struct sighting sent = original_at(crossing, came, left);
    struct sighting first = original_at(crossing, came, came);
    int from = journey_side(occasion->journey, crossing->end);
    begin(event, occasion, EVENT_delayed_between_taps, BLAME_NETWORK);
    if (next != NULL)
        event->level = LEVEL_WARNING;
    report_number(event, "held_ns", crossing->late);
    report_number(
        event, "into_incarnation",
        (int64_t)(next != NULL ? next->who.incarnation : occasion->journey->who.incarnation));
    report_detail(event, "left", name_of(occasion, left));
    report_detail(event, "came_to", name_of(occasion, came));
    add_evidence(event, occasion, left, &sent, ROLE_TRIGGER, "left here, once");
    add_evidence(event, occasion, came, &first, ROLE_REFERENCE, "came here in time");
    add_evidence(event, occasion, came, &crossing->at[came], ROLE_CONSEQUENCE,
                 "came here once more");
    report_explain(
        event,
        "The %s of %s left tap %s once (packet %llu there) and came to tap %s twice, in "
        "packet %llu and, %s later, in packet %llu: a copy of it was held on the path%s.",
        kind_of(&sent).text, endpoint(occasion->journey, from).text, name_of(occasion, left),
        (unsigned long long)sent.packet, name_of(occasion, came), (unsigned long long)first.packet,
        report_duration(crossing->late).text, (unsigned long long)crossing->at[came].packet,
        next != NULL ? ", and delivered into the next connection on the same ports" : "");
    report_remedy(
        event,
        "Find what duplicates packets between tap %s and tap %s (bridges in a loop, wireless "
        "retransmission, load balancing that changes its mind); old duplicates do harm only where "
        "ports are reused sooner than they can live (2MSL).",
        name_of(occasion, left), name_of(occasion, came));
    return true;
}

static bool tell(const struct path_occasion *occasion, struct event_record *event)
{
    const struct crossing *crossing = occasion->crossing;
    switch (crossing->fate) {
    case FATE_LOST:
        return tell_lost(occasion, event);
    case FATE_INJECTED:
        return tell_injected(occasion, event);
    case FATE_ARRIVED:
        if (crossing->changed != 0 && tell_changed(occasion, event))
            return true;
        return crossing->held != NANOTIME_UNKNOWN && crossing->held > occasion->config->tap_delay &&
               tell_delayed(occasion, event);
    case FATE_DUPLICATED:
        return crossing->late > occasion->config->tap_delay && tell_late_copy(occasion, event);
    case FATE_MISSED:
    case FATE_UNKNOWN:
    case PATH_FATES:
        break;
    }
    return false;
}

bool path_event(const struct path_occasion *occasion, struct event_record *event)
{
    struct leg *leg = &occasion->journey->leg[occasion->pair];
    if (leg->told >= occasion->config->tap_events || !tell(occasion, event))
        return false;
    leg->told++;
    return true;
}
