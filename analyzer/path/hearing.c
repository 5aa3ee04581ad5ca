/* hearing: see hearing.h. */
#include "hearing.h"

#include <stdlib.h>

#include "joints.h"
#include "testimony.h"
#include "witnessed.h"

/* What is on its way is not decided; a queue holds it no longer than that. */
static const nanotime patience = NANO_PER_SECOND;

struct hearing_entry {
    struct hearing_entry *newer;
    uint64_t flow_uid;
    nanotime since;
    struct event_record *event;          /* owned; NULL: a flow */
    struct flow_record *flow;            /* owned; NULL: an event */
    struct seen seen[][RECORD_EVIDENCE]; /* by pair; of an event */
};

static struct witness witness_of(const struct hearing *hearing, uint32_t number)
{
    return (struct witness){&hearing->pair[number], number, hearing->names[number + 1]};
}

static void free_entry(struct hearing_entry *entry)
{
    free(entry->event);
    free(entry->flow);
    free(entry);
}

/* --- hearing one --- */

static void look(const struct hearing *hearing, struct hearing_entry *entry,
                 const struct journey *journey)
{
    for (uint32_t i = 0; i < hearing->pairs; i++) {
        struct witness witness = witness_of(hearing, i);
        struct question question = {hearing->journeys, journey, entry->event, entry->seen[i]};
        testimony_look(&witness, &question);
    }
}

static void inform(const struct hearing *hearing, const struct hearing_entry *entry,
                   const struct journey *journey)
{
    for (uint32_t i = 0; i < hearing->pairs; i++)
        testimony_inform(&hearing->pair[i], journey, entry->event);
}

static void mark(uint64_t words[EVENT_WORDS], enum event_id id)
{
    words[id / 64] |= UINT64_C(1) << (id % 64);
}

static enum status pass_event(const struct hearing *hearing, struct hearing_entry *entry,
                              struct journey *journey)
{
    struct event_record *event = entry->event;
    bool stands = true;
    look(hearing, entry, journey);
    for (uint32_t i = 0; i < hearing->pairs && stands; i++) {
        struct witness witness = witness_of(hearing, i);
        struct question question = {hearing->journeys, journey, event, entry->seen[i]};
        stands = testimony_hear(&witness, &question, event);
    }
    if (stands && event->id == EVENT_syn_in_last_ack_rst && event->confidence == CONFIDENCE_CERTAIN)
        witnessed_reset(hearing->journeys, journey, event);
    mark(stands ? journey->heard : journey->withdrawn, event->id);
    return stands ? hearing->next->ops->event(hearing->next, event) : STATUS_OK;
}

static enum status pass_flow(const struct hearing *hearing, const struct flow_record *flow,
                             const struct journey *journey)
{
    struct flow_record room;
    return hearing->next->ops->flow(hearing->next, witnessed_flow(journey, flow, &room));
}

static enum status pass(const struct hearing *hearing, struct hearing_entry *entry)
{
    struct journey *journey = journeys_find(hearing->journeys, entry->flow_uid);
    if (journey != NULL && journey->waiting > 0)
        journey->waiting--;
    if (entry->flow != NULL)
        return pass_flow(hearing, entry->flow, journey);
    if (journey == NULL)
        return hearing->next->ops->event(hearing->next, entry->event);
    return pass_event(hearing, entry, journey);
}

/* --- the queue --- */

static enum status let_go(struct hearing *hearing)
{
    struct hearing_entry *entry = hearing->oldest;
    hearing->oldest = entry->newer;
    if (hearing->oldest == NULL)
        hearing->newest = NULL;
    hearing->waiting--;
    enum status status = pass(hearing, entry);
    free_entry(entry);
    return status;
}

static void enqueue(struct hearing *hearing, struct hearing_entry *entry, struct journey *journey)
{
    if (hearing->newest != NULL)
        hearing->newest->newer = entry;
    else
        hearing->oldest = entry;
    hearing->newest = entry;
    hearing->waiting++;
    journey->waiting++;
}

/* Room for a record that waits; the oldest gives way where there are too many. */
static struct hearing_entry *begin(struct hearing *hearing, uint64_t flow_uid, nanotime now,
                                   enum status *status)
{
    while (hearing->waiting >= hearing->most && hearing->waiting > 0)
        *status = let_go(hearing);
    struct hearing_entry *entry =
        calloc(1, sizeof(*entry) + hearing->pairs * sizeof(entry->seen[0]));
    if (entry == NULL)
        return NULL;
    entry->flow_uid = flow_uid;
    entry->since = now;
    return entry;
}

enum status hearing_take_event(struct hearing *hearing, const struct event_record *event)
{
    enum status status = STATUS_OK;
    nanotime now = event->decided;
    struct journey *journey = journeys_find(hearing->journeys, event->who.flow_uid);
    bool waits = testimony_concerns(event->id) || (journey != NULL && journey->waiting > 0);
    if (!waits || journey == NULL)
        return hearing->next->ops->event(hearing->next, event);
    struct hearing_entry *entry = begin(hearing, event->who.flow_uid, now, &status);
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    entry->event = malloc(sizeof(*entry->event));
    if (entry->event == NULL) {
        free_entry(entry);
        return STATUS_NO_MEMORY;
    }
    *entry->event = *event;
    look(hearing, entry, journey); /* the connection before may be forgotten soon */
    inform(hearing, entry, journey);
    enqueue(hearing, entry, journey);
    while (hearing->over && hearing->waiting > 0 && status == STATUS_OK)
        status = let_go(hearing);
    return status;
}

/* Another tap may still show what became of a packet that a state rests on; or, where it was lost,
 * an event that waits will tell what followed. */
static bool is_open(const struct hearing *hearing, const struct journey *journey,
                    const struct flow_record *flow, nanotime now)
{
    if (journey->leg == NULL) /* no other tap has shown anything of it */
        return false;
    for (int side = 0; side < SIDE_COUNT; side++) {
        for (uint32_t i = 0; i < flow->side[side].history_count; i++) {
            const struct history_record *entry = &flow->side[side].history[i];
            if (entry->basis == BASIS_PRESUMED && !entry->revoked && entry->packet != 0 &&
                time_since(now, entry->t) < hearing->config->tap_wait &&
                !journey_has_arrival(journey, entry->packet))
                return true;
        }
    }
    return false;
}

enum status hearing_take_flow(struct hearing *hearing, const struct flow_record *flow, nanotime now)
{
    enum status status = STATUS_OK;
    struct journey *journey = journeys_find(hearing->journeys, flow->who.flow_uid);
    bool waits = journey != NULL && !hearing->over &&
                 (journey->waiting > 0 || is_open(hearing, journey, flow, now));
    if (!waits)
        return pass_flow(hearing, flow, journey);
    struct hearing_entry *entry = begin(hearing, flow->who.flow_uid, now, &status);
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    entry->flow = malloc(sizeof(*entry->flow));
    if (entry->flow == NULL) {
        free_entry(entry);
        return STATUS_NO_MEMORY;
    }
    *entry->flow = *flow;
    enqueue(hearing, entry, journey);
    return status;
}

/* --- when it is time --- */

/* Everything of the connection that passed before is decided. */
static bool is_decided(const struct pair *pair, const struct hearing_entry *entry,
                       const struct journey *journey)
{
    if (!clocks_known(&pair->clocks) || time_since(pair_reached(pair), entry->since) < patience)
        return false;
    uint32_t joint = joints_of_key(pair, 0, &journey->key);
    return joint == 0 || !joint_holds(pair_joint(pair, joint));
}

static bool is_ready(const struct hearing *hearing, const struct hearing_entry *entry,
                     nanotime settled)
{
    const struct journey *journey = journeys_find(hearing->journeys, entry->flow_uid);
    if (journey == NULL ||
        time_since(settled, entry->since) > time_after(hearing->config->tap_wait, patience))
        return true;
    for (uint32_t i = 0; i < hearing->pairs; i++) {
        if (!is_decided(&hearing->pair[i], entry, journey))
            return false;
    }
    return true;
}

/* What an event says may be of a segment that a tap which is read later shows only now. */
static void inform_again(struct hearing *hearing, nanotime now)
{
    if (time_since(now, hearing->informed) < patience)
        return;
    hearing->informed = now;
    for (struct hearing_entry *entry = hearing->oldest; entry != NULL; entry = entry->newer) {
        if (entry->event == NULL)
            continue;
        const struct journey *journey = journeys_find(hearing->journeys, entry->flow_uid);
        if (journey != NULL)
            inform(hearing, entry, journey);
    }
}

enum status hearing_release(struct hearing *hearing, nanotime settled)
{
    enum status status = STATUS_OK;
    inform_again(hearing, settled);
    while (hearing->oldest != NULL && status == STATUS_OK &&
           is_ready(hearing, hearing->oldest, settled))
        status = let_go(hearing);
    return status;
}

enum status hearing_end_journey(struct hearing *hearing, const struct journey *journey)
{
    enum status status = STATUS_OK;
    while (journey->waiting > 0 && hearing->oldest != NULL && status == STATUS_OK)
        status = let_go(hearing);
    return status;
}

enum status hearing_close(struct hearing *hearing)
{
    enum status status = STATUS_OK;
    hearing->over = true;
    while (hearing->oldest != NULL) {
        enum status one = let_go(hearing);
        status = status == STATUS_OK ? one : status;
    }
    return status;
}

void hearing_clear(struct hearing *hearing)
{
    while (hearing->oldest != NULL) {
        struct hearing_entry *entry = hearing->oldest;
        hearing->oldest = entry->newer;
        free_entry(entry);
    }
    hearing->newest = NULL;
    hearing->waiting = 0;
}
