/* expand: see expand.h. */
#include "expand.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "flow/icmp_story.h"
#include "outcome.h"
#include "tcp/zeek_trail.h"

/*
 * "192.0.2.1-192.0.2.2 vxlan:42/gre": the ends of the outermost tunnel, the client's first; then
 * the tunnels, outermost first, with their numbers.
 */
static void expand_tunnels(const struct encapsulation *around, char text[RECORD_TUNNEL])
{
    char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
    int family = around->ip_version == 4 ? AF_INET : AF_INET6;
    inet_ntop(family, around->source, source, sizeof(source));
    inet_ntop(family, around->destination, destination, sizeof(destination));
    int used = snprintf(text, RECORD_TUNNEL, "%s-%s", source, destination);
    for (int i = 0; i < around->tunnels; i++) {
        const char *name = dissect_tunnel_name((enum tunnel_kind)around->kind[i]);
        used +=
            snprintf(text + used, (size_t)(RECORD_TUNNEL - used), "%c%s", i == 0 ? ' ' : '/', name);
        if (around->id[i] != 0)
            used += snprintf(text + used, (size_t)(RECORD_TUNNEL - used), ":%u", around->id[i]);
    }
}

void expand_identity(const struct tuple *tuple, const struct incarnation *incarnation,
                     struct flow_identity *who)
{
    memset(who, 0, sizeof(*who));
    who->ip_version = tuple->key.ip_version;
    for (int side = 0; side < SIDES; side++) {
        int end = incarnation_end(incarnation, side);
        const struct tally *tally = &incarnation->connection.side[side].tally;
        memcpy(who->end[side].address, tuple->key.address[end], 16);
        who->end[side].port = tuple->key.port[end];
        who->end[side].packets = tally->packets;
        who->end[side].ip_bytes = tally->ip_bytes;
    }
    who->flow_uid = incarnation->uid;
    who->incarnation = incarnation->number;
    who->previous = incarnation->previous;
    who->vlans = incarnation->vlans;
    memcpy(who->vlan, incarnation->vlan, sizeof(who->vlan));
    if (incarnation->around != NULL)
        expand_tunnels(incarnation->around, who->tunnel);
}

struct history_record expand_history(const struct history_entry *entry)
{
    return (struct history_record){
        .t = entry->t,
        .packet = entry->packet,
        .proof = entry->revoked ? 0 : entry->by,
        .revoked_by = entry->revoked ? entry->by : 0,
        .state = (enum tcp_state)entry->state,
        .fact = (enum fact)entry->fact,
        .basis = entry->revoked ? BASIS_PRESUMED : (enum basis)entry->basis, /* forged: not sent */
        .revoked = entry->revoked,
    };
}

static void expand_entries(const struct history *history, struct side_record record[SIDES])
{
    for (int i = 0; i < history->count; i++) {
        const struct history_entry *entry = history_peek(history, i);
        struct side_record *side = &record[entry->side];
        side->history[side->history_count++] = expand_history(entry);
    }
    for (int side = 0; side < SIDES; side++)
        record[side].history_dropped = history->dropped[side];
}

static void expand_tally(const struct tally *tally, struct side_record *record)
{
    record->payload_bytes = tally->payload_bytes;
    record->syn_count = tally->syns;
    record->fin_count = tally->fins;
    record->rst_count = tally->rsts;
    record->psh_count = tally->pshs;
    record->urg_count = tally->urgs;
    record->retransmitted_packets = tally->retransmitted;
    record->retransmitted_bytes = tally->retransmitted_bytes;
    record->retransmitted_fast = tally->fast;
    record->retransmitted_timeout = tally->timeout;
    record->retransmitted_spurious = tally->spurious;
    record->out_of_order = tally->out_of_order;
    record->duplicate_acks = tally->duplicate_acks;
    record->sack_blocks = tally->sack_blocks;
    record->dsack_blocks = tally->dsack_blocks;
    record->zero_windows = tally->zero_windows;
    record->window_probes = tally->window_probes;
    record->keep_alives = tally->keep_alives;
    record->bytes_in_flight_max = tally->in_flight_max;
}

/* What the capture cut off a SYN's options may have been there: where it was not seen, it is not
 * known. */
static void expand_options(const struct side *x, struct side_record *record)
{
    bool syn_seen = side_has(x, SIDE_SYN_SEEN);
    bool whole = syn_seen && !side_has(x, SIDE_SYN_CUT);
    record->iss_known = side_has(x, SIDE_ISS_KNOWN);
    record->iss = x->iss;
    record->mss_known = syn_seen && side_has(x, SIDE_MSS);
    record->mss = x->mss;
    record->window_scale_known = syn_seen && side_has(x, SIDE_SCALED);
    record->window_scale = x->window_scale;
    record->sack = side_has(x, SIDE_SACK);
    record->sack_known = whole || (syn_seen && record->sack);
    record->timestamps = side_has(x, SIDE_TIMESTAMPS);
    record->timestamps_known = whole || (syn_seen && record->timestamps);
    record->ttl = x->ttl;
}

void expand_round_trips(const struct rtt *rtt, struct side_record *record)
{
    bool known = rtt->samples > 0;
    record->rtt_samples = rtt->samples;
    record->rtt_min = known ? rtt->least : NANOTIME_UNKNOWN;
    record->rtt_mean = known ? rtt_mean(rtt) : NANOTIME_UNKNOWN;
    record->rtt_p95 = known ? rtt_p95(rtt) : NANOTIME_UNKNOWN;
    record->rtt_max = known ? rtt->greatest : NANOTIME_UNKNOWN;
}

/* The packet whose ACK of the FIN arrived: the first, unless the side showed that it did not. */
static uint64_t acked_by(const struct side_record *record, uint64_t first)
{
    uint64_t packet = first;
    for (uint32_t i = 0; i < record->history_count; i++) {
        const struct history_record *entry = &record->history[i];
        if (entry->fact == FACT_FIN_ACKED && !entry->revoked)
            return packet != 0 ? packet : entry->packet;
        if (entry->fact == FACT_FIN_ACKED && entry->revoked_by != 0 && entry->packet >= first)
            packet = 0;
    }
    return packet;
}

static void expand_closing(const struct closing *closing, int side, struct side_record *record)
{
    if (closing == NULL)
        return;
    record->fin_packet = closing->fin[side].packet;
    record->fin_time = closing->fin[side].t;
    record->fin_copies = closing->fins[side];
    record->fin_acked_by = acked_by(record, closing->fin_ack[side].packet);
    record->rst_packet = closing->rst[side].packet;
    record->rst_time = closing->rst[side].t;
    record->rst_form = (enum rst_form)closing->rst_form[side];
    record->rst_fit = (enum rst_fit)closing->rst_fit[side];
}

static void expand_side(const struct connection *connection, int side, struct side_record *record)
{
    const struct side *x = &connection->side[side];
    record->state = (enum tcp_state)x->state;
    record->basis = (enum basis)x->basis;
    expand_tally(&x->tally, record);
    expand_options(x, record);
    expand_round_trips(&connection->side[side].rtt, record);
    expand_closing(connection->closing, side, record);
    record->rst_copies = x->tally.rsts;
}

bool expand_is_one_sided(const struct connection *connection)
{
    for (int i = 0; i < SIDES; i++) {
        const struct side *x = &connection->side[i];
        const struct side *y = &connection->side[side_other(i)];
        bool there_is_more = side_has(x, SIDE_ACKED) || connection->midstream;
        if (x->tally.packets > 0 && there_is_more && y->tally.packets == 0)
            return true;
    }
    return false;
}

uint64_t expand_caveats(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    uint64_t notes = incarnation->notes;
    bool scale_known = side_has(&connection->side[0], SIDE_SYN_SEEN) &&
                       side_has(&connection->side[1], SIDE_SYN_SEEN);
    bool both =
        side_has(&connection->side[0], SIDE_HEARD) && side_has(&connection->side[1], SIDE_HEARD);
    if (connection->midstream)
        notes |= UINT64_C(1) << NOTE_midstream_start;
    if (expand_is_one_sided(connection))
        notes |= UINT64_C(1) << NOTE_one_sided;
    if (both && !scale_known && (incarnation->flags & INCARNATION_SYNCHRONIZED) != 0)
        notes |= UINT64_C(1) << NOTE_wscale_unknown;
    if (connection->reordered)
        notes |= UINT64_C(1) << NOTE_capture_reordered;
    if (connection->capture_gaps > 0)
        notes |= UINT64_C(1) << NOTE_capture_gap;
    return notes;
}

/* Not known, too, where the times say that the answer came first. */
static nanotime span(nanotime later, nanotime earlier)
{
    if (later == NANOTIME_UNKNOWN || earlier == NANOTIME_UNKNOWN || time_is_before(later, earlier))
        return NANOTIME_UNKNOWN;
    return time_since(later, earlier);
}

static enum vantage find_vantage(const struct flow_record *flow)
{
    nanotime far = flow->syn_to_synack, near = flow->synack_to_ack;
    if (far == NANOTIME_UNKNOWN || near == NANOTIME_UNKNOWN || far < 0 || near < 0)
        return VANTAGE_UNKNOWN;
    nanotime longest = INT64_MAX / 4; /* four times that can still be said */
    if (far > 4 * time_earlier_of(near, longest))
        return VANTAGE_NEAR_CLIENT;
    return near > 4 * time_earlier_of(far, longest) ? VANTAGE_NEAR_SERVER : VANTAGE_MIDDLE;
}

void expand_handshake(nanotime syn_t, nanotime synack_t, nanotime ack_t, struct flow_record *flow)
{
    flow->syn_to_synack = span(synack_t, syn_t);
    flow->synack_to_ack = span(ack_t, synack_t);
    flow->vantage = find_vantage(flow);
}

/* In the order of the catalogue: the bits of incarnation_raised() stand in it. */
static void expand_events(const struct incarnation *incarnation, struct flow_record *flow)
{
    for (int word = 0; word < RAISED_WORDS; word++) {
        uint64_t left = incarnation->raised[word];
        for (; left != 0 && flow->event_count < RECORD_EVENTS; left &= left - 1) {
            int id = word * 64 + __builtin_ctzll(left);
            if (id < EVENT_IDS) /* a state from elsewhere may have more */
                flow->events[flow->event_count++] = (enum event_id)id;
        }
    }
}

static void expand_icmp(const struct icmp_story *story, struct flow_record *flow)
{
    if (story == NULL)
        return;
    const struct icmp_report *last = &story->last;
    flow->icmp_errors = story->errors;
    flow->icmp_last = (struct icmp_record){
        .packet = last->packet,
        .t = last->t,
        .ip_version = last->error.ip_version,
        .type = last->error.type,
        .code = last->error.code,
        .mtu = last->error.mtu,
        .quoted = last->side,
    };
    memcpy(flow->icmp_last.from, last->error.from, sizeof(flow->icmp_last.from));
}

void expand_clear(struct flow_record *flow)
{
    char *first = (char *)flow;
    size_t room = sizeof(flow->side[0].history);
    size_t start = 0;
    for (int side = 0; side < SIDES; side++) {
        size_t history = (size_t)((char *)flow->side[side].history - first);
        memset(first + start, 0, history - start);
        start = history + room;
    }
    memset(first + start, 0, sizeof(*flow) - start);
}

void expand_flow(const struct tuple *tuple, const struct incarnation *incarnation, bool ended,
                 nanotime two_msl, struct flow_record *flow)
{
    const struct connection *connection = &incarnation->connection;
    expand_clear(flow);
    expand_identity(tuple, incarnation, &flow->who);
    flow->start = connection->started;
    flow->end = connection->last_t;
    flow->final = true;
    flow->part = incarnation->part + 1;
    flow->midstream = connection->midstream;
    flow->one_sided = expand_is_one_sided(connection);
    flow->capture_gaps = connection->capture_gaps;
    flow->direction = (enum direction)connection->direction;
    expand_entries(&connection->history, flow->side);
    for (int side = 0; side < SIDES; side++)
        expand_side(connection, side, &flow->side[side]);
    expand_handshake(connection->syn_t, connection->synack_t, connection->ack_t, flow);
    outcome_expand(incarnation, two_msl, flow);
    struct zeek_view room;
    const struct zeek_view *zeek = zeek_trail_view(connection, &room);
    flow->zeek_state = zeek_view_state(zeek);
    zeek_view_history(zeek, flow->zeek_history, sizeof(flow->zeek_history));
    expand_icmp(incarnation->icmp, flow);
    flow->caveats = expand_caveats(incarnation);
    if (!ended && !connection_is_closed(connection))
        flow->caveats |= UINT64_C(1) << NOTE_end_of_capture_open;
    expand_events(incarnation, flow);
}
