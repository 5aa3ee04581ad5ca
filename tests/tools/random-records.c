/*
 * random-records: what the sinks make of records that no engine would produce.
 *
 *     random-records ndjson|report|text SEED COUNT
 *
 * Every number is often 0, 1 or the largest there is, every moment often unknown or at the edge of
 * what a nanotime holds, every string often hostile.  validate-schema.py then says whether the
 * output still is what the schema promises.  A build makes the same records of the same seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/sink/sinks.h"

/* xorshift64 */
struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return dice->state;
}

static uint32_t below(struct dice *dice, uint32_t limit)
{
    return (uint32_t)(roll(dice) >> 16) % limit;
}

static bool toss(struct dice *dice)
{
    return below(dice, 2) == 1;
}

static uint64_t number(struct dice *dice)
{
    const uint64_t choices[] = {0, 1, UINT64_MAX, INT64_MAX, below(dice, 1000), roll(dice)};
    return choices[below(dice, 6)];
}

/* A moment that is never null. */
static nanotime moment(struct dice *dice)
{
    const nanotime choices[] = {
        INT64_MAX, INT64_MIN + 1, -1, 0, INT64_C(1795186800000000000), (int64_t)(roll(dice) | 1)};
    return choices[below(dice, 6)];
}

static nanotime moment_or_unknown(struct dice *dice)
{
    return below(dice, 4) == 0 ? NANOTIME_UNKNOWN : moment(dice);
}

static void fill_text(struct dice *dice, char *text, size_t size)
{
    size_t length = below(dice, (uint32_t)size);
    for (size_t octet = 0; octet < length; octet++)
        text[octet] = (char)(1 + below(dice, 255));
    text[length] = '\0';
}

static struct flow_identity random_identity(struct dice *dice)
{
    struct flow_identity who = {.ip_version = toss(dice) ? 4 : 6};
    for (int side = CLIENT; side <= SERVER; side++) {
        for (int octet = 0; octet < (who.ip_version == 4 ? 4 : 16); octet++)
            who.end[side].address[octet] = toss(dice) ? 0 : (uint8_t)roll(dice);
        who.end[side].port = (uint16_t)number(dice);
        who.end[side].packets = number(dice);
        who.end[side].ip_bytes = number(dice);
    }
    who.flow_uid = number(dice);
    who.incarnation = (uint32_t)number(dice);
    who.previous = number(dice);
    who.vlans = (uint8_t)below(dice, RECORD_VLANS + 1);
    for (int vlan = 0; vlan < who.vlans; vlan++)
        who.vlan[vlan] = (uint16_t)below(dice, 4096);
    if (!toss(dice))
        strcpy(who.tunnel, "gre/\x01\"vxlan\xff");
    return who;
}

static struct history_record random_entry(struct dice *dice)
{
    return (struct history_record){
        .t = moment(dice),
        .packet = number(dice),
        .proof = number(dice),
        .revoked_by = number(dice),
        .state = below(dice, TCP_STATES),
        .fact = below(dice, FACTS),
        .basis = below(dice, BASES),
        .revoked = toss(dice),
    };
}

static void fill_counts(struct dice *dice, struct side_record *side)
{
    uint64_t *const counts[] = {
        &side->history_dropped,
        &side->payload_bytes,
        &side->syn_count,
        &side->fin_count,
        &side->rst_count,
        &side->psh_count,
        &side->urg_count,
        &side->retransmitted_packets,
        &side->retransmitted_bytes,
        &side->retransmitted_fast,
        &side->retransmitted_timeout,
        &side->retransmitted_spurious,
        &side->out_of_order,
        &side->duplicate_acks,
        &side->sack_blocks,
        &side->dsack_blocks,
        &side->zero_windows,
        &side->window_probes,
        &side->keep_alives,
        &side->bytes_in_flight_max,
        &side->rtt_samples,
        &side->fin_packet,
        &side->fin_copies,
        &side->fin_acked_by,
        &side->rst_packet,
        &side->rst_copies,
    };
    for (size_t count = 0; count < sizeof(counts) / sizeof(counts[0]); count++)
        *counts[count] = number(dice);
}

static void fill_side(struct dice *dice, struct side_record *side)
{
    memset(side, 0, sizeof(*side));
    fill_counts(dice, side);
    side->state = below(dice, TCP_STATES);
    side->basis = below(dice, BASES);
    side->history_count = below(dice, RECORD_HISTORY + 1);
    for (uint32_t entry = 0; entry < side->history_count; entry++)
        side->history[entry] = random_entry(dice);
    side->iss_known = toss(dice);
    side->iss = (uint32_t)number(dice);
    side->sack_known = toss(dice);
    side->timestamps_known = toss(dice);
    side->mss_known = toss(dice);
    side->window_scale_known = toss(dice);
    side->mss = (uint16_t)number(dice);
    side->window_scale = (uint8_t)number(dice);
    side->ttl = (uint8_t)number(dice);
    side->rtt_min = moment_or_unknown(dice);
    side->rtt_mean = moment_or_unknown(dice);
    side->rtt_p95 = moment_or_unknown(dice);
    side->rtt_max = moment_or_unknown(dice);
    side->fin_time = moment(dice);
    side->rst_time = moment(dice);
    side->rst_form = below(dice, RST_FORMS);
    side->rst_fit = below(dice, RST_FITS);
}

static void fill_flow(struct dice *dice, struct flow_record *flow)
{
    memset(flow, 0, sizeof(*flow));
    flow->who = random_identity(dice);
    flow->start = moment(dice);
    flow->end = moment(dice);
    flow->final = toss(dice);
    flow->part = (uint32_t)number(dice);
    flow->vantage = below(dice, VANTAGE_MIDDLE + 1);
    flow->capture_gaps = number(dice);
    flow->direction = below(dice, DIRECTION_FIRST_PACKET + 1);
    fill_side(dice, &flow->side[CLIENT]);
    fill_side(dice, &flow->side[SERVER]);
    flow->syn_to_synack = moment_or_unknown(dice);
    flow->synack_to_ack = moment_or_unknown(dice);
    flow->close_kind = below(dice, CLOSE_KINDS);
    flow->initiator = below(dice, INITIATOR_BOTH + 1);
    flow->fin_to_fin = moment_or_unknown(dice);
    flow->close_wait = moment_or_unknown(dice);
    flow->fin_wait_2 = moment_or_unknown(dice);
    flow->time_wait = toss(dice);
    flow->time_wait_both = toss(dice);
    flow->time_wait_side = (int)below(dice, 2);
    flow->time_wait_since = moment(dice);
    flow->time_wait_until = moment_or_unknown(dice);
    flow->time_wait_restarts = number(dice);
    flow->icmp_errors = number(dice);
    flow->icmp_last = (struct icmp_record){
        .packet = number(dice),
        .t = moment(dice),
        .ip_version = toss(dice) ? 4 : 6,
        .type = (uint8_t)below(dice, 256),
        .code = (uint8_t)below(dice, 256),
        .mtu = (uint32_t)number(dice),
        .quoted = (int)below(dice, 2),
    };
    flow->zeek_state = "OTH";
    fill_text(dice, flow->zeek_history, sizeof(flow->zeek_history));
    flow->caveats = roll(dice);
    flow->event_count = below(dice, RECORD_EVENTS + 1);
    for (uint32_t event = 0; event < flow->event_count; event++)
        flow->events[event] = below(dice, EVENT_IDS);
}

static struct evidence_record random_evidence(struct dice *dice)
{
    struct evidence_record evidence = {
        .packet = number(dice),
        .t = moment(dice),
        .incarnation = (uint32_t)number(dice),
        .from = (int)below(dice, 2),
        .flags = (uint8_t)roll(dice),
        .relative_known = toss(dice),
        .ack_relative_known = toss(dice),
        .seq = (uint32_t)number(dice),
        .ack = (uint32_t)number(dice),
        .seq_abs = (uint32_t)number(dice),
        .ack_abs = (uint32_t)number(dice),
        .payload = (uint32_t)number(dice),
        .role = below(dice, ROLE_CONSEQUENCE + 1),
    };
    fill_text(dice, evidence.says, sizeof(evidence.says));
    return evidence;
}

static void fill_measures(struct dice *dice, struct event_record *event)
{
    static const char *const names[] = {"age_ns", "rounds", "delivered", "n_4", "x", "y"};
    event->number_count = below(dice, 7);
    event->detail_count = below(dice, 7);
    for (uint32_t name = 0; name < 6; name++) {
        event->numbers[name] = (struct number_record){names[name], moment_or_unknown(dice)};
        event->details[name] =
            (struct detail_record){names[name], toss(dice) ? NULL : "a\x1b\"b\xf0\x28"};
    }
    event->evidence_count = below(dice, RECORD_EVIDENCE + 1);
    for (uint32_t packet = 0; packet < event->evidence_count; packet++)
        event->evidence[packet] = random_evidence(dice);
    event->suppress_count = below(dice, RECORD_SUPPRESSES + 1);
    for (uint32_t id = 0; id < event->suppress_count; id++)
        event->suppresses[id] = below(dice, EVENT_IDS);
}

static void fill_event(struct dice *dice, struct event_record *event)
{
    memset(event, 0, sizeof(*event));
    event->who = random_identity(dice);
    event->id = below(dice, EVENT_IDS);
    event->level = LEVEL_INFO + below(dice, LEVEL_ERROR);
    event->confidence = below(dice, CONFIDENCE_CERTAIN + 1);
    event->blame = below(dice, BLAME_CAPTURE + 1);
    event->event_uid = number(dice);
    event->caused_by = number(dice);
    event->outcome = (int)below(dice, EVENT_IDS + 1) - 1;
    event->caveats = roll(dice);
    event->t = moment(dice);
    event->decided = moment(dice);
    for (int side = CLIENT; side <= SERVER; side++) {
        event->change[side].incarnation = (uint32_t)number(dice);
        event->change[side].before = below(dice, TCP_STATES);
        event->change[side].after = below(dice, TCP_STATES);
    }
    fill_measures(dice, event);
    fill_text(dice, event->explanation, sizeof(event->explanation));
    fill_text(dice, event->remedy, sizeof(event->remedy));
}

static struct transition_record random_transition(struct dice *dice)
{
    return (struct transition_record){.who = random_identity(dice),
                                      .side = (int)below(dice, 2),
                                      .from = below(dice, TCP_STATES),
                                      .entry = random_entry(dice)};
}

static struct segment_record random_segment(struct dice *dice)
{
    return (struct segment_record){
        .who = random_identity(dice),
        .packet = number(dice),
        .t = moment(dice),
        .from = (int)below(dice, 2),
        .flags = (uint8_t)roll(dice),
        .relative_known = toss(dice),
        .ack_relative_known = toss(dice),
        .seq = (uint32_t)number(dice),
        .ack_abs = (uint32_t)number(dice),
        .payload = (uint32_t)number(dice),
        .window = number(dice),
        .timestamps = toss(dice),
        .tsval = (uint32_t)number(dice),
        .after = {below(dice, TCP_STATES), below(dice, TCP_STATES)},
        .after_basis = {below(dice, BASES), below(dice, BASES)},
        .verdict = below(dice, SEGMENT_VERDICTS),
    };
}

static enum status write_records(struct dice *dice, struct sink *sink)
{
    static const size_t size = sizeof(struct flow_record) + sizeof(struct event_record);
    struct flow_record *flow = malloc(size);
    if (!flow)
        return STATUS_NO_MEMORY;
    struct event_record *event = (struct event_record *)(flow + 1);
    struct transition_record transition = random_transition(dice);
    struct segment_record segment = random_segment(dice);
    fill_flow(dice, flow);
    fill_event(dice, event);
    enum status status = sink->ops->flow(sink, flow);
    if (status == STATUS_OK)
        status = sink->ops->event(sink, event);
    if (status == STATUS_OK && sink->ops->transition)
        status = sink->ops->transition(sink, &transition);
    if (status == STATUS_OK && sink->ops->segment)
        status = sink->ops->segment(sink, &segment);
    free(flow);
    return status;
}

static enum status write_summary(struct dice *dice, struct sink *sink)
{
    struct input_summary inputs[2] = {
        {.name = "a\x1b[31m\xff.pcap", .format = "pcap", .compression = "gzip", .damaged = true},
        {.name = "-", .packets = number(dice), .bytes = number(dice)},
    };
    struct run_summary run = {.inputs = inputs, .input_count = below(dice, 3)};
    snprintf(inputs[0].problem, sizeof(inputs[0].problem), "ended inside a record");
    run.packets = number(dice);
    run.first = moment_or_unknown(dice);
    run.last = moment_or_unknown(dice);
    run.skipped[0] = (struct count_by_name){"not_tcp", number(dice)};
    run.skipped_count = below(dice, 2);
    run.drops_known = toss(dice);
    run.flows = number(dice);
    run.flows_by_kind[below(dice, CLOSE_KINDS)] = number(dice);
    run.left[CLIENT][below(dice, TCP_STATES)] = number(dice);
    run.events_by_id[below(dice, EVENT_IDS)] = number(dice);
    return sink->ops->finish(sink, &run);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: random-records ndjson|report|text SEED COUNT\n");
        return 2;
    }
    struct dice dice = {.state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252u};
    struct sink_options options = {.version = "0",
                                   .flows = FLOWS_ALL,
                                   .segments = true,
                                   .transitions = true,
                                   .nano = toss(&dice),
                                   .observer = toss(&dice) ? NULL : "ho\"st\x07"};
    struct sink *sink;
    enum status status;
    if (strcmp(argv[1], "ndjson") == 0)
        status = sink_ndjson_new(&options, stdout, &sink);
    else if (strcmp(argv[1], "report") == 0)
        status = sink_report_new(&options, stdout, &sink);
    else
        status = sink_text_new(&options, stdout, &sink);
    if (status != STATUS_OK)
        return 1;
    for (int record = 0; status == STATUS_OK && record < atoi(argv[3]); record++)
        status = write_records(&dice, sink);
    if (status == STATUS_OK)
        status = write_summary(&dice, sink);
    sink->ops->free(sink);
    return status == STATUS_OK ? 0 : 1;
}
