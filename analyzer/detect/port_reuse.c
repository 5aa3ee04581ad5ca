/*
 * port_reuse: who came back on the same addresses and ports: the client out of its own TIME_WAIT,
 * or another host behind the same NAT address (EVENTS C3).
 */
#include <stdio.h>
#include <string.h>

#include "detectors.h"
#include "report.h"
#include "resolve.h"

/* What a Linux client adds to the old SND.NXT for its new ISN: tcp_twsk_unique(). */
enum { LINUX_ISN_STEP = 65537 };

/* net.ipv4.tcp_tw_reuse_delay is 1 s; the two packets' ways to the capture point may differ. */
static const nanotime reuse_delay = 990 * (nanotime)NANO_PER_MILLI;

void detect_tw_reuse_client(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    int32_t delta = seq_distance(collision->syn.sequence, collision->old[CLIENT].snd_nxt);
    if (collision->resumed || collision->state_before[CLIENT] != STATE_TIME_WAIT ||
        delta != LINUX_ISN_STEP)
        return;
    nanotime gap = time_since(collision->syn.t, collision->old_last_t);
    if (gap < reuse_delay)
        return;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_tw_reuse_client, collision->syn.t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN), BLAME_NONE);
    event.caused_by = occasion->collision_uid;
    resolve_changes(incarnation, &event);
    report_evidence(&event, &base, &collision->syn, CLIENT, ROLE_TRIGGER,
                    "the SYN: its ISN is the old SND.NXT + 65537");
    report_number(&event, "gap_ns", gap);
    report_number(&event, "isn_delta_client", delta);
    report_number(&event, "tsecr_kept", collision->syn_tsecr != 0);
    report_explain(&event,
                   "%s used its port again (packet %llu) %s after the old connection's last "
                   "packet, out of its own TIME_WAIT: the new ISN is the old SND.NXT + 65537, as "
                   "Linux chooses it under net.ipv4.tcp_tw_reuse.",
                   report_endpoint(occasion, CLIENT).text,
                   (unsigned long long)collision->syn.packet, report_duration(gap).text);
    report_remedy(&event, "Nothing: time stamps keep old segments out.");
    occasion->emit(occasion->context, &event);
}

/* --- nat_port_collision --- */

enum { MARKS = 4, LEAST_MARKS = 2 };

/* What of two SYNs does not come from one host. */
struct marks {
    const char *name[MARKS];
    unsigned count;
};

static void add_mark(struct marks *marks, bool differs, const char *name)
{
    if (differs)
        marks->name[marks->count++] = name;
}

/* A host's time stamps go on, at a millionth of a second a tick at most. */
static bool is_another_clock(const struct collision *collision)
{
    const struct tombstone_side *old = &collision->old[CLIENT];
    bool stamped = collision->syn_timestamps && (old->flags & SIDE_TSVAL) != 0;
    int64_t ticks = seq_distance(collision->syn_tsval, old->tsval_last);
    int64_t micros = time_since(collision->syn.t, collision->old_last_t) / NANO_PER_MICRO;
    return stamped && (ticks < 0 || ticks > micros + 1000000);
}

static struct marks compare_hosts(const struct incarnation *incarnation)
{
    const struct collision *collision = incarnation->collision;
    const struct side *fresh = &incarnation->connection.side[CLIENT];
    const struct tombstone_side *old = &collision->old[CLIENT];
    unsigned offered = SIDE_SCALED | SIDE_SACK | SIDE_TIMESTAMPS | SIDE_MSS;
    int apart = (int)fresh->ttl - (int)old->ttl;
    struct marks marks = {.count = 0};
    add_mark(&marks, apart > 1 || apart < -1, "ttl");
    add_mark(&marks, fresh->mss != old->mss, "mss");
    add_mark(&marks,
             ((fresh->flags ^ old->flags) & offered) != 0 ||
                 fresh->window_scale != old->window_scale,
             "options");
    add_mark(&marks, is_another_clock(collision), "tsval");
    return marks;
}

static const char *mark_words(const struct marks *marks, char *text, size_t size)
{
    snprintf(text, size, "%s", marks->name[0]);
    for (unsigned i = 1; i < marks->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, ", %s", marks->name[i]);
    }
    return text;
}

void detect_nat_port_collision(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct collision *collision = incarnation->collision;
    const struct side *fresh = &incarnation->connection.side[CLIENT];
    const struct tombstone_side *old = &collision->old[CLIENT];
    bool comparable = collision->old_side_of[CLIENT] == CLIENT &&
                      (old->flags & SIDE_SYN_SEEN) != 0 && side_has(fresh, SIDE_SYN_SEEN);
    bool cut = (incarnation->notes >> NOTE_capture_truncated & 1) != 0; /* options may be, too */
    if (collision->resumed || !comparable || cut)
        return;
    struct marks marks = compare_hosts(incarnation);
    if (marks.count < LEAST_MARKS)
        return;
    char words[64];
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_nat_port_collision, collision->syn.t, CONFIDENCE_POSSIBLE,
                 BLAME_MIDDLEBOX);
    event.caused_by = occasion->collision_uid;
    resolve_changes(incarnation, &event);
    report_evidence(&event, &base, &collision->syn, CLIENT, ROLE_TRIGGER,
                    "the SYN of another host, by its marks");
    report_number(&event, "gap_ns", time_since(collision->syn.t, collision->old_last_t));
    report_number(&event, "marks", marks.count);
    report_number(&event, "old_ttl", old->ttl);
    report_number(&event, "new_ttl", fresh->ttl);
    report_number(&event, "old_mss", old->mss);
    report_number(&event, "new_mss", fresh->mss);
    report_explain(&event,
                   "%s connected to %s again (packet %llu), but this SYN does not look like that "
                   "of incarnation %u (%s differ): two hosts behind one NAT address may have been "
                   "given the same port.",
                   report_endpoint(occasion, CLIENT).text, report_endpoint(occasion, SERVER).text,
                   (unsigned long long)collision->syn.packet, collision->old_number,
                   mark_words(&marks, words, sizeof(words)));
    report_explain(&event, " Then its TTL was %u and its MSS %u, now they are %u and %u.", old->ttl,
                   old->mss, fresh->ttl, fresh->mss);
    report_remedy(&event,
                  "On the NAT device that owns %s: more addresses or ports for source NAT, random "
                  "port choice (--random-fully), and mappings that rest for 2MSL after a close.",
                  report_address(occasion, CLIENT).text);
    occasion->emit(occasion->context, &event);
}
