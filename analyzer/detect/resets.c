/*
 * resets: a segment was answered by a reset of a host that does not know the connection (any more):
 * it never knew, it had closed, or it had just closed an idle connection (EVENTS C4).
 *
 * Only resets in the form of an answer count: SEQ = the ACK of what they answer (EVENTS C0).
 */
#include "answered.h"
#include "detectors.h"
#include "report.h"

static const nanotime heard_of_close = 10 * (nanotime)NANO_PER_MILLI;
static const nanotime host_pause = 200 * (nanotime)NANO_PER_MILLI; /* between write() and close() */
static const nanotime swap_reach = 3 * (nanotime)NANO_PER_MILLI;   /* OBSERVER 5, two tolerances */

static enum blame blame_of(int side)
{
    return side == CLIENT ? BLAME_CLIENT : BLAME_SERVER;
}

static void report_reset_states(struct event_record *event, const struct incarnation *incarnation,
                                int from)
{
    const struct connection *connection = &incarnation->connection;
    const struct aftermath *aftermath = &connection->closing->aftermath[from];
    for (int side = 0; side < SIDES; side++)
        report_change(event, side, incarnation->number, (enum tcp_state)aftermath->before[side],
                      (enum tcp_state)connection->side[side].state);
}

/* --- no_state_reset --- */

static bool holds_connection(enum tcp_state state)
{
    switch (state) {
    case STATE_ESTABLISHED:
    case STATE_CLOSE_WAIT:
        return true;
    case STATE_CLOSED:
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_SYN_RCVD:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSING:
    case STATE_LAST_ACK:
    case STATE_TIME_WAIT:
    case STATE_UNKNOWN:
    case TCP_STATES:
        return false;
    }
    return false;
}

/* The side whose first reset says that it never heard of its own connection; -1: neither. */
static int find_stateless(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    for (int x = 0; closing != NULL && x < SIDES; x++) {
        const struct side *side = &connection->side[x];
        const struct packet_ref *rst = &closing->rst[x], *other = &closing->rst[side_other(x)];
        bool first = other->packet == 0 || other->packet > rst->packet;
        bool there_was = side_has(side, SIDE_HEARD) && side_has(side, SIDE_ACKED) &&
                         holds_connection((enum tcp_state)closing->aftermath[x].before[x]);
        if (rst->packet != 0 && first && there_was && !side_has(side, SIDE_FIN_SENT) &&
            closing->rst_form[x] == RST_REPLY_NO_ACK)
            return x;
    }
    return -1;
}

nanotime detect_no_state_reset_due(const struct incarnation *incarnation,
                                   const struct config *config)
{
    int x = find_stateless(incarnation);
    if (x < 0 || incarnation_raised(incarnation, EVENT_no_state_reset))
        return NANOTIME_UNKNOWN;
    return time_after(incarnation->connection.closing->rst[x].t, config->reset_settle);
}

/* What was answered. */
static const char *answered_words(const struct packet_ref *answered)
{
    if (answered->payload > 0)
        return "data";
    return (answered->flags & TCP_FIN) != 0 ? "the FIN" : "a probe";
}

static void explain_no_state(struct event_record *event, const struct occasion *occasion, int x,
                             const struct packet_ref *answered)
{
    const struct connection *connection = &occasion->incarnation->connection;
    const struct packet_ref *rst = &connection->closing->rst[x];
    struct endpoint_text end_x = report_endpoint(occasion, x),
                         end_y = report_endpoint(occasion, side_other(x));
    struct duration_text lasted = report_duration(time_since(rst->t, connection->started));
    report_explain(event,
                   "%s answered %s of %s (packet %llu, %u octets) with a reset (packet %llu) that "
                   "only a host without this connection sends, although it had not closed: it "
                   "restarted, failed over, or a NAT or balancer sent the segment to another host. "
                   "The connection was %s old as the capture has it.",
                   end_x.text, answered_words(answered), end_y.text,
                   (unsigned long long)answered->packet, answered->payload,
                   (unsigned long long)rst->packet, lasted.text);
    if (event->confidence == CONFIDENCE_POSSIBLE && x == SERVER)
        report_explain(event,
                       " Nothing shows that %s had ever completed the handshake: it may "
                       "have refused the connection late (a full accept queue with "
                       "net.ipv4.tcp_abort_on_overflow, a SYN proxy).",
                       end_x.text);
    report_remedy(event,
                  "Check uptime and logs of %s, and failover or rebalancing of what stands before "
                  "it (sticky sessions, connection draining); compare ss -tn on both hosts. "
                  "Keep-alives on %s show a dead peer earlier.",
                  report_address(occasion, x).text, report_address(occasion, side_other(x)).text);
}

void detect_no_state_reset(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    int x = find_stateless(incarnation);
    if (x < 0 || incarnation_raised(incarnation, EVENT_no_state_reset))
        return;
    const struct closing *closing = incarnation->connection.closing;
    const struct aftermath *aftermath = &closing->aftermath[x];
    struct packet_ref answered = answered_by_reset(incarnation, &closing->rst[x]);
    bool killed = incarnation_raised(incarnation, EVENT_stray_rst_hit);
    if (answered.packet == 0 || aftermath->went_on.packet != 0 || killed)
        return; /* a side that goes on has the connection: that reset was not of its making */
    bool shown = aftermath->before_basis != BASIS_PRESUMED;
    struct evidence_base base = report_base(incarnation);
    struct event_record event;
    report_begin(&event, EVENT_no_state_reset, answered.t,
                 report_gated(incarnation, shown ? CONFIDENCE_PROBABLE : CONFIDENCE_POSSIBLE),
                 blame_of(x));
    if (event.confidence == CONFIDENCE_POSSIBLE)
        event.level = LEVEL_WARNING;
    report_reset_states(&event, incarnation, x);
    report_evidence(&event, &base, &answered, side_other(x), ROLE_TRIGGER,
                    "a segment of the %s in the running connection", report_side(side_other(x)));
    report_evidence(&event, &base, &closing->rst[x], x, ROLE_REACTION,
                    "RST without ACK, SEQ = that segment's ACK: the %s has no such connection",
                    report_side(x));
    report_number(&event, "age_ns", time_since(closing->rst[x].t, incarnation->connection.started));
    report_number(&event, "answered_after_ns", time_since(closing->rst[x].t, answered.t));
    report_number(&event, "payload_bytes", answered.payload);
    report_detail(&event, "rst_form", rst_form_name((enum rst_form)closing->rst_form[x]));
    explain_no_state(&event, occasion, x, &answered);
    occasion->emit(occasion->context, &event);
}

/* --- data after the close --- */

/* A case of data that met a side which had closed. */
struct late_data {
    int closer;
    struct packet_ref data;     /* the first that came after the FIN, or crossed it: not taken */
    struct packet_ref previous; /* the last data of either side before both */
    struct packet_ref rst;
};

/* The data passed here before the FIN, which was sent before it arrived. */
static bool crossed_fin(const struct connection *connection, const struct late_data *late)
{
    return late->data.packet < connection->closing->fin[late->closer].packet;
}

/* FIN_WAIT_2 had run out: fin_wait_2_timeout tells that story, not this one. */
static bool is_expired(const struct connection *connection, const struct config *config,
                       const struct late_data *late)
{
    const struct packet_ref *acked = &connection->closing->fin_ack[late->closer];
    return acked->packet != 0 && acked->packet < late->data.packet &&
           time_since(late->data.t, acked->t) >= config->fin_timeout;
}

/* Whether the first reset of side a may answer data that came after its FIN. */
static bool may_refuse_data(const struct connection *connection, int a)
{
    const struct closing *closing = connection->closing;
    const struct packet_ref *rst = &closing->rst[a], *other = &closing->rst[side_other(a)];
    bool first = other->packet == 0 || other->packet > rst->packet;
    bool closed = closing->fin[a].packet != 0 && closing->fin[a].packet < rst->packet;
    bool held = closing->aftermath[a].before[a] != STATE_CLOSED; /* a new SYN had not ended it */
    return rst->packet != 0 && first && closed && held &&
           closing->rst_form[a] == RST_REPLY_NO_ACK && side_has(&connection->side[a], SIDE_ACKED);
}

static bool find_late_data(const struct incarnation *incarnation, const struct config *config,
                           struct late_data *ret_late)
{
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    for (int a = 0; closing != NULL && a < SIDES; a++) {
        if (!may_refuse_data(connection, a))
            continue;
        struct late_data late = {.closer = a, .rst = closing->rst[a]};
        late.data = answered_late_data(incarnation, &closing->fin[a], &late.rst);
        seq end = seq_add(late.data.sequence, late.data.payload);
        bool beyond = seq_after(end, connection->side[a].rcv_nxt);
        bool answers = answered_in_time(connection, a, &late.data, &late.rst);
        if (late.data.packet == 0 || !beyond || !answers || is_expired(connection, config, &late))
            continue;
        uint64_t first = crossed_fin(connection, &late) ? late.data.packet : closing->fin[a].packet;
        late.previous = answered_last_data_before(incarnation, first);
        *ret_late = late;
        return true;
    }
    return false;
}

/* Looked at a while after the reset: the peer's own FIN may be right behind its data. */
nanotime detect_late_data_due(const struct incarnation *incarnation, const struct config *config)
{
    struct late_data late;
    bool told = incarnation_raised(incarnation, EVENT_data_after_close_reset) ||
                incarnation_raised(incarnation, EVENT_keepalive_race);
    if (told || !find_late_data(incarnation, config, &late))
        return NANOTIME_UNKNOWN;
    return time_after(late.rst.t, config->reset_settle);
}

enum { FEW_OCTETS = 128 };

/*
 * Parting words: a little data with the sender's own FIN right behind it, as the close_notify of
 * TLS is.  Nobody misses it.
 */
static bool is_parting(const struct connection *connection, const struct late_data *late)
{
    const struct side *b = &connection->side[side_other(late->closer)];
    const struct packet_ref *fin = &connection->closing->fin[side_other(late->closer)];
    bool behind = late->data.packet <= fin->packet ||
                  time_since(late->data.t, fin->t) <= swap_reach; /* the capture swapped them */
    return side_has(b, SIDE_FIN_SENT) && behind &&
           (uint32_t)(b->fin_seq - late->data.sequence) <= FEW_OCTETS &&
           time_since(fin->t, late->data.t) < host_pause;
}

/*
 * A request into a connection that the server had just closed: between requests nothing of the
 * client was outstanding, and the last word had been the server's (or nobody had spoken yet).  A
 * client that was in the middle of sending is another story.
 */
static bool is_request(const struct connection *connection, const struct late_data *late)
{
    if (is_parting(connection, late))
        return false; /* who asks waits for the answer */
    const struct packet_ref *fin = &connection->closing->fin[late->closer];
    bool between = late->previous.packet == 0 || late->previous.from == late->closer;
    bool own_fin = fin->payload > 0; /* its answer came with the FIN */
    return late->closer == SERVER && (between || own_fin) &&
           late->data.sequence == fin->acknowledgment;
}

/* The FIN, what acknowledged it if it came before the data, the data, the reset. */
static void add_late_evidence(struct event_record *event, const struct incarnation *incarnation,
                              const struct late_data *late)
{
    const struct closing *closing = incarnation->connection.closing;
    int a = late->closer, b = side_other(a);
    struct evidence_base base = report_base(incarnation);
    report_evidence(event, &base, &closing->fin[a], a, ROLE_REFERENCE, "the %s's FIN",
                    report_side(a));
    if (closing->fin_ack[a].packet < late->data.packet)
        report_evidence(event, &base, &closing->fin_ack[a], b, ROLE_REFERENCE,
                        "the %s acknowledges it", report_side(b));
    bool crossed = crossed_fin(&incarnation->connection, late);
    report_evidence(event, &base, &late->data, b, ROLE_TRIGGER, "data of the %s %s", report_side(b),
                    crossed ? "that crossed the FIN" : "after the FIN had passed");
    report_evidence(event, &base, &late->rst, a, ROLE_REACTION,
                    "RST without ACK, SEQ = that segment's ACK: the %s takes no more data",
                    report_side(a));
}

static void add_late_numbers(struct event_record *event, const struct incarnation *incarnation,
                             const struct late_data *late)
{
    const struct closing *closing = incarnation->connection.closing;
    const struct packet_ref *acked = &closing->fin_ack[late->closer];
    bool knew = acked->packet != 0 && acked->packet <= late->data.packet;
    report_number(event, "delta_ns", time_since(late->data.t, closing->fin[late->closer].t));
    report_number(event, "payload_bytes", late->data.payload);
    report_number(event, late->closer == SERVER ? "client_had_acked_fin" : "server_had_acked_fin",
                  knew);
    report_detail(event, "rst_form", rst_form_name(RST_REPLY_NO_ACK));
}

/* How far apart the two passed. */
static struct duration_text text_apart(const struct packet_ref *data, const struct packet_ref *fin)
{
    nanotime apart = time_since(data->t, fin->t);
    return report_duration(apart < 0 ? -apart : apart);
}

static void explain_late_data(struct event_record *event, const struct occasion *occasion,
                              const struct late_data *late, bool parting)
{
    int a = late->closer;
    const struct packet_ref *fin = &occasion->incarnation->connection.closing->fin[a];
    struct endpoint_text end_a = report_endpoint(occasion, a),
                         end_b = report_endpoint(occasion, side_other(a));
    bool crossed = crossed_fin(&occasion->incarnation->connection, late);
    struct duration_text after = text_apart(&late->data, fin);
    report_explain(event,
                   "%s closed (FIN, packet %llu); %u octets of %s that came %s %s (packet %llu) "
                   "were answered with a reset (packet %llu).",
                   end_a.text, (unsigned long long)fin->packet, late->data.payload, end_b.text,
                   after.text, crossed ? "earlier and crossed it" : "later",
                   (unsigned long long)late->data.packet, (unsigned long long)late->rst.packet);
    if (parting) {
        report_explain(event,
                       " They were its last words, with its own FIN right behind: most likely a "
                       "close_notify of TLS, which nobody misses.");
        report_remedy(event, "Nothing.");
        return;
    }
    report_explain(event,
                   " They are lost: %s was still sending, and its application sees ECONNRESET or "
                   "EPIPE.",
                   end_b.text);
    report_remedy(event,
                  "In the application on %s: shutdown(SHUT_WR) and read to the end of the stream "
                  "before close(); or agree in the protocol who closes, and when.",
                  report_address(occasion, a).text);
}

void detect_data_after_close_reset(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    struct late_data late;
    if (incarnation_raised(incarnation, EVENT_data_after_close_reset) ||
        !find_late_data(incarnation, occasion->config, &late) ||
        is_request(&incarnation->connection, &late))
        return;
    int a = late.closer;
    bool parting = is_parting(&incarnation->connection, &late);
    bool few = late.data.payload <= FEW_OCTETS; /* parting words whose FIN was not captured? */
    struct event_record event;
    report_begin(&event, EVENT_data_after_close_reset, late.data.t,
                 report_gated(incarnation, few ? CONFIDENCE_PROBABLE : CONFIDENCE_CERTAIN),
                 parting ? BLAME_NONE : BLAME_CLOSER);
    if (parting)
        event.level = LEVEL_INFO;
    report_reset_states(&event, incarnation, a);
    add_late_evidence(&event, incarnation, &late);
    add_late_numbers(&event, incarnation, &late);
    report_detail(&event, "kind", parting ? "parting_words" : "data");
    explain_late_data(&event, occasion, &late, parting);
    occasion->emit(occasion->context, &event);
}

static void explain_race(struct event_record *event, const struct occasion *occasion,
                         const struct late_data *late, bool heard)
{
    const struct closing *closing = occasion->incarnation->connection.closing;
    const struct packet_ref *fin = &closing->fin[SERVER];
    struct endpoint_text client = report_endpoint(occasion, CLIENT),
                         server = report_endpoint(occasion, SERVER);
    bool crossed = crossed_fin(&occasion->incarnation->connection, late);
    struct duration_text after = text_apart(&late->data, fin);
    report_explain(event, "%s closed the connection between two requests (FIN, packet %llu)",
                   server.text, (unsigned long long)fin->packet);
    if (late->previous.packet != 0)
        report_explain(event, ", after %s without data",
                       report_duration(time_since(fin->t, late->previous.t)).text);
    report_explain(event,
                   "; %s %s %s sent a request of %u octets into it (packet %llu) and got a "
                   "reset (packet %llu).",
                   after.text, crossed ? "earlier" : "later", client.text, late->data.payload,
                   (unsigned long long)late->data.packet, (unsigned long long)late->rst.packet);
    report_explain(event, heard ? " The client had acknowledged the FIN before: its pool handed "
                                  "out a connection that it knew to be closed."
                                : " The two crossed: the client could not know yet.");
    report_remedy(event,
                  "On %s: let the client's pool close idle connections before the server does (an "
                  "idle limit below the keep-alive timeout of %s), look for the end of the stream "
                  "before a connection is used again, and retry idempotent requests.",
                  report_address(occasion, CLIENT).text, report_address(occasion, SERVER).text);
}

void detect_keepalive_race(struct occasion *occasion)
{
    const struct incarnation *incarnation = occasion->incarnation;
    struct late_data late;
    if (incarnation_raised(incarnation, EVENT_keepalive_race) ||
        !find_late_data(incarnation, occasion->config, &late) ||
        !is_request(&incarnation->connection, &late))
        return;
    const struct closing *closing = incarnation->connection.closing;
    const struct packet_ref *acked = &closing->fin_ack[SERVER];
    bool heard = acked->packet != 0 && acked->packet < late.data.packet &&
                 time_since(late.data.t, acked->t) >= heard_of_close;
    struct event_record event;
    report_begin(&event, EVENT_keepalive_race, late.data.t,
                 report_gated(incarnation, CONFIDENCE_CERTAIN), heard ? BLAME_CLIENT : BLAME_NONE);
    report_reset_states(&event, incarnation, SERVER);
    add_late_evidence(&event, incarnation, &late);
    add_late_numbers(&event, incarnation, &late);
    if (late.previous.packet != 0)
        report_number(&event, "idle_ns", time_since(closing->fin[SERVER].t, late.previous.t));
    event.suppresses[event.suppress_count++] = EVENT_data_after_close_reset;
    explain_race(&event, occasion, &late, heard);
    occasion->emit(occasion->context, &event);
}
