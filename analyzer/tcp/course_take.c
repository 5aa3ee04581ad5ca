/* course_take: what each segment of the usual course does (course.h), in the order of
 * connection_segment_fully().  The arrows are figure 5's. */
#include "course.h"

#include "closing.h"
#include "course_parts.h"
#include "ordinary_steps.h"
#include "window.h"
#include "zeek_usual.h"

/* An arrow of figure 5. */
struct arrow {
    enum tcp_state before, next;
    enum fact fact;
};

static const struct arrow snd_syn = {STATE_CLOSED, STATE_SYN_SENT, FACT_SND_SYN};
static const struct arrow snd_synack = {STATE_CLOSED, STATE_SYN_RCVD, FACT_SND_SYNACK};
static const struct arrow got_synack = {STATE_SYN_SENT, STATE_ESTABLISHED, FACT_GOT_SYNACK};
static const struct arrow syn_acked = {STATE_SYN_RCVD, STATE_ESTABLISHED, FACT_SYN_ACKED};
static const struct arrow snd_fin = {STATE_ESTABLISHED, STATE_FIN_WAIT_1, FACT_SND_FIN};
static const struct arrow got_fin = {STATE_ESTABLISHED, STATE_CLOSE_WAIT, FACT_GOT_FIN};
static const struct arrow fin_acked = {STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, FACT_FIN_ACKED};
static const struct arrow snd_fin_too = {STATE_CLOSE_WAIT, STATE_LAST_ACK, FACT_SND_FIN};
static const struct arrow got_fin_too = {STATE_FIN_WAIT_2, STATE_TIME_WAIT, FACT_GOT_FIN};
static const struct arrow fin_acked_too = {STATE_LAST_ACK, STATE_CLOSED, FACT_FIN_ACKED};

/*
 * Entry `index`, the next one: the segment of the step moves a side along the arrow.  Entries of a
 * side stand in time order, though the capture's clock be set back: `last` is the one before; NULL:
 * there is none.
 */
static inline void enter(struct connection *connection, int index, int side, struct arrow arrow,
                         const struct history_entry *last, const struct step *step)
{
    const struct segment *segment = step->segment;
    const bool sent = step->from == side; /* else it is presumed to arrive */
    struct side *x = &connection->side[side];
    connection->history.first[index] = (struct history_entry){
        .t = last != NULL ? time_later_of(segment->time, last->t) : segment->time,
        .packet = segment->packet,
        .state = arrow.next,
        .fact = arrow.fact,
        .basis = sent ? BASIS_SENT : BASIS_PRESUMED,
        .side = (unsigned)side,
        .by = sent ? segment->packet : 0, /* what is not presumed, it proves itself */
        .before = arrow.before,
    };
    connection->history.count = (uint16_t)(index + 1);
    x->state = (uint8_t)arrow.next;
    x->basis = (uint8_t)(sent ? BASIS_SENT : BASIS_PRESUMED);
}

/* The segment acknowledges entry `index`. */
static inline void prove(struct connection *connection, int index, const struct segment *segment)
{
    struct history_entry *entry = &connection->history.first[index];
    entry->basis = BASIS_ACKED;
    entry->by = segment->packet;
}

/* The same, of the side's newest entry. */
static inline void prove_newest(struct connection *connection, int side, int index,
                                const struct segment *segment)
{
    prove(connection, index, segment);
    connection->side[side].basis = BASIS_ACKED;
}

static inline void count(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    connection->last_t = time_later_of(connection->last_t, segment->time);
    ordinary_count(&x->tally, segment);
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
}

static inline void take_round_trip(struct connection *connection, const struct segment *segment,
                                   int from)
{
    const struct side *y = &connection->side[side_other(from)];
    if (side_has(y, SIDE_TIMED) && seq_at_or_after(segment->acknowledgment, y->timed_end))
        tally_round_trip(connection, segment, from);
}

static inline void take_stamps(struct connection *connection, const struct segment *segment,
                               int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    shown_stamps(x, segment); /* its SYN was seen whole: whether it stamps is known from there */
    bool covers = !side_has(y, SIDE_ACKED) || seq_at_or_before(segment->sequence, y->rcv_nxt);
    if (covers && (y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent)))
        y->ts_recent = segment->tsval;
}

static void take_options(struct side *x, const struct segment *segment)
{
    if ((segment->options & OPTION_MSS) != 0) {
        x->flags |= SIDE_MSS;
        x->mss = segment->mss;
    }
    if ((segment->options & OPTION_WINDOW_SCALE) != 0) {
        x->flags |= SIDE_SCALED;
        x->window_scale = course_window_scale(segment->window_scale);
    }
    if ((segment->options & OPTION_SACK_PERMITTED) != 0)
        x->flags |= SIDE_SACK;
    if ((segment->options & OPTION_TIMESTAMPS) != 0)
        x->flags |= SIDE_TIMESTAMPS;
}

/* The first segment of a side: its numbers begin with it, and its first round trip. */
static void take_syn(struct side *x, const struct segment *segment)
{
    x->iss = x->snd_una = x->last_data_sequence = segment->sequence;
    x->snd_nxt = x->timed_end = seq_add(segment->sequence, 1);
    x->flags |= BEGUN | SIDE_TIMED;
    x->syn_flags = x->last_data_flags = segment->flags;
    x->syn_payload = 0;
    x->syn_acknowledgment = x->last_data_acknowledgment = segment->acknowledgment;
    x->syn_packet = x->last_data_packet = segment->packet;
    x->syn_t = x->last_data_t = x->timed_t = x->last_t = segment->time;
    x->last_data_payload = 0;
    x->timed_tsval = segment->tsval;
    x->last_ip_id = segment->ip_id;
    x->ttl = segment->ttl;
    x->tally.syns++;
    take_options(x, segment);
}

/* A side's first acknowledgment: of the other's SYN. */
static void take_first_acknowledgment(struct connection *connection, const struct segment *segment,
                                      int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    x->window = segment_window(connection, segment, from);
    x->last_window_field = segment->window;
    if (x->window > x->max_window)
        x->max_window = x->window;
    x->right_edge = seq_add(segment->acknowledgment, x->window);
    x->flags &= (uint16_t)~SIDE_ZERO_WINDOW;
    x->rcv_nxt = segment->acknowledgment;
    x->rcv_nxt_packet = segment->packet;
    x->rcv_nxt_t = segment->time;
    x->flags |= SIDE_ACKED;
    if (seq_after(segment->acknowledgment, y->snd_una))
        y->snd_una = segment->acknowledgment;
}

static void take_synack(struct connection *connection, const struct segment *segment,
                        const struct step *step)
{
    struct side *server = &connection->side[1];
    count(connection, segment, 1);
    zeek_usual_synack(&connection->zeek, segment, 1);
    take_round_trip(connection, segment, 1);
    enter(connection, SERVER_ANSWERED, 1, snd_synack, NULL, step);
    connection->synack_t = segment->time;
    if (connection->syn_t != NANOTIME_UNKNOWN && !time_is_before(segment->time, connection->syn_t))
        server->round_trip = time_since(segment->time, connection->syn_t);
    take_syn(server, segment);
    enter(connection, CLIENT_OPENED, 0, got_synack, &connection->history.first[0], step);
    take_first_acknowledgment(connection, segment, 1);
    take_stamps(connection, segment, 1);
    connection->course = COURSE_ANSWERED;
}

static void take_third(struct connection *connection, const struct segment *segment,
                       const struct step *step)
{
    struct side *client = &connection->side[0];
    count(connection, segment, 0);
    zeek_usual_ack(&connection->zeek, segment, 0);
    prove_newest(connection, 0, CLIENT_OPENED, segment);
    take_round_trip(connection, segment, 0);
    connection->acknowledged = true;
    connection->third_packet = segment->packet;
    connection->third_sequence = segment->sequence;
    connection->third_flags = segment->flags;
    if (!connection->synack_repeated) {
        connection->ack_t = segment->time;
        client->round_trip = time_since(segment->time, connection->synack_t);
    }
    enter(connection, SERVER_OPENED, 1, syn_acked, &connection->history.first[SERVER_ANSWERED],
          step);
    take_first_acknowledgment(connection, segment, 0);
    client->last_t = segment->time;
    client->last_ip_id = segment->ip_id;
    take_stamps(connection, segment, 0);
    connection->course = COURSE_OPEN;
}

static void take_word(struct connection *connection, const struct segment *segment)
{
    prove_newest(connection, 1, SERVER_OPENED, segment);
    zeek_view_ordinary(&connection->zeek, segment, 1);
    ordinary_take(connection, segment, 1);
    connection->course = COURSE_PROVEN;
}

/* The first FIN; `proven`: nothing of the handshake is presumed any more. */
static void part(struct connection *connection, bool proven, const struct step *step)
{
    const int from = step->from, peer = side_other(from);
    const struct history_entry *entry = connection->history.first;
    const int opened[SIDES] = {CLIENT_OPENED, SERVER_OPENED};
    enter(connection, FIN_SENT, from, snd_fin, &entry[opened[from]], step);
    enter(connection, FIN_CAME, peer, got_fin, &entry[opened[peer]], step);
    connection->course = proven ? COURSE_PARTING : COURSE_NONE;
}

/* The FIN is acknowledged: alone, or by that of the other side. */
static void leave(struct connection *connection, bool fin, const struct step *step)
{
    const int from = step->from, peer = side_other(from);
    const struct history_entry *entry = connection->history.first;
    prove_newest(connection, from, FIN_CAME, step->segment);
    if (!fin) {
        enter(connection, FIN_ACKED_ALONE, peer, fin_acked, &entry[FIN_SENT], step);
        connection->course = COURSE_LEFT;
        return;
    }
    enter(connection, FIN_ACKED_BY_FIN - 1, from, snd_fin_too, &entry[FIN_CAME], step);
    enter(connection, FIN_ACKED_BY_FIN, peer, fin_acked, &entry[FIN_SENT], step);
    enter(connection, AFTER_FINS - 1, peer, got_fin_too, &entry[FIN_ACKED_BY_FIN], step);
    connection->course = COURSE_PARTED;
}

/* The other FIN, after the acknowledgment of the first. */
static void leave_too(struct connection *connection, const struct step *step)
{
    const struct history_entry *entry = connection->history.first;
    enter(connection, AFTER_ACK, step->from, snd_fin_too, &entry[FIN_CAME], step);
    enter(connection, AFTER_FINS - 1, side_other(step->from), got_fin_too, &entry[FIN_ACKED_ALONE],
          step);
    connection->course = COURSE_PARTED;
}

/* The last acknowledgment. */
static void close(struct connection *connection, const struct step *step)
{
    const struct history_entry *entry = connection->history.first;
    const int acked = course_fin_acked(entry);
    const int left = acked == FIN_ACKED_ALONE ? AFTER_ACK : FIN_ACKED_BY_FIN - 1;
    prove(connection, acked, step->segment);
    prove_newest(connection, step->from, AFTER_FINS - 1, step->segment);
    enter(connection, AFTER_FINS, side_other(step->from), fin_acked_too, &entry[left], step);
    connection->course = COURSE_NONE;
}

static void move(struct connection *connection, bool fin, const struct step *step)
{
    const enum course course = (enum course)connection->course;
    struct side *x = &connection->side[step->from];
    if (fin) {
        x->fin_seq = step->end - 1;
        x->flags |= SIDE_FIN_SENT;
        x->tally.fins++;
    }
    if (course == COURSE_PARTING)
        leave(connection, fin, step);
    else if (course == COURSE_LEFT)
        leave_too(connection, step);
    else if (course == COURSE_PARTED)
        close(connection, step);
    else
        part(connection, course == COURSE_PROVEN, step);
}

static void take_fin(struct side *x, const struct segment *segment, const struct step *step)
{
    x->snd_nxt = step->end;
    shown_data(x, segment);
    if (!side_has(x, SIDE_TIMED))
        shown_begins_trip(x, segment, step->end);
    shown_in_flight(x);
}

static bool take_parting(struct connection *connection, const struct segment *segment, int from,
                         struct step *step)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    const bool fin = (segment->flags & TCP_FIN) != 0;
    count(connection, segment, from);
    if (fin)
        zeek_usual_fin(&connection->zeek, segment, from);
    else
        zeek_usual_ack(&connection->zeek, segment, from);
    if (!closing_ensure(connection, segment)) {
        x->tally.fins++;
        step->damaged = true;
        return false;
    }
    if (!fin)
        x->duplicate_acks_now = 0;
    take_round_trip(connection, segment, from);
    move(connection, fin, step);
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (fin)
        take_fin(x, segment, step);
    ordinary_take_window(x, y, segment);
    shown_acknowledgment(x, y, segment);
    take_stamps(connection, segment, from);
    closing_take(connection, segment, from, step);
    return true;
}

void course_begin(struct connection *connection, const struct segment *syn)
{
    const struct step step = {.segment = syn, .from = 0};
    struct side *client = &connection->side[0];
    count(connection, syn, 0);
    zeek_usual_syn(&connection->zeek, syn, 0);
    enter(connection, 0, 0, snd_syn, NULL, &step);
    connection->syn_t = syn->time;
    take_syn(client, syn);
    take_stamps(connection, syn, 0);
    connection->course = COURSE_BEGUN;
}

bool course_take(struct connection *connection, const struct segment *segment, int from,
                 struct step *step)
{
    switch ((enum course)connection->course) {
    case COURSE_BEGUN:
        take_synack(connection, segment, step);
        return true;
    case COURSE_ANSWERED:
        take_third(connection, segment, step);
        return true;
    case COURSE_OPEN:
        if (from == 1) {
            take_word(connection, segment);
            return true;
        }
        break;
    case COURSE_PROVEN:
    case COURSE_PARTING:
    case COURSE_LEFT:
    case COURSE_PARTED:
    case COURSE_NONE:
        break;
    }
    return take_parting(connection, segment, from, step);
}
