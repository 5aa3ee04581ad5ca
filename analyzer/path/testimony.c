/* testimony: see testimony.h. */
#include "testimony.h"

#include <string.h>

#include "../event/report.h"

/* What the second tap knows of a packet of the first. */
enum sight {
    SIGHT_NONE,    /* it says nothing */
    SIGHT_ARRIVED, /* it saw it as well */
    SIGHT_ABSENT,  /* it stands behind the first on the way, and did not see it come */
    SIGHT_UNSENT,  /* it stands before the first on the way, and did not see it go */
};

/* Which of an event's packets decide. */
enum subject {
    SUBJECT_TRIGGER,
    SUBJECT_ANSWERS, /* references that the trigger's sender did not send: the ACK it lacks */
};

static const struct rule {
    enum event_id id;
    enum subject subject;
    enum sight contradicts; /* the event is none where that was seen; SIGHT_NONE: nothing does */
    enum sight proves;
    const char *proven;  /* what it says then, after the name of the tap */
    const char *further; /* what it says where the packet arrived and that is no contradiction */
} rules[] = {
    /* clang-format off */
    {EVENT_final_ack_lost,         SUBJECT_ANSWERS, SIGHT_NONE,    SIGHT_ABSENT, "did not see it come: it was lost between the two taps", "saw it come: it was lost beyond that tap, or its host did not take it"},
    {EVENT_close_ack_lost,         SUBJECT_ANSWERS, SIGHT_NONE,    SIGHT_ABSENT, "did not see it come: it was lost between the two taps", "saw it come: it was lost beyond that tap, or its host did not take it"},
    {EVENT_handshake_ack_lost,     SUBJECT_ANSWERS, SIGHT_NONE,    SIGHT_ABSENT, "did not see it come: it was lost between the two taps", "saw it come: it was lost beyond that tap, or its host did not take it"},
    {EVENT_syn_no_answer,          SUBJECT_TRIGGER, SIGHT_NONE,    SIGHT_ABSENT, "did not see the SYN come: it was lost between the two taps", "saw the SYN come: the answer is missing from there on"},
    {EVENT_rst_injected_suspected, SUBJECT_TRIGGER, SIGHT_ARRIVED, SIGHT_UNSENT, "did not see the reset go: it was made between the two taps", NULL},
    /* clang-format on */
};

static const struct rule *rule_of(enum event_id id)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].id == id)
            return &rules[i];
    }
    return NULL;
}

static bool is_subject(const struct rule *rule, const struct event_record *event,
                       const struct evidence_record *evidence)
{
    if (rule->subject == SUBJECT_TRIGGER)
        return evidence->role == ROLE_TRIGGER;
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (event->evidence[i].role == ROLE_TRIGGER)
            return evidence->role == ROLE_REFERENCE && evidence->from != event->evidence[i].from;
    }
    return false;
}

/* Told, but not yet counted. */
static bool is_in_queue(const struct pair *pair, uint64_t packet)
{
    for (uint32_t i = 0; i < pair->queue.count; i++) {
        const struct crossing *crossing = &pair->queue.crossing[i];
        if (crossing->at[0].packet == packet && crossing->fate == FATE_ARRIVED)
            return true;
    }
    return false;
}

/* Both captures are read so far that it would have been seen, but for a long queue. */
static bool is_overdue(const struct pair *pair, const struct lone *lone)
{
    nanotime patience = time_after(pair->config->tap_delay, clocks_least_delay(&pair->clocks));
    nanotime reached = pair_time(pair, 1, pair->latest[1]);
    return pair->segments[1] > 0 && time_since(reached, lone->seen.t) > patience;
}

static enum sight look(const struct pair *pair, const struct journey *journey,
                       const struct evidence_record *evidence)
{
    uint64_t packet = evidence->packet;
    if (journey_has_arrival(journey, packet) || is_in_queue(pair, packet))
        return SIGHT_ARRIVED;
    if (journey_has_loss(journey, packet))
        return SIGHT_ABSENT;
    const struct lone *lone = pair_find_lone(pair, &journey->key, evidence->seq_abs, packet);
    if (lone == NULL || pair_joint(pair, lone->joint)->matched == 0)
        return SIGHT_NONE;
    const struct joint *joint = pair_joint(pair, lone->joint);
    switch (pair_direction(pair, joint, lone->end)) {
    case TOWARDS_SECOND:
        return is_overdue(pair, lone) ? SIGHT_ABSENT : SIGHT_NONE;
    case TOWARDS_FIRST: /* it had passed the second tap before */
        return SIGHT_UNSENT;
    case TOWARDS_UNKNOWN:
        break;
    }
    return SIGHT_NONE;
}

/* What was seen of the event's subject; the last of several packets counts. */
static enum sight look_at_subject(const struct witness *witness, const struct journey *journey,
                                  const struct rule *rule, const struct event_record *event)
{
    enum sight seen = SIGHT_NONE;
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (is_subject(rule, event, &event->evidence[i]))
            seen = look(witness->pair, journey, &event->evidence[i]);
    }
    return seen;
}

/* With more than two taps, others may tell of the same event; the detail names the first. */
static void note_witness(struct event_record *event, const char *name)
{
    static const char key[] = "second_tap";
    for (uint32_t i = 0; i < event->detail_count; i++) {
        if (strcmp(event->details[i].name, key) == 0)
            return;
    }
    report_detail(event, key, name);
}

const struct event_record *testimony_hear(const struct witness *witness,
                                          const struct journey *journey,
                                          const struct event_record *event,
                                          struct event_record *room)
{
    const struct rule *rule = rule_of(event->id);
    if (rule == NULL || journey == NULL)
        return event;
    enum sight seen = look_at_subject(witness, journey, rule, event);
    if (seen == SIGHT_NONE)
        return event;
    if (seen == rule->contradicts)
        return NULL;
    const char *says = seen == rule->proves    ? rule->proven
                       : seen == SIGHT_ARRIVED ? rule->further
                                               : NULL;
    if (says == NULL)
        return event;
    *room = *event;
    bool whole = witness->pair->missed[1] == 0; /* else the second capture may lack it */
    if (seen == rule->proves && whole)
        room->confidence = CONFIDENCE_CERTAIN;
    note_witness(room, witness->name);
    report_explain(room, " Tap %.64s %s.", witness->name, says);
    return room;
}
