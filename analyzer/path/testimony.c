/* testimony: see testimony.h.  The rules are data (rules.def); this file looks and applies. */
#include "testimony.h"

#include <stdio.h>
#include <string.h>

#include "../event/report.h"
#include "verdict.h"

/* Whose passage decides. */
enum subject {
    OF_TRIGGER,  /* the event's trigger */
    OF_SENDINGS, /* every sending of the same octets that the evidence has, the trigger's */
    OF_ANSWERS,  /* references that the trigger's sender did not send: the ACK it lacks */
    OF_FIRST,    /* references that the trigger's sender sent: its FIN */
    OF_LAST_ACK, /* of these, the one that acknowledges */
    OF_RESET,    /* the last reset of the evidence */
    UNSEEN_ACK,  /* at the second tap, and not in time at the first: what acknowledges all that the
                    sender sent */
    UNSEEN_LAST_ACK, /* likewise: the trigger's sender acknowledges the FIN of the other */
    UNSEEN_FIN,      /* likewise: a FIN of the trigger's sender */
    UNSEEN_ANSWER,   /* likewise: whatever the other sends after the trigger */
};

enum effect {
    PROVES,    /* certain from here on */
    CONFIRMS,  /* what was probable is certain; what was only possible has other doubts */
    FAVOURS,   /* what was possible is probable */
    SAYS,      /* where it happened, no more */
    WITHDRAWS, /* it is none */
};

enum occasion_of_rule { ALWAYS, OLD_PRESUMED, TEXTBOOK };

static const struct rule {
    enum event_id id;
    enum subject subject;
    enum sight sight;
    enum effect effect;
    enum occasion_of_rule when;
    enum blame blame; /* BLAME_NONE: as it was */
    const char *says; /* after the name of the tap */
} rules[] = {
/* clang-format off */
#define RULE(event, subject, sight, effect, when, blame, says) \
    {EVENT_##event, subject, SIGHT_##sight, effect, when, BLAME_##blame, says},
#include "testimony.def"
#undef RULE
    /* clang-format on */
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

bool testimony_concerns(enum event_id id)
{
    for (int i = 0; i < RULES; i++) {
        if (rules[i].id == id)
            return true;
    }
    return false;
}

/* --- what the evidence is --- */

static const struct evidence_record *trigger_of(const struct event_record *event)
{
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (event->evidence[i].role == ROLE_TRIGGER)
            return &event->evidence[i];
    }
    return NULL;
}

static seq end_of(const struct evidence_record *evidence)
{
    return evidence->seq_abs + evidence->payload + ((evidence->flags & TCP_SYN) != 0) +
           ((evidence->flags & TCP_FIN) != 0);
}

static bool is_subject(enum subject subject, const struct evidence_record *trigger,
                       const struct evidence_record *evidence)
{
    bool own = evidence->from == trigger->from;
    switch (subject) {
    case OF_TRIGGER:
        return evidence == trigger;
    case OF_SENDINGS:
        return own && end_of(evidence) == end_of(trigger) &&
               ((evidence->flags ^ trigger->flags) & TCP_RST) == 0;
    case OF_ANSWERS:
        return evidence->role == ROLE_REFERENCE && !own;
    case OF_FIRST:
        return evidence->role == ROLE_REFERENCE && own;
    case OF_LAST_ACK:
        return evidence->role == ROLE_REFERENCE && own &&
               (evidence->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK;
    case OF_RESET:
        return (evidence->flags & TCP_RST) != 0;
    case UNSEEN_ACK:
    case UNSEEN_LAST_ACK:
    case UNSEEN_FIN:
    case UNSEEN_ANSWER:
        break;
    }
    return false;
}

/* Of several sendings, the one that came counts; else the last one of which something is known. */
static struct seen look_at_evidence(const struct question *question, enum subject subject)
{
    const struct event_record *event = question->event;
    const struct evidence_record *trigger = trigger_of(event);
    struct seen all = {SIGHT_NONE, CONFIDENCE_POSSIBLE, false};
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (!is_subject(subject, trigger, &event->evidence[i]))
            continue;
        bool came = all.sight == SIGHT_ARRIVED || all.sight == SIGHT_LATE;
        if (subject == OF_SENDINGS && (came || question->seen[i].sight == SIGHT_NONE))
            continue;
        all = question->seen[i];
    }
    return all;
}

/* --- what the second tap alone shows --- */

/* The latest FIN that this side sent, or all that it sent up to the trigger, by the evidence. */
static seq acknowledged_by(const struct event_record *event, int side, bool fin, nanotime *ret_from)
{
    seq end = 0;
    bool found = false;
    *ret_from = event->t;
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        const struct evidence_record *evidence = &event->evidence[i];
        bool fits = evidence->from == side && (evidence->flags & TCP_RST) == 0 &&
                    (!fin || (evidence->flags & TCP_FIN) != 0);
        if (!fits || (found && !seq_after(end_of(evidence), end)))
            continue;
        end = end_of(evidence);
        *ret_from = evidence->t;
        found = true;
    }
    return end;
}

static const struct fate_note *look_for(const struct witness *witness,
                                        const struct question *question, enum subject subject)
{
    const struct event_record *event = question->event;
    const struct journey *journey = question->journey;
    const struct evidence_record *trigger = trigger_of(event);
    int own = trigger->from == CLIENT ? journey->client_end : 1 - journey->client_end;
    bool own_wanted = subject == UNSEEN_FIN || subject == UNSEEN_LAST_ACK;
    struct fate_wanted wanted = {
        .end = (uint8_t)(own_wanted ? own : 1 - own),
        .from = trigger->t,
        .until = event->decided,
    };
    if (subject == UNSEEN_FIN)
        wanted.mask = wanted.flags = TCP_FIN;
    if (subject == UNSEEN_ACK || subject == UNSEEN_LAST_ACK) {
        bool last = subject == UNSEEN_LAST_ACK;
        int side = last ? 1 - trigger->from : trigger->from;
        wanted.mask = TCP_ACK | TCP_RST;
        wanted.flags = TCP_ACK;
        wanted.acknowledges = true;
        wanted.acknowledgment = acknowledged_by(event, side, last, &wanted.from);
        if (last)
            wanted.until = trigger->t;
    }
    wanted.from = time_since(wanted.from, clocks_least_delay(&witness->pair->clocks));
    return journeys_unseen(question->journeys, journey, witness->number, &wanted);
}

static void add_unseen(struct event_record *event, const struct witness *witness,
                       const struct journey *journey, const struct fate_note *note)
{
    if (event->evidence_count == RECORD_EVIDENCE)
        return;
    int from = journey_side(journey, note->end);
    struct evidence_record *evidence = &event->evidence[event->evidence_count++];
    *evidence = (struct evidence_record){
        .packet = note->packet,
        .tap = (int)witness->number + 1,
        .t = note->t,
        .incarnation = journey->who.incarnation,
        .from = from,
        .flags = note->flags,
        .seq_abs = note->sequence,
        .ack_abs = note->acknowledgment,
        .payload = note->payload,
        .role = ROLE_REFERENCE,
    };
    const struct evidence_record *like = event->evidence;
    for (uint32_t i = 0; i + 1 < event->evidence_count; i++, like++) {
        bool same = like->from == from && like->relative_known && like->ack_relative_known;
        if (!same || (int32_t)(like->seq_abs - note->sequence) > INT16_MAX ||
            (int32_t)(note->sequence - like->seq_abs) > INT16_MAX)
            continue;
        evidence->incarnation = like->incarnation;
        evidence->relative_known = evidence->ack_relative_known = true;
        evidence->seq = like->seq + (note->sequence - like->seq_abs);
        evidence->ack = like->ack + (note->acknowledgment - like->ack_abs);
    }
    snprintf(evidence->says, sizeof(evidence->says), "left tap %.64s, and %s", witness->name,
             note->fate == FATE_LOST ? "did not come to the first tap" : "was held on its way");
}

/* --- applying --- */

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

static bool says(const struct event_record *event, const char *name, const char *value)
{
    for (uint32_t i = 0; i < event->detail_count; i++) {
        if (strcmp(event->details[i].name, name) == 0)
            return strcmp(event->details[i].value, value) == 0;
    }
    return false;
}

static bool applies(const struct rule *rule, const struct event_record *event)
{
    switch (rule->when) {
    case ALWAYS:
        return true;
    case OLD_PRESUMED: /* the old end was presumed, and nothing else is in doubt */
        return event->outcome < 0 && event->confidence == CONFIDENCE_PROBABLE &&
               says(event, "old_basis_server", "presumed") &&
               says(event, "old_state_server", "CLOSED");
    case TEXTBOOK:
        return event->outcome == EVENT_syn_in_last_ack_rst;
    }
    return false;
}

static enum confidence raised(enum effect effect, enum confidence confidence)
{
    if (effect == PROVES || (effect == CONFIRMS && confidence == CONFIDENCE_PROBABLE))
        return CONFIDENCE_CERTAIN;
    return effect == FAVOURS && confidence == CONFIDENCE_POSSIBLE ? CONFIDENCE_PROBABLE
                                                                  : confidence;
}

/* The level of what is proven is its own again, which doubt may have lowered. */
static enum level level_of(const struct event_record *event, enum effect effect)
{
    enum event_id id = event->outcome < 0 ? event->id : (enum event_id)event->outcome;
    enum level usual = event_row(id)->level;
    return effect == PROVES && usual > event->level ? usual : event->level;
}

static void apply(const struct rule *rule, const struct witness *witness, bool sure,
                  struct event_record *event)
{
    if (sure) {
        event->level = level_of(event, rule->effect);
        event->confidence = raised(rule->effect, event->confidence);
        event->blame = rule->blame == BLAME_NONE ? event->blame : rule->blame;
    }
    note_witness(event, witness->name);
    report_explain(event, " Tap %.64s %s%s.", witness->name, rule->says,
                   sure ? "" : ", unless its capture missed it");
}

static bool is_unseen(enum subject subject)
{
    return subject == UNSEEN_ACK || subject == UNSEEN_LAST_ACK || subject == UNSEEN_FIN ||
           subject == UNSEEN_ANSWER;
}

/* What the witness saw of the rule's subject; *ret_note: what it alone shows of it. */
static struct seen look_by(const struct witness *witness, const struct rule *rule,
                           const struct question *question, const struct fate_note **ret_note)
{
    *ret_note = NULL;
    if (!is_unseen(rule->subject))
        return look_at_evidence(question, rule->subject);
    *ret_note = look_for(witness, question, rule->subject);
    if (*ret_note == NULL)
        return (struct seen){SIGHT_NONE, CONFIDENCE_POSSIBLE, false};
    enum sight sight = (*ret_note)->fate == FATE_LOST ? SIGHT_LOST : SIGHT_LATE;
    return (struct seen){sight, (enum confidence)(*ret_note)->confidence, (*ret_note)->ambiguous};
}

/* What is absent may be what the capture missed, unless that lacks nothing else. */
static bool is_sure(const struct witness *witness, const struct rule *rule, const struct seen *saw,
                    int lacking)
{
    bool whole = witness->pair->missed[lacking] == 0 && !saw->ambiguous;
    bool of_absence = rule->effect == CONFIRMS || rule->effect == FAVOURS;
    switch (saw->sight) {
    case SIGHT_LOST:
        return saw->confidence == CONFIDENCE_CERTAIN ||
               (whole && saw->confidence == CONFIDENCE_PROBABLE);
    case SIGHT_UNSENT:
        return saw->confidence == CONFIDENCE_CERTAIN || whole;
    case SIGHT_ARRIVED:
    case SIGHT_LATE:
        return saw->confidence == CONFIDENCE_CERTAIN && (whole || !of_absence);
    case SIGHT_NONE:
        break;
    }
    return false;
}

bool testimony_hear(const struct witness *witness, const struct question *question,
                    struct event_record *event)
{
    for (int i = 0; i < RULES && trigger_of(event) != NULL; i++) {
        const struct rule *rule = &rules[i];
        if (rule->id != event->id || !applies(rule, event))
            continue;
        const struct fate_note *note;
        struct seen saw = look_by(witness, rule, question, &note);
        if (saw.sight != rule->sight || saw.sight == SIGHT_NONE)
            continue;
        bool sure = is_sure(witness, rule, &saw, note != NULL ? 0 : 1);
        if (rule->effect == WITHDRAWS && sure)
            return false;
        if (rule->effect == WITHDRAWS)
            continue;
        if (note != NULL)
            add_unseen(event, witness, question->journey, note);
        apply(rule, witness, sure, event);
        return true;
    }
    return true;
}

void testimony_look(const struct witness *witness, const struct question *question)
{
    const struct event_record *event = question->event;
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (question->seen[i].sight == SIGHT_NONE && event->evidence[i].tap == 0)
            question->seen[i] = journeys_seen(question->journeys, question->journey,
                                              witness->number, event->evidence[i].packet);
    }
}

/* --- what the engine tells the pair --- */

/* The packets that it did not get, which the first tap saw pass. */
static void inform_of_subject(struct pair *pair, const struct journey *journey,
                              const struct event_record *event, enum subject subject)
{
    const struct evidence_record *trigger = trigger_of(event);
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        const struct evidence_record *evidence = &event->evidence[i];
        if (is_subject(subject, trigger, evidence))
            verdict_deny(pair, &journey->key, evidence->seq_abs, evidence->packet);
    }
}

/* The acknowledgments of a side's FIN that the second tap saw leave before the trigger came. */
static void inform_of_unseen(struct pair *pair, const struct journey *journey,
                             const struct event_record *event, int side)
{
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        const struct evidence_record *fin = &event->evidence[i];
        if (fin->from != side || (fin->flags & TCP_FIN) == 0)
            continue;
        struct denial denial = {
            .key = &journey->key,
            .end = side == CLIENT ? 1 - journey->client_end : journey->client_end,
            .sequence = fin->ack_abs, /* of LAST_ACK: the FIN of the other is acknowledged */
            .acknowledgment = end_of(fin),
            .until = trigger_of(event)->t,
        };
        verdict_deny_unseen(pair, &denial);
        return;
    }
}

void testimony_inform(struct pair *pair, const struct journey *journey,
                      const struct event_record *event)
{
    const struct evidence_record *trigger = trigger_of(event);
    bool lost = event->id == EVENT_final_ack_lost || event->id == EVENT_close_ack_lost;
    if (trigger == NULL)
        return;
    if (lost && event->confidence == CONFIDENCE_CERTAIN)
        inform_of_subject(pair, journey, event, OF_ANSWERS);
    if (event->id == EVENT_final_ack_missing)
        inform_of_unseen(pair, journey, event, trigger->from);
    if (event->id != EVENT_syn_in_last_ack_rst)
        return;
    /* that the ACK is missing at a tap which misses nothing else, and the reset, show it together
     */
    if (pair->missed[1] == 0)
        inform_of_subject(pair, journey, event, OF_LAST_ACK);
    if (pair->missed[0] == 0)
        inform_of_unseen(pair, journey, event, SERVER);
}
