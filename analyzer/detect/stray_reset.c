/*
 * stray_reset: a reset of an earlier connection killed the one that followed on the same addresses
 * and ports (RFC 1337's third hazard; EVENTS C4).
 *
 * Two ways lead here.  A reset that bears the old acknowledgment is known at once (OCCASION_HAZARD
 * follows it).  One without fits both connections: that its alleged sender goes on, and meets a
 * reset, tells.
 */
#include "answered.h"
#include "detectors.h"
#include "report.h"

struct rst_hit {
    int x; /* in whose name the reset came */
    struct packet_ref stray, went_on, end;
    uint32_t matched;
    seq old_iss[SIDES];
    enum confidence confidence;
};

static void emit_hit(struct occasion *occasion, const struct rst_hit *hit)
{
    const struct incarnation *incarnation = occasion->incarnation;
    int x = hit->x, y = side_other(x);
    struct evidence_base base = report_base(incarnation);
    struct evidence_base old = {.incarnation = hit->matched,
                                .known = {true, true},
                                .iss = {hit->old_iss[0], hit->old_iss[1]}};
    struct event_record event;
    report_begin(&event, EVENT_stray_rst_hit, hit->stray.t,
                 report_gated(incarnation, hit->confidence), BLAME_NETWORK);
    for (int side = 0; side < SIDES; side++)
        report_change(&event, side, incarnation->number, STATE_ESTABLISHED,
                      (enum tcp_state)incarnation->connection.side[side].state);
    report_evidence(&event, &old, &hit->stray, x, ROLE_TRIGGER,
                    "a reset in the numbers of incarnation %u, at the new RCV.NXT", hit->matched);
    report_evidence(&event, &base, &hit->went_on, x, ROLE_REFERENCE,
                    "the %s goes on: it had not reset this connection", report_side(x));
    report_evidence(&event, &base, &hit->end, y, ROLE_CONSEQUENCE,
                    "the %s no longer has the connection", report_side(y));
    report_number(&event, "matched_incarnation", hit->matched);
    report_number(&event, "offset", (int64_t)(uint32_t)(hit->stray.sequence - hit->old_iss[x]));
    event.suppresses[event.suppress_count++] = EVENT_no_state_reset;
    report_explain(&event,
                   "A reset in the name of %s (packet %llu) lies in the numbers of incarnation %u "
                   "of this tuple and exactly where %s expected the next octet of the new "
                   "connection. %s knew nothing of it",
                   report_endpoint(occasion, x).text, (unsigned long long)hit->stray.packet,
                   hit->matched, report_endpoint(occasion, y).text,
                   report_endpoint(occasion, x).text);
    if (hit->went_on.packet != 0)
        report_explain(&event, " and went on (packet %llu)",
                       (unsigned long long)hit->went_on.packet);
    report_explain(&event,
                   ", but %s had ended the connection and answered with a reset (packet %llu): an "
                   "old reset killed the new connection.",
                   report_endpoint(occasion, y).text, (unsigned long long)hit->end.packet);
    report_remedy(&event,
                  "Let ports rest for 2MSL on %s; find what held the old reset on the path from "
                  "%s.",
                  report_address(occasion, CLIENT).text, report_address(occasion, x).text);
    occasion->emit(occasion->context, &event);
}

/* The hazard of a reset with the old acknowledgment was decided. */
void detect_stray_rst_hazard(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct hazard *hazard = &incarnation_doubts(incarnation)->hazard;
    if (!hazard->rst || !occasion->delivered)
        return;
    struct rst_hit hit = {
        .x = side_other(hazard->to),
        .stray = hazard->stray,
        .end = packet_ref_of(occasion->segment, hazard->to),
        .matched = hazard->matched_number,
        .old_iss = {hazard->old_iss[0], hazard->old_iss[1]},
        .confidence = CONFIDENCE_CERTAIN,
    };
    emit_hit(occasion, &hit);
}

/* The earlier incarnation in whose numbers of that side the reset lies. */
static const struct tombstone *find_old(const struct occasion *occasion, int side,
                                        const struct packet_ref *rst)
{
    int end = incarnation_end(occasion->incarnation, side);
    for (const struct tombstone *old = occasion->tuple->tombstones; old != NULL; old = old->next) {
        const struct tombstone_side *x = &old->end[end];
        if (old->synchronized && tombstone_end_is_numbered(old, end) &&
            seq_within(rst->sequence, x->iss, x->snd_nxt))
            return old;
    }
    return NULL;
}

void detect_stray_rst_hit(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    const struct closing *closing = incarnation->connection.closing;
    int y = occasion->from, x = side_other(y);
    const struct aftermath *aftermath = &closing->aftermath[x];
    const struct packet_ref *rst = &closing->rst[x];
    bool killed = rst->packet != 0 && aftermath->went_on.packet != 0 &&
                  closing->rst_fit[x] == RST_FIT_EXACT && answered_in_connection(aftermath) &&
                  closing->rst[y].packet == occasion->segment->packet &&
                  occasion->step->rst_form == RST_REPLY_NO_ACK;
    if (!killed || incarnation_raised(incarnation, EVENT_stray_rst_hit))
        return;
    const struct tombstone *old = find_old(occasion, x, rst);
    if (old == NULL)
        return;
    struct rst_hit hit = {
        .x = x,
        .stray = *rst,
        .went_on = aftermath->went_on,
        .end = packet_ref_of(occasion->segment, y),
        .matched = old->incarnation,
        .old_iss = {old->end[incarnation_end(incarnation, 0)].iss,
                    old->end[incarnation_end(incarnation, 1)].iss},
        .confidence = CONFIDENCE_PROBABLE,
    };
    emit_hit(occasion, &hit);
}
