/* worst_events: see worst_events.h. */
#include "worst_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

enum { EXPLAINED = 3, WORDS = 96 }; /* named in the sentence; octets of what is said of one */

/* The first rank of a connection of a pair; from 2 on the number of its SYNs. */
enum { RANK_CLOSED, RANK_REUSED };

/* --- kept --- */

/* The list, made when it is first needed; NULL when memory ran out. */
static struct worst *list_of(struct worst **list)
{
    if (*list == NULL)
        *list = calloc(1, sizeof(**list));
    return *list;
}

/* The pair whose ports the delta says something of; NULL: none that matters. */
static struct census_entry *pair_of(const struct host_occasion *occasion)
{
    const struct delta *delta = occasion->delta;
    const struct endpoint_record *end = delta->end;
    struct census_entry *pair = occasion->place.pair;
    if (pair == NULL && (delta->what & DELTA_SYN_AGAIN) != 0) {
        struct census_key key = census_key_of(HOST_PAIR, delta->ip_version, end[CLIENT].address,
                                              end[SERVER].address, end[SERVER].port);
        pair = census_find(occasion->census, &key);
    }
    return pair != NULL && pair->more != NULL ? pair : NULL;
}

/*
 * How bad a delta shows its connection to be: tried again, or its port taken again, or how long it
 * held that before it closed.  False: nothing of these.
 */
static bool rank_port(const struct host_occasion *occasion, int64_t *ret_rank)
{
    const struct delta *delta = occasion->delta;
    if ((delta->what & DELTA_SYN_AGAIN) != 0) {
        ret_rank[0] = (int64_t)delta->end[CLIENT].packets;
        ret_rank[1] = time_since(delta->t, delta->opened);
        return true;
    }
    bool opened = (delta->what & DELTA_OPENED) != 0;
    if (opened && delta->reuse == NANOTIME_UNKNOWN)
        return false;
    ret_rank[0] = opened ? RANK_REUSED : RANK_CLOSED;
    ret_rank[1] = opened ? -delta->reuse : time_since(delta->t, delta->opened);
    return !opened || delta->reuse < census_two_msl(occasion->census);
}

static enum status note_port(const struct host_occasion *occasion)
{
    const struct delta *delta = occasion->delta;
    struct census_entry *pair = pair_of(occasion);
    if (pair == NULL)
        return STATUS_OK;
    if (pair->held.now < occasion->config->ports_least) {
        if (pair->more->worst_ports != NULL)
            pair->more->worst_ports->count = 0; /* an episode is over */
        return STATUS_OK;
    }
    struct worst_one one = {.flow_uid = delta->flow_uid, .ip_version = delta->ip_version};
    if (!rank_port(occasion, one.rank))
        return STATUS_OK;
    struct worst *worst = list_of(&pair->more->worst_ports);
    if (worst == NULL)
        return STATUS_NO_MEMORY;
    if (one.rank[0] == RANK_CLOSED && worst_find(worst, one.flow_uid) != NULL)
        return STATUS_OK; /* for something worse */
    census_refer(delta, &one.ref);
    memcpy(one.address, delta->end[CLIENT].address, sizeof(one.address));
    worst_offer(worst, &one);
    return STATUS_OK;
}

/* A side that leaves CLOSE_WAIT is no leak any more. */
static void forget_leak(const struct host_occasion *occasion, int side)
{
    const struct delta *delta = occasion->delta;
    const struct census_entry *host =
        side == SERVER ? occasion->place.service : occasion->place.pair;
    bool leaves =
        delta->before[side] == HOLDING_CLOSE_WAIT && delta->after[side] != HOLDING_CLOSE_WAIT;
    if (leaves && host != NULL && host->more != NULL && host->more->worst_leaks != NULL)
        worst_forget(host->more->worst_leaks, delta->flow_uid);
}

enum status worst_note_delta(const struct host_occasion *occasion)
{
    for (int side = 0; side < 2; side++)
        forget_leak(occasion, side);
    if ((occasion->delta->what & (DELTA_OPENED | DELTA_SYN_AGAIN | DELTA_CLOSED)) == 0)
        return STATUS_OK;
    return note_port(occasion);
}

enum status worst_note_leak(struct census_more *more, const struct event_record *event,
                            const struct evidence_record *trigger)
{
    struct worst *worst = list_of(&more->worst_leaks);
    if (worst == NULL)
        return STATUS_NO_MEMORY;
    struct worst_one one = {
        .flow_uid = event->who.flow_uid,
        .rank = {-trigger->t, 0},
        .ip_version = event->who.ip_version,
        .ref =
            {
                .t = trigger->t,
                .packet = trigger->packet,
                .seq_abs = trigger->seq_abs,
                .ack_abs = trigger->ack_abs,
                .incarnation = trigger->incarnation,
                .port = event->who.end[CLIENT].port,
                .flags = trigger->flags,
                .from = (uint8_t)trigger->from,
            },
    };
    memcpy(one.address, event->who.end[CLIENT].address, sizeof(one.address));
    worst_offer(worst, &one);
    return STATUS_OK;
}

/* --- told --- */

static struct host_text end_text(const struct worst_one *one)
{
    char address[TEXT_ADDRESS + 1];
    struct host_text text;
    *text_put_address(address, one->ip_version, one->address) = '\0';
    snprintf(text.text, sizeof(text.text), one->ip_version == 4 ? "%s:%u" : "[%s]:%u", address,
             one->ref.port);
    return text;
}

/* Packets of other connections: their numbers are not relative to anything of the event's own. */
static void add(struct event_record *event, const struct census_ref *ref, const char *says)
{
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        struct evidence_record *evidence = &event->evidence[i];
        size_t used = strlen(evidence->says);
        if (evidence->packet != ref->packet)
            continue;
        snprintf(evidence->says + used, sizeof(evidence->says) - used, "; %s", says);
        return;
    }
    host_evidence_plain(event, ref, ROLE_REFERENCE, says);
}

/* How the next of several stands in a sentence: the first behind its beginning. */
static const char *before_next(int index, const char *begin)
{
    return index == 0 ? begin : ", ";
}

void worst_tell_leaks(struct event_record *event, const struct census_more *more)
{
    const struct worst *worst = more->worst_leaks;
    int count = worst == NULL ? 0 : (int)worst->count;
    for (int i = 0; i < count && i < WORST_TOLD; i++) {
        const struct worst_one *one = &worst->one[i];
        nanotime dwell = time_since(event->decided, one->ref.t);
        struct duration_text text = report_duration(dwell);
        char says[HOST_SAYS];
        snprintf(says, sizeof(says), "%s is in CLOSE_WAIT from here on, for %s now",
                 end_text(one).text, text.text);
        add(event, &one->ref, says);
        if (i == 0)
            report_number(event, "worst_close_wait_ns", dwell);
        if (i < EXPLAINED)
            report_explain(event, "%s%s (%s)", before_next(i, " Longest there: "),
                           end_text(one).text, text.text);
    }
    if (count > 0)
        report_explain(event, ".");
}

/* In the sentence of the event, and as evidence. */
struct port_words {
    char text[WORDS];
};

static struct port_words port_words(const struct worst_one *one)
{
    struct port_words words;
    if (one->rank[0] > RANK_REUSED)
        snprintf(words.text, sizeof(words.text), "tried %lld times in %s", (long long)one->rank[0],
                 report_duration(one->rank[1]).text);
    else if (one->rank[0] == RANK_REUSED)
        snprintf(words.text, sizeof(words.text), "taken again after %s",
                 report_duration(-one->rank[1]).text);
    else
        snprintf(words.text, sizeof(words.text), "closed after %s",
                 report_duration(one->rank[1]).text);
    return words;
}

void worst_tell_ports(struct event_record *event, const struct census_entry *pair)
{
    const struct worst *worst = pair->more->worst_ports;
    int count = worst == NULL ? 0 : (int)worst->count;
    for (int i = 0; i < count && i < WORST_TOLD; i++) {
        const struct worst_one *one = &worst->one[i];
        struct port_words words = port_words(one);
        char says[WORDS + sizeof("port 65535: ")];
        snprintf(says, sizeof(says), "port %u: %s", one->ref.port, words.text);
        add(event, &one->ref, says);
        if (i == 0 && one->rank[0] > RANK_REUSED)
            report_number(event, "worst_attempts", one->rank[0]);
        if (i < EXPLAINED)
            report_explain(event, "%sport %u (%s)", before_next(i, " Worst of its connections: "),
                           one->ref.port, words.text);
    }
    if (count > 0)
        report_explain(event, ".");
}

void worst_tell_sources(struct event_record *event, const struct sources *sources, uint64_t syns)
{
    uint32_t hundredth = (uint32_t)((syns + 99) / 100);
    int index[WORST_TOLD];
    int count = sources_most(sources, hundredth > 2 ? hundredth : 2, index);
    report_number(event, "worst_addresses", count);
    for (int i = 0; i < count; i++) {
        const struct source_of *source = &sources->source[index[i]];
        uint32_t sent = sources_least(sources, index[i]);
        struct worst_one one = {.ip_version = event->who.ip_version};
        char address[TEXT_ADDRESS + 1], says[HOST_SAYS];
        memcpy(one.address, source->address, sizeof(one.address));
        *text_put_address(address, one.ip_version, one.address) = '\0';
        snprintf(says, sizeof(says), "the latest SYN of %s, which sent %u or more", address, sent);
        add(event, &source->latest, says);
        if (i == 0)
            report_number(event, "worst_address_syns", sent);
        if (i < EXPLAINED)
            report_explain(event, "%s%s (%u or more)", before_next(i, "Most came from "), address,
                           sent);
    }
    report_explain(event, count > 0 ? ". " : "No address sent as many as a hundredth of them. ");
}
