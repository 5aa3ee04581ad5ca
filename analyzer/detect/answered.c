/* answered: see answered.h. */
#include "answered.h"

/* A host answers at once; what is added covers the host's own time and a queue's. */
static const nanotime host_time = 200 * (nanotime)NANO_PER_MILLI;
static const nanotime unknown_round_trip = NANO_PER_SECOND;

bool answered_in_time(const struct connection *connection, int from,
                      const struct packet_ref *earlier, const struct packet_ref *later)
{
    nanotime round_trip = connection->side[from].round_trip;
    nanotime reach = round_trip > 0 ? 2 * round_trip + host_time : unknown_round_trip;
    return earlier->packet < later->packet && time_since(later->t, earlier->t) <= reach;
}

static bool is_answered(const struct connection *connection, const struct packet_ref *segment,
                        const struct packet_ref *reset)
{
    const struct side *x = &connection->side[reset->from];
    seq end = seq_add(segment->sequence, segment->payload + ((segment->flags & TCP_FIN) != 0));
    bool acknowledged =
        side_has(x, SIDE_ACKED) && seq_at_or_before(end, x->rcv_nxt) && end != segment->sequence;
    return segment->packet != 0 && !acknowledged && segment->acknowledgment == reset->sequence &&
           answered_in_time(connection, reset->from, segment, reset);
}

static struct packet_ref newer_of(struct packet_ref a, const struct packet_ref *b)
{
    return b->packet > a.packet ? *b : a;
}

struct packet_ref answered_by_reset(const struct incarnation *incarnation,
                                    const struct packet_ref *reset)
{
    const struct connection *connection = &incarnation->connection;
    int peer = side_other(reset->from);
    struct packet_ref found = {0};
    for (int i = 0; i < LAST_SEGMENTS; i++) {
        const struct last_segment *last = &incarnation->last[i];
        struct packet_ref ref = last_segment_ref(last, peer);
        if (last_segment_end(last) == incarnation_end(incarnation, peer) &&
            is_answered(connection, &ref, reset))
            found = newer_of(found, &ref);
    }
    const struct closing *closing = connection->closing;
    if (is_answered(connection, &closing->fin[peer], reset))
        found = newer_of(found, &closing->fin[peer]);
    if (is_answered(connection, &closing->fin_again[peer], reset))
        found = newer_of(found, &closing->fin_again[peer]);
    const struct story *story = incarnation->story;
    const struct packet_ref *probe = story == NULL ? NULL : &story->reset_run[reset->from].last;
    bool probed = probe != NULL && probe->packet != 0 && probe->packet < reset->packet &&
                  probe->acknowledgment == reset->sequence &&
                  answered_in_time(connection, reset->from, probe, reset);
    return probed ? newer_of(found, probe) : found;
}

/* Data that passed before the FIN, which does not acknowledge it: it was under way. */
static bool crosses(const struct connection *connection, const struct packet_ref *data,
                    const struct packet_ref *fin, const struct packet_ref *reset)
{
    return seq_at_or_before(fin->acknowledgment, data->sequence) &&
           answered_in_time(connection, reset->from, data, reset);
}

struct packet_ref answered_late_data(const struct incarnation *incarnation,
                                     const struct packet_ref *fin, const struct packet_ref *reset)
{
    int side = side_other(reset->from);
    struct packet_ref found = {0};
    for (int i = 0; i < LAST_SEGMENTS; i++) {
        const struct last_segment *last = &incarnation->last[i];
        struct packet_ref ref = last_segment_ref(last, side);
        bool fits = last_segment_packet(last) != 0 && last_segment_packet(last) < reset->packet &&
                    last_segment_end(last) == incarnation_end(incarnation, side) &&
                    last->acknowledgment == reset->sequence;
        if (fits && (found.packet == 0 || last_segment_packet(last) < found.packet) &&
            (last_segment_packet(last) > fin->packet ||
             crosses(&incarnation->connection, &ref, fin, reset)))
            found = ref;
    }
    return found;
}

struct packet_ref answered_last_data_before(const struct incarnation *incarnation, uint64_t packet)
{
    struct packet_ref found = {0};
    for (int i = 0; i < LAST_SEGMENTS; i++) {
        const struct last_segment *last = &incarnation->last[i];
        if (last_segment_packet(last) != 0 && last_segment_packet(last) < packet &&
            last_segment_packet(last) > found.packet)
            found =
                last_segment_ref(last, last_segment_end(last) == incarnation->client_end ? 0 : 1);
    }
    return found;
}

static bool is_connected(enum tcp_state state)
{
    switch (state) {
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSE_WAIT:
    case STATE_CLOSING:
    case STATE_LAST_ACK:
    case STATE_TIME_WAIT:
    case STATE_UNKNOWN: /* picked up mid-stream */
        return true;
    case STATE_CLOSED:
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_SYN_RCVD:
    case TCP_STATES:
        return false;
    }
    return false;
}

bool answered_in_connection(const struct aftermath *aftermath)
{
    return is_connected((enum tcp_state)aftermath->before[0]) &&
           is_connected((enum tcp_state)aftermath->before[1]);
}
